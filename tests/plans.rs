//! The plan of every statement: none costs more the longer a tenant lives or the more tenants there are.

use std::collections::BTreeMap;

use postern::{
    edge::statements,
    platform::{Home, Sql},
    tenants::TABLES,
};

use crate::sim::Sim;

/// Tables that stay small however many tenants there are.
const SMALL: &[&str] = &[
    "role",
    "network",
    "profile_state",
    "delivery_state",
    "tenant_state",
    "shard",
    "shard_epoch",
    "tick",
    "audit_horizon",
    // Emptied each minute.
    "audit_queue",
    "d1_migrations",
];

/// Tables of which a tenant, and so a query that names only the tenant, has few rows.
const FEW_PER_TENANT: &[&str] = &[
    "tenant",
    "workspace",
    "membership",
    "invitation",
    "provider",
    "mail_domain",
    "profile",
    "app_entry",
    "personal_token",
];

/// Costs that are meant: the statement, the line of its plan, and why it stays small.
const MEANT: &[(&str, &str, &str)] = &[
    ("audit_lines", "SCAN a", "a window of the audit, 5,000 lines at most"),
    ("queued_acts", "SCAN q", "a portion of what waits"),
    ("profiles_in_sight", "USE TEMP B-TREE FOR ORDER BY", "a tenant has few profiles"),
    ("attempts", "USE TEMP B-TREE FOR ORDER BY", "the attempts of one post"),
    ("delivery_claim", "USE TEMP B-TREE FOR ORDER BY", "sorts only what is due, at most a round of it"),
    ("delivery_claimed", "USE TEMP B-TREE FOR ORDER BY", "a round at most"),
    ("delivery_claimed_parts", "USE TEMP B-TREE FOR ORDER BY", "the parts of a round"),
    ("delivery_of_post", "USE TEMP B-TREE FOR ORDER BY", "the deliveries of one post"),
    ("delivery_parts_of_post", "USE TEMP B-TREE FOR ORDER BY", "the parts of one post"),
    ("delivery_count_unknown", "SCAN delivery USING COVERING INDEX delivery_unknown", "only what is unknown"),
    ("delivery_doubt_open", "SCAN delivery USING INDEX delivery_due", "once, after a restore"),
    ("delivery_doubt_settled", "SCAN delivery", "once, after a restore"),
    ("count_keys_to_wrap", "SCAN tenant", "asked by an operator while keys are rotated"),
    ("shard_loads", "SCAN tenant", "asked by an operator who makes a tenant"),
    ("shard_loads", "USE TEMP B-TREE FOR GROUP BY", "one row per shard"),
    ("describe_tenants", "USE TEMP B-TREE FOR ORDER BY", "a tenant has few owners"),
    (
        "directory_status",
        "SCAN tenant USING COVERING INDEX tenant_pending",
        "only changes that were cut short",
    ),
    ("pending_changes", "SCAN tenant USING INDEX tenant_pending", "only changes that were cut short"),
    (
        "people_only_here",
        "SEARCH pt USING COVERING INDEX person_tenant_by_tenant (tenant_id=?)",
        "the people of a tenant that is being erased",
    ),
    (
        "unpoint",
        "SEARCH person_tenant USING COVERING INDEX person_tenant_by_tenant (tenant_id=?)",
        "the people of a tenant that is being erased",
    ),
    (
        "unlink_tenant",
        "SEARCH upstream_identity USING PRIMARY KEY (tenant_id=?)",
        "the people of a tenant that is being erased",
    ),
    (
        "end_tenant_sessions",
        "SEARCH session USING COVERING INDEX session_by_provider (tenant_id=?)",
        "the people of a tenant that is being erased",
    ),
    ("tenants_of_person", "USE TEMP B-TREE FOR ORDER BY", "a person has few tenants"),
    ("count_scheduled", "USE TEMP B-TREE FOR GROUP BY", "one row per grant of one person"),
    ("list_grants", "USE TEMP B-TREE FOR ORDER BY", "the grants of one person"),
    ("find_held", "USE TEMP B-TREE FOR ORDER BY", "the grants of one person to one client"),
    ("profile_counts", "USE TEMP B-TREE FOR GROUP BY", "a tenant has few profiles"),
    ("wall_page", "SCAN page", "a page of entries that the statement itself has made"),
    ("wall_page", "USE TEMP B-TREE FOR LAST TERM OF ORDER BY", "the parts of one page"),
];

