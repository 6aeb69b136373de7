//! The operator's door: who may knock, what it answers, and what the tick keeps small.

use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use postern::{
    edge::SHARD_SCHEMA,
    http::{Request, RequestMethod, Response},
    operator::{self, KEPT, RULES},
    platform::{Clock, Purpose, Timestamp},
    tenants::{self, TABLES},
};
use serde_json::{Value as Json, json};

use crate::{
    sim::{Fault, Sim, SimDatabase, browser::text, config_with_keys, run, world::Company},
    tenants::{columns, tables},
};

/// A token of this head and these claims under the operator's key.
fn token(sim: &Sim, head: &Json, claims: &Json) -> String {
    let encode = |part: &Json| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let signed = format!("{}.{}", encode(head), encode(claims));
    let tag = sim.config.keys.current(Purpose::Operator).hmac(signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&tag))
}

fn head(sim: &Sim) -> Json {
    json!({ "alg": "HS256", "typ": "JWT", "kid": sim.config.keys.current_id() })
}

fn claims(sim: &Sim, id: &str) -> Json {
    let now = sim.clock.now().as_seconds();
    json!({ "aud": "http://localhost:8790", "iat": now, "exp": now + 60, "jti": format!("{id:0>16}") })
}

fn knock(sim: &Sim, authorization: Option<&str>, body: &Json) -> Response {
    let header = |value: &str| ("authorization".to_owned(), value.to_owned());
    let request = Request {
        method: RequestMethod::Post,
        host: "localhost:8790".to_owned(),
        path: "/operator".to_owned(),
        query: String::new(),
        headers: authorization.map(header).into_iter().collect(),
        body: body.to_string().into_bytes(),
        peer: "127.0.0.1".to_owned(),
    };
    run(operator::handle(&sim.platform(), &request))
}

/// The value of an `Authorization` header that opens once.
pub fn fresh_authorization(sim: &Sim) -> String {
    let id = format!("{:032x}", u128::from_be_bytes(postern::platform::random_array(&sim.entropy)));
    format!("Bearer {}", token(sim, &head(sim), &claims(sim, &id)))
}

/// The answer to a command under a fresh token.
fn ask(sim: &Sim, body: &Json) -> Response {
    knock(sim, Some(&fresh_authorization(sim)), body)
}

fn told(response: &Response) -> Json {
    serde_json::from_slice(&response.body).unwrap_or_else(|fault| panic!("{fault}: {}", text(response)))
}

/// The answer to a command that is carried out.
fn done(sim: &Sim, body: &Json) -> Json {
    let response = ask(sim, body);
    assert_eq!(response.status, 200, "{body} gave {}", text(&response));
    told(&response)
}

/// Status and code of a refusal.
fn refused(sim: &Sim, body: &Json) -> (u16, String) {
    let response = ask(sim, body);
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    (response.status, told(&response)["code"].as_str().unwrap().to_owned())
}

fn create(safename: &str) -> Json {
    json!({ "command": "create_tenant", "safename": safename, "name": "Acme Ltd", "owner_name": "Alex",
        "owner_email": format!("owner@{safename}.example"), "workspace": "Main", "time_zone": "Europe/Stockholm" })
}

#[test]
fn only_a_right_fresh_token_opens() {
    let sim = Sim::new(1);
    let status = json!({ "command": "status" });
    let now = sim.clock.now().as_seconds();
    let with = |change: &dyn Fn(&mut Json, &mut Json)| {
        let (mut head, mut claims) = (head(&sim), claims(&sim, "other"));
        change(&mut head, &mut claims);
        format!("Bearer {}", token(&sim, &head, &claims))
    };
    let good = with(&|_, _| {});
    let wrong = [
        ("no scheme", good.replace("Bearer ", "")),
        ("another scheme", good.replace("Bearer ", "Basic ")),
        ("a changed tag", format!("{}AA", &good[..good.len() - 2])),
        ("no tag", good.rsplit_once('.').unwrap().0.to_owned() + "."),
        ("no algorithm", with(&|head, _| head["alg"] = json!("none"))),
        ("another algorithm", with(&|head, _| head["alg"] = json!("HS512"))),
        ("an unknown key", with(&|head, _| head["kid"] = json!("t2"))),
        ("no key", with(&|head, _| head["kid"] = Json::Null)),
        ("another audience", with(&|_, claims| claims["aud"] = json!("http://localhost:8791"))),
        ("no audience", with(&|_, claims| claims["aud"] = Json::Null)),
        ("expired", with(&|_, claims| (claims["iat"], claims["exp"]) = (json!(now - 60), json!(now)))),
        ("too long a life", with(&|_, claims| claims["exp"] = json!(now + 61))),
        (
            "from the future",
            with(&|_, claims| (claims["iat"], claims["exp"]) = (json!(now + 31), json!(now + 60))),
        ),
        ("no expiry", with(&|_, claims| claims["exp"] = Json::Null)),
        ("no issue time", with(&|_, claims| claims["iat"] = Json::Null)),
        ("no id", with(&|_, claims| claims["jti"] = Json::Null)),
        ("a short id", with(&|_, claims| claims["jti"] = json!("1"))),
    ];
    for (what, authorization) in &wrong {
        let answer = knock(&sim, Some(authorization), &status);
        assert_eq!((answer.status, told(&answer)["code"].clone()), (401, json!("unauthorized")), "{what}");
    }
    assert_eq!(knock(&sim, None, &status).status, 401);
    assert_eq!(knock(&sim, Some(&good), &status).status, 200);
    assert_eq!(knock(&sim, Some(&good), &status).status, 401, "used before");
}

