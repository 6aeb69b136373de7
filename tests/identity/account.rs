//! The account page: where a person is signed in, signing out there, and signing in again for what asks for it.

use postern::{
    desk::{RecentSignIn, Role},
    http::Response,
    identity,
    platform::Timestamp,
};

use super::{link, press, session, signed_in};
use crate::sim::{
    Fault, Port, Sim,
    browser::{Browser, text, with_header},
    run,
    world::Company,
};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

fn world() -> (Sim, Company) {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    (sim, company)
}

fn account(sim: &Sim, browser: &Browser) -> Response {
    run(identity::account_page(&sim.platform(), &browser.get("/account")))
}

/// Presses a button of the account page.
fn end(sim: &Sim, browser: &Browser, which: &str) -> Response {
    let csrf = session(sim, browser).map(|session| session.csrf(&sim.config)).unwrap_or_default();
    let request = browser.post("/account/sessions", &[("csrf", &csrf), ("session", which)]);
    let answer = run(identity::end_sessions(&sim.platform(), &request));
    browser.take(&answer);
    answer
}

/// A browser that names itself so and has just signed in as the owner.
fn signed_in_with(sim: &Sim, company: &Company, user_agent: &str) -> Browser {
    let browser = Browser::default();
    let link = link(sim, company);
    let request = with_header(browser.post(&link, &[]), "user-agent", Some(user_agent));
    browser.take(&run(identity::use_link(&sim.platform(), &request, link.rsplit('/').next().unwrap())));
    browser
}

#[test]
fn the_account_lists_ones_own_browsers_and_marks_this_one() {
    let (sim, company) = world();
    let here = signed_in_with(&sim, &company, FIREFOX);
    sim.clock.advance_seconds(3 * 3600);
    let there = signed_in(&sim, &company);
    let page = text(&account(&sim, &here));
    assert!(page.contains("owner@acme.example"));
    assert_eq!(page.matches("<li>").count(), 2, "{page}");
    assert_eq!(page.matches("this browser").count(), 1);
    let (first, second) = page.split_once("</li>").unwrap();
    assert!(first.contains("Firefox on Linux") && first.contains("3 hours ago"), "this one is first: {page}");
    assert!(second.contains("A browser"));
    assert_eq!(page.matches("by a link from the operator").count(), 2, "{page}");
    assert!(!page.contains(&session(&sim, &there).unwrap().hash), "hashes stay here");
}

#[test]
fn nobody_sees_or_ends_anybody_elses_sessions() {
    let (sim, company) = world();
    let other = Company::found(&sim, "other");
    let (mine, theirs) = (signed_in(&sim, &company), signed_in(&sim, &other));
    let id = session(&sim, &theirs).unwrap().session_id.to_string();
    assert!(!text(&account(&sim, &mine)).contains(&id));
    for which in [id.as_str(), "ses_00000000000000000000000000", "", "nonsense", "ALL", "%"] {
        assert_eq!(end(&sim, &mine, which).status, 303, "{which}");
    }
    assert!(session(&sim, &theirs).is_some());
    assert!(session(&sim, &mine).is_some());
}

#[test]
fn one_browser_is_signed_out_from_another() {
    let (sim, company) = world();
    let (here, lost) = (signed_in(&sim, &company), signed_in(&sim, &company));
    let id = session(&sim, &lost).unwrap().session_id;
    assert_eq!(end(&sim, &here, id.as_str()).header("location"), Some("/account"));
    assert!(session(&sim, &lost).is_none());
    assert!(session(&sim, &here).is_some());

    let own = session(&sim, &here).unwrap().session_id;
    assert_eq!(end(&sim, &here, own.as_str()).header("location"), Some("/sign-in"));
    assert!(session(&sim, &here).is_none());
    assert_eq!(here.cookie(super::SESSION), None);
}

#[test]
fn signing_out_everywhere_ends_every_session_and_every_link() {
    let (sim, company) = world();
    let other = Company::found(&sim, "other");
    let theirs = signed_in(&sim, &other);
    let browsers = [signed_in(&sim, &company), signed_in(&sim, &company), signed_in(&sim, &company)];
    let unused = link(&sim, &company);
    assert_eq!(end(&sim, &browsers[1], "all").header("location"), Some("/sign-in"));
    for browser in &browsers {
        assert!(session(&sim, browser).is_none());
    }
    assert_eq!(press(&sim, &Browser::default(), &unused).status, 404, "a link in somebody else's hands");
    assert!(session(&sim, &theirs).is_some());
}

