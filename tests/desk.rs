//! The gate and what every room speaks: times, ids, names, cursors.

mod times;

use postern::{
    desk::{
        Act, Authority, Caller, Code, GrantId, PostId, Refusal, Role, Safename, Scope, Scopes, Tenant,
        TenantId, TimeZoneName, Visitor, When, open_cursor, page_limit, resolve_when, seal_cursor,
    },
    platform::{Clock, DatabaseFault, Home, Sql, Statement, Timestamp, Value},
};
use rusqlite::params;

use crate::sim::{BEGIN, Fault, Port, Sim, SimEntropy, run, world::Company};

const RENAME: Sql = Sql {
    name: "rename_workspace",
    text: "-- rename_workspace\nUPDATE workspace SET name = ?3 WHERE tenant_id = ?1 AND workspace_id = ?2",
    home: Home::Shard,
};

fn rename(company: &Company, name: &str) -> Statement {
    RENAME.with([(&company.tenant.id).into(), (&company.workspace).into(), name.into()])
}

/// Renames the first workspace behind the gate, needing `scopes`.
fn try_rename(caller: &Caller<'_>, company: &Company, scopes: &[Scope]) -> Result<(), Refusal> {
    let act = Act { name: "rename", subjects: &[company.workspace.as_str()] };
    let statements = vec![rename(company, "Renamed"), Caller::require_changes(1)];
    run(caller.needing(Scopes::of(scopes)).write(act, statements)).map(|_| ())
}

fn names(sim: &Sim) -> i64 {
    sim.shard().number("SELECT count(*) FROM workspace WHERE name = 'Renamed'", [])
}

fn audited(sim: &Sim) -> i64 {
    sim.shard().number("SELECT count(*) FROM audit WHERE act = 'rename'", [])
}

/// What a write answers after `harm`, and that nothing was written.
fn refused_after(harm: impl FnOnce(&Sim, &Company)) -> Refusal {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    harm(&sim, &company);
    let refusal = try_rename(&company.caller(&sim), &company, &[Scope::PostsWrite]).unwrap_err();
    assert_eq!((names(&sim), audited(&sim)), (0, 0), "nothing was written");
    refusal
}

fn only_code(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::Problems(problems) if problems.len() == 1 => problems[0].code,
        other => panic!("one problem was expected: {other:?}"),
    }
}

#[test]
fn an_open_gate_writes_and_audits() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    try_rename(&company.caller(&sim), &company, &[Scope::PostsWrite]).unwrap();
    try_rename(&company.member(&sim, &company.owner), &company, &[Scope::PostsWrite]).unwrap();
    assert_eq!((names(&sim), audited(&sim)), (1, 2));
    let audit =
        sim.shard().query("SELECT grant_id, client_id, user_id, subjects FROM audit ORDER BY audit_id", []);
    let grants: Vec<Option<GrantId>> = audit.iter().map(|row| row.get("grant_id").unwrap()).collect();
    assert!(grants.contains(&Some(company.grant.id.clone())) && grants.contains(&None));
    assert!(
        audit.iter().all(|row| row.get::<String>("subjects").unwrap().contains(company.workspace.as_str()))
    );
}

#[test]
fn the_gate_tells_the_workspaces_in_the_order_of_their_names() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    let others = ["Ost", "Alpha", "Zeta"].map(|name| company.add_workspace(&sim, name, "UTC"));
    let grant = company.add_grant(&sim, &company.owner, Scopes::EVERY, &others.each_ref());
    let names = |caller: Caller<'_>| -> Vec<String> {
        run(caller.facts()).unwrap().workspaces.into_iter().map(|workspace| workspace.name).collect()
    };
    assert_eq!(names(company.caller_by(&sim, &grant)), ["Alpha", "Ost", "Zeta"]);
    assert_eq!(names(company.member(&sim, &company.owner)), ["Alpha", "Main", "Ost", "Zeta"]);
}

