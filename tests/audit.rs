//! Who did what: written with the act or not at all, never changed, shown to managers alone.

use std::collections::BTreeSet;

use postern::{
    audit,
    desk::{Act, AuditId, Code, Refusal, Role, Scope, Scopes, UserId},
    edge::{serve, tick},
    http::{Request, RequestMethod, Response},
    identity, mcp, operator,
    platform::Clock,
    tenants,
};
use rusqlite::params;
use serde_json::{Value as Json, json};

use crate::{
    identity::signed_in,
    sim::{
        Fault, Sim,
        browser::{Browser, text},
        config_with_keys, run,
        world::{Company, Grant},
    },
};

const OUTCOMES: &str = "SELECT act || ' ' || outcome AS line FROM audit ORDER BY audit_id";

/// Every line of the audit as `act outcome`, the oldest first.
fn acts(sim: &Sim) -> Vec<String> {
    sim.shards
        .iter()
        .flat_map(|shard| shard.query(OUTCOMES, []))
        .map(|row| row.get("line").unwrap())
        .collect()
}

fn world() -> (Sim, Company) {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    (sim, company)
}

/// A call of a real tool through a grant; gives the code of the refusal, if it was one.
fn call(sim: &Sim, company: &Company, grant: &Grant, tool: &str, arguments: Json) -> Option<&'static str> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } });
    let request = Request {
        method: RequestMethod::Post,
        host: "localhost:8790".to_owned(),
        path: "/acme/mcp".to_owned(),
        query: String::new(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), "application/json, text/event-stream".to_owned()),
        ],
        body: body.to_string().into_bytes(),
        peer: "203.0.113.9".to_owned(),
    };
    let caller = company.caller_by(sim, grant);
    sim.clock.advance_millis(1);
    run(mcp::serve(&sim.platform(), &caller, Scopes::EVERY, &request)).code
}

fn as_person(company: &Company, user: &UserId) -> Company {
    Company { owner: user.clone(), ..company.clone() }
}

fn get(sim: &Sim, browser: &Browser, address: &str) -> Response {
    run(serve(&sim.platform(), browser.get(address)))
}

