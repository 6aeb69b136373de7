//! Tenants: found by name, made whole or not at all, closed at once, erased without a trace.

use std::collections::BTreeSet;

use postern::{
    desk::{Authority, Caller, Reach, Refusal, Role, Safename, Scope, Scopes, Tenant, TimeZoneName, UserId},
    identity::{self, EmailAddress},
    platform::{Clock, DatabaseFault, Value},
    tenants::{self, CreateFault, Created, NewMember, NewTenant, State, TOOLS},
};
use rusqlite::params;
use serde_json::{Value as Json, json};

use crate::{
    identity::signed_in,
    sim::{
        Fault, Port, Sim, SimDatabase,
        browser::{Browser, text},
        run, run_until_crash,
        world::Company,
    },
};

async fn found(sim: &Sim, name: &str, email: &str) -> Result<Created, CreateFault> {
    let platform = sim.platform();
    let email: EmailAddress = email.parse().unwrap();
    let owner = identity::find_or_add_person(&platform, &email, "Alex Owner").await?;
    let safename: Safename = name.parse().unwrap();
    let new = NewTenant {
        safename: &safename,
        name: "Acme Ltd",
        owner: NewMember { user_id: &owner.user_id, name: &owner.name, email: owner.email.as_str() },
        workspace: "Søren's Main Wall!",
        time_zone: &TimeZoneName::parse("Europe/Stockholm").unwrap(),
    };
    tenants::create(&platform, &new).await
}

fn lookup(sim: &Sim, name: &str) -> Option<Tenant> {
    run(tenants::find(&sim.platform(), &name.parse().unwrap())).unwrap()
}

fn member<'a>(sim: &'a Sim, tenant: &Tenant, user_id: &UserId) -> Caller<'a> {
    Caller::new(sim.platform(), tenant.clone(), Authority::Member { user_id: user_id.clone() }).unwrap()
}

/// The tenant of this name works: its owner passes the gate and sees what every tenant begins with.
fn assert_whole(sim: &Sim, name: &str, email: &str) {
    let tenant = lookup(sim, name).expect("it can be found");
    let owner = run(identity::find_person(&sim.platform(), &email.parse().unwrap())).unwrap().unwrap();
    let facts = run(member(sim, &tenant, &owner.user_id).facts()).unwrap();
    assert_eq!((facts.tenant_name.as_str(), facts.role, facts.approver), ("Acme Ltd", Role::Owner, true));
    assert_eq!(facts.workspaces.len(), 1);
    let shard = &sim.shards[usize::try_from(tenant.shard).unwrap()];
    let walls =
        "SELECT count(*) FROM profile WHERE tenant_id = ?1 AND network = 'wall' AND remote_id = profile_id";
    assert_eq!(shard.number(walls, [tenant.id.as_str()]), 1);
    let listed = run(tenants::of_person(&sim.platform(), &Reach::whole(owner.user_id.clone()))).unwrap();
    assert_eq!(listed.iter().filter(|membership| membership.tenant == tenant).count(), 1);
}

#[test]
fn a_tenant_begins_with_an_owner_a_workspace_and_a_wall() {
    let sim = Sim::new(1);
    let created = run(found(&sim, "acme", "owner@acme.example")).unwrap();
    assert!(created.new);
    assert_whole(&sim, "acme", "owner@acme.example");
    let rows = sim.shard().query("SELECT handle FROM profile", []);
    assert_eq!(rows[0].get::<String>("handle").unwrap(), "s-ren-s-main-wall");
    assert_eq!(sim.directory.number("SELECT count(*) FROM tenant WHERE founding IS NOT NULL", []), 0);
}

#[test]
fn making_the_same_tenant_again_changes_nothing() {
    let sim = Sim::new(1);
    let first = run(found(&sim, "acme", "owner@acme.example")).unwrap();
    let again = run(found(&sim, "acme", "OWNER@acme.example")).unwrap();
    assert_eq!((again.new, again.tenant), (false, first.tenant));
    assert_eq!(sim.shard().number("SELECT count(*) FROM workspace", []), 1);
}

#[test]
fn a_name_is_never_given_out_twice() {
    let sim = Sim::new(1);
    let created = run(found(&sim, "acme", "owner@acme.example")).unwrap();
    let taken = |email| matches!(run(found(&sim, "acme", email)), Err(CreateFault::Taken));
    assert!(taken("rival@other.example"));
    close(&sim, &created.tenant);
    assert!(taken("owner@acme.example"), "being deleted");
    sim.clock.advance_seconds(31 * 86_400);
    erase(&sim);
    assert!(taken("owner@acme.example"), "gone");
}