#[test]
fn the_gate_tells_who_calls() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    let facts = run(company.caller(&sim).facts()).unwrap();
    assert_eq!(facts.user_id, company.owner);
    assert_eq!((facts.role, facts.granted, facts.allowed), (Role::Owner, Scopes::EVERY, Scopes::EVERY));
    assert_eq!(facts.workspaces.len(), 1);
    assert_eq!(facts.workspaces[0].time_zone, "Europe/Stockholm");
    assert_eq!(facts.workspaces[0].hold_seconds, 30);
}

#[test]
fn a_revoked_grant_is_over() {
    let refusal = refused_after(|sim, _| {
        sim.shard().execute("UPDATE oauth_grant SET revoked_at = 1", []);
    });
    assert_eq!(refusal, Refusal::Unauthenticated);
}

#[test]
fn an_expired_grant_is_over() {
    let refusal = refused_after(|sim, _| sim.clock.advance_seconds(90 * 86_400));
    assert_eq!(refusal, Refusal::Unauthenticated);
}

#[test]
fn a_grant_of_a_newer_generation_is_not_the_tokens() {
    let refusal = refused_after(|sim, _| {
        sim.shard().execute("UPDATE oauth_grant SET generation = 2", []);
    });
    assert_eq!(refusal, Refusal::Unauthenticated);
}

#[test]
fn another_clients_grant_is_not_this_ones() {
    let refusal = refused_after(|sim, _| {
        sim.shard().execute("UPDATE oauth_grant SET client_id = 'another'", []);
    });
    assert_eq!(refusal, Refusal::Unauthenticated);
}

#[test]
fn an_ended_membership_ends_its_grants() {
    let refusal = refused_after(|sim, company| {
        sim.shard()
            .execute("UPDATE membership SET ended_at = 1 WHERE user_id = ?1", [company.owner.as_str()]);
    });
    assert_eq!(refusal, Refusal::Unauthenticated);
}

#[test]
fn a_deleted_tenant_lets_nobody_in() {
    let refusal = refused_after(|sim, _| {
        sim.shard().execute("UPDATE tenant SET deleted_at = 1", []);
    });
    assert_eq!(refusal, Refusal::Unauthenticated);
}

#[test]
fn a_demoted_member_keeps_what_the_new_role_allows() {
    let demote = |sim: &Sim, _: &Company| {
        sim.shard().execute("UPDATE membership SET role = 'viewer'", []);
    };
    assert_eq!(only_code(&refused_after(demote)), Code::RoleNotAllowed);

    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    demote(&sim, &company);
    let facts = run(company.caller(&sim).needing(Scopes::of(&[Scope::PostsRead])).facts()).unwrap();
    assert_eq!((facts.role, facts.granted), (Role::Viewer, Scopes::EVERY));
    assert!(!facts.allowed.contains(Scopes::of(&[Scope::PostsWrite])));
    let page = try_rename(&company.member(&sim, &company.owner), &company, &[Scope::PostsWrite]);
    assert!(page.is_err(), "nor on a page");
}

#[test]
fn a_narrow_grant_names_what_it_lacks() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    let narrow =
        company.add_grant(&sim, &company.owner, Scopes::of(&[Scope::PostsRead]), &[&company.workspace]);
    let caller = company.caller_by(&sim, &narrow);
    let refusal = try_rename(&caller, &company, &[Scope::PostsRead, Scope::PostsWrite]).unwrap_err();
    let needed = Scopes::of(&[Scope::PostsRead, Scope::PostsWrite]);
    assert_eq!(refusal, Refusal::InsufficientScope(needed));
    assert_eq!(names(&sim), 0);
}

#[test]
fn what_the_role_forbids_is_told_before_what_the_grant_lacks() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    let viewer = company.add_member(&sim, "vera", Role::Viewer);
    let narrow = company.add_grant(&sim, &viewer, Scopes::of(&[Scope::PostsRead]), &[&company.workspace]);
    let refusal = try_rename(&company.caller_by(&sim, &narrow), &company, &[Scope::PostsWrite]).unwrap_err();
    assert_eq!(only_code(&refusal), Code::RoleNotAllowed, "nobody is sent to ask for what nobody may give");
}