/// Sends the export's form.
fn export(sim: &Sim, browser: &Browser, fields: &[(&str, &str)]) -> Response {
    let session = run(identity::session(&sim.platform(), &browser.get("/"))).unwrap().unwrap();
    let csrf = session.csrf(&sim.config);
    let fields: Vec<(&str, &str)> =
        [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
    run(serve(&sim.platform(), browser.post("/acme/audit/export", &fields)))
}

/// The lines of an export.
fn lines(response: &Response) -> Vec<Json> {
    assert_eq!(response.status, 200, "{}", text(response));
    text(response).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Puts lines of an act into the audit, a second apart, the last one now.
fn put(sim: &Sim, company: &Company, act: &'static str, count: usize) {
    for _ in 0..count {
        sim.clock.advance_seconds(1);
        let write = company.caller(sim);
        run(write.write(Act { name: act, subjects: &["post_1"] }, Vec::new())).unwrap();
    }
}

#[test]
fn a_write_is_written_down_with_who_what_and_when() {
    let (sim, company) = world();
    assert_eq!(call(&sim, &company, &company.grant, "create_post", json!({ "text": "A secret plan" })), None);
    let rows = sim.shard().query("SELECT * FROM audit", []);
    assert_eq!(rows.len(), 1);
    let column = |name: &'static str| rows[0].get::<Option<String>>(name).unwrap().unwrap();
    assert_eq!(column("user_id"), company.owner.as_str());
    assert_eq!(column("client_id"), company.grant.client_id.as_str());
    assert_eq!(column("grant_id"), company.grant.id.as_str());
    assert_eq!((column("act"), column("outcome")), ("create_post".to_owned(), "done".to_owned()));
    let subjects: Vec<String> = serde_json::from_str(&column("subjects")).unwrap();
    assert!(!subjects.is_empty() && subjects.iter().all(|id| id.starts_with("post_")), "{subjects:?}");
    assert_eq!(sim.shard().number("SELECT count(*) FROM audit WHERE subjects LIKE '%secret%'", []), 0);
}

#[test]
fn what_is_only_read_is_not_written_down() {
    let (sim, company) = world();
    for (tool, arguments) in [
        ("whoami", json!({})),
        ("list_posts", json!({})),
        ("preview_post", json!({ "text": "Hello", "profiles": ["all"] })),
        ("get_post", json!({ "post_id": "post_00000000000000000000000000" })),
    ] {
        call(&sim, &company, &company.grant, tool, arguments);
    }
    assert_eq!(acts(&sim), [""; 0]);
}

#[test]
fn an_act_that_was_not_carried_out_leaves_no_line_that_says_it_was() {
    let (sim, company) = world();
    sim.faults.on_statement("audit_act", Fault::NotSent);
    assert!(call(&sim, &company, &company.grant, "create_post", json!({ "text": "Hello" })).is_some());
    assert_eq!(acts(&sim), [""; 0]);
    assert_eq!(sim.shard().number("SELECT count(*) FROM post_group", []), 0);
}

#[test]
fn a_refused_call_is_written_down_with_its_reason() {
    let (sim, company) = world();
    let narrow = company.add_grant(
        &sim,
        &company.owner,
        Scopes::of(&[Scope::PostsRead, Scope::PostsWrite]),
        &[&company.workspace],
    );
    let viewer = company.add_member(&sim, "viewer", Role::Viewer);
    let demoted = company.add_grant(&sim, &viewer, Scopes::EVERY, &[&company.workspace]);
    let missing = json!({ "post_id": "post_00000000000000000000000000" });
    call(&sim, &company, &company.grant, "delete_post", missing.clone());
    call(&sim, &company, &narrow, "publish_post", missing.clone());
    call(&sim, &company, &narrow, "list_social_profiles", json!({}));
    call(&sim, &company, &demoted, "create_post", json!({ "text": "Hello" }));
    call(&sim, &company, &company.grant, "list_posts", json!({ "workspace": "Elsewhere" }));
    sim.shard().execute("UPDATE oauth_grant SET revoked_at = 1 WHERE grant_id = ?1", [narrow.id.as_str()]);
    call(&sim, &company, &narrow, "create_post", json!({ "text": "Hello" }));
    assert_eq!(
        acts(&sim),
        [
            "delete_post post_not_found",
            "publish_post insufficient_scope",
            "list_social_profiles insufficient_scope",
            "create_post role_not_allowed",
            "list_posts workspace_not_found",
            "create_post grant_ended",
        ]
    );
    let of_whom = "SELECT count(*) FROM audit WHERE grant_id = ?1 AND user_id = ?2";
    assert_eq!(sim.shard().number(of_whom, params![narrow.id.as_str(), company.owner.as_str()]), 3);
}

#[test]
fn asking_again_and_again_is_written_down_once_a_minute() {
    let (sim, company) = world();
    let missing = json!({ "post_id": "post_00000000000000000000000000" });
    for _ in 0..5 {
        call(&sim, &company, &company.grant, "delete_post", missing.clone());
        sim.clock.advance_seconds(20);
    }
    assert_eq!(acts(&sim).len(), 2, "at 0 and at 80 seconds");
    let other = company.add_grant(&sim, &company.owner, Scopes::EVERY, &[&company.workspace]);
    call(&sim, &company, &other, "delete_post", missing);
    assert_eq!(acts(&sim).len(), 3, "another caller's own");
}

#[test]
fn a_refusal_stands_though_the_audit_does_not_take_it() {
    let (sim, company) = world();
    sim.faults.on_statement("audit_refusal", Fault::LostRequest);
    let missing = json!({ "post_id": "post_00000000000000000000000000" });
    assert_eq!(call(&sim, &company, &company.grant, "delete_post", missing), Some("post_not_found"));
    let fault = json!({ "event": "fault", "place": "audit_refusal", "kind": "database" });
    assert!(sim.events.all().contains(&fault));
}

#[test]
fn lines_can_be_neither_changed_nor_replaced_nor_removed() {
    let (sim, company) = world();
    put(&sim, &company, "create_post", 1);
    for forgery in [
        "UPDATE audit SET outcome = 'other'",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT tenant_id, audit_id, at, user_id, client_id, grant_id, 'other', subjects, outcome FROM audit",
        "UPDATE OR REPLACE audit SET at = 0",
    ] {
        let _ = sim.shard().try_execute(forgery);
        let kept = "SELECT count(*) FROM audit WHERE act = 'create_post' AND outcome = 'done' AND at > 0";
        assert_eq!(sim.shard().number(kept, []), 1, "{forgery}");
    }
}

#[test]
fn lines_go_after_a_year_and_not_before() {
    let (sim, company) = world();
    let write = |act| {
        let caller = company.member(&sim, &company.owner);
        run(caller.write(Act { name: act, subjects: &[] }, Vec::new())).unwrap();
    };
    write("create_post");
    sim.clock.advance_seconds(365 * 86_400);
    run(operator::retain(&sim.platform())).unwrap();
    assert_eq!(acts(&sim).len(), 1, "a year to the second");
    sim.clock.advance_seconds(1);
    write("update_post");
    run(operator::retain(&sim.platform())).unwrap();
    assert_eq!(acts(&sim), ["update_post done"]);
    assert!(sim.shard().try_execute("DELETE FROM audit").is_err());
}

#[test]
fn signing_in_and_out_is_in_the_audit_of_each_of_the_persons_tenants() {
    let sim = Sim::with_shards(1, 2);
    let acme = Company::found(&sim, "acme");
    let globex = Company::found_on(&sim, "globex", 1);
    let other = Company::found(&sim, "other");
    sim.directory.execute(
        "INSERT INTO person_tenant (user_id, tenant_id) VALUES (?1, ?2)",
        params![acme.owner.as_str(), globex.tenant.id.as_str()],
    );
    let browser = signed_in(&sim, &acme);
    let session = run(identity::session(&sim.platform(), &browser.get("/"))).unwrap().unwrap();
    sim.clock.advance_seconds(1);
    let form = browser.post("/sign-out", &[("csrf", &session.csrf(&sim.config))]);
    assert_eq!(run(identity::sign_out(&sim.platform(), &form)).status, 303);
    assert_eq!(acts(&sim), [""; 0], "not yet");
    run(tick(&sim.platform()));
    assert_eq!(acts(&sim), ["sign_in done", "sign_out done", "sign_in done", "sign_out done"]);
    assert_eq!(sim.directory.number("SELECT count(*) FROM audit_queue", []), 0);
    for (shard, company) in [(0, &acme), (1, &globex)] {
        let of = "SELECT count(*) FROM audit WHERE tenant_id = ?1 AND user_id = ?2";
        let found = sim.shards[shard].number(of, [company.tenant.id.as_str(), acme.owner.as_str()]);
        assert_eq!(found, 2);
    }
    let strangers = "SELECT count(*) FROM audit WHERE tenant_id = ?1";
    assert_eq!(sim.shard().number(strangers, [other.tenant.id.as_str()]), 0);
}

#[test]
fn a_link_that_does_not_work_signs_nobody_in() {
    let (sim, _) = world();
    let browser = Browser::default();
    let secret = "x".repeat(43);
    let request = browser.post(&format!("/sign-in/link/{secret}"), &[]);
    assert_eq!(run(serve(&sim.platform(), request)).status, 404);
    run(tick(&sim.platform()));
    assert_eq!(acts(&sim), [""; 0]);
}

#[test]
fn a_sign_in_waits_for_its_shard_and_comes_once() {
    for (statement, fault) in [
        ("add_queued_line", Fault::LostRequest),
        ("add_queued_line", Fault::LostReply),
        ("queued_acts_written", Fault::LostRequest),
        ("queued_acts_written", Fault::LostReply),
    ] {
        let (sim, company) = world();
        signed_in(&sim, &company);
        sim.faults.on_statement(statement, fault);
        assert!(run(audit::deliver(&sim.platform())).is_err(), "{statement} {fault:?}");
        run(audit::deliver(&sim.platform())).unwrap();
        assert_eq!(acts(&sim), ["sign_in done"], "{statement} {fault:?}");
        assert_eq!(sim.directory.number("SELECT count(*) FROM audit_queue", []), 0);
    }
}

#[test]
fn acts_of_one_shard_do_not_wait_for_another_that_takes_none() {
    let sim = Sim::with_shards(1, 2);
    let acme = Company::found(&sim, "acme");
    let globex = Company::found_on(&sim, "globex", 1);
    for _ in 0..101 {
        signed_in(&sim, &acme);
    }
    signed_in(&sim, &globex);
    sim.faults.on_statement("add_queued_line", Fault::NotSent);
    assert!(run(audit::deliver(&sim.platform())).is_err(), "the first shard takes none");
    let of = |shard: usize| sim.shards[shard].number("SELECT count(*) FROM audit WHERE act = 'sign_in'", []);
    assert_eq!(
        (of(0), of(1)),
        (0, 1),
        "the other one got its own, although more than a portion stood before it"
    );
    run(audit::deliver(&sim.platform())).unwrap();
    run(audit::deliver(&sim.platform())).unwrap();
    assert_eq!((of(0), of(1)), (101, 1));
    assert_eq!(sim.directory.number("SELECT count(*) FROM audit_queue", []), 0);
}

#[test]
fn what_concerns_no_tenant_any_more_does_not_wait_for_ever() {
    let (sim, company) = world();
    signed_in(&sim, &company);
    let registration =
        run(tenants::registration(&sim.platform(), &company.tenant.safename)).unwrap().unwrap();
    run(tenants::close(&sim.platform(), &registration)).unwrap();
    run(audit::deliver(&sim.platform())).unwrap();
    assert_eq!(acts(&sim), ["operator_close_tenant done"]);
    assert_eq!(sim.directory.number("SELECT count(*) FROM audit_queue", []), 0);
}

#[test]
fn what_an_operator_does_to_a_tenant_is_in_its_audit() {
    let mut sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let platform = sim.platform();
    let next = || sim.clock.advance_seconds(1);
    let registration = run(tenants::registration(&platform, &company.tenant.safename)).unwrap().unwrap();
    let user = company.add_member(&sim, "new", Role::Viewer);
    let member = tenants::NewMember { user_id: &user, name: "New", email: "new@acme.example" };
    run(tenants::add_member(&platform, &company.tenant, &member, Role::Admin, false)).unwrap();
    next();
    run(tenants::export(&platform, &company.tenant, None)).unwrap().unwrap();
    next();
    for _ in 0..2 {
        run(tenants::close(&platform, &registration)).unwrap();
    }
    next();
    run(tenants::reopen(&platform, &registration)).unwrap();
    next();
    sim.config = config_with_keys("t2", &[]);
    for _ in 0..2 {
        run(tenants::rotate_keys(&sim.platform())).unwrap();
    }
    assert_eq!(
        acts(&sim),
        [
            "operator_invite done",
            "operator_export_tenant done",
            "operator_close_tenant done",
            "operator_reopen_tenant done",
            "operator_rotate_key done",
        ]
    );
    let nobody =
        "SELECT count(*) FROM audit WHERE user_id IS NULL AND client_id IS NULL AND grant_id IS NULL";
    assert_eq!(sim.shard().number(nobody, []), 5);
}

#[test]
fn owners_and_admins_read_it_and_nobody_else() {
    let (sim, company) = world();
    put(&sim, &company, "create_post", 1);
    for (role, status) in [(Role::Owner, 200), (Role::Admin, 200), (Role::Editor, 403), (Role::Viewer, 403)] {
        let user = company.add_member(&sim, &format!("an-{}", role.as_str()), role);
        let browser = signed_in(&sim, &as_person(&company, &user));
        let page = get(&sim, &browser, "/acme/audit");
        assert_eq!((page.status, text(&page).contains("create_post")), (status, status == 200), "{role:?}");
        let file = export(&sim, &browser, &[]);
        assert_eq!((file.status, text(&file).contains("create_post")), (status, status == 200), "{role:?}");
    }
    let refused = acts(&sim).into_iter().filter(|line| line.ends_with("role_not_allowed")).count();
    assert_eq!(refused, 4, "each refusal is a line itself");

    let globex = Company::found(&sim, "globex");
    let stranger = signed_in(&sim, &globex);
    for address in ["/acme/audit", "/acme/audit?before=aud_x", "/nobody/audit", "/Not a name/audit"] {
        assert_eq!(get(&sim, &stranger, address).status, 404, "{address}");
    }
    assert_eq!(export(&sim, &stranger, &[]).status, 404);
    assert_eq!(
        get(&sim, &Browser::default(), "/acme/audit").header("location"),
        Some("/sign-in?next=%2Facme%2Faudit")
    );
}

#[test]
fn a_demotion_counts_at_once() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    assert_eq!(get(&sim, &browser, "/acme/audit").status, 200);
    sim.shard().execute("UPDATE membership SET role = 'editor'", []);
    assert_eq!(get(&sim, &browser, "/acme/audit").status, 403);
    assert_eq!(export(&sim, &browser, &[]).status, 403);
}

#[test]
fn another_tenants_lines_are_never_shown() {
    let (sim, company) = world();
    let globex = Company::found(&sim, "globex");
    put(&sim, &globex, "theirs", 3);
    put(&sim, &company, "ours", 3);
    let browser = signed_in(&sim, &company);
    let page = text(&get(&sim, &browser, "/acme/audit"));
    assert!(page.contains("ours") && !page.contains("theirs"));
    assert!(lines(&export(&sim, &browser, &[])).iter().all(|line| line["act"] == "ours"));
}

/// The acts that a page shows.
fn shown(page: &Response) -> Vec<String> {
    assert_eq!(page.status, 200, "{}", text(page));
    text(page)
        .split("<li>\n<p><strong>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect()
}

/// Where a page says that older lines are.
fn older(page: &Response) -> Option<String> {
    let body = text(page);
    let (before, _) = body.split_once("\">Older</a>")?;
    Some(before.rsplit("href=\"").next().unwrap().replace("&#38;", "&"))
}

#[test]
fn lines_are_filtered_by_person_app_act_id_and_day() {
    let (sim, company) = world();
    let editor = company.add_member(&sim, "editor", Role::Editor);
    let second = company.add_grant(&sim, &editor, Scopes::EVERY, &[&company.workspace]);
    put(&sim, &company, "create_post", 1);
    let theirs = Act { name: "update_post", subjects: &["post_2"] };
    run(company.caller_by(&sim, &second).write(theirs, Vec::new())).unwrap();
    sim.clock.advance_seconds(86_400);
    let on_page = Act { name: "save_workspace_settings", subjects: &[] };
    run(company.member(&sim, &company.owner).write(on_page, Vec::new())).unwrap();
    let browser = signed_in(&sim, &company);
    for (query, expected) in [
        (String::new(), vec!["save_workspace_settings", "update_post", "create_post"]),
        (format!("person={editor}"), vec!["update_post"]),
        (format!("app={}", second.client_id), vec!["update_post"]),
        ("what=_post".to_owned(), vec!["update_post", "create_post"]),
        ("what=post_1".to_owned(), vec!["create_post"]),
        (format!("what={}", second.id), vec!["update_post"]),
        ("what=%25".to_owned(), vec![]),
        ("from=2026-11-21".to_owned(), vec!["save_workspace_settings"]),
        ("until=2026-11-20".to_owned(), vec!["update_post", "create_post"]),
        ("from=2026-11-20&until=2026-11-20&what=create".to_owned(), vec!["create_post"]),
        (format!("person={editor}&what=create"), vec![]),
    ] {
        assert_eq!(shown(&get(&sim, &browser, &format!("/acme/audit?{query}"))), expected, "{query}");
    }
    for wrong in
        ["person=nobody", "from=yesterday", "until=2026-13-01", "from=2026-02-30", "until=9999-12-31"]
    {
        assert_eq!(get(&sim, &browser, &format!("/acme/audit?{wrong}")).status, 400, "{wrong}");
    }
}

#[test]
fn pages_go_on_where_the_last_one_ended() {
    let (sim, company) = world();
    put(&sim, &company, "older", 60);
    put(&sim, &company, "newer", 60);
    let browser = signed_in(&sim, &company);
    let mut address = "/acme/audit".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = get(&sim, &browser, &address);
        seen.extend(shown(&page));
        let Some(next) = older(&page) else { break };
        address = next;
    }
    assert_eq!(seen.len(), 120);
    assert!(seen[..60].iter().all(|act| act == "newer") && seen[60..].iter().all(|act| act == "older"));
}

#[test]
fn a_filter_is_tried_on_a_part_at_a_time() {
    let (sim, company) = world();
    put(&sim, &company, "oldest", 1);
    sim.clock.advance_seconds(1);
    let prefix = &AuditId::earliest(sim.clock.now()).as_str()[..18].to_owned();
    sim.shard().execute(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5000)
         INSERT INTO audit (tenant_id, audit_id, at, act, subjects, outcome)
         SELECT tenant_id, ?1 || printf('%012d', n), at, 'frequent', '[]', 'done' FROM audit, c",
        [prefix],
    );
    put(&sim, &company, "newest", 1);
    let browser = signed_in(&sim, &company);
    assert_eq!(shown(&get(&sim, &browser, "/acme/audit?what=newest")), ["newest"]);
    let first = get(&sim, &browser, "/acme/audit?what=oldest");
    assert_eq!(shown(&first), [""; 0], "behind more lines than one request tries");
    let older = older(&first).unwrap();
    assert_eq!(shown(&get(&sim, &browser, &older)), ["oldest"]);
}

