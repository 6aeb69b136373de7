//! The members' page: who may change whom, owners stay, and more power needs a recent sign-in.

use postern::{
    desk::{RecentSignIn, Role, Scopes, UserId},
    http::Response,
    platform::{Clock, Later},
    studio,
    tenants::{self, Standing},
};
use rusqlite::params;

use super::{press, session};
use crate::sim::{
    Fault, Random, Sim,
    browser::{Browser, text, with_header},
    interleave, run,
    world::Company,
};

const PAGE: &str = "/acme/members";

fn world() -> (Sim, Company) {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    (sim, company)
}

/// A browser in which this person has just signed in.
pub fn signed_in_as(sim: &Sim, person: &UserId) -> Browser {
    let link = run(postern::identity::make_link(&sim.platform(), person)).unwrap().url;
    let browser = Browser::default();
    assert_eq!(press(sim, &browser, link.strip_prefix("http://localhost:8790").unwrap()).status, 303);
    browser
}

pub fn page(sim: &Sim, browser: &Browser) -> Response {
    run(studio::members_page(&sim.platform(), &browser.get(PAGE), "acme"))
}

/// Sends one of the page's forms.
pub fn send(sim: &Sim, browser: &Browser, fields: &[(&str, &str)]) -> Response {
    let csrf = session(sim, browser).map(|session| session.csrf(&sim.config)).unwrap_or_default();
    let fields: Vec<(&str, &str)> =
        [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
    run(studio::change_members(&sim.platform(), &browser.post(PAGE, &fields), "acme"))
}

fn change(sim: &Sim, browser: &Browser, member: &UserId, role: Role) -> Response {
    send(sim, browser, &[("act", "change"), ("member", member.as_str()), ("role", role.as_str())])
}

fn remove(sim: &Sim, browser: &Browser, member: &UserId) -> Response {
    send(sim, browser, &[("act", "remove"), ("member", member.as_str())])
}

/// The role of a live member.
fn role(sim: &Sim, company: &Company, person: &UserId) -> Option<Role> {
    run(company.member(sim, person).facts()).ok().map(|facts| facts.role)
}

fn owners(sim: &Sim) -> i64 {
    let sql = "SELECT count(*) FROM membership WHERE role = 'owner' AND ended_at IS NULL";
    sim.shard().number(sql, [])
}

#[test]
fn everybody_sees_the_members_and_only_managers_see_forms() {
    let (sim, company) = world();
    let people: Vec<UserId> = [("ada", Role::Admin), ("ed", Role::Editor), ("vi", Role::Viewer)]
        .map(|(name, role)| company.add_member(&sim, name, role))
        .into();
    for (person, forms) in
        [(&company.owner, true), (&people[0], true), (&people[1], false), (&people[2], false)]
    {
        let shown = text(&page(&sim, &signed_in_as(&sim, person)));
        for email in ["owner@acme.example", "ada@acme.example", "ed@acme.example", "vi@acme.example"] {
            assert!(shown.contains(email));
        }
        assert_eq!(shown.contains("value=\"invite\""), forms);
        let own = shown.matches("Leave ").count();
        assert_eq!(own, usize::from(person != &company.owner), "who is not the last owner may leave");
    }
}

#[test]
fn to_others_there_are_no_members() {
    let (sim, _) = world();
    let other = Company::found(&sim, "other");
    let outsider = signed_in_as(&sim, &other.owner);
    assert_eq!(page(&sim, &outsider).status, 404);
    assert_eq!(
        send(&sim, &outsider, &[("act", "invite"), ("email", "x@y.example"), ("role", "owner")]).status,
        404
    );
    let nobody = page(&sim, &Browser::default());
    assert_eq!(nobody.header("location"), Some("/sign-in?next=%2Facme%2Fmembers"));
    assert_eq!(sim.shard().number("SELECT count(*) FROM invitation", []), 0);
}

/// Whether somebody of the first role may make somebody of the second one of the third, told again in the plainest way.
fn may(actor: Role, target: Role, to: Role) -> bool {
    match actor {
        Role::Owner => true,
        Role::Admin => target != Role::Owner && to != Role::Owner,
        Role::Editor | Role::Viewer => false,
    }
}

#[test]
fn each_role_changes_and_removes_just_whom_it_may() {
    for actor in Role::ALL {
        for target in Role::ALL {
            for to in Role::ALL {
                let (sim, company) = world();
                let me = company.add_member(&sim, "me", actor);
                let them = company.add_member(&sim, "them", target);
                let browser = signed_in_as(&sim, &me);
                let answer = change(&sim, &browser, &them, to);
                let allowed = may(actor, target, to) || target == to;
                let case = format!("{actor:?} makes {target:?} {to:?}");
                assert_eq!(answer.status, if allowed { 303 } else { 403 }, "{case}");
                assert_eq!(role(&sim, &company, &them), Some(if allowed { to } else { target }), "{case}");
            }
            let (sim, company) = world();
            let me = company.add_member(&sim, "me", actor);
            let them = company.add_member(&sim, "them", target);
            let answer = remove(&sim, &signed_in_as(&sim, &me), &them);
            let allowed = may(actor, target, Role::Viewer);
            assert_eq!(answer.status, if allowed { 303 } else { 403 }, "{actor:?} removes {target:?}");
            assert_eq!(role(&sim, &company, &them).is_none(), allowed, "{actor:?} removes {target:?}");
        }
    }
}

#[test]
fn nobody_raises_themselves() {
    for own in [Role::Admin, Role::Editor, Role::Viewer] {
        let (sim, company) = world();
        let me = company.add_member(&sim, "me", own);
        let browser = signed_in_as(&sim, &me);
        assert_eq!(change(&sim, &browser, &me, Role::Owner).status, 403);
        assert_eq!(role(&sim, &company, &me), Some(own));
    }
}

#[test]
fn more_power_needs_a_recent_sign_in_and_less_does_not() {
    let (sim, company) = world();
    let member = company.add_member(&sim, "member", Role::Editor);
    let browser = signed_in_as(&sim, &company.owner);
    sim.clock.advance_seconds(300);
    let again = Some("/sign-in?again=1&next=%2Facme%2Fmembers");
    for fields in [
        [("act", "change"), ("member", member.as_str()), ("role", "admin"), ("x", "")],
        [("act", "change"), ("member", member.as_str()), ("role", "owner"), ("x", "")],
        [("act", "change"), ("member", member.as_str()), ("role", "editor"), ("approver", "1")],
        [("act", "change"), ("member", member.as_str()), ("role", "viewer"), ("approver", "1")],
        [("act", "invite"), ("email", "new@acme.example"), ("role", "admin"), ("x", "")],
        [("act", "invite"), ("email", "new@acme.example"), ("role", "owner"), ("x", "")],
        [("act", "invite"), ("email", "new@acme.example"), ("role", "viewer"), ("approver", "1")],
    ] {
        let answer = send(&sim, &browser, &fields);
        assert_eq!((answer.status, answer.header("location")), (303, again), "{fields:?}");
    }
    assert_eq!(sim.shard().number("SELECT count(*) FROM invitation", []), 0);
    assert_eq!(role(&sim, &company, &member), Some(Role::Editor));
    let invite = [("act", "invite"), ("email", "new@acme.example"), ("role", "editor")];
    assert_eq!(send(&sim, &browser, &invite).status, 200);
    assert_eq!(
        change(&sim, &browser, &member, Role::Viewer).header("location"),
        Some("/acme/members?done=changed")
    );

    let fresh = signed_in_as(&sim, &company.owner);
    assert_eq!(change(&sim, &fresh, &member, Role::Admin).status, 303);
    assert_eq!(role(&sim, &company, &member), Some(Role::Admin));
}

#[test]
fn a_stale_sign_in_raises_nobody_whatever_happens_meanwhile() {
    let standing = |role, approver| Standing { role, approver };
    for seed in 0..60 {
        let (sim, company) = world();
        let member = company.add_member(&sim, "member", Role::Admin);
        sim.shard().execute("UPDATE membership SET approver = 1 WHERE user_id = ?1", [member.as_str()]);
        let owner = company.member(&sim, &company.owner);
        let to_admin = tenants::change_member(&owner, &member, standing(Role::Admin, false), None);
        let to_viewer = tenants::change_member(&owner, &member, standing(Role::Viewer, false), None);
        let changes: Vec<Later<'_, _>> = vec![Box::pin(to_admin), Box::pin(to_viewer)];
        let results = interleave(&Random::new(seed), changes);
        if results[1].is_ok() {
            assert_eq!(role(&sim, &company, &member), Some(Role::Viewer), "seed {seed}");
        }
    }
}

#[test]
fn what_somebody_else_overtook_is_told_as_that_and_not_as_forbidden() {
    let (sim, company) = world();
    let [second, admin, editor, other] =
        [("second", Role::Owner), ("ada", Role::Admin), ("ed", Role::Editor), ("eve", Role::Editor)]
            .map(|(name, role)| company.add_member(&sim, name, role));
    let browsers = [&company.owner, &admin, &editor].map(|member| signed_in_as(&sim, member));
    // As if another request had changed the member between the look and the write.
    let overtakes = "CREATE TRIGGER overtaken BEFORE UPDATE ON membership BEGIN SELECT RAISE(IGNORE); END";
    sim.shard().execute(overtakes, []);
    let [owner, admin, editors] = &browsers;
    for (case, answer) in [
        ("an owner's change of an editor", change(&sim, owner, &other, Role::Viewer)),
        ("an owner's change of another owner", change(&sim, owner, &second, Role::Viewer)),
        ("an admin's change of an editor", change(&sim, admin, &other, Role::Viewer)),
        ("leaving", remove(&sim, editors, &editor)),
    ] {
        assert_eq!(answer.status, 409, "{case}: {}", text(&answer));
    }
    sim.shard().execute("DROP TRIGGER overtaken", []);
    assert_eq!(remove(&sim, owner, &second).status, 303);
    sim.shard().execute(overtakes, []);
    assert_eq!(change(&sim, owner, &other, Role::Viewer).status, 409, "the only owner's change of an editor");
}

#[test]
fn members_and_invitations_are_listed_by_name_and_address() {
    let (sim, company) = world();
    for name in ["zoe", "ada", "mia"] {
        company.add_member(&sim, name, Role::Editor);
    }
    let browser = signed_in_as(&sim, &company.owner);
    for email in ["y@acme.example", "b@acme.example", "k@acme.example"] {
        assert_eq!(
            send(&sim, &browser, &[("act", "invite"), ("email", email), ("role", "viewer")]).status,
            200
        );
    }
    let shown = text(&page(&sim, &browser));
    let places = |words: &[&str]| words.iter().map(|word| shown.find(word).unwrap()).collect::<Vec<_>>();
    assert!(places(&["ada@acme", "mia@acme", "owner@acme.example</", "zoe@acme"]).is_sorted(), "{shown}");
    assert!(places(&["b@acme.example", "k@acme.example", "y@acme.example"]).is_sorted(), "{shown}");
}

#[test]
fn the_last_owner_stays_one() {
    let (sim, company) = world();
    company.add_member(&sim, "ed", Role::Editor);
    let browser = signed_in_as(&sim, &company.owner);
    for answer in
        [change(&sim, &browser, &company.owner, Role::Admin), remove(&sim, &browser, &company.owner)]
    {
        assert_eq!(answer.status, 422);
        assert!(text(&answer).contains("at least one owner"));
    }
    assert_eq!(role(&sim, &company, &company.owner), Some(Role::Owner));

    let second = company.add_member(&sim, "second", Role::Owner);
    assert_eq!(remove(&sim, &browser, &company.owner).header("location"), Some("/"), "leaving");
    assert_eq!(page(&sim, &browser).status, 404, "at once");
    assert_eq!(remove(&sim, &signed_in_as(&sim, &second), &second).status, 422);
    assert_eq!(owners(&sim), 1);
}

#[test]
fn two_owners_who_remove_each_other_leave_one() {
    for seed in 0..100 {
        let (sim, company) = world();
        let second = company.add_member(&sim, "second", Role::Owner);
        let (one, other) = (company.member(&sim, &company.owner), company.member(&sim, &second));
        let less = Standing { role: Role::Viewer, approver: false };
        let acts: Vec<Later<'_, _>> = match seed % 4 {
            0 => vec![
                Box::pin(tenants::remove_member(&one, &second)),
                Box::pin(tenants::remove_member(&other, &company.owner)),
            ],
            1 => vec![
                Box::pin(tenants::remove_member(&one, &company.owner)),
                Box::pin(tenants::remove_member(&other, &second)),
            ],
            2 => vec![
                Box::pin(tenants::change_member(&one, &second, less, None)),
                Box::pin(tenants::change_member(&other, &company.owner, less, None)),
            ],
            _ => vec![
                Box::pin(tenants::change_member(&one, &company.owner, less, None)),
                Box::pin(tenants::remove_member(&one, &second)),
            ],
        };
        interleave(&Random::new(seed), acts);
        assert_eq!(owners(&sim), 1, "seed {seed}");
    }
}