#[test]
fn names_that_begin_our_paths_are_reserved() {
    let sim = Sim::new(1);
    for name in ["healthz", "operator", "sign-in", "authorize", "token", "media", "cdn-cgi", "www"] {
        assert!(matches!(run(found(&sim, name, "a@b.example")), Err(CreateFault::Reserved)), "{name}");
        assert!(tenants::new_safename(name).is_err());
    }
    for name in ["ab", "-ab", "ab-", "Acme", "a_b_c", "a.b", &"a".repeat(41)] {
        assert!(tenants::new_safename(name).is_err(), "{name}");
    }
}

#[test]
fn a_new_shard_fills_first() {
    let sim = Sim::with_shards(1, 2);
    Company::found_on(&sim, "old-1", 0);
    Company::found_on(&sim, "old-2", 0);
    assert_eq!(run(found(&sim, "acme", "owner@acme.example")).unwrap().tenant.shard, 1);
    assert_whole(&sim, "acme", "owner@acme.example");
}

#[test]
fn a_crash_while_making_a_tenant_leaves_nothing_half_visible_and_is_finished() {
    let mut cut_short = 0;
    for steps in 1.. {
        let sim = Sim::new(1);
        let done = run_until_crash(steps, found(&sim, "acme", "owner@acme.example")).is_some();
        if !done && sim.directory.number("SELECT count(*) FROM tenant WHERE state = 'creating'", []) == 1 {
            cut_short += 1;
            assert_eq!(lookup(&sim, "acme"), None, "step {steps}");
            let owner = sim.directory.query("SELECT user_id FROM person", []);
            let owner: UserId = owner[0].get("user_id").unwrap();
            assert_eq!(
                run(tenants::of_person(&sim.platform(), &Reach::whole(owner.clone()))).unwrap(),
                [],
                "step {steps}"
            );
        }
        if steps % 2 == 0 {
            run(tenants::finish_pending(&sim.platform())).unwrap();
        }
        if steps % 2 == 1 || lookup(&sim, "acme").is_none() {
            run(found(&sim, "acme", "owner@acme.example")).unwrap();
        }
        assert_whole(&sim, "acme", "owner@acme.example");
        assert_eq!(run(tenants::finish_pending(&sim.platform())).unwrap(), 0, "step {steps}");
        if done {
            break;
        }
    }
    assert!(cut_short >= 4, "{cut_short} crashes between the name and the end");
}

#[test]
fn a_lost_reply_while_making_a_tenant_is_finished_by_asking_again() {
    for statement in ["reserve_name", "add_tenant", "strike_out"] {
        for fault in [Fault::LostRequest, Fault::LostReply] {
            let sim = Sim::new(1);
            sim.faults.on_statement(statement, fault);
            let first = run(found(&sim, "acme", "owner@acme.example"));
            assert!(matches!(first, Err(CreateFault::Database(DatabaseFault::Unknown(_)))), "{statement}");
            run(found(&sim, "acme", "owner@acme.example")).unwrap();
            assert_whole(&sim, "acme", "owner@acme.example");
        }
    }
}

#[test]
fn one_unreachable_shard_holds_back_no_other() {
    let sim = Sim::with_shards(1, 2);
    for name in ["one", "two"] {
        sim.faults.on_statement("add_tenant", Fault::NotSent);
        assert!(run(found(&sim, name, "owner@acme.example")).is_err());
    }
    sim.faults.on_call(Port::Shard, 1, Fault::NotSent);
    assert!(run(tenants::finish_pending(&sim.platform())).is_err());
    let active = || sim.directory.number("SELECT count(*) FROM tenant WHERE state = 'active'", []);
    assert_eq!(active(), 1);
    assert_eq!(run(tenants::finish_pending(&sim.platform())).unwrap(), 1);
    assert_eq!(active(), 2);
}

#[test]
fn a_cached_miss_never_denies() {
    let sim = Sim::new(1);
    sim.key_value.set_lag(3600);
    assert_eq!(lookup(&sim, "acme"), None);
    let company = Company::found(&sim, "acme");
    assert_eq!(lookup(&sim, "acme"), Some(company.tenant.clone()));
    assert_eq!(run(tenants::find_by_id(&sim.platform(), &company.tenant.id)).unwrap(), Some(company.tenant));
}

