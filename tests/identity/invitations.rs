//! Invitations: one link makes one member, never signs in somebody who is there already, and never takes over an address.

use postern::{
    desk::{Reach, Role},
    http::Response,
    identity::{self, SignInMethod},
    platform::Clock,
    studio, tenants,
};

use super::{
    SESSION,
    mail::{link_in, mail_config, mail_world},
    members::{page, send, signed_in_as},
    press, secret, session,
};
use crate::sim::{
    Fault, Random, Sim,
    browser::{Browser, text, with_header},
    interleave, run, run_until_crash,
    world::Company,
};

const NEW: &str = "new@acme.example";

fn world() -> (Sim, Company) {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    (sim, company)
}

/// Invites an address as the owner, who gets the link to hand over.
pub fn invite(sim: &Sim, company: &Company, email: &str, role: &str) -> String {
    let browser = signed_in_as(sim, &company.owner);
    let answer = send(sim, &browser, &[("act", "invite"), ("email", email), ("role", role)]);
    assert_eq!(answer.status, 200, "{}", text(&answer));
    let page = text(&answer);
    let url = page.split("<pre><code>").nth(1).unwrap().split('<').next().unwrap();
    url.strip_prefix("http://localhost:8790").unwrap().to_owned()
}

fn look(sim: &Sim, browser: &Browser, link: &str) -> Response {
    run(studio::invitation_page(&sim.platform(), &browser.get(link), "acme", secret(link)))
}

/// Presses the button of an invitation's page.
fn accept(sim: &Sim, browser: &Browser, link: &str, name: &str) -> Response {
    let csrf = session(sim, browser).map(|session| session.csrf(&sim.config)).unwrap_or_default();
    let request = browser.post(link, &[("csrf", &csrf), ("name", name)]);
    let answer = run(studio::accept_invitation(&sim.platform(), &request, "acme", secret(link)));
    browser.take(&answer);
    answer
}

/// The role of whoever is signed in in a browser.
fn role(sim: &Sim, company: &Company, browser: &Browser) -> Option<Role> {
    let person = session(sim, browser)?.user_id;
    run(company.member(sim, &person).facts()).ok().map(|facts| facts.role)
}

fn members(sim: &Sim) -> i64 {
    sim.shard().number("SELECT count(*) FROM membership WHERE ended_at IS NULL", [])
}

#[test]
fn a_link_that_is_handed_over_makes_a_new_person_and_member_once() {
    let (sim, company) = world();
    let link = invite(&sim, &company, NEW, "editor");
    let browser = Browser::default();
    for _ in 0..2 {
        let shown = look(&sim, &browser, &link);
        assert_eq!((shown.status, shown.header("set-cookie")), (200, None));
        assert!(
            text(&shown).contains(NEW) && text(&shown).contains("acme") && text(&shown).contains("editor")
        );
    }
    let answer = accept(&sim, &browser, &link, " Nora ");
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    let joined = session(&sim, &browser).unwrap();
    assert_eq!((joined.name.as_str(), joined.email.as_str()), ("Nora", NEW));
    assert_eq!(joined.method, SignInMethod::Invitation);
    assert_eq!(role(&sim, &company, &browser), Some(Role::Editor));
    assert_eq!(
        run(tenants::of_person(&sim.platform(), &Reach::whole(joined.user_id.clone()))).unwrap().len(),
        1
    );

    let thief = Browser::default();
    let again = accept(&sim, &thief, &link, "Thief");
    assert!(again.header("location").unwrap().starts_with("/sign-in"), "who has it already signs in");
    assert_eq!((thief.cookie(SESSION), members(&sim)), (None, 2));
}

#[test]
fn a_mailed_link_is_shown_to_nobody_else() {
    let (sim, company) = mail_world();
    let browser = signed_in_as(&sim, &company.owner);
    let answer = send(&sim, &browser, &[("act", "invite"), ("email", NEW), ("role", "viewer")]);
    assert_eq!(answer.header("location"), Some("/acme/members?done=invited"));
    let letters = sim.mail.take();
    assert_eq!(letters[0].to, NEW);
    assert!(letters[0].text.contains("owner invites you, new@acme.example, to acme"), "{}", letters[0].text);
    let link = link_in(&letters);
    assert!(!text(&page(&sim, &browser)).contains(secret(&link)));
    let guest = Browser::default();
    assert_eq!(accept(&sim, &guest, &link, "Nora").status, 303);
    assert_eq!(role(&sim, &company, &guest), Some(Role::Viewer));
}