#[test]
fn names_are_text_and_never_markup() {
    let (sim, company) = world();
    sim.shard().execute("UPDATE membership SET name = '<script>alert(1)</script>'", []);
    sim.shard().execute("UPDATE app_entry SET client_name = '\"><img src=x>'", []);
    put(&sim, &company, "create_post", 1);
    let browser = signed_in(&sim, &company);
    let page = text(&get(&sim, &browser, "/acme/audit?what=%22%3E%3Cscript%3E"));
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    let page = text(&get(&sim, &browser, "/acme/audit"));
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
}

#[test]
fn an_export_is_json_lines_and_a_line_itself() {
    let (sim, company) = world();
    put(&sim, &company, "create_post", 2);
    let browser = signed_in(&sim, &company);
    sim.clock.advance_seconds(1);
    let file = export(&sim, &browser, &[("what", "create")]);
    assert_eq!(file.header("content-type"), Some("application/jsonl"));
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"audit-acme.jsonl\""));
    assert_eq!(file.header("cache-control"), Some("no-store"));
    let found = lines(&file);
    assert_eq!(found.len(), 2);
    let fields: BTreeSet<&str> = found[0].as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["act", "app", "at", "audit_id", "client_id", "grant_id", "outcome", "person", "subjects", "user_id"];
    assert_eq!(fields, BTreeSet::from(expected));
    assert_eq!(found[0]["at"], "2026-11-20T09:00:02Z");
    assert_eq!(found[0]["subjects"], json!(["post_1"]));
    assert_eq!(acts(&sim).last().map(String::as_str), Some("export_audit done"));
    let again = lines(&export(&sim, &browser, &[("before", found[0]["audit_id"].as_str().unwrap())]));
    assert_eq!(again, found[1..]);
}