#[test]
fn a_token_made_for_another_purpose_opens_nothing() {
    let sim = Sim::new(1);
    let encode = |part: &Json| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let signed = format!("{}.{}", encode(&head(&sim)), encode(&claims(&sim, "a")));
    let tag = sim.config.keys.current(Purpose::AccessToken).hmac(signed.as_bytes());
    let token = format!("Bearer {signed}.{}", BASE64URL_NOPAD.encode(&tag));
    assert_eq!(knock(&sim, Some(&token), &json!({ "command": "status" })).status, 401);
}

#[test]
fn every_problem_of_a_command_is_named_at_once() {
    let sim = Sim::new(1);
    let answer = ask(
        &sim,
        &json!({ "command": "create_tenant", "safename": "No", "name": "", "owner_email": 5, "workspace": "Main",
            "time_zone": "Mars/Olympus", "colour": "red" }),
    );
    assert_eq!(answer.status, 400);
    let problems: BTreeSet<(String, String)> = told(&answer)["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| {
            let part = |name: &str| problem[name].as_str().unwrap().to_owned();
            (part("field"), part("code"))
        })
        .collect();
    let expected = [
        ("safename", "malformed"),
        ("name", "malformed"),
        ("owner_email", "wrong_type"),
        ("owner_name", "missing"),
        ("time_zone", "malformed"),
        ("colour", "unknown_field"),
    ];
    assert_eq!(problems, expected.map(|(field, code)| (field.to_owned(), code.to_owned())).into());
    assert_eq!(refused(&sim, &json!({ "command": "explode" })), (400, "not_in_list".to_owned()));
    assert_eq!(refused(&sim, &json!({})), (400, "missing".to_owned()));
    assert_eq!(refused(&sim, &json!([])), (400, "malformed".to_owned()));
    assert_eq!(refused(&sim, &create("media")), (400, "malformed".to_owned()));
}

#[test]
fn a_tenant_is_made_listed_and_signed_in_to() {
    let sim = Sim::new(1);
    let made = done(&sim, &create("acme"));
    assert_eq!(made["mcp_url"], "http://localhost:8790/acme/mcp");
    assert_eq!((&made["safename"], &made["created"]), (&json!("acme"), &json!(true)));
    let again = done(&sim, &create("acme"));
    assert_eq!((&again["tenant_id"], &again["created"]), (&made["tenant_id"], &json!(false)));
    let mut rival = create("acme");
    rival["owner_email"] = json!("rival@other.example");
    assert_eq!(refused(&sim, &rival), (409, "safename_taken".to_owned()));

    let listed = done(&sim, &json!({ "command": "list_tenants" }));
    assert_eq!(listed["next"], Json::Null);
    let tenant = &listed["tenants"][0];
    assert_eq!(
        (&tenant["safename"], &tenant["name"], &tenant["owner_email"], &tenant["state"]),
        (&json!("acme"), &json!("Acme Ltd"), &json!("owner@acme.example"), &json!("active"))
    );

    let link = |email: &str| json!({ "command": "create_sign_in_link", "safename": "acme", "email": email });
    let made = done(&sim, &link("OWNER@acme.example"));
    assert!(made["url"].as_str().unwrap().starts_with("http://localhost:8790/sign-in/link/"));
    assert_eq!(made["expires_at"], "2026-11-20T09:15:00Z");
    assert_eq!(refused(&sim, &link("nobody@acme.example")), (404, "member_not_found".to_owned()));
    done(&sim, &create("globex"));
    assert_eq!(refused(&sim, &link("owner@globex.example")), (404, "member_not_found".to_owned()));
    let invitation = json!({ "command": "invite", "safename": "acme", "email": "owner@globex.example", "name": "Gil",
        "role": "viewer", "approver": true });
    assert!(done(&sim, &invitation)["url"].is_string());
    done(&sim, &link("owner@globex.example"));
    assert_eq!(
        refused(&sim, &json!({ "command": "delete_tenant", "safename": "initech" })),
        (404, "tenant_not_found".to_owned())
    );
}