#[test]
fn a_tenant_is_found_without_the_directory_once_it_was_looked_up() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    lookup(&sim, "acme");
    let fail = || sim.faults.on_call(Port::Directory, 1, Fault::LostRequest);
    fail();
    assert_eq!(lookup(&sim, "acme"), Some(company.tenant.clone()), "from memory");
    sim.clock.advance_seconds(15);
    assert_eq!(lookup(&sim, "acme"), Some(company.tenant.clone()), "from KV");
    sim.clock.advance_seconds(86_400);
    assert!(run(tenants::find(&sim.platform(), &company.tenant.safename)).is_err(), "nobody else knows");
    sim.faults.on_call(Port::KeyValue, 1, Fault::LostRequest);
    sim.faults.on_call(Port::KeyValue, 2, Fault::LostRequest);
    assert_eq!(lookup(&sim, "acme"), Some(company.tenant), "KV is only a read path");
}

#[test]
fn a_copy_that_names_another_tenant_is_not_believed() {
    let sim = Sim::new(1);
    let acme = Company::found(&sim, "acme");
    Company::found(&sim, "globex");
    lookup(&sim, "globex");
    let stored = sim.key_value.newest()["tenant/1/globex"].clone();
    use postern::platform::KeyValue;
    run(sim.key_value.put("tenant/1/acme", stored, 3600)).unwrap();
    assert_eq!(lookup(&sim, "acme"), Some(acme.tenant));
}

#[test]
fn an_invitation_makes_a_member_and_leaves_owners_be() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let platform = sim.platform();
    let person =
        run(identity::find_or_add_person(&platform, &"ed@acme.example".parse().unwrap(), "Ed")).unwrap();
    let add = |user_id: &UserId, role| {
        let new = NewMember { user_id, name: "Ed", email: "ed@acme.example" };
        run(tenants::add_member(&platform, &company.tenant, &new, role, false))
    };
    let role = |user: &UserId| run(company.member(&sim, user).facts()).map(|facts| facts.role);
    assert!(matches!(role(&person.user_id), Err(Refusal::Unauthenticated)));
    // A pointer alone, as a crash leaves it, shows nothing.
    sim.faults.on_statement("add_member", Fault::LostRequest);
    add(&person.user_id, Role::Editor).unwrap_err();
    assert_eq!(run(tenants::of_person(&platform, &Reach::whole(person.user_id.clone()))).unwrap(), []);
    add(&person.user_id, Role::Editor).unwrap();
    assert_eq!(role(&person.user_id).unwrap(), Role::Editor);
    add(&person.user_id, Role::Viewer).unwrap();
    assert_eq!(role(&person.user_id).unwrap(), Role::Viewer);
    add(&company.owner, Role::Viewer).unwrap();
    assert_eq!(role(&company.owner).unwrap(), Role::Owner);
    sim.shard().execute("UPDATE membership SET ended_at = 1 WHERE user_id = ?1", [person.user_id.as_str()]);
    assert_eq!(
        run(tenants::of_person(&platform, &Reach::whole(person.user_id.clone()))).unwrap(),
        [],
        "no longer a member"
    );
    add(&person.user_id, Role::Admin).unwrap();
    assert_eq!(role(&person.user_id).unwrap(), Role::Admin);

    let globex = Company::found(&sim, "globex");
    let new = NewMember { user_id: &person.user_id, name: "Ed", email: "ed@acme.example" };
    run(tenants::add_member(&platform, &globex.tenant, &new, Role::Viewer, false)).unwrap();
    let both = run(tenants::of_person(&platform, &Reach::whole(person.user_id))).unwrap();
    let both: Vec<_> = both.iter().map(|one| (one.tenant.safename.as_str(), one.role)).collect();
    assert_eq!(both, [("acme", Role::Admin), ("globex", Role::Viewer)], "by name");
}

fn state(sim: &Sim, tenant: &Tenant) -> State {
    run(tenants::registration(&sim.platform(), &tenant.safename)).unwrap().unwrap().state
}

fn close(sim: &Sim, tenant: &Tenant) {
    try_close(sim, tenant).unwrap().expect("it could be closed");
}

fn try_close(sim: &Sim, tenant: &Tenant) -> Result<Option<i64>, DatabaseFault> {
    let platform = sim.platform();
    let registration = run(tenants::registration(&platform, &tenant.safename)).unwrap().unwrap();
    run(tenants::close(&platform, &registration)).map(|end| end.map(|end| end.as_millis()))
}