#[test]
fn an_export_needs_a_fresh_sign_in_and_its_own_form() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    sim.clock.advance_seconds(299);
    assert_eq!(export(&sim, &browser, &[]).status, 200);
    sim.clock.advance_seconds(1);
    let late = export(&sim, &browser, &[]);
    assert_eq!(late.status, 303);
    assert_eq!(late.header("location"), Some("/sign-in?again=1&next=%2Facme%2Faudit"));
    let unforged = run(serve(&sim.platform(), browser.post("/acme/audit/export", &[])));
    assert_eq!(unforged.status, 403);
    assert_eq!(acts(&sim), ["export_audit done"]);
}

#[test]
fn a_member_who_is_refused_on_a_page_is_written_down() {
    let (sim, company) = world();
    let viewer = company.add_member(&sim, "viewer", Role::Viewer);
    let caller = company.member(&sim, &viewer).needing(Scopes::of(&[Scope::PostsWrite]));
    let refused = run(caller.write(Act { name: "cancel_post", subjects: &["post_1"] }, Vec::new()));
    assert_eq!(refused.err().and_then(|refusal: Refusal| refusal.code()), Some(Code::RoleNotAllowed));
    let rows = sim.shard().query("SELECT user_id, subjects, outcome FROM audit", []);
    assert_eq!(rows[0].get::<String>("user_id").unwrap(), viewer.as_str());
    assert_eq!(rows[0].get::<String>("subjects").unwrap(), "[\"post_1\"]");
    assert_eq!(rows[0].get::<String>("outcome").unwrap(), "role_not_allowed");
}