#[test]
fn only_hashes_of_links_are_stored() {
    let (sim, company) = world();
    let link = invite(&sim, &company, NEW, "editor");
    let rows = format!("{:?}", sim.shard().query("SELECT * FROM invitation", []));
    assert!(!rows.contains(secret(&link)));
}

#[test]
fn somebody_who_is_there_already_signs_in_first_and_then_joins() {
    let (sim, company) = world();
    let other = Company::found(&sim, "other");
    let link = invite(&sim, &company, "owner@other.example", "admin");
    let browser = Browser::default();
    let answer = accept(&sim, &browser, &link, "Not me");
    let back: String = url::form_urlencoded::byte_serialize(link.as_bytes()).collect();
    assert_eq!(answer.header("location"), Some(format!("/sign-in?next={back}").as_str()));
    assert_eq!((browser.cookie(SESSION), members(&sim)), (None, 2), "one owner each");

    let theirs = signed_in_as(&sim, &other.owner);
    assert!(text(&look(&sim, &theirs, &link)).contains("You are signed in as owner."));
    assert_eq!(accept(&sim, &theirs, &link, "").header("location"), Some("/"));
    assert_eq!(role(&sim, &company, &theirs), Some(Role::Admin));
    assert_eq!(session(&sim, &theirs).unwrap().name, "owner", "nobody is renamed");
}

#[test]
fn an_invitation_is_for_its_address_alone() {
    let (sim, company) = world();
    let other = Company::found(&sim, "other");
    let link = invite(&sim, &company, NEW, "editor");
    let theirs = signed_in_as(&sim, &other.owner);
    let shown = look(&sim, &theirs, &link);
    assert!(text(&shown).contains("You are signed in as owner@other.example"));
    assert_eq!(accept(&sim, &theirs, &link, "Other").status, 403);
    assert_eq!(role(&sim, &company, &theirs), None);
    let guest = Browser::default();
    assert_eq!(accept(&sim, &guest, &link, "Nora").status, 303, "it was not used up");
}

#[test]
fn an_invitation_ends_by_time_withdrawal_or_with_its_makers_power() {
    type End<'a> = (&'static str, &'a dyn Fn(&Sim, &Company));
    let ends: [End<'_>; 6] = [
        ("seven days", &|sim, _| sim.clock.advance_seconds(7 * 86_400)),
        ("withdrawn", &|sim, company| {
            let row = &sim.shard().query("SELECT invitation_id FROM invitation", [])[0];
            let id: String = row.get("invitation_id").unwrap();
            let browser = signed_in_as(sim, &company.owner);
            let answer = send(sim, &browser, &[("act", "withdraw"), ("invitation", &id)]);
            assert_eq!(answer.header("location"), Some("/acme/members?done=withdrawn"));
        }),
        ("invited again", &|sim, company| drop(invite(sim, company, "NEW@acme.example", "viewer"))),
        ("demoted", &|sim, _| {
            sim.shard().execute("UPDATE membership SET role = 'editor'", []);
        }),
        ("removed", &|sim, _| {
            sim.shard().execute("UPDATE membership SET ended_at = 1", []);
        }),
        ("closed", &|sim, _| {
            sim.shard().execute("UPDATE tenant SET deleted_at = 1", []);
        }),
    ];
    for (why, end) in ends {
        let (sim, company) = world();
        let link = invite(&sim, &company, NEW, "editor");
        end(&sim, &company);
        let browser = Browser::default();
        assert_eq!(look(&sim, &browser, &link).status, 404, "{why}");
        assert_eq!(accept(&sim, &browser, &link, "Nora").status, 404, "{why}");
        assert_eq!(sim.directory.number("SELECT count(*) FROM person WHERE email = ?1", [NEW]), 0, "{why}");
    }
}

#[test]
fn unknown_links_look_like_ended_ones() {
    let (sim, company) = world();
    let ended = invite(&sim, &company, NEW, "editor");
    sim.clock.advance_seconds(7 * 86_400);
    let answer = look(&sim, &Browser::default(), &ended);
    for link in [format!("/acme/invitation/{}", "A".repeat(43)), "/acme/invitation/x".to_owned()] {
        let other = look(&sim, &Browser::default(), &link);
        assert_eq!((other.status, text(&other)), (answer.status, text(&answer)));
    }
    let elsewhere =
        run(studio::invitation_page(&sim.platform(), &Browser::default().get(&ended), "nowhere", "x"));
    assert_eq!((elsewhere.status, text(&elsewhere)), (answer.status, text(&answer)));
}

