//! What publishing costs.

use postern::delivery::{Budget, RealTrade, tick};
use serde_json::{Value, json};

use super::stage::Stage;
use crate::sim::run;

#[test]
fn a_post_on_the_wall_costs_at_most_six_statements_of_its_shard_claim_and_all() {
    let stage = Stage::new(321);
    let posts: Vec<Value> = (0..40)
        .map(|number| json!({ "text": format!("Post {number}"), "profiles": ["acme"], "when": "PT1H" }))
        .collect();
    stage.done("create_posts", json!({ "posts": posts }));
    stage.sim.clock.advance_seconds(3600);
    let report = run(tick(&stage.sim.platform(), &RealTrade, 0, Budget::default()));
    assert_eq!((report.published, report.fault.clone()), (40, None));
    assert!(report.statements <= 6 * 40, "{report:?}");
    assert_eq!(stage.public(), 40);
}

#[test]
fn a_post_on_the_wall_is_never_armed_since_its_one_batch_is_all_there_is_to_it() {
    let stage = Stage::new(322);
    stage.sim.shard().execute(
        "CREATE TRIGGER test_never_armed BEFORE UPDATE OF state ON delivery WHEN new.state = 'armed'
         BEGIN SELECT RAISE(ABORT, 'armed'); END",
        [],
    );
    let body = json!({ "text": "Ground", "thread": [{ "text": "First floor" }], "first_comment": "The roof",
        "profiles": ["acme"], "when": "now" });
    let post = stage.done("create_post", body)["post_id"].clone();
    stage.later(31);
    assert_eq!(stage.status(&post), "published");
    assert_eq!(stage.public(), 3);
}