#[test]
fn a_write_that_finds_another_state_is_a_conflict() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    let caller = company.caller(&sim);
    let act = || Act { name: "rename", subjects: &[] };
    let two = vec![rename(&company, "Renamed"), Caller::require_changes(2)];
    assert_eq!(run(caller.write(act(), two)).err(), Some(Refusal::Conflict));

    company.add_workspace(&sim, "Taken", "UTC");
    let taken = vec![rename(&company, "taken")];
    assert_eq!(run(caller.write(act(), taken)).err(), Some(Refusal::Conflict), "a constraint");
    assert_eq!((names(&sim), audited(&sim)), (0, 0));
}

#[test]
fn a_lost_reply_is_an_unknown_outcome() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    sim.faults.on_call(Port::Shard, 1, Fault::LostReply);
    let refusal = try_rename(&company.caller(&sim), &company, &[]).unwrap_err();
    assert!(matches!(&refusal, Refusal::Fault(DatabaseFault::Unknown(_))));
    assert_eq!(refusal.problems()[0].code, Code::OutcomeUnknown);
    assert_eq!(names(&sim), 1, "it was written all the same");
}

#[test]
fn a_workspace_that_was_not_ticked_does_not_exist() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    let hidden = company.add_workspace(&sim, "Hidden", "UTC");
    let facts = run(company.caller(&sim).facts()).unwrap();
    let by_id = facts.workspace(Some(hidden.as_str())).unwrap_err();
    assert_eq!(only_code(&by_id), Code::WorkspaceNotFound);
    assert_eq!(facts.workspace(Some("Hidden")).unwrap_err(), by_id);
    assert_eq!(
        facts.workspace(Some("Invented")).unwrap_err(),
        by_id,
        "the same answer as for an invented one"
    );
    assert!(facts.workspace_by_id(&hidden).is_none());
    assert_eq!(facts.workspace(None).unwrap().id, company.workspace, "the only one there is");
    assert_eq!(facts.workspace(Some(" mAIN ")).unwrap().id, company.workspace, "a name in any case");

    let member = run(company.member(&sim, &company.owner).facts()).unwrap();
    assert_eq!(member.workspaces.len(), 2, "a member sees them all");
    assert_eq!(only_code(&member.workspace(None).unwrap_err()), Code::WorkspaceNeeded);
}

#[test]
fn a_grant_without_workspaces_is_told_so_and_one_with_two_is_asked_which() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    let hint = |named: Option<&str>| {
        let facts = run(company.caller(&sim).facts()).unwrap();
        match facts.workspace(named).unwrap_err() {
            Refusal::Problems(problems) => (problems[0].code, problems[0].hint.clone()),
            other => panic!("{other:?}"),
        }
    };
    company.add_workspace(&sim, "Second", "Europe/Stockholm");
    sim.shard().execute(
        "INSERT INTO grant_workspace SELECT tenant_id, ?1, workspace_id FROM workspace WHERE name = 'Second'",
        [company.grant.id.as_str()],
    );
    let (code, words) = hint(None);
    assert_eq!(code, Code::WorkspaceNeeded);
    assert!(words.starts_with("Set workspace to one of \"") && words.contains("\"Second\""), "{words}");
    sim.shard().execute("DELETE FROM grant_workspace", []);
    for named in [None, Some("Second")] {
        let (code, words) = hint(named);
        assert_eq!(code, Code::WorkspaceNotFound);
        assert!(words.starts_with("This grant has no workspace."), "{words}");
    }
}