#[test]
fn a_link_of_one_tenant_opens_no_other() {
    let (sim, company) = world();
    Company::found(&sim, "other");
    let link = invite(&sim, &company, NEW, "editor");
    let request = Browser::default().post("/other/invitation/x", &[("name", "Nora")]);
    let answer = run(studio::accept_invitation(&sim.platform(), &request, "other", secret(&link)));
    assert_eq!(answer.status, 404);
}

#[test]
fn who_belongs_already_is_not_invited() {
    let (sim, company) = world();
    company.add_member(&sim, "ed", Role::Editor);
    let browser = signed_in_as(&sim, &company.owner);
    for email in ["ed@acme.example", "ED@ACME.example", "owner@acme.example"] {
        let answer = send(&sim, &browser, &[("act", "invite"), ("email", email), ("role", "viewer")]);
        assert_eq!(answer.status, 422);
        assert!(text(&answer).contains("belongs to this organisation already"));
    }
    assert_eq!(sim.shard().number("SELECT count(*) FROM invitation", []), 0);
}

#[test]
fn each_role_invites_just_whom_it_may() {
    for actor in Role::ALL {
        for to in Role::ALL {
            let (sim, company) = world();
            let me = company.add_member(&sim, "me", actor);
            let answer = send(
                &sim,
                &signed_in_as(&sim, &me),
                &[("act", "invite"), ("email", NEW), ("role", to.as_str())],
            );
            let allowed = actor == Role::Owner || (actor == Role::Admin && to != Role::Owner);
            assert_eq!(answer.status, if allowed { 200 } else { 403 }, "{actor:?} invites {to:?}");
            let open = sim.shard().number("SELECT count(*) FROM invitation", []);
            assert_eq!(open, i64::from(allowed), "{actor:?} invites {to:?}");
        }
    }
}

#[test]
fn an_admin_withdraws_no_owners_invitation() {
    let (sim, company) = world();
    let admin = company.add_member(&sim, "ada", Role::Admin);
    let link = invite(&sim, &company, NEW, "owner");
    let row = &sim.shard().query("SELECT invitation_id FROM invitation", [])[0];
    let id: String = row.get("invitation_id").unwrap();
    let answer = send(&sim, &signed_in_as(&sim, &admin), &[("act", "withdraw"), ("invitation", &id)]);
    assert_eq!(answer.status, 409);
    assert_eq!(look(&sim, &Browser::default(), &link).status, 200);
}

#[test]
fn an_admin_replaces_no_owners_invitation() {
    let (sim, company) = world();
    let admin = company.add_member(&sim, "ada", Role::Admin);
    let link = invite(&sim, &company, NEW, "owner");
    let fields = [("act", "invite"), ("email", "New@acme.example"), ("role", "viewer")];
    let answer = send(&sim, &signed_in_as(&sim, &admin), &fields);
    assert_eq!(answer.status, 403, "{}", text(&answer));
    assert_eq!(look(&sim, &Browser::default(), &link).status, 200, "the owner's stands");
    assert_eq!(send(&sim, &signed_in_as(&sim, &company.owner), &fields).status, 200);
    assert_eq!(look(&sim, &Browser::default(), &link).status, 404, "an owner may replace it");
    assert_eq!(send(&sim, &signed_in_as(&sim, &admin), &fields).status, 200, "and an admin a viewer's");
}

#[test]
fn a_tenant_invites_fifty_people_a_day() {
    let (sim, company) = world();
    for number in 0..50 {
        invite(&sim, &company, &format!("n{number}@acme.example"), "viewer");
    }
    let browser = signed_in_as(&sim, &company.owner);
    let fields = [("act", "invite"), ("email", NEW), ("role", "viewer")];
    let answer = send(&sim, &browser, &fields);
    assert_eq!(answer.status, 422);
    assert!(text(&answer).contains("At most 50 people"));
    sim.clock.advance_seconds(86_400);
    assert_eq!(send(&sim, &signed_in_as(&sim, &company.owner), &fields).status, 200);
}

#[test]
fn one_invitation_too_many_is_told_as_that_whoever_else_an_owner_invited() {
    let (sim, company) = world();
    let admin = company.add_member(&sim, "ada", Role::Admin);
    invite(&sim, &company, NEW, "owner");
    for number in 0..49 {
        invite(&sim, &company, &format!("n{number}@acme.example"), "viewer");
    }
    let (owner, admin) = (signed_in_as(&sim, &company.owner), signed_in_as(&sim, &admin));
    for (who, browser, email, role) in [
        ("an admin invites somebody else", &admin, "x@acme.example", "viewer"),
        ("an admin invites a viewer again", &admin, "n7@acme.example", "viewer"),
        ("an owner invites an owner again", &owner, NEW, "owner"),
    ] {
        let answer = send(&sim, browser, &[("act", "invite"), ("email", email), ("role", role)]);
        assert_eq!(answer.status, 422, "{who}");
        assert!(text(&answer).contains("At most 50 people"), "{who}");
    }
}