#[test]
fn a_tenant_is_deleted_and_restored() {
    let sim = Sim::new(1);
    done(&sim, &create("acme"));
    let of = |command: &str| json!({ "command": command, "safename": "acme" });
    assert_eq!(done(&sim, &of("restore_tenant"))["state"], "active", "nothing to take back");
    let deleted = done(&sim, &of("delete_tenant"));
    assert_eq!(
        (&deleted["state"], &deleted["delete_after"]),
        (&json!("deleting"), &json!("2026-12-20T09:00:00Z"))
    );
    let link = json!({ "command": "create_sign_in_link", "safename": "acme", "email": "owner@acme.example" });
    assert_eq!(refused(&sim, &link), (409, "wrong_state".to_owned()));
    assert_eq!(done(&sim, &of("restore_tenant"))["state"], "active");
    done(&sim, &link);
}

#[test]
fn clients_are_registered_listed_and_removed() {
    let sim = Sim::new(1);
    let redirects = json!(["https://client.example/callback", "http://127.0.0.1/callback"]);
    let add = json!({ "command": "add_client", "name": "In-house", "redirect_uris": redirects });
    let id = done(&sim, &add)["client_id"].clone();
    let listed = done(&sim, &json!({ "command": "list_clients" }));
    assert_eq!(
        listed["clients"],
        json!([{ "client_id": id, "name": "In-house", "redirect_uris": redirects, "created_at": "2026-11-20T09:00:00Z" }])
    );
    let remove = json!({ "command": "remove_client", "client_id": id });
    assert_eq!(done(&sim, &remove)["removed"], true);
    assert_eq!(refused(&sim, &remove), (404, "client_not_found".to_owned()));
    assert_eq!(done(&sim, &json!({ "command": "list_clients" }))["clients"], json!([]));
    let mut bad = add.clone();
    bad["redirect_uris"] = json!(["javascript:alert(1)"]);
    assert_eq!(refused(&sim, &bad), (400, "invalid_client_metadata".to_owned()));
    bad["redirect_uris"] = json!("https://client.example/callback");
    assert_eq!(refused(&sim, &bad), (400, "wrong_type".to_owned()));
    let bad = json!({ "command": "remove_client", "client_id": "https://client.example/" });
    assert_eq!(refused(&sim, &bad), (400, "malformed".to_owned()));
}

#[test]
fn shards_are_held_and_released() {
    let sim = Sim::new(1);
    let hold = json!({ "command": "hold_shard", "shard": 0, "reason": "restoring" });
    let shard = |sim: &Sim| done(sim, &json!({ "command": "status" }))["shards"][0]["publishing"].clone();
    done(&sim, &hold);
    sim.clock.advance_seconds(60);
    done(&sim, &hold);
    assert_eq!(
        (&shard(&sim)["held_since"], &shard(&sim)["held_why"]),
        (&json!("2026-11-20T09:00:00Z"), &json!("restoring"))
    );
    let release = json!({ "command": "release_shard", "shard": 0 });
    assert_eq!(done(&sim, &release), json!({ "shard": 0, "held": false, "doubted": 0 }));
    assert_eq!(shard(&sim)["held_since"], Json::Null);
    let unknown = json!({ "command": "hold_shard", "shard": 7, "reason": "x" });
    assert_eq!(refused(&sim, &unknown), (404, "shard_not_found".to_owned()));
}