#[test]
fn nobody_crosses_into_another_tenant() {
    let sim = Sim::with_shards(3, 2);
    let acme = Company::found(&sim, "acme");
    let other = Company::found_on(&sim, "other", 0);
    let far = Company::found_on(&sim, "faraway", 1);
    for target in [&other, &far] {
        let caller = acme.caller(&sim);
        let moved = Caller::new(sim.platform(), target.tenant.clone(), caller.authority().clone()).unwrap();
        assert_eq!(run(moved.facts()).err(), Some(Refusal::Unauthenticated));
        let member = Authority::Member { user_id: acme.owner.clone() };
        let moved = Caller::new(sim.platform(), target.tenant.clone(), member).unwrap();
        assert_eq!(run(moved.facts()).err(), Some(Refusal::Unauthenticated));
    }
    let statement =
        RENAME.with([(&acme.tenant.id).into(), (&other.workspace).into(), Value::from("Renamed")]);
    let act = Act { name: "rename", subjects: &[] };
    let refusal = run(acme.caller(&sim).write(act, vec![statement, Caller::require_changes(1)]));
    assert_eq!(refusal.err(), Some(Refusal::Conflict), "another tenant's row is not there");
}

#[test]
fn a_caller_needs_a_bound_shard() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    let tenant = Tenant { shard: 1, ..company.tenant.clone() };
    let authority = Authority::Member { user_id: company.owner };
    assert!(Caller::new(sim.platform(), tenant, authority).is_none());
}

#[test]
fn a_visitor_reads_of_a_living_tenant_only() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    let visitor = Visitor::new(&sim.platform(), company.tenant.clone()).unwrap();
    assert_eq!(run(visitor.read(Vec::new())).unwrap().map(|rows| rows.len()), Some(0));
    sim.shard().execute("UPDATE tenant SET deleted_at = 1", []);
    assert!(run(visitor.read(Vec::new())).unwrap().is_none());
}

fn stockholm() -> TimeZoneName {
    TimeZoneName::parse("europe/stockholm").unwrap()
}

/// What `text` means at 2026-11-20T10:00 in Stockholm: `(local, zone, milliseconds from now)`.
fn due(text: &str) -> (String, String, i64) {
    match resolve_when(text, &stockholm(), BEGIN, "when") {
        Ok(When::At(due)) => (due.local, due.zone, due.at.millis_since(BEGIN)),
        other => panic!("{text}: {other:?}"),
    }
}

fn not_a_time(text: &str) -> (String, String) {
    let problem = resolve_when(text, &stockholm(), BEGIN, "when").unwrap_err();
    assert_eq!((problem.code, problem.field.as_str()), (Code::InvalidSchedule, "when"));
    assert!(
        problem.hint.contains("It is now 2026-11-20T10:00:00+01:00 in Europe/Stockholm."),
        "{}",
        problem.hint
    );
    (problem.message, problem.hint)
}

#[test]
fn every_form_of_a_time_is_read() {
    const HOUR: i64 = 3_600_000;
    let zone = "Europe/Stockholm".to_owned();
    let at = |local: &str, hours: i64| (local.to_owned(), zone.clone(), hours * HOUR);
    let nine = at("2026-12-01T09:00:00", 11 * 24 - 1);
    assert_eq!(due("2026-12-01T09:00"), nine);
    assert_eq!(due(" 2026-12-01T09:00:00 "), nine);
    assert_eq!(due("2026-12-01T09:00:00+01:00"), nine);
    assert_eq!(due("2026-12-01T08:00:00Z"), nine);
    assert_eq!(due("2026-12-01T09:00[Europe/Stockholm]"), nine);
    assert_eq!(due("2026-12-01T09:00:00+01:00[Europe/Stockholm]"), nine);
    let (local, zone, millis) = due("2026-12-01T03:00[America/New_York]");
    assert_eq!((local.as_str(), zone.as_str(), millis), ("2026-12-01T03:00:00", "America/New_York", nine.2));
    assert_eq!(due("PT2H"), at("2026-11-20T12:00:00", 2));
    assert_eq!(due("+PT2H"), at("2026-11-20T12:00:00", 2));
    assert_eq!(due("P1W"), at("2026-11-27T10:00:00", 7 * 24));
    assert_eq!(due("P5M"), at("2027-04-20T10:00:00", 151 * 24 - 1), "calendar months keep the local time");
    let named = |text| resolve_when(text, &stockholm(), BEGIN, "when").unwrap();
    assert_eq!((named("now"), named(" NOW "), named("next_slot")), (When::Now, When::Now, When::NextSlot));
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "tomorrow",
        "2026-12-01",
        "09:00",
        "2026-13-01T09:00",
        "PT",
        "-PT2H",
        "P500Y",
        "2026-12-01T09:00[",
        "[x]",
    ] {
        not_a_time(text);
    }
    assert!(not_a_time("2026-12-01T09:00[Mars/Base]").0.contains("is not known"));
    assert!(not_a_time("2026-12-01T09:00:00+05:00[Europe/Stockholm]").0.contains("offset is not the one"));
}