#[test]
fn of_several_who_accept_at_once_one_is_let_in() {
    for seed in 0..60 {
        let (sim, company) = world();
        let link = invite(&sim, &company, NEW, "editor");
        let platform = sim.platform();
        let request = Browser::default().post(&link, &[("name", "Nora")]);
        let attempt = || Box::pin(studio::accept_invitation(&platform, &request, "acme", secret(&link))) as _;
        let answers: Vec<Response> = interleave(&Random::new(seed), vec![attempt(), attempt(), attempt()]);
        let let_in = answers.iter().filter(|answer| answer.header("set-cookie").is_some()).count();
        assert_eq!(let_in, 1, "seed {seed}");
        let sessions = "SELECT count(*) FROM session WHERE method = 'invitation'";
        assert_eq!((sim.directory.number(sessions, []), members(&sim)), (1, 2), "seed {seed}");
    }
}

#[test]
fn an_accepting_that_was_cut_short_is_finished_by_repeating_it() {
    let mut cut_short = 0;
    for steps in 1.. {
        let (sim, company) = world();
        let link = invite(&sim, &company, NEW, "editor");
        let request = Browser::default().post(&link, &[("name", "Nora")]);
        let platform = sim.platform();
        let accepting = studio::accept_invitation(&platform, &request, "acme", secret(&link));
        if run_until_crash(steps, accepting).is_some() {
            break;
        }
        cut_short += 1;
        let browser = Browser::default();
        let answer = accept(&sim, &browser, &link, "Nora");
        let entered = sim.directory.number("SELECT count(*) FROM person WHERE entered_at IS NOT NULL", []);
        assert_eq!((answer.status, entered, members(&sim)), (303, 1, 2), "step {steps}");
        let sessions = "SELECT count(*) FROM session WHERE method = 'invitation'";
        assert_eq!(sim.directory.number(sessions, []), 1, "step {steps}");
        if answer.header("location") == Some("/") {
            assert_eq!(role(&sim, &company, &browser), Some(Role::Editor), "step {steps}");
        }
    }
    assert!(cut_short > 9, "{cut_short} crashes");
}

#[test]
fn accepting_needs_its_own_page_and_a_name() {
    let (sim, company) = world();
    let other = Company::found(&sim, "other");
    let link = invite(&sim, &company, NEW, "editor");
    let own = Browser::default().post(&link, &[("name", "Nora")]);
    let status =
        |request| run(studio::accept_invitation(&sim.platform(), &request, "acme", secret(&link))).status;
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(status(with_header(own.clone(), "sec-fetch-site", Some(site))), 403);
    }
    for name in ["", " ", "a\u{7}", &"n".repeat(101), "a\nb"] {
        assert_eq!(accept(&sim, &Browser::default(), &link, name).status, 422, "{name:?}");
    }
    let hostile = accept(&sim, &Browser::default(), &link, "\n<script>x</script>\u{7}");
    assert!(!text(&hostile).contains("<script>"));

    let invited = invite(&sim, &company, "owner@other.example", "editor");
    let theirs = signed_in_as(&sim, &other.owner);
    let forged = theirs.post(&invited, &[("csrf", "t1.AAAA")]);
    let answer = run(studio::accept_invitation(&sim.platform(), &forged, "acme", secret(&invited)));
    assert_eq!(answer.status, 403);
    assert_eq!(members(&sim), 2);
}

/// Somebody who owns a tenant makes a person of an address that is not theirs, and is signed in as that person.
fn squat(sim: &Sim, company: &Company) -> Browser {
    let link = invite(sim, company, "victim@elsewhere.example", "viewer");
    let browser = Browser::default();
    assert_eq!(accept(sim, &browser, &link, "Squatter").status, 303);
    assert!(session(sim, &browser).is_some());
    browser
}

#[test]
fn whoever_has_the_address_takes_it_from_whoever_only_said_so() {
    let (mut sim, company) = world();
    let squatter = squat(&sim, &company);
    sim.config = mail_config();
    let victim = Browser::default();
    let sign_in = || {
        let email = [("email", "victim@elsewhere.example")];
        let asked = run(identity::ask_for_link(&sim.platform(), &victim.post("/sign-in", &email)));
        victim.take(&asked);
        assert_eq!(press(&sim, &victim, &link_in(&sim.mail.take())).status, 303);
    };
    sign_in();
    assert!(session(&sim, &victim).is_some());
    assert!(session(&sim, &squatter).is_none(), "the squatter is out");

    let second = Browser::default();
    second.set_cookie(SESSION, &victim.cookie(SESSION).unwrap());
    victim.set_cookie(SESSION, "");
    sign_in();
    assert!(session(&sim, &second).is_some(), "only the first proof puts others out");
}