#[test]
fn removing_a_member_ends_their_apps_for_good() {
    let (sim, company) = world();
    let member = company.add_member(&sim, "member", Role::Editor);
    let grant = company.add_grant(&sim, &member, Scopes::EVERY, &[&company.workspace]);
    let works = || run(company.caller_by(&sim, &grant).facts()).is_ok();
    assert!(works());
    assert_eq!(remove(&sim, &signed_in_as(&sim, &company.owner), &member).status, 303);
    assert!(!works());
    sim.shard().execute("UPDATE membership SET ended_at = NULL WHERE user_id = ?1", [member.as_str()]);
    assert!(role(&sim, &company, &member).is_some(), "a member again");
    assert!(!works(), "and the app still has nothing");
    assert!(run(company.caller(&sim).facts()).is_ok(), "others' apps go on");
}

#[test]
fn what_belongs_to_another_tenant_is_not_changed() {
    let (sim, company) = world();
    let other = Company::found(&sim, "other");
    let theirs = other.add_member(&sim, "theirs", Role::Editor);
    let browser = signed_in_as(&sim, &company.owner);
    assert_eq!(change(&sim, &browser, &theirs, Role::Viewer).status, 422);
    assert_eq!(remove(&sim, &browser, &theirs).status, 422);
    assert_eq!(role(&sim, &other, &theirs), Some(Role::Editor));
}