#[test]
fn a_past_time_is_refused() {
    for text in ["2026-11-20T09:59", "2026-11-20T10:00:00", "2020-01-01T00:00:00Z"] {
        assert!(not_a_time(text).0.contains("is past"), "{text}");
    }
}

#[test]
fn a_time_that_the_clocks_skip_or_repeat_names_both_instants() {
    let (message, hint) = not_a_time("2027-03-28T02:30");
    assert!(message.contains("does not exist in Europe/Stockholm"), "{message}");
    assert!(hint.contains("2027-03-28T01:30:00+01:00 or 2027-03-28T03:30:00+02:00"), "{hint}");

    let (message, hint) = not_a_time("2027-10-31T02:30");
    assert!(message.contains("comes twice"), "{message}");
    assert!(hint.contains("2027-10-31T02:30:00+02:00 or 2027-10-31T02:30:00+01:00"), "{hint}");
    let hours = (due("2027-10-31T02:30:00+01:00").2 - due("2027-10-31T02:30:00+02:00").2) / 3_600_000;
    assert_eq!(hours, 1, "either hint works");

    let (message, _) = not_a_time("2027-03-14T02:30[America/New_York]");
    assert!(message.contains("does not exist in America/New_York"), "{message}");
}

#[test]
fn a_duration_that_ends_where_the_clocks_skip_or_repeat_names_both_instants() {
    let told = |at: &str, text: &str| {
        let now = Timestamp::from_millis(at.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let problem = resolve_when(text, &stockholm(), now, "when").unwrap_err();
        assert_eq!(problem.code, Code::InvalidSchedule);
        (problem.message, problem.hint)
    };
    let (message, hint) = told("2027-03-21T01:30:00Z", "P7D");
    assert!(message.contains("2027-03-28 02:30 does not exist"), "{message}");
    assert!(hint.contains("2027-03-28T01:30:00+01:00 or 2027-03-28T03:30:00+02:00"), "{hint}");
    let (message, hint) = told("2027-10-24T00:30:00Z", "P1W");
    assert!(message.contains("2027-10-31 02:30 comes twice"), "{message}");
    assert!(hint.contains("2027-10-31T02:30:00+02:00 or 2027-10-31T02:30:00+01:00"), "{hint}");
}

#[test]
fn a_time_too_far_ahead_is_called_so() {
    for text in [
        "P400Y",
        "P9000Y",
        "2100-01-01T09:00",
        "9999-12-31T23:59",
        "12026-01-01T09:00",
        "2100-06-01T09:00:00Z",
    ] {
        let (message, hint) = not_a_time(text);
        assert_eq!(message, "That is too far ahead.", "{text}");
        assert!(hint.contains("before the year 2100"), "{hint}");
    }
    let last = resolve_when("2099-12-31T23:59", &stockholm(), BEGIN, "when");
    assert!(matches!(last, Ok(When::At(_))), "{last:?}");
}

#[test]
fn ids_sort_by_the_time_they_were_made_and_read_back() {
    let entropy = SimEntropy::new(5);
    let ids: Vec<PostId> =
        (0..500).map(|n| PostId::new(Timestamp::from_millis(BEGIN.as_millis() + n), &entropy)).collect();
    assert!(ids.is_sorted());
    for id in &ids {
        // RFC 9562 section 5.7: version 7, variant 0b10.
        let bytes =
            data_encoding::BASE32HEX_NOPAD.decode(id.as_str()[5..].to_uppercase().as_bytes()).unwrap();
        assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (7, 0b10), "{id:?}");
        assert_eq!(id.as_str().parse().as_ref(), Ok(id));
        assert!(id.as_str().starts_with("post_") && id.as_str().len() == 31);
        assert_eq!(
            serde_json::from_str::<PostId>(&serde_json::to_string(id).unwrap()).as_ref().ok(),
            Some(id)
        );
    }
    let text = ids[0].as_str();
    for wrong in [
        &text[1..],
        &text[..30],
        &text.to_uppercase(),
        &format!("{}w", &text[..30]),
        &format!("{}V", &text[..30]),
        &format!("{}-", &text[..30]),
        &text.replacen("post", "tnt", 1),
        &format!("{text}0"),
        "",
    ] {
        assert!(wrong.parse::<PostId>().is_err(), "{wrong}");
    }
    assert!(text.parse::<TenantId>().is_err());
}

