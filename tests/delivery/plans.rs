//! The hot queries cost what is due, not what is stored.

use postern::delivery::STATEMENTS;

use crate::sim::Sim;

fn plan(name: &str) -> Vec<String> {
    let statement = STATEMENTS.iter().find(|statement| statement.name == name).unwrap();
    Sim::new(1).shard().plan(statement.text)
}

/// Every time that the statement reads deliveries, it does so by an index or a key.
fn reads_by_index(name: &str) -> Vec<String> {
    let lines = plan(name);
    let scans: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("SCAN") && !line.contains("INDEX") && !line.contains("(subquery"))
        .collect();
    assert!(scans.is_empty(), "{name}: {lines:#?}");
    lines
}

#[test]
fn claiming_reads_what_is_due_by_its_index() {
    for name in [
        "delivery_claim",
        "delivery_claimed",
        "delivery_claimed_parts",
        "delivery_mark_missed",
        "delivery_oldest_due",
        "delivery_put_on_hold",
        "delivery_put_off",
        "delivery_soon",
    ] {
        let lines = reads_by_index(name);
        assert!(
            lines.iter().any(|line| line.contains("USING") && line.contains("INDEX delivery_due (next_at")),
            "{name}: {lines:#?}"
        );
    }
}

#[test]
fn commits_find_their_rows_by_key() {
    for name in [
        "delivery_commit",
        "delivery_arm",
        "delivery_arm_part",
        "delivery_disarm_part",
        "delivery_settle_part",
        "delivery_log_attempt",
        "delivery_token",
        "delivery_of_post",
        "delivery_parts_of_post",
        "delivery_retry",
        "delivery_pause",
        "delivery_pauses",
        "delivery_end_pauses",
        "delivery_ahead",
        "delivery_settle_held",
        "delivery_wait_for",
        "delivery_confirm",
        "delivery_confirm_live",
        "delivery_confirm_absent",
        "delivery_log_word",
    ] {
        reads_by_index(name);
    }
}

#[test]
fn retention_and_the_count_of_unknown_outcomes_use_their_indexes() {
    assert!(plan("delivery_forget_attempts").iter().any(|line| line.contains("attempt_by_age")));
    assert!(plan("delivery_on_hold").iter().any(|line| line.contains("delivery_paused")));
    assert!(plan("delivery_count_unknown").iter().any(|line| line.contains("delivery_unknown")));
}