fn reopen(sim: &Sim, tenant: &Tenant) -> bool {
    let platform = sim.platform();
    let registration = run(tenants::registration(&platform, &tenant.safename)).unwrap().unwrap();
    run(tenants::reopen(&platform, &registration)).unwrap()
}

fn is_open(sim: &Sim, company: &Company) -> bool {
    run(company.caller(sim).facts()).is_ok()
}

#[test]
fn closing_shuts_the_gate_at_once_and_can_be_taken_back_for_thirty_days() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    lookup(&sim, "acme");
    close(&sim, &company.tenant);
    assert!(!is_open(&sim, &company), "even for those who still have a copy");
    assert_eq!(lookup(&sim, "acme"), None);
    let end = try_close(&sim, &company.tenant).unwrap().expect("again");
    assert_eq!(end, sim.clock.now().plus_seconds(30 * 86_400).as_millis());

    sim.clock.advance_seconds(30 * 86_400 - 1);
    assert_eq!(erase(&sim), 0);
    assert!(reopen(&sim, &company.tenant));
    assert!(is_open(&sim, &company));
    assert_eq!(lookup(&sim, "acme"), Some(company.tenant.clone()));

    close(&sim, &company.tenant);
    sim.clock.advance_seconds(30 * 86_400);
    assert!(!reopen(&sim, &company.tenant), "the grace is over");
    assert_eq!(state(&sim, &company.tenant), State::Deleting);
}

#[test]
fn a_closing_that_was_cut_short_is_finished_by_the_tick() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    sim.faults.on_statement("set_closed", Fault::LostRequest);
    try_close(&sim, &company.tenant).unwrap_err();
    assert!(is_open(&sim, &company));
    assert_eq!(run(tenants::finish_pending(&sim.platform())).unwrap(), 1);
    assert!(!is_open(&sim, &company));
    assert_eq!(run(tenants::finish_pending(&sim.platform())).unwrap(), 0);
}

#[test]
fn a_reopening_that_wakes_up_late_undoes_no_newer_closing() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    close(&sim, &company.tenant);
    // One worker decides to reopen and is paused before the shard hears of it.
    sim.faults.on_statement("set_closed", Fault::LostRequest);
    let platform = sim.platform();
    let registration = run(tenants::registration(&platform, &company.tenant.safename)).unwrap().unwrap();
    run(tenants::reopen(&platform, &registration)).unwrap_err();
    let mut paused = Box::pin(tenants::finish_pending(&platform));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    // Three polls: the pending change is read, and the call to the shard has begun but had no effect.
    for _ in 0..3 {
        assert!(paused.as_mut().poll(&mut context).is_pending());
    }
    assert!(!is_open(&sim, &company));
    run(tenants::finish_pending(&platform)).unwrap();
    assert!(is_open(&sim, &company));
    close(&sim, &company.tenant);
    let _ = run(paused);
    assert!(!is_open(&sim, &company), "the newer decision stands");
    assert_eq!(state(&sim, &company.tenant), State::Deleting);
}

/// Runs the erasing tick, whatever it meets, until it has nothing to do; gives the number of runs that it took.
fn erase(sim: &Sim) -> usize {
    for runs in 0..500 {
        let _ = run(tenants::delete_due(&sim.platform()));
        if sim.directory.number("SELECT count(*) FROM tenant WHERE state = 'erasing'", []) == 0 {
            return runs;
        }
    }
    panic!("erasing never ends");
}

/// Names of all tables of a database, but the platform's own records.
pub fn tables(database: &SimDatabase) -> BTreeSet<String> {
    database
        .query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('d1_migrations', 'sqlite_sequence')", [])
        .iter()
        .map(|row| row.get("name").unwrap())
        .collect()
}

/// Columns of a table with their types.
pub fn columns(database: &SimDatabase, table: &str) -> Vec<(String, String)> {
    let sql = format!("SELECT name, type FROM pragma_table_info('{table}')");
    database.query(&sql, []).iter().map(|row| (row.get("name").unwrap(), row.get("type").unwrap())).collect()
}

