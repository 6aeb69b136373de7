//! The table of moves: walked, and enforced from outside on everything that happens in the simulation.

use std::collections::BTreeSet;

use postern::delivery::{DeliveryFacts, DeliveryState, GroupStatus, Phase, Reason, group_status};

use crate::sim::Sim;

/// From now on the database writes down each move.
pub fn record_moves(sim: &Sim) {
    sim.shard().execute("CREATE TABLE test_move (before TEXT, after TEXT, reason TEXT)", []);
    sim.shard().execute(
        "CREATE TRIGGER test_moves AFTER UPDATE OF state ON delivery WHEN old.state <> new.state
         BEGIN INSERT INTO test_move VALUES (old.state, new.state, new.reason); END",
        [],
    );
}

/// The moves written down that are not in the table.
pub fn unlawful_moves(sim: &Sim) -> Vec<String> {
    let rows = sim.shard().query("SELECT DISTINCT before, after FROM test_move", []);
    rows.iter()
        .map(|row| (row.get::<DeliveryState>("before").unwrap(), row.get::<DeliveryState>("after").unwrap()))
        .filter(|(before, after)| !before.may_become(*after))
        .map(|(before, after)| format!("{before:?} to {after:?}"))
        .collect()
}

#[test]
fn every_state_can_be_reached_and_only_published_is_the_end() {
    let mut reached = BTreeSet::from(["waiting"]);
    let mut frontier = vec![DeliveryState::Waiting];
    while let Some(state) = frontier.pop() {
        for next in state.next() {
            if reached.insert(next.as_str()) {
                frontier.push(*next);
            }
        }
    }
    let every: BTreeSet<_> = DeliveryState::ALL.iter().map(|state| state.as_str()).collect();
    assert_eq!(reached, every);
    let ends: Vec<_> = DeliveryState::ALL.into_iter().filter(|state| state.next().is_empty()).collect();
    assert_eq!(ends, [DeliveryState::Published]);
}

#[test]
fn nothing_is_published_that_was_not_armed_or_public_or_looked_up() {
    for state in
        [DeliveryState::Waiting, DeliveryState::Retrying, DeliveryState::Paused, DeliveryState::Missed]
    {
        assert!(!state.may_become(DeliveryState::Published), "{state:?}");
        assert!(!state.may_become(DeliveryState::Armed), "{state:?}");
    }
}

#[test]
fn what_may_be_public_cannot_be_called_off() {
    for state in [DeliveryState::Armed, DeliveryState::Sent, DeliveryState::Published, DeliveryState::Unknown]
    {
        assert!(!state.may_become(DeliveryState::Cancelled), "{state:?}");
    }
}

#[test]
fn a_state_of_a_later_release_counts_as_busy() {
    assert_eq!(DeliveryState::parse("beamed"), DeliveryState::Unrecognised);
    assert_eq!(DeliveryState::Unrecognised.phase(), Phase::Busy);
}

#[test]
fn the_database_knows_every_state_and_its_phase() {
    let sim = Sim::new(1);
    for state in DeliveryState::ALL {
        let rows = sim.shard().query("SELECT phase FROM delivery_state WHERE state = ?1", [state.as_str()]);
        let phase: String = rows[0].get("phase").unwrap();
        let expected = match state.phase() {
            Phase::Pending => "waiting",
            Phase::Busy => "busy",
            Phase::Done => "done",
            Phase::Person => "person",
        };
        assert_eq!(phase, expected, "{state:?}");
    }
}

#[test]
fn a_group_stands_where_its_deliveries_stand() {
    use DeliveryState as S;
    let status = |states: &[(S, Option<Reason>)]| {
        let facts: Vec<_> = states
            .iter()
            .map(|(state, reason)| DeliveryFacts { state: *state, reason: *reason, is_ahead: false })
            .collect();
        group_status(&facts)
    };
    let of = |states: &[S]| status(&states.iter().map(|state| (*state, None)).collect::<Vec<_>>());
    assert_eq!(of(&[]), GroupStatus::Draft);
    assert_eq!(of(&[S::Waiting, S::Waiting]), GroupStatus::Scheduled);
    assert_eq!(of(&[S::Waiting, S::Cancelled]), GroupStatus::Scheduled);
    assert_eq!(of(&[S::Retrying]), GroupStatus::Publishing);
    assert_eq!(of(&[S::Published, S::Armed]), GroupStatus::Publishing);
    assert_eq!(of(&[S::Published, S::Published]), GroupStatus::Published);
    assert_eq!(of(&[S::Published, S::Cancelled]), GroupStatus::Published);
    assert_eq!(of(&[S::Published, S::Failed]), GroupStatus::PartlyPublished);
    assert_eq!(of(&[S::Published, S::Missed]), GroupStatus::PartlyPublished);
    assert_eq!(status(&[(S::Failed, Some(Reason::Incomplete))]), GroupStatus::PartlyPublished);
    assert_eq!(of(&[S::Published, S::Unknown]), GroupStatus::NeedsAttention);
    assert_eq!(of(&[S::Waiting, S::Paused]), GroupStatus::NeedsAttention);
    assert_eq!(status(&[(S::Failed, Some(Reason::Reauthorise))]), GroupStatus::NeedsAttention);
    assert_eq!(of(&[S::Failed, S::Missed]), GroupStatus::Failed);
    assert_eq!(of(&[S::Missed, S::Cancelled]), GroupStatus::Missed);
    assert_eq!(of(&[S::Cancelled]), GroupStatus::Cancelled);
    assert_eq!(of(&[S::Unrecognised]), GroupStatus::Publishing);
}

#[test]
fn a_group_of_which_the_rest_waits_for_a_time_to_come_is_not_going_out() {
    use DeliveryState as S;
    let of = |settled: &[S], is_ahead: bool| {
        let waiting = DeliveryFacts { state: S::Waiting, reason: None, is_ahead };
        let settled =
            settled.iter().map(|state| DeliveryFacts { state: *state, reason: None, is_ahead: false });
        group_status(&settled.chain([waiting]).collect::<Vec<_>>())
    };
    assert_eq!(of(&[S::Published], true), GroupStatus::PartlyPublished);
    assert_eq!(of(&[S::Published, S::Failed], true), GroupStatus::PartlyPublished);
    assert_eq!(of(&[S::Failed], true), GroupStatus::Scheduled);
    assert_eq!(of(&[S::Missed], true), GroupStatus::Scheduled);
    assert_eq!(of(&[S::Published], false), GroupStatus::Publishing);
    assert_eq!(of(&[S::Published, S::Armed], true), GroupStatus::Publishing);
    assert_eq!(of(&[S::Retrying], true), GroupStatus::Publishing);
    assert_eq!(of(&[S::Paused, S::Published], true), GroupStatus::NeedsAttention);
}