#[test]
fn strange_forms_change_nothing_and_say_so() {
    let (sim, company) = world();
    let member = company.add_member(&sim, "member", Role::Editor);
    let browser = signed_in_as(&sim, &company.owner);
    for fields in [
        vec![],
        vec![("act", "promote")],
        vec![("act", "change")],
        vec![("act", "change"), ("member", "usr_"), ("role", "viewer")],
        vec![("act", "change"), ("member", member.as_str())],
        vec![("act", "change"), ("member", member.as_str()), ("role", "god")],
        vec![("act", "remove"), ("member", "' OR 1=1 --")],
        vec![("act", "invite"), ("email", "nobody"), ("role", "editor")],
        vec![("act", "invite"), ("email", "a@b.example\r\nbcc: c@d.example"), ("role", "editor")],
        vec![("act", "withdraw"), ("invitation", "inv_1")],
    ] {
        assert_eq!(send(&sim, &browser, &fields).status, 422, "{fields:?}");
    }
    assert_eq!(role(&sim, &company, &member), Some(Role::Editor));
    let shown = send(&sim, &browser, &[("act", "invite"), ("email", "\"><script>x"), ("role", "editor")]);
    assert!(!text(&shown).contains("<script>"));
}

#[test]
fn a_form_of_another_site_or_session_changes_nothing() {
    let (sim, company) = world();
    let member = company.add_member(&sim, "member", Role::Editor);
    let browser = signed_in_as(&sim, &company.owner);
    let theirs = session(&sim, &signed_in_as(&sim, &member)).unwrap().csrf(&sim.config);
    let own = session(&sim, &browser).unwrap().csrf(&sim.config);
    let fields = |csrf| [("csrf", csrf), ("act", "remove"), ("member", member.as_str())];
    let status = |request| run(studio::change_members(&sim.platform(), &request, "acme")).status;
    assert_eq!(status(browser.post(PAGE, &fields(&theirs))), 403);
    assert_eq!(status(browser.post(PAGE, &fields(""))), 403);
    let cross = with_header(browser.post(PAGE, &fields(&own)), "sec-fetch-site", Some("cross-site"));
    assert_eq!(status(cross), 403);
    assert!(role(&sim, &company, &member).is_some());
}