/// Puts `count` rows of a tenant into every table of its shard that has tenants, whatever the table means.
fn fill(sim: &Sim, tenant: &Tenant, count: i64) {
    let shard = sim.shard();
    shard.query("PRAGMA foreign_keys = OFF", []);
    for table in tables(shard) {
        let columns = columns(shard, &table);
        if table == "tenant" || !columns.iter().any(|(name, _)| name == "tenant_id") {
            continue;
        }
        let schema = shard.query("SELECT sql FROM sqlite_master WHERE name = ?1", [table.as_str()]);
        let schema: String = schema[0].get("sql").unwrap();
        let values: Vec<String> = columns
            .iter()
            .map(|(name, kind)| match kind.as_str() {
                _ if name == "tenant_id" => format!("'{}'", tenant.id),
                _ if schema.contains(&format!("{name} IN (0, 1)")) => "0".to_owned(),
                "INTEGER" => "n".to_owned(),
                _ if schema.contains(&format!("json_valid({name})")) => {
                    format!("'{{\"a\":\"{}\"}}'", tenant.id)
                }
                _ if schema.contains(&format!("length({name}) = 43")) => "printf('%043d', n)".to_owned(),
                _ if name == "state" && table == "delivery_part" => "'pending'".to_owned(),
                _ => format!("'x{}-' || n", tenant.id),
            })
            .collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        shard.execute(
            &format!(
                "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count})
                 INSERT INTO {table} ({}) SELECT {} FROM c",
                names.join(", "),
                values.join(", ")
            ),
            [],
        );
    }
    shard.query("PRAGMA foreign_keys = ON", []);
}

/// Every place that holds `needle`: table and column.
fn places(database: &SimDatabase, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    for table in tables(database) {
        for (column, kind) in columns(database, &table) {
            let sql = format!("SELECT count(*) FROM {table} WHERE instr({column}, ?1) > 0");
            if kind == "TEXT" && database.number(&sql, [needle]) > 0 {
                found.push(format!("{table}.{column}"));
            }
        }
    }
    found
}

#[test]
fn nothing_is_left_of_an_erased_tenant_but_its_name() {
    let sim = Sim::new(1);
    let acme = Company::found(&sim, "acme");
    let globex = Company::found(&sim, "globex");
    signed_in(&sim, &acme);
    let both = acme.add_member(&sim, "both", Role::Editor);
    sim.directory.execute(
        "INSERT INTO person_tenant (user_id, tenant_id) VALUES (?1, ?2)",
        params![both.as_str(), globex.tenant.id.as_str()],
    );
    fill(&sim, &acme.tenant, 1101);
    fill(&sim, &globex.tenant, 3);
    for number in 0..100 {
        sim.blobs.insert(&format!("{}/med_{number}", acme.tenant.id), "image/png", vec![1]);
    }
    sim.blobs.insert(&format!("{}/med_1", globex.tenant.id), "image/png", vec![1]);
    lookup(&sim, "acme");
    let others = |sim: &Sim| -> Vec<i64> {
        let count = |table: &String| {
            let sql = format!("SELECT count(*) FROM {table} WHERE tenant_id = ?1");
            sim.shard().number(&sql, [globex.tenant.id.as_str()])
        };
        let has_tenants =
            |table: &&String| columns(sim.shard(), table).iter().any(|(name, _)| name == "tenant_id");
        tables(sim.shard()).iter().filter(has_tenants).map(count).collect()
    };
    let before = others(&sim);

    close(&sim, &acme.tenant);
    sim.clock.advance_seconds(30 * 86_400);
    for (statement, fault) in [
        ("erase_media", Fault::LostRequest),
        ("erase_workspace", Fault::LostReply),
        ("forget_people", Fault::LostReply),
        ("end_erasing", Fault::LostRequest),
    ] {
        sim.faults.on_statement(statement, fault);
    }
    assert!(erase(&sim) > 20, "in portions");

    let id = acme.tenant.id.as_str();
    assert_eq!(places(sim.shard(), id), Vec::<String>::new());
    assert_eq!(places(&sim.directory, id), ["tenant.tenant_id"]);
    assert_eq!(places(&sim.directory, acme.owner.as_str()), Vec::<String>::new());
    assert_eq!(places(&sim.directory, "acme.example"), ["person.email"], "who is elsewhere too stays");
    assert_eq!(state(&sim, &acme.tenant), State::Deleted);
    assert_eq!(sim.key_value.newest().len(), 0);
    assert_eq!(sim.blobs.keys(), [format!("{}/med_1", globex.tenant.id)]);
    assert_eq!(others(&sim), before, "the other tenant has lost nothing");
    assert!(is_open(&sim, &globex));
}