#[test]
fn status_tells_what_an_operator_must_know() {
    let sim = Sim::with_shards(1, 2);
    sim.directory.execute(
        "INSERT INTO tick (shard, started_at, ended_at, good_at, fault) VALUES (0, 1, 2, 60000, 'a fault')",
        [],
    );
    sim.faults.on_statement("add_tenant", Fault::LostRequest);
    assert_eq!(ask(&sim, &create("acme")).status, 503);
    sim.directory.execute("INSERT INTO shard (shard) VALUES (0)", []);
    let shards = |sim: &Sim| done(sim, &json!({ "command": "status" }))["shards"].clone();
    let status = done(&sim, &json!({ "command": "status" }));
    assert_eq!(status["directory"], json!({ "schema_version": 1, "pending_changes": 1 }));
    let first = &status["shards"][0];
    assert_eq!((&first["answers"], &first["schema_version"]), (&json!(true), &json!(SHARD_SCHEMA)));
    assert_eq!(
        first["publishing"],
        json!({ "last_good_tick": "1970-01-01T00:01:00Z", "last_fault": "a fault", "oldest_due_delivery": null,
            "unknown_outcomes": 0, "held_since": null, "held_why": null, "restored": false })
    );
    assert_eq!(status["shards"][1]["publishing"], Json::Null, "it has not ticked yet");
    sim.faults.on_statement("shard_version", Fault::LostReply);
    assert_eq!(shards(&sim)[0]["answers"], json!(false));
}

/// The lines of a whole export, page by page.
fn exported(sim: &Sim, safename: &str) -> Vec<Json> {
    let mut lines = Vec::new();
    let mut next = Json::Null;
    loop {
        let answer = ask(sim, &json!({ "command": "export_tenant", "safename": safename, "next": next }));
        assert_eq!(answer.status, 200, "{}", text(&answer));
        lines.extend(text(&answer).lines().map(|line| serde_json::from_str::<Json>(line).unwrap()));
        match lines.pop_if(|line| line.get("next").is_some()) {
            Some(last) => next = last["next"].clone(),
            None => return lines,
        }
    }
}

#[test]
fn an_export_has_every_row_of_the_tenant_and_no_secret() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let globex = Company::found(&sim, "globex");
    let tenant = company.tenant.id.as_str();
    sim.shard().execute(
        "INSERT INTO profile_secret (tenant_id, profile_id, kind, origin, sealed, updated_at)
         VALUES (?1, ?2, 'password', 'https://x.example', 'CANARY', 1)",
        [tenant, company.wall.as_str()],
    );
    sim.shard().execute(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 4500)
         INSERT INTO attempt (tenant_id, delivery_id, number, started_at, step)
         SELECT ?1, 'dlv_' || (n % 3), n, n, 'send' FROM c",
        [tenant],
    );
    let lines = exported(&sim, "acme");
    for table in TABLES {
        let count = lines.iter().filter(|line| line["table"] == table.name).count();
        let sql = format!("SELECT count(*) FROM {} WHERE tenant_id = ?1", table.name);
        assert_eq!(i64::try_from(count).unwrap(), sim.shard().number(&sql, [tenant]), "{}", table.name);
    }
    let attempts: BTreeSet<i64> = lines
        .iter()
        .filter(|line| line["table"] == "attempt")
        .map(|line| line["row"]["number"].as_i64().unwrap())
        .collect();
    assert_eq!(attempts.len(), 4500, "none twice, none left out");
    let all = Json::from(lines).to_string();
    assert!(all.contains("https://x.example") && !all.contains("CANARY"));
    assert!(!all.contains("wrapped_key") && !all.contains(globex.tenant.id.as_str()));
    let forged = json!({ "command": "export_tenant", "safename": "acme", "next": "bm9uc2Vuc2U" });
    assert_eq!(refused(&sim, &forged), (400, "malformed".to_owned()));
}

#[test]
fn every_column_of_every_tenants_table_is_exported_or_secret() {
    let sim = Sim::new(1);
    for table in tables(sim.shard()) {
        let columns: BTreeSet<String> =
            columns(sim.shard(), &table).into_iter().map(|(name, _)| name).collect();
        if !columns.contains("tenant_id") {
            continue;
        }
        let known = TABLES.iter().find(|known| known.name == table);
        let known = known
            .unwrap_or_else(|| panic!("{table} is neither exported nor erased: add it to tenants/tables.rs"));
        let listed: Vec<&str> =
            ["tenant_id"].iter().chain(known.key).chain(known.columns).chain(known.secret).copied().collect();
        assert_eq!(listed.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), columns, "{table}");
        assert_eq!(listed.len(), columns.len(), "{table} lists a column twice");
    }
}

#[test]
fn every_table_has_a_rule_or_a_reason() {
    let sim = Sim::new(1);
    let there: BTreeSet<String> = tables(&sim.directory)
        .union(&tables(sim.shard()))
        .filter(|table| !table.starts_with("sqlite_"))
        .cloned()
        .collect();
    let ruled = RULES.iter().map(|rule| rule.table);
    let kept = KEPT.iter().map(|(table, _)| *table);
    let listed: Vec<String> = ruled.chain(kept).map(str::to_owned).collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), there);
    assert_eq!(listed.len(), there.len(), "a table has a rule or a reason, not both");
}