#[test]
fn every_change_stands_in_the_audit() {
    let (sim, company) = world();
    let member = company.add_member(&sim, "member", Role::Editor);
    let browser = signed_in_as(&sim, &company.owner);
    change(&sim, &browser, &member, Role::Admin);
    sim.clock.advance_seconds(1);
    remove(&sim, &browser, &member);
    change(&sim, &browser, &company.owner, Role::Viewer);
    let acts =
        sim.shard().query("SELECT act, subjects FROM audit WHERE outcome = 'done' ORDER BY at, audit_id", []);
    let acts: Vec<(String, String)> =
        acts.iter().map(|row| (row.get("act").unwrap(), row.get("subjects").unwrap())).collect();
    let expected = [
        ("change_member".to_owned(), format!("[\"{member}\",\"editor\",\"admin\"]")),
        ("remove_member".to_owned(), format!("[\"{member}\"]")),
    ];
    assert_eq!(acts, expected);
}

#[test]
fn being_sent_to_sign_in_again_stands_in_the_audit() {
    let (sim, company) = world();
    let member = company.add_member(&sim, "member", Role::Editor);
    let browser = signed_in_as(&sim, &company.owner);
    sim.clock.advance_seconds(300);
    assert_eq!(change(&sim, &browser, &member, Role::Admin).status, 303);
    let invite = [("act", "invite"), ("email", "new@acme.example"), ("role", "admin")];
    assert_eq!(send(&sim, &browser, &invite).status, 303);
    let refused = "SELECT group_concat(act) AS acts FROM (SELECT act FROM audit WHERE outcome = 'sign_in_again' ORDER BY audit_id)";
    assert_eq!(
        sim.shard().query(refused, [])[0].get::<String>("acts").unwrap(),
        "change_member,invite_member"
    );
}