#[test]
fn one_run_erases_at_most_500_rows_of_a_table() {
    let sim = Sim::new(1);
    let acme = Company::found(&sim, "acme");
    fill(&sim, &acme.tenant, 1101);
    close(&sim, &acme.tenant);
    sim.clock.advance_seconds(30 * 86_400);
    let rows = || -> Vec<i64> {
        tenants::TABLES
            .iter()
            .map(|table| sim.shard().number(&format!("SELECT count(*) FROM {}", table.name), []))
            .collect()
    };
    while state(&sim, &acme.tenant) != State::Deleted {
        let before = rows();
        run(tenants::delete_due(&sim.platform())).unwrap();
        for ((before, after), table) in before.iter().zip(rows()).zip(tenants::TABLES) {
            assert!(before - after <= 500, "{} of {}", before - after, table.name);
        }
    }
}

fn call(caller: &Caller<'_>, tool: &str) -> Result<Json, Refusal> {
    let entry = TOOLS.iter().find(|entry| entry.name == tool).unwrap();
    run(entry.call(caller, json!({}))).map(|text| serde_json::from_str(&text).unwrap())
}

#[test]
fn whoami_tells_who_where_when_and_what() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    company.add_workspace(&sim, "Hidden", "UTC");
    sim.shard().execute("UPDATE profile SET state = 'reauthorise'", []);
    company.add_wall(&sim, &company.workspace, "second");
    let editor = company.add_member(&sim, "ed", Role::Viewer);
    let scopes = Scopes::of(&[Scope::PostsRead, Scope::PostsWrite, Scope::OfflineAccess]);
    let grant = company.add_grant(&sim, &editor, scopes, &[&company.workspace]);

    let told = call(&company.caller_by(&sim, &grant), "whoami").unwrap();
    assert_eq!(told["organisation"], json!({ "name": "acme", "safename": "acme" }));
    assert_eq!(
        told["person"],
        json!({ "name": "ed", "email": "ed@acme.example", "role": "viewer", "approver": false })
    );
    assert_eq!(
        told["connection"],
        json!({ "app": "An assistant", "signed_in_by": "link", "approved_at": "2026-11-20T09:00:00Z" })
    );
    assert_eq!(told["workspaces"].as_array().unwrap().len(), 1, "only what was ticked");
    let workspace = &told["workspaces"][0];
    assert_eq!(workspace["name"], "Main");
    assert_eq!(workspace["now"]["local"], "2026-11-20T10:00:00+01:00[Europe/Stockholm]");
    assert_eq!(
        workspace["profiles"],
        json!({ "total": 2, "healthy": 1, "needs_reconnect": 1, "disconnected": 0 })
    );
    assert_eq!(told["capabilities"], json!(["posts:read"]));
    assert_eq!(told["withheld_by_role"], json!(["posts:write"]));
    let missing: Vec<&str> = told["not_granted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|missing| missing["capability"].as_str().unwrap())
        .collect();
    let by_role = ["workspace:read", "social_profiles:read"];
    assert!(by_role.iter().all(|capability| missing.contains(capability)), "{missing:?}");
    for other in ["posts:write", "posts:publish", "media:write", "posts:read", "offline_access"] {
        assert!(!missing.contains(&other), "a viewer's app is not sent to ask for {other}");
    }
    assert_eq!(told["widen_url"], "http://localhost:8790/#widen");
    let words = workspace["now"]["words"].as_str().unwrap();
    assert_eq!(words, "Friday 20 November 2026, 10:00 Europe/Stockholm, now");
}

#[test]
fn list_workspaces_tells_settings_in_words_and_needs_its_capability() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    sim.shard().execute("UPDATE workspace SET hold_seconds = 90", []);
    let listed = call(&company.caller(&sim), "list_workspaces").unwrap();
    let settings = listed["workspaces"][0]["settings"].to_string();
    for words in ["less than 6 hours late", "less than 15 minutes away", "held for 90 seconds"] {
        assert!(settings.contains(words), "{words}: {settings}");
    }
    let narrow =
        company.add_grant(&sim, &company.owner, Scopes::of(&[Scope::PostsRead]), &[&company.workspace]);
    let refusal = call(&company.caller_by(&sim, &narrow), "list_workspaces").unwrap_err();
    assert_eq!(refusal, Refusal::InsufficientScope(Scopes::of(&[Scope::WorkspaceRead])));
}