#[test]
fn a_safename_is_3_to_40_of_small_letters_digits_and_inner_hyphens() {
    for good in ["abc", "a-b", "0-0", "acme-2026", &"a".repeat(40)] {
        assert_eq!(good.parse::<Safename>().map(|name| name.to_string()), Ok(good.to_owned()));
    }
    for bad in ["", "ab", "-ab", "ab-", "Acme", "ac me", "ac_me", "åbc", "a.b", "a/b", &"a".repeat(41)] {
        assert!(bad.parse::<Safename>().is_err(), "{bad}");
    }
}

#[test]
fn a_cursor_fits_its_own_list_and_holder_only() {
    let sim = Sim::new(3);
    let acme = Company::found(&sim, "acme");
    let other = Company::found(&sim, "other");
    let caller = acme.caller(&sim);
    let cursor = seal_cursor(&caller, "posts status=draft", &("post_1", 7)).unwrap();
    assert!(!cursor.contains("post_1"));
    let open = |caller: &Caller<'_>, list: &str, cursor: &str| {
        open_cursor::<(String, i64)>(caller, list, cursor).map_err(|problem| problem.code)
    };
    assert_eq!(open(&caller, "posts status=draft", &cursor), Ok(("post_1".to_owned(), 7)));

    let second = acme.add_grant(&sim, &acme.owner, Scopes::EVERY, &[]);
    let invalid = Err(Code::CursorInvalid);
    assert_eq!(open(&caller, "posts status=failed", &cursor), invalid);
    assert_eq!(open(&acme.caller_by(&sim, &second), "posts status=draft", &cursor), invalid);
    assert_eq!(open(&acme.member(&sim, &acme.owner), "posts status=draft", &cursor), invalid);
    assert_eq!(open(&other.caller(&sim), "posts status=draft", &cursor), invalid);
    let mut changed = cursor.clone();
    changed.replace_range(8..9, if &cursor[8..9] == "A" { "B" } else { "A" });
    for wrong in [changed.as_str(), &cursor[1..], "", "x", "t1."] {
        assert_eq!(open(&caller, "posts status=draft", wrong), invalid, "{wrong}");
    }
}

#[test]
fn a_page_has_1_to_50_items() {
    let limits = [None, Some(0), Some(1), Some(50), Some(51), Some(u32::MAX)].map(page_limit);
    assert_eq!(limits, [20, 1, 1, 50, 50, 50]);
}

#[test]
fn audit_rows_never_change() {
    let sim = Sim::new(3);
    let company = Company::found(&sim, "acme");
    try_rename(&company.caller(&sim), &company, &[]).unwrap();
    let forge = Sql { name: "forge", text: "-- forge\nUPDATE audit SET act = ?1", home: Home::Shard };
    let act = Act { name: "forge", subjects: &[] };
    let refusal = run(company.caller(&sim).write(act, vec![forge.with(["other".into()])]));
    assert_eq!(refusal.err(), Some(Refusal::Conflict));
    let rows = sim.shard().query("SELECT at FROM audit WHERE act = ?1", params!["rename"]);
    assert_eq!(rows[0].get::<Timestamp>("at").unwrap(), sim.clock.now());
}