#[test]
fn the_account_needs_a_session_and_its_forms_their_token() {
    let (sim, company) = world();
    let nobody = Browser::default();
    assert_eq!(account(&sim, &nobody).header("location"), Some("/sign-in?next=%2Faccount"));
    assert!(end(&sim, &nobody, "all").header("location").unwrap().starts_with("/sign-in"));

    let (mine, theirs) = (signed_in(&sim, &company), signed_in(&sim, &company));
    let foreign = session(&sim, &theirs).unwrap().csrf(&sim.config);
    for csrf in ["", foreign.as_str(), "t1.AAAA"] {
        let request = mine.post("/account/sessions", &[("csrf", csrf), ("session", "all")]);
        assert_eq!(run(identity::end_sessions(&sim.platform(), &request)).status, 403);
    }
    let own = session(&sim, &mine).unwrap().csrf(&sim.config);
    let request = mine.post("/account/sessions", &[("csrf", &own), ("session", "all")]);
    let cross = with_header(request, "sec-fetch-site", Some("same-site"));
    assert_eq!(run(identity::end_sessions(&sim.platform(), &cross)).status, 403);
    assert_eq!(sim.directory.number("SELECT count(*) FROM session", []), 2);
}

#[test]
fn a_directory_that_fails_ends_nothing_and_says_so() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    sim.faults.on_statement("end_sessions_of_person", Fault::LostRequest);
    assert_eq!(end(&sim, &browser, "all").status, 503);
    assert!(session(&sim, &browser).is_some());
    sim.faults.on_call(Port::Directory, 2, Fault::LostRequest);
    assert_eq!(account(&sim, &browser).status, 503);
}

#[test]
fn a_sign_in_is_recent_for_less_than_five_minutes() {
    let signed_in_at = Timestamp::from_millis(1_000_000);
    for (millis, recent) in [(0, true), (299_999, true), (300_000, false), (300_001, false), (-1, false)] {
        let now = signed_in_at.plus_millis(millis);
        assert_eq!(RecentSignIn::of(signed_in_at, now).is_some(), recent, "{millis} ms later");
    }
}

#[test]
fn signing_in_again_renews_the_session_and_goes_back() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    sim.clock.advance_seconds(300);
    let stale = session(&sim, &browser).unwrap();
    let now = sim.platform().now();
    assert!(stale.recent(now).is_none());

    let redirect = identity::sign_in_again("/account");
    assert_eq!(redirect.header("location"), Some("/sign-in?again=1&next=%2Faccount"));
    let page = run(identity::sign_in_page(&sim.platform(), &browser.get("/sign-in?again=1&next=%2Faccount")));
    assert_eq!(page.status, 200);
    assert!(text(&page).contains("owner@acme.example"), "who is asked is told");
    browser.take(&page);

    let answer = press(&sim, &browser, &link(&sim, &company));
    assert_eq!(answer.header("location"), Some("/account"));
    let fresh = session(&sim, &browser).unwrap();
    assert!(fresh.recent(now).is_some());
    assert_ne!((&fresh.session_id, &fresh.hash), (&stale.session_id, &stale.hash));
    assert_eq!(sim.directory.number("SELECT count(*) FROM session", []), 1, "the stale one is gone");
}

#[test]
fn asking_a_signed_out_browser_to_sign_in_again_is_asking_it_to_sign_in() {
    let (sim, _) = world();
    let page = run(identity::sign_in_page(&sim.platform(), &Browser::default().get("/sign-in?again=1")));
    assert!(text(&page).contains("<h1>Sign in</h1>"));
}

#[test]
fn using_a_session_makes_no_sign_in_recent() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    for _ in 0..12 {
        sim.clock.advance_seconds(600);
        account(&sim, &browser);
    }
    assert!(session(&sim, &browser).unwrap().recent(sim.platform().now()).is_none());
}

#[test]
fn what_a_browser_says_of_itself_is_never_repeated() {
    let (sim, company) = world();
    for (user_agent, shown) in [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("<script>alert(1)</script>", "A browser"),
        (&"Firefox/".repeat(10_000), "Firefox"),
        ("", "A browser"),
    ] {
        let browser = signed_in_with(&sim, &company, user_agent);
        let page = text(&account(&sim, &browser));
        let this = page.split("this browser").next().unwrap().rsplit("<strong>").next().unwrap().to_owned();
        assert!(this.starts_with(&format!("{shown}</strong>")), "{this}");
        assert!(!page.contains("alert("));
    }
}

#[test]
fn a_viewer_has_an_account_like_everybody() {
    let (sim, company) = world();
    let viewer = company.add_member(&sim, "viewer", Role::Viewer);
    let link = run(identity::make_link(&sim.platform(), &viewer)).unwrap().url;
    let browser = Browser::default();
    press(&sim, &browser, link.strip_prefix("http://localhost:8790").unwrap());
    assert!(text(&account(&sim, &browser)).contains("viewer@acme.example"));
}