#[test]
fn each_tool_takes_one_round_trip() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    for tool in ["whoami", "list_workspaces"] {
        sim.faults.on_call(Port::Shard, 2, Fault::LostRequest);
        call(&company.caller(&sim), tool).unwrap();
        // The fault still waits for the second call.
        run(company.caller(&sim).facts()).unwrap_err();
    }
}

struct SettingsPage<'a> {
    sim: &'a Sim,
    browser: Browser,
    address: String,
}

impl<'a> SettingsPage<'a> {
    fn of(sim: &'a Sim, company: &Company, user: &UserId) -> Self {
        let as_user = Company { owner: user.clone(), ..company.clone() };
        let address = format!("/{}/settings/{}", company.tenant.safename, company.workspace);
        Self { sim, browser: signed_in(sim, &as_user), address }
    }

    fn parts(&self) -> (&str, &str) {
        let mut parts = self.address.split('/');
        (parts.nth(1).unwrap(), parts.nth(1).unwrap())
    }

    fn show(&self) -> postern::http::Response {
        let (safename, workspace) = self.parts();
        let request = self.browser.get(&self.address);
        run(postern::studio::settings_page(&self.sim.platform(), &request, safename, workspace))
    }

    fn save(&self, values: [&str; 4]) -> postern::http::Response {
        let session = run(identity::session(&self.sim.platform(), &self.browser.get("/"))).unwrap().unwrap();
        let csrf = session.csrf(&self.sim.config);
        self.send(
            [("csrf", csrf.as_str())].into_iter().chain(
                ["time_zone", "grace_minutes", "notice_minutes", "hold_seconds"].into_iter().zip(values),
            ),
        )
    }

    fn send<'b>(&self, fields: impl Iterator<Item = (&'b str, &'b str)>) -> postern::http::Response {
        let (safename, workspace) = self.parts();
        let fields: Vec<_> = fields.collect();
        let request = self.browser.post(&self.address, &fields);
        run(postern::studio::save_settings(&self.sim.platform(), &request, safename, workspace))
    }

    fn stored(&self) -> Vec<Value> {
        let sql = "SELECT time_zone, grace_seconds, notice_seconds, hold_seconds FROM workspace WHERE name = 'Main'";
        let rows = self.sim.shard().query(sql, []);
        ["time_zone", "grace_seconds", "notice_seconds", "hold_seconds"]
            .map(|column| rows[0].get::<Value>(column).unwrap())
            .to_vec()
    }
}

#[test]
fn managers_change_a_workspaces_settings() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let page = SettingsPage::of(&sim, &company, &company.owner);
    let shown = text(&page.show());
    for value in ["Europe/Stockholm", "\"360\"", "\"15\"", "\"30\""] {
        assert!(shown.contains(value), "{value}");
    }
    let saved = page.save(["america/new_york", "60", "0", "600"]);
    assert_eq!(saved.status, 303);
    assert_eq!(
        page.stored(),
        [Value::from("America/New_York"), Value::Int(3600), Value::Int(0), Value::Int(600)]
    );
    assert_eq!(sim.shard().number("SELECT count(*) FROM audit WHERE act = 'save_workspace_settings'", []), 1);
}

#[test]
fn every_wrong_setting_is_told_beside_its_field_and_nothing_is_saved() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let page = SettingsPage::of(&sim, &company, &company.owner);
    let before = page.stored();
    let answer = page.save(["Mars/Olympus", "-1", "1441", "<b>"]);
    assert_eq!(answer.status, 422);
    let body = text(&answer);
    for field in ["time_zone", "grace_minutes", "notice_minutes", "hold_seconds"] {
        assert!(body.contains(&format!("id=\"{field}-problem\"")), "{field}");
    }
    assert!(body.contains("&#60;b&#62;") && !body.contains("<b>"), "what was typed is kept, escaped");
    assert_eq!(page.stored(), before);
}

#[test]
fn a_grace_shorter_than_what_a_late_tick_takes_is_refused() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let page = SettingsPage::of(&sim, &company, &company.owner);
    assert_eq!(page.save(["Europe/Stockholm", "4", "0", "0"]).status, 422);
    assert_eq!(page.save(["Europe/Stockholm", "5", "0", "0"]).status, 303);
    assert_eq!(page.stored()[1], Value::Int(300));
}

#[test]
fn who_does_not_manage_sees_and_cannot_save() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let editor = company.add_member(&sim, "ed", Role::Editor);
    let page = SettingsPage::of(&sim, &company, &editor);
    assert!(text(&page.show()).contains("Only owners and admins"));
    let before = page.stored();
    assert_eq!(page.save(["UTC", "1", "1", "1"]).status, 403);
    assert_eq!(page.stored(), before);
}