#[test]
fn every_rule_finds_its_rows_by_an_index() {
    let sim = Sim::new(1);
    for rule in RULES {
        let database: &SimDatabase =
            if tables(&sim.directory).contains(rule.table) { &sim.directory } else { sim.shard() };
        let plan = database.plan(rule.sql.text).join("\n");
        assert!(!plan.contains(&format!("SCAN {}\n", rule.table)), "{}:\n{plan}", rule.table);
        assert!(
            plan.contains("USING COVERING INDEX") || plan.contains("USING INDEX"),
            "{}:\n{plan}",
            rule.table
        );
    }
}

#[test]
fn old_rows_go_and_young_ones_stay() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let id = company.tenant.id.as_str();
    let add = |at: Timestamp, name: &str| {
        sim.shard().execute(
            "INSERT INTO idempotency (tenant_id, holder, tool, key, body_hash, result, created_at)
             VALUES (?1, 'h', 't', ?2, printf('%043d', 1), '{}', ?3)",
            rusqlite::params![id, name, at.as_millis()],
        );
    };
    let now = sim.clock.now();
    add(now.plus_seconds(-7 * 86_400).plus_millis(-1), "old");
    add(now.plus_seconds(-7 * 86_400), "young");
    run(operator::retain(&sim.platform())).unwrap();
    let left = sim.shard().query("SELECT key FROM idempotency", []);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].get::<String>("key").unwrap(), "young");

    for number in 0..1200 {
        add(now.plus_seconds(-8 * 86_400), &format!("old-{number}"));
    }
    let mut before = 1201;
    while before > 1 {
        run(operator::retain(&sim.platform())).unwrap();
        let after = sim.shard().number("SELECT count(*) FROM idempotency", []);
        assert!(before - after <= 500 && after < before);
        before = after;
    }
}

#[test]
fn a_grant_goes_with_all_that_hangs_on_it() {
    let sim = Sim::new(1);
    Company::found(&sim, "acme");
    sim.clock.advance_seconds((90 + 90) * 86_400);
    run(operator::retain(&sim.platform())).unwrap();
    assert_eq!(sim.shard().number("SELECT count(*) FROM oauth_grant", []), 1, "90 days after it expired");
    sim.clock.advance_seconds(1);
    run(operator::retain(&sim.platform())).unwrap();
    for table in ["oauth_grant", "grant_workspace", "app_entry"] {
        assert_eq!(sim.shard().number(&format!("SELECT count(*) FROM {table}"), []), 0, "{table}");
    }
}

#[test]
fn rotating_wraps_every_tenants_key_again_and_the_old_root_may_go() {
    let mut sim = Sim::with_shards(1, 2);
    for number in 0..230 {
        Company::found_on(&sim, &format!("tenant-{number}"), number % 2);
    }
    let rotation = |sim: &Sim| done(sim, &json!({ "command": "rotate_keys" }));
    assert_eq!(rotation(&sim), json!({ "done": 0, "remaining": 0, "lost": [] }));
    sim.config = config_with_keys("t2", &[]);
    assert_eq!(rotation(&sim), json!({ "done": 200, "remaining": 30, "lost": [] }));
    assert_eq!(rotation(&sim), json!({ "done": 30, "remaining": 0, "lost": [] }));
    assert_eq!(rotation(&sim), json!({ "done": 0, "remaining": 0, "lost": [] }));
    sim.config = config_with_keys("t2", &["t1"]);
    for shard in &sim.shards {
        for row in shard.query("SELECT tenant_id, wrapped_key FROM tenant", []) {
            let id: String = row.get("tenant_id").unwrap();
            assert!(sim.config.keys.tenant_key(&id, &row.get("wrapped_key").unwrap()).is_ok());
        }
    }
}

#[test]
fn keys_that_cannot_be_opened_are_named_and_hold_back_no_other() {
    let mut sim = Sim::new(1);
    for number in 0..120 {
        Company::found(&sim, &format!("tenant-{number}"));
    }
    sim.shard()
        .execute("UPDATE tenant SET wrapped_key = 'gone.' || wrapped_key WHERE safename < 'tenant-99'", []);
    sim.config = config_with_keys("t2", &[]);
    let rotation = run(tenants::rotate_keys(&sim.platform())).unwrap();
    assert_eq!((rotation.done, rotation.remaining, rotation.lost.len()), (1, 0, 119));
}