/// Whether a statement reads or erases all that a tenant has, page by page, which an operator asked for.
fn is_of_whole_tenant(sql: &Sql) -> bool {
    TABLES.iter().any(|table| [table.export.name, table.erase.name].contains(&sql.name))
}

/// The plan of a statement on a migrated database without rows.
pub fn plan(sql: Sql) -> Vec<String> {
    let sim = Sim::new(0);
    match sql.home {
        Home::Directory => sim.directory.plan(sql.text),
        Home::Shard => sim.shard().plan(sql.text),
    }
}

/// The lines of a statement's plan that cost more as its tables grow.
fn costs(sql: Sql) -> Vec<String> {
    let tables = tables_by_alias(sql.text);
    let is_meant = |line: &String| MEANT.iter().any(|(name, meant, _)| *name == sql.name && line == meant);
    plan(sql).into_iter().filter(|line| is_costly(line, &tables) && !is_meant(line)).collect()
}

fn is_costly(line: &str, tables: &BTreeMap<&str, &str>) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let table = words.get(1).map_or("", |alias| tables.get(alias).copied().unwrap_or(alias));
    match words.first() {
        Some(&"SCAN") => {
            let made_here =
                line.contains("VIRTUAL TABLE") || line == "SCAN CONSTANT ROW" || table.starts_with('(');
            !made_here && !SMALL.contains(&table)
        }
        Some(&"SEARCH") => {
            line.ends_with("(tenant_id=?)") && !SMALL.contains(&table) && !FEW_PER_TENANT.contains(&table)
        }
        _ => line.contains("TEMP B-TREE"),
    }
}

/// What each alias in a statement stands for: plans name aliases.
fn tables_by_alias(sql: &str) -> BTreeMap<&str, &str> {
    let words: Vec<&str> =
        sql.split(|c: char| c.is_whitespace() || "(),;".contains(c)).filter(|w| !w.is_empty()).collect();
    let names: Vec<&str> = words.into_iter().filter(|word| *word != "AS").collect();
    names
        .windows(3)
        .filter(|window| matches!(window[0], "FROM" | "JOIN" | "UPDATE" | "INTO"))
        .map(|window| (window[2], window[1]))
        .collect()
}

#[test]
fn no_statement_costs_more_as_its_tables_grow() {
    let wrong: BTreeMap<&str, Vec<String>> = statements()
        .filter(|sql| !is_of_whole_tenant(sql))
        .map(|sql| (sql.name, costs(sql)))
        .filter(|(_, costs)| !costs.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_cost_that_is_meant_is_there() {
    let plans: BTreeMap<&str, Vec<String>> = statements().map(|sql| (sql.name, plan(sql))).collect();
    for (name, line, why) in MEANT {
        assert!(
            plans[name].iter().any(|found| found == line),
            "{name} has no {line:?} ({why}): {:#?}",
            plans[name]
        );
    }
}

#[test]
fn a_costly_plan_is_seen() {
    let of = |text: &'static str| costs(Sql { name: "probe", text, home: Home::Shard }).len();
    assert_eq!(of("SELECT name FROM workspace w WHERE time_zone = ?1"), 1, "a scan under an alias");
    assert_eq!(of("SELECT name FROM workspace WHERE tenant_id = ?1 ORDER BY time_zone"), 1, "a sort");
    assert_eq!(
        of("SELECT content FROM wall_entry e WHERE tenant_id = ?1 AND content = ?2"),
        1,
        "all of a tenant"
    );
    assert_eq!(of("DELETE FROM attempt WHERE step = ?1"), 1);
    assert_eq!(of("SELECT role FROM role r"), 0, "a small table");
    assert_eq!(of("SELECT value FROM json_each(?1)"), 0, "a list that was given");
    assert_eq!(of("SELECT name FROM workspace WHERE tenant_id = ?1 AND workspace_id = ?2"), 0);
}