#[test]
fn a_shard_that_fails_changes_nothing() {
    let (sim, company) = world();
    let member = company.add_member(&sim, "member", Role::Editor);
    let browser = signed_in_as(&sim, &company.owner);
    sim.faults.on_statement("end_grants_of_member", Fault::LostRequest);
    assert_eq!(remove(&sim, &browser, &member).status, 503);
    assert!(role(&sim, &company, &member).is_some());
}

#[test]
fn a_standing_exceeds_another_by_role_or_by_approving() {
    let of = |role, approver| Standing { role, approver };
    for (more, less) in
        [(Role::Owner, Role::Admin), (Role::Admin, Role::Editor), (Role::Editor, Role::Viewer)]
    {
        assert!(of(more, false).exceeds(of(less, true)));
        assert!(!of(less, false).exceeds(of(more, false)));
        assert!(of(less, true).exceeds(of(more, false)));
        assert!(!of(more, true).exceeds(of(more, true)));
    }
    assert!(RecentSignIn::of(Sim::new(1).clock.now(), Sim::new(1).clock.now()).is_some());
}

#[test]
fn a_former_member_is_not_listed() {
    let (sim, company) = world();
    let member = company.add_member(&sim, "member", Role::Editor);
    sim.shard().execute(
        "UPDATE membership SET ended_at = ?2 WHERE user_id = ?1",
        params![member.as_str(), sim.clock.now().as_millis()],
    );
    assert!(!text(&page(&sim, &signed_in_as(&sim, &company.owner))).contains("member@acme.example"));
}