#[test]
fn to_others_a_workspace_does_not_exist() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let globex = Company::found(&sim, "globex");
    let page = |address: String| SettingsPage { sim: &sim, browser: signed_in(&sim, &globex), address };
    let theirs = page(format!("/acme/settings/{}", company.workspace)).show();
    assert_eq!(theirs.status, 404);
    for address in [
        format!("/nobody/settings/{}", company.workspace),
        format!("/globex/settings/{}", company.workspace),
        "/globex/settings/wsp_1".to_owned(),
        "/!/settings/wsp_1".to_owned(),
    ] {
        let answer = page(address.clone()).show();
        assert_eq!((answer.status, &answer.body), (404, &theirs.body), "{address}");
        assert_eq!(page(address).save(["UTC", "1", "1", "1"]).body, theirs.body);
    }
}

#[test]
fn settings_need_a_session_and_its_token() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let mut page = SettingsPage::of(&sim, &company, &company.owner);
    assert_eq!(page.send([("time_zone", "UTC")].into_iter()).status, 403);
    page.browser = Browser::default();
    let answer = page.show();
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").unwrap().starts_with("/sign-in?next=%2Facme%2Fsettings%2F"));
}

#[test]
fn each_tenant_is_listed_with_its_own_name_and_owner() {
    let sim = Sim::new(1);
    for name in ["acme", "globex", "hooli"] {
        Company::found(&sim, name);
    }
    let listed = run(tenants::list(&sim.platform(), "", 9)).unwrap();
    assert_eq!(listed.len(), 3);
    for one in listed {
        let (name, said) = (one.registration.tenant.safename.to_string(), one.description.unwrap());
        assert_eq!(
            (said.name.as_str(), said.owner_email),
            (name.as_str(), Some(format!("owner@{name}.example")))
        );
    }
}

#[test]
fn the_widest_settings_of_a_workspace_are_taken_and_no_wider() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let page = SettingsPage::of(&sim, &company, &company.owner);
    assert_eq!(page.save(["UTC", "10080", "1440", "600"]).status, 303);
    let widest = [Value::from("UTC"), Value::Int(604_800), Value::Int(86_400), Value::Int(600)];
    assert_eq!(page.stored(), widest);
    for wider in [["UTC", "10081", "0", "0"], ["UTC", "60", "1441", "0"], ["UTC", "60", "0", "601"]] {
        assert_eq!(page.save(wider).status, 422, "{wider:?}");
    }
    assert_eq!(page.stored(), widest);
}

#[test]
fn rfc1123_2_1_a_mail_domain_has_labels_of_letters_digits_and_inner_hyphens() {
    let label = |length: usize| "a".repeat(length);
    let long = |length: usize| {
        let labels = format!("{0}.{0}.{0}.", label(63));
        format!("{labels}{}", label(length - labels.len()))
    };
    for good in ["acme.example", " ACME.Example ", "a-b.example", "1.2", "xn--bcher-kva.example"]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("{}.example", label(63)), long(240)])
    {
        let domain = tenants::Domain::parse(&good).unwrap_or_else(|| panic!("{good}"));
        assert_eq!(domain.as_str(), good.trim().to_ascii_lowercase());
    }
    for bad in [
        "",
        "acme",
        ".example",
        "acme.",
        "a..example",
        "-a.example",
        "a-.example",
        "a.example-",
        "a_b.example",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["a b.example".to_owned(), "b\u{fc}cher.example".to_owned()])
    .chain([format!("{}.example", label(64)), long(241)])
    {
        assert!(tenants::Domain::parse(&bad).is_none(), "{bad}");
    }
}

#[test]
fn home_lists_a_persons_tenants_with_lines_to_connect() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    Company::found(&sim, "globex");
    let browser = signed_in(&sim, &company);
    let home = |browser: &Browser| run(postern::studio::home(&sim.platform(), &browser.get("/")));
    let body = text(&home(&browser));
    assert!(body.contains("claude mcp add --transport http acme http://localhost:8790/acme/mcp"));
    assert!(body.contains(&format!("/acme/settings/{}", company.workspace)));
    assert!(!body.contains("globex"));
    assert_eq!(home(&Browser::default()).header("location"), Some("/sign-in?next=%2F"));
}
