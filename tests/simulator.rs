//! What the simulated platform promises to the tests that stand on it.

use std::rc::Rc;

use postern::platform::{
    Body, ByteRange, Clock, Database, DatabaseFault, Event, Events, Home, HttpClient, HttpFault, KeyValue,
    Later, Method, OutgoingRequest, ResponseSink, Sql, Value, random_array,
};

use crate::sim::{
    BEGIN, Fault, Incoming, Odds, Peer, Port, Random, Reply, Sim, Snapshot, interleave,
    interleave_until_crash, run, run_until_crash, world::Company, yield_now,
};

const COUNT_UP: Sql = Sql {
    name: "count_up",
    text: "-- count_up\nUPDATE shard_epoch SET epoch = epoch + ?1 RETURNING epoch",
    home: Home::Shard,
};

const SELECT: fn(&'static str) -> Sql = |text| Sql { name: "select", text, home: Home::Shard };

fn epoch(sim: &Sim) -> i64 {
    sim.shard().number("SELECT epoch FROM shard_epoch", [])
}

async fn count_up(sim: &Sim) -> Result<i64, DatabaseFault> {
    let rows = sim.shard().batch(vec![COUNT_UP.with([Value::Int(1)])]).await?;
    Ok(rows[0][0].get("epoch")?)
}

fn refused(sql: &'static str) -> String {
    let sim = Sim::new(1);
    match run(sim.shard().batch(vec![SELECT(sql).with([])])) {
        Err(DatabaseFault::Rejected(why)) => why,
        other => panic!("{sql} gave {other:?}"),
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let draw = |seed| random_array::<32>(&Sim::new(seed).entropy);
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
}

#[test]
fn a_simulation_begins_in_a_millisecond_or_so() {
    let began = wall_time();
    for seed in 0..200 {
        Company::found(&Sim::new(seed), "acme");
    }
    let each = (wall_time() - began).as_micros() / 200;
    assert!(each < 10_000, "{each} µs each");
}

#[expect(clippy::disallowed_methods, reason = "measures the simulator itself")]
fn wall_time() -> std::time::Instant {
    std::time::Instant::now()
}

#[test]
fn what_d1_refuses_or_changes_is_refused() {
    assert!(refused("SELECT sqlite_version() AS v").contains("not authorized"));
    assert!(refused("SELECT random() AS v").contains("not authorized"));
    assert!(refused("SELECT 1 AS a, 2 AS a").contains("two columns"));
    assert!(refused("SELECT 1 AS a; SELECT 2 AS b").contains("Multiple statements"));
    assert!(refused("SELECT 9007199254740992 AS a").contains("2^53"));
    assert!(refused("SELECT 1.5 AS a").contains("floating point"));
    assert!(refused("SELECT x'01' AS a").contains("BLOB"));
    assert!(refused("SELECT ?101 AS a").contains("variable number"));
    assert!(refused("SELECT ?1 AS a").contains("number of parameters"));
    assert!(refused("BEGIN").contains("not authorized"));
    assert!(refused("SELECT a FROM absent").contains("no such table"));
    let long: &'static str = Box::leak(format!("SELECT 1 AS a -- {}", "x".repeat(100_000)).into_boxed_str());
    assert!(refused(long).contains("too"));
}

#[test]
fn too_large_values_and_numbers_are_refused() {
    let sim = Sim::new(1);
    let select = |value: Value| run(sim.shard().batch(vec![SELECT("SELECT length(?1) AS n").with([value])]));
    assert!(select("x".repeat(1_999_000).into()).is_ok());
    assert!(matches!(select("x".repeat(2_000_001).into()), Err(DatabaseFault::Rejected(_))));
    assert!(matches!(select(Value::Int(1 << 53)), Err(DatabaseFault::Rejected(_))));
    assert!(select(Value::Int((1 << 53) - 1)).is_ok());
}

#[test]
fn numbers_are_bound_as_d1_binds_them() {
    let sim = Sim::new(1);
    let statement = SELECT("SELECT json_object('n', ?1) AS json, ?1 AS plain").with([Value::Int(5)]);
    let rows = run(sim.shard().batch(vec![statement])).unwrap();
    assert_eq!(rows[0][0].get::<String>("json").unwrap(), r#"{"n":5.0}"#);
    assert_eq!(rows[0][0].get::<i64>("plain").unwrap(), 5);
}

#[test]
fn a_failed_guard_rolls_the_batch_back() {
    let sim = Sim::new(1);
    let guard = SELECT("SELECT CASE WHEN changes() = 2 THEN 1 ELSE json('{guard') END AS held").with([]);
    let fault = run(sim.shard().batch(vec![COUNT_UP.with([Value::Int(1)]), guard])).unwrap_err();
    assert!(matches!(&fault, DatabaseFault::Aborted(why) if why.contains("malformed JSON")), "{fault}");
    assert_eq!(epoch(&sim), 0);
}

#[test]
fn a_statement_runs_only_where_it_belongs() {
    let sim = Sim::new(1);
    let fault = run(sim.directory.batch(vec![COUNT_UP.with([Value::Int(1)])])).unwrap_err();
    assert!(matches!(fault, DatabaseFault::Rejected(why) if why.contains("wrong database")));
}

#[test]
fn a_lost_request_has_no_effect_and_a_lost_reply_has() {
    let sim = Sim::new(1);
    sim.faults.on_call(Port::Shard, 1, Fault::LostRequest);
    sim.faults.on_statement("count_up", Fault::LostReply);
    assert!(matches!(run(count_up(&sim)), Err(DatabaseFault::Unknown(_))));
    assert_eq!(epoch(&sim), 0, "the request was lost");
    assert!(matches!(run(count_up(&sim)), Err(DatabaseFault::Unknown(_))));
    assert_eq!(epoch(&sim), 1, "only the reply was lost");
    assert_eq!(run(count_up(&sim)), Ok(2));
}

#[test]
fn a_crash_comes_before_the_effect_or_after_it() {
    let outcomes: Vec<(Option<bool>, i64)> = (0..4)
        .map(|steps| {
            let sim = Sim::new(1);
            let answer = run_until_crash(steps, count_up(&sim));
            (answer.map(|answer| answer.is_ok()), epoch(&sim))
        })
        .collect();
    assert_eq!(outcomes, [(None, 0), (None, 0), (None, 1), (Some(true), 1)]);
}

#[test]
fn slow_calls_move_the_clock() {
    let sim = Sim::new(1);
    sim.faults.on_call(Port::Shard, 1, Fault::SlowRequest(700));
    sim.faults.on_call(Port::Shard, 2, Fault::SlowReply(300));
    run(count_up(&sim)).unwrap();
    run(count_up(&sim)).unwrap();
    assert_eq!(sim.clock.now().millis_since(BEGIN), 1000);
}

#[test]
fn odds_bring_every_fault_and_calm_ends_them() {
    let sim = Sim::new(11);
    sim.faults.set_odds(Odds {
        not_sent: 100,
        lost_request: 100,
        lost_reply: 100,
        slow: 100,
        slowest_millis: 50,
    });
    let lost = (0..200).filter(|_| run(count_up(&sim)).is_err()).count();
    assert!((30..90).contains(&lost), "{lost} of 200 calls failed");
    assert!(sim.clock.now() > BEGIN);
    sim.faults.calm();
    assert!((0..50).all(|_| run(count_up(&sim)).is_ok()));
}

/// Reads, then writes what it read plus one: wrong when another does so between.
async fn count_up_badly(sim: &Sim) {
    let read = run_epoch(sim).await;
    let write =
        Sql { name: "overwrite", text: "-- overwrite\nUPDATE shard_epoch SET epoch = ?1", home: Home::Shard };
    sim.shard().batch(vec![write.with([Value::Int(read + 1)])]).await.unwrap();
}

async fn run_epoch(sim: &Sim) -> i64 {
    let rows = sim.shard().batch(vec![SELECT("SELECT epoch FROM shard_epoch").with([])]).await.unwrap();
    rows[0][0].get("epoch").unwrap()
}

#[test]
fn interleaving_finds_a_lost_update() {
    let ends: Vec<i64> = (0..20)
        .map(|seed| {
            let sim = Sim::new(seed);
            let both: Vec<Later<'_, ()>> =
                vec![Box::pin(count_up_badly(&sim)), Box::pin(count_up_badly(&sim))];
            interleave(&Random::new(seed), both);
            epoch(&sim)
        })
        .collect();
    assert!(ends.contains(&1) && ends.contains(&2), "{ends:?}");
}

#[test]
fn a_crash_ends_all_that_run_together() {
    let sim = Sim::new(1);
    let endless = async {
        loop {
            yield_now().await;
        }
    };
    let both: Vec<Later<'_, ()>> = vec![Box::pin(endless), Box::pin(async { drop(count_up(&sim).await) })];
    let results = interleave_until_crash(&Random::new(1), 100, both);
    assert_eq!(results, [None, Some(())]);
}

#[test]
fn a_shard_can_be_put_back() {
    let sim = Sim::with_shards(1, 2);
    run(count_up(&sim)).unwrap();
    let copy: Snapshot = sim.shard().snapshot();
    run(count_up(&sim)).unwrap();
    sim.shard().restore(&copy);
    assert_eq!(epoch(&sim), 1);
    assert_eq!(run(count_up(&sim)), Ok(2));
    assert_eq!(sim.shards[1].number("SELECT epoch FROM shard_epoch", []), 0);
}

#[test]
fn kv_tells_what_it_saw_until_the_lag_has_passed_misses_too() {
    let sim = Sim::new(1);
    let get = || run(sim.key_value.get("k")).unwrap();
    run(sim.key_value.put("k", "at once".into(), 60)).unwrap();
    assert_eq!(get().as_deref(), Some("at once"));
    run(sim.key_value.delete("k")).unwrap();
    assert_eq!(get(), None);

    sim.key_value.set_lag_of("k", 60);
    assert_eq!(get(), None);
    run(sim.key_value.put("k", "later".into(), 120)).unwrap();
    sim.clock.advance_seconds(59);
    assert_eq!(get(), None, "a cached miss");
    sim.clock.advance_seconds(1);
    assert_eq!(get().as_deref(), Some("later"));
    assert_eq!(sim.key_value.newest()["k"], "later");
    sim.clock.advance_seconds(60);
    assert_eq!(get(), None, "expired");
    sim.key_value.set_lag(60);
    assert!(run(sim.key_value.put("k", "short".into(), 59)).is_err());
}

fn request(body: Body, sink: ResponseSink) -> OutgoingRequest {
    OutgoingRequest {
        method: Method::Post,
        url: "https://social.example/posts".to_owned(),
        headers: Vec::new(),
        body,
        timeout_millis: 1000,
        sink,
    }
}

fn echo(request: &Incoming) -> Result<Reply, HttpFault> {
    Ok(Reply::of(200, "text/plain", request.body.clone()))
}

#[test]
fn the_web_is_what_the_test_says() {
    let sim = Sim::new(1);
    let memory = || ResponseSink::Memory { limit: 4 };
    let send = |body, sink| run(sim.web.send(request(body, sink)));
    assert!(matches!(send(Body::Empty, memory()), Err(HttpFault::NotSent(_))), "nobody is there at first");

    let peer: Rc<dyn Peer> = Rc::new(echo);
    sim.web.set_peer(peer);
    assert_eq!(send(Body::Text("abcd".into()), memory()).unwrap().body, b"abcd");
    assert_eq!(send(Body::Text("abcde".into()), memory()).err(), Some(HttpFault::TooLarge));
    sim.blobs.insert("in", "text/plain", b"0123456789".to_vec());
    let range = ByteRange { start: 3, length: 4 };
    let sink = ResponseSink::Blob { key: "out".into(), limit: 4 };
    assert!(send(Body::Blob { key: "in".into(), range }, sink).unwrap().body.is_empty());
    assert_eq!(sim.blobs.peek("out", ByteRange { start: 0, length: 99 }).unwrap(), b"3456");
    let sink = ResponseSink::Blob { key: "big".into(), limit: 4 };
    assert_eq!(send(Body::Text("abcde".into()), sink).err(), Some(HttpFault::TooLarge));
    assert_eq!(sim.blobs.keys(), ["in", "out"]);
}

#[test]
fn an_answer_that_comes_too_late_is_an_unknown_outcome() {
    let sim = Sim::new(1);
    sim.web.set_peer(Rc::new(echo));
    sim.faults.on_call(Port::Web, 1, Fault::SlowReply(5000));
    let answer = run(sim.web.send(request(Body::Empty, ResponseSink::Memory { limit: 4 })));
    assert_eq!(answer.err(), Some(HttpFault::Unknown("timed out".into())));
    assert_eq!(sim.web.requests().len(), 1, "it was delivered all the same");
    assert_eq!(sim.clock.now().millis_since(BEGIN), 1000, "nobody waits longer than the timeout");
}

#[test]
fn a_peer_sees_what_was_sent() {
    let sim = Sim::new(1);
    sim.web.set_peer(Rc::new(|request: &Incoming| {
        let seen = serde_json::json!({
            "method": request.method.as_str(),
            "text": request.json()["text"],
            "authorization": request.header("Authorization"),
            "at": request.at.as_millis(),
        });
        Ok(Reply::json(201, &seen))
    }));
    let mut outgoing = request(Body::Text(r#"{"text":"hi"}"#.into()), ResponseSink::Memory { limit: 200 });
    outgoing.headers.push(("authorization".to_owned(), "Bearer x".to_owned()));
    let answer = run(sim.web.send(outgoing)).unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (201, Some("application/json")));
    let seen: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let expected = serde_json::json!({
        "method": "POST", "text": "hi", "authorization": "Bearer x", "at": BEGIN.as_millis(),
    });
    assert_eq!(seen, expected);
}

#[test]
fn events_are_kept_as_lines() {
    let sim = Sim::new(1);
    sim.events.emit(Event::Fault { place: "tick", kind: "database" });
    let line = serde_json::json!({ "event": "fault", "place": "tick", "kind": "database" });
    assert_eq!(sim.events.all(), [line]);
}

#[test]
fn a_company_has_a_wall_in_each_workspace_that_is_given_one() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let second = company.add_workspace(&sim, "Second", "UTC");
    let wall = company.add_wall(&sim, &second, "acme-second");
    let rows = sim
        .shard()
        .query("SELECT profile_id FROM profile WHERE network = 'wall' ORDER BY created_at, profile_id", []);
    let ids: Vec<String> = rows.iter().map(|row| row.get("profile_id").unwrap()).collect();
    assert!(ids.contains(&wall.to_string()) && ids.contains(&company.wall.to_string()) && ids.len() == 2);
}