#[test]
fn what_an_operator_gives_an_address_goes_to_no_squatter() {
    let (sim, company) = world();
    let squatter = squat(&sim, &company);
    let email = "victim@elsewhere.example".parse().unwrap();
    let person = run(identity::find_or_add_person(&sim.platform(), &email, "Victim")).unwrap();
    assert_eq!(person.email.as_str(), "victim@elsewhere.example");
    assert!(session(&sim, &squatter).is_none());
}

#[test]
fn an_operator_s_link_leaves_no_squatter_inside() {
    let (sim, company) = world();
    let squatter = squat(&sim, &company);
    let person = session(&sim, &squatter).unwrap().user_id;
    let victim = signed_in_as(&sim, &person);
    assert!(session(&sim, &squatter).is_none());
    signed_in_as(&sim, &person);
    assert!(session(&sim, &victim).is_some(), "only the first proof puts others out");
}

#[test]
fn whoever_has_the_address_is_never_signed_in_beside_a_squatter() {
    for fault in [Fault::NotSent, Fault::LostReply] {
        let (mut sim, company) = world();
        let squatter = squat(&sim, &company);
        sim.config = mail_config();
        let victim = Browser::default();
        let email = [("email", "victim@elsewhere.example")];
        victim.take(&run(identity::ask_for_link(&sim.platform(), &victim.post("/sign-in", &email))));
        let link = link_in(&sim.mail.take());
        sim.faults.on_statement("end_unproved_sessions", fault);
        assert_eq!(press(&sim, &victim, &link).status, 503);
        let begun = sim.directory.number("SELECT count(*) FROM session WHERE method = 'email'", []);
        assert_eq!(begun == 1, session(&sim, &squatter).is_none(), "{fault:?}: both or neither");
    }
}

#[test]
fn a_mailed_invitation_proves_its_address() {
    let (sim, company) = mail_world();
    let browser = signed_in_as(&sim, &company.owner);
    send(&sim, &browser, &[("act", "invite"), ("email", NEW), ("role", "viewer")]);
    let guest = Browser::default();
    accept(&sim, &guest, &link_in(&sim.mail.take()), "Nora");
    let proved = "SELECT count(*) FROM person WHERE email = ?1 AND proved_at = ?2";
    assert_eq!(sim.directory.number(proved, rusqlite::params![NEW, sim.clock.now().as_millis()]), 1);
}

#[test]
fn a_former_member_comes_back_as_what_the_invitation_says() {
    let (sim, company) = world();
    let former = company.add_member(&sim, "former", Role::Admin);
    sim.shard().execute("UPDATE membership SET ended_at = 1 WHERE user_id = ?1", [former.as_str()]);
    let link = invite(&sim, &company, "former@acme.example", "viewer");
    let browser = signed_in_as(&sim, &former);
    assert_eq!(accept(&sim, &browser, &link, "").status, 303);
    assert_eq!(role(&sim, &company, &browser), Some(Role::Viewer));
}

#[test]
fn joining_stands_in_the_audit() {
    let (sim, company) = world();
    let link = invite(&sim, &company, NEW, "editor");
    let browser = Browser::default();
    accept(&sim, &browser, &link, "Nora");
    accept(&sim, &Browser::default(), &link, "Nora");
    let person = session(&sim, &browser).unwrap().user_id;
    let sql = "SELECT count(*) FROM audit WHERE act = 'accept_invitation' AND user_id = ?1";
    assert_eq!(sim.shard().number(sql, [person.as_str()]), 1);
}

#[test]
fn a_database_that_fails_is_told_as_such_and_loses_nothing() {
    for statement in ["find_invitation", "add_person", "use_invitation", "begin_session_by_invitation"] {
        let (sim, company) = world();
        let link = invite(&sim, &company, NEW, "editor");
        sim.faults.on_statement(statement, Fault::LostRequest);
        let browser = Browser::default();
        assert_eq!(accept(&sim, &browser, &link, "Nora").status, 503, "{statement}");
        assert_eq!(accept(&sim, &browser, &link, "Nora").status, 303, "{statement}");
        assert_eq!(role(&sim, &company, &browser), Some(Role::Editor), "{statement}");
    }
}
