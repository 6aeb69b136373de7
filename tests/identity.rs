//! Signing in by a link, staying signed in, and forms that only their own page can send.

mod account;
mod audited;
mod doors;
mod invitations;
pub mod mail;
pub mod members;
pub mod passkeys;
pub mod upstream;

use postern::{
    http::{Form, Response},
    identity::{self, NextPage, Session},
    platform::Clock,
};

use crate::sim::{
    BEGIN, Fault, Port, Random, Sim,
    browser::{Browser, text, with_header},
    config_with_keys, interleave, run,
    world::Company,
};

const SESSION: &str = "postern_session";
const NEXT: &str = "postern_next";

/// A world with a company, and the path of a fresh link for its owner.
fn with_link() -> (Sim, Company, String) {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let link = link(&sim, &company);
    (sim, company, link)
}

/// The path of a fresh link for the owner.
pub fn link(sim: &Sim, company: &Company) -> String {
    let link = run(identity::make_link(&sim.platform(), &company.owner)).unwrap();
    link.url.strip_prefix(&sim.config.public_origin).unwrap().to_owned()
}

/// The secret of a link.
fn secret(link: &str) -> &str {
    link.rsplit('/').next().unwrap()
}

fn look(sim: &Sim, browser: &Browser, link: &str) -> Response {
    run(identity::link_page(&sim.platform(), &browser.get(link), secret(link)))
}

/// Uses a link in a browser.
pub fn press(sim: &Sim, browser: &Browser, link: &str) -> Response {
    let response = run(identity::use_link(&sim.platform(), &browser.post(link, &[]), secret(link)));
    browser.take(&response);
    response
}

/// The session of a browser.
pub fn session(sim: &Sim, browser: &Browser) -> Option<Session> {
    run(identity::session(&sim.platform(), &browser.get("/"))).unwrap()
}

/// A browser that has just signed in as the owner.
pub fn signed_in(sim: &Sim, company: &Company) -> Browser {
    let browser = Browser::default();
    assert_eq!(press(sim, &browser, &link(sim, company)).status, 303);
    browser
}

#[test]
fn a_link_is_shown_often_and_used_once() {
    let (sim, company, link) = with_link();
    let browser = Browser::default();
    for _ in 0..3 {
        let page = look(&sim, &browser, &link);
        assert_eq!(page.status, 200);
        assert!(text(&page).contains("owner@acme.example"));
        assert_eq!(page.header("set-cookie"), None);
    }
    let answer = press(&sim, &browser, &link);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    let session = session(&sim, &browser).unwrap();
    assert_eq!((session.user_id, session.email.as_str()), (company.owner, "owner@acme.example"));
    assert_eq!(session.signed_in_at, BEGIN);

    let second = Browser::default();
    assert_eq!(press(&sim, &second, &link).status, 404);
    assert_eq!(second.cookie(SESSION), None);
}

#[test]
fn unknown_used_and_expired_links_look_alike() {
    let (sim, company, used) = with_link();
    press(&sim, &Browser::default(), &used);
    let expired = link(&sim, &company);
    sim.clock.advance_seconds(900);
    let unknown = format!("/sign-in/link/{}", "A".repeat(43));
    let pages: Vec<Response> =
        [&used, &expired, &unknown].map(|link| look(&sim, &Browser::default(), link)).into();
    for answer in
        pages.iter().chain(&[&used, &expired, &unknown].map(|l| press(&sim, &Browser::default(), l)))
    {
        assert_eq!((answer.status, &answer.headers, text(answer)), (404, &pages[0].headers, text(&pages[0])));
    }
}

#[test]
fn of_two_who_use_a_link_at_once_one_signs_in() {
    for seed in 0..50 {
        let (sim, _, link) = with_link();
        let platform = sim.platform();
        let browser = Browser::default();
        let request = browser.post(&link, &[]);
        let attempt = || identity::use_link(&platform, &request, secret(&link));
        let answers = interleave(&Random::new(seed), vec![Box::pin(attempt()), Box::pin(attempt())]);
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 404], "seed {seed}");
        assert_eq!(sim.directory.number("SELECT count(*) FROM session", []), 1, "seed {seed}");
    }
}

#[test]
fn another_sites_form_uses_nothing_up() {
    let (sim, _, link) = with_link();
    let browser = Browser::default();
    let own = browser.post(&link, &[]);
    let send = |request| run(identity::use_link(&sim.platform(), &request, secret(&link))).status;
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(send(with_header(own.clone(), "sec-fetch-site", Some(site))), 403, "{site}");
    }
    let old = with_header(own, "sec-fetch-site", None);
    assert_eq!(send(old.clone()), 403, "a browser that says nothing");
    for origin in ["null", "http://localhost:8791", "https://evil.example"] {
        assert_eq!(send(with_header(old.clone(), "origin", Some(origin))), 403, "{origin}");
    }
    assert_eq!(send(with_header(old, "origin", Some("http://localhost:8790"))), 303);
}

#[test]
fn a_lost_reply_says_that_it_is_not_sure() {
    let (sim, _, link) = with_link();
    sim.faults.on_statement("use_link", Fault::LostReply);
    let answer = press(&sim, &Browser::default(), &link);
    assert_eq!(answer.status, 503);
    assert!(text(&answer).contains("may have been used up"));
}

#[test]
fn a_session_ends_after_twelve_idle_hours_or_thirty_days() {
    let (sim, company, _) = with_link();
    let idle = signed_in(&sim, &company);
    sim.clock.advance_seconds(12 * 3600 - 1);
    assert!(session(&sim, &idle).is_some());
    sim.clock.advance_seconds(12 * 3600);
    assert!(session(&sim, &idle).is_none());

    let busy = signed_in(&sim, &company);
    let begin = sim.clock.now();
    let mut lived = 0;
    while session(&sim, &busy).is_some() {
        lived = sim.clock.now().millis_since(begin);
        sim.clock.advance_seconds(6 * 3600);
    }
    assert_eq!(lived, (30 * 86_400 - 6 * 3600) * 1000);
}

#[test]
fn being_seen_is_written_at_most_every_ten_minutes() {
    let (sim, company, _) = with_link();
    let browser = signed_in(&sim, &company);
    let seen = || sim.directory.number("SELECT seen_at FROM session", []);
    for _ in 0..9 {
        sim.clock.advance_seconds(60);
        session(&sim, &browser).unwrap();
        assert_eq!(seen(), BEGIN.as_millis());
    }
    sim.clock.advance_seconds(60);
    session(&sim, &browser).unwrap();
    assert_eq!(seen(), BEGIN.plus_seconds(600).as_millis());
}

#[test]
fn signing_in_again_makes_a_new_session_and_ends_the_old() {
    let (sim, company, _) = with_link();
    let browser = signed_in(&sim, &company);
    let former = browser.cookie(SESSION).unwrap();
    press(&sim, &browser, &link(&sim, &company));
    assert_ne!(browser.cookie(SESSION).unwrap(), former);
    assert!(session(&sim, &browser).is_some());
    browser.set_cookie(SESSION, &former);
    assert!(session(&sim, &browser).is_none());
}

#[test]
fn a_useless_link_ends_no_session() {
    let (sim, company, used) = with_link();
    press(&sim, &Browser::default(), &used);
    let browser = signed_in(&sim, &company);
    assert_eq!(press(&sim, &browser, &used).status, 404);
    assert!(session(&sim, &browser).is_some());
}

#[test]
fn only_pages_of_this_origin_come_next() {
    for page in
        ["/", "/acme/posts/post_1", "/authorize?response_type=code&state=a%2Fb", "/acme/settings/wsp_1"]
    {
        assert_eq!(NextPage::parse(page).expect(page).as_str(), page);
    }
    let tricks = [
        "",
        "acme",
        "//evil.example",
        "//evil.example/mcp",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n//evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/ /",
        "/é",
        "/nowhere-at-all/x/y/z",
        "/acme/posts/post_1\r\nset-cookie: a=b",
        "/sign-out",
        "/?a=\"",
        "/#//evil",
    ];
    for trick in tricks {
        assert_eq!(NextPage::parse(trick), None, "{trick:?}");
    }
    let of = |length: usize| format!("/?a={}", "x".repeat(length - "/?a=".len()));
    assert!(NextPage::parse(&of(3800)).is_some());
    assert_eq!(NextPage::parse(&of(3801)), None, "longer than a cookie holds");
    let awkward = NextPage::parse("/?a=1;2,3").unwrap();
    assert!(!awkward.as_str().contains([';', ',']), "safe as a cookie's value");
}

#[test]
fn a_page_is_of_the_organisation_that_its_address_or_its_app_names() {
    let config = crate::sim::local_config();
    for (page, organisation) in [
        ("/acme/members", Some("acme")),
        ("/authorize?resource=http%3A%2F%2Flocalhost%3A8790%2Facme%2Fmcp", Some("acme")),
        ("/authorize?resource=https%3A%2F%2Fevil.example%2Facme%2Fmcp", None),
        ("/authorize?resource=http%3A%2F%2Flocalhost%3A8790%2Faccount%2Fmcp", None),
        ("/authorize", None),
        ("/account", None),
        ("/consent/req_1", None),
        ("/", None),
    ] {
        let named = NextPage::parse(page).expect(page).organisation(&config);
        assert_eq!(named.as_ref().map(postern::desk::Safename::as_str), organisation, "{page}");
    }
}

#[test]
fn the_page_that_was_wanted_opens_after_signing_in() {
    let (sim, _, link) = with_link();
    let browser = Browser::default();
    let wanted = browser.get("/authorize?client_id=cli_1&state=a%26b");
    let redirect = identity::sign_in_redirect(&wanted);
    let address = redirect.header("location").unwrap().to_owned();
    assert!(address.starts_with("/sign-in?next=%2Fauthorize"), "{address}");

    let page = run(identity::sign_in_page(&sim.platform(), &browser.get(&address)));
    assert!(text(&page).contains("scripts/admin sign-in-link"));
    browser.take(&page);
    let answer = press(&sim, &browser, &link);
    assert_eq!(answer.header("location"), Some("/authorize?client_id=cli_1&state=a%26b"));
    assert_eq!(browser.cookie(NEXT), None, "used once");
}

#[test]
fn a_planted_next_page_is_checked_again() {
    let (sim, _, link) = with_link();
    let browser = Browser::default();
    browser.set_cookie(NEXT, "//evil.example");
    assert_eq!(press(&sim, &browser, &link).header("location"), Some("/"));
}

#[test]
fn whoever_is_signed_in_goes_straight_on() {
    let (sim, company, _) = with_link();
    let browser = signed_in(&sim, &company);
    let go = |address: &str| {
        let answer = run(identity::sign_in_page(&sim.platform(), &browser.get(address)));
        (answer.status, answer.header("location").map(str::to_owned))
    };
    assert_eq!(go("/sign-in"), (303, Some("/".to_owned())));
    assert_eq!(go("/sign-in?next=%2Facme%2Fposts%2Fpost_1"), (303, Some("/acme/posts/post_1".to_owned())));
    assert_eq!(go("/sign-in?next=https%3A%2F%2Fevil.example"), (303, Some("/".to_owned())));
}

fn form(csrf: &str) -> Form {
    Form::parse(
        url::form_urlencoded::Serializer::new(String::new()).append_pair("csrf", csrf).finish().as_bytes(),
    )
}

#[test]
fn a_form_needs_its_own_sessions_token_and_page() {
    let (sim, company, _) = with_link();
    let browser = signed_in(&sim, &company);
    let mine = session(&sim, &browser).unwrap();
    let other = session(&sim, &signed_in(&sim, &company)).unwrap();
    let request = browser.post("/acme/settings/wsp_1", &[]);
    let config = &sim.config;
    let token = mine.csrf(config);
    assert!(mine.allows(config, &request, &form(&token)).is_ok());

    let altered = format!("{}A", &token[..token.len() - 1]);
    for wrong in ["", "t1", "t1.", &altered, &token[..20], &other.csrf(config), &token.replace("t1.", "t2.")]
    {
        if wrong != token {
            assert_eq!(mine.allows(config, &request, &form(wrong)).unwrap_err().status, 403, "{wrong}");
        }
    }
    let foreign = with_header(request, "sec-fetch-site", Some("cross-site"));
    assert_eq!(mine.allows(config, &foreign, &form(&token)).unwrap_err().status, 403);
}

#[test]
fn a_form_outlives_a_rotation_of_keys_but_not_its_keys_retirement() {
    let (sim, company, _) = with_link();
    let browser = signed_in(&sim, &company);
    let session = session(&sim, &browser).unwrap();
    let form = form(&session.csrf(&sim.config));
    let request = browser.post("/sign-out", &[]);
    let rotated = config_with_keys("t2", &[]);
    assert!(session.allows(&rotated, &request, &form).is_ok());
    let retired = config_with_keys("t2", &["t1"]);
    assert!(session.allows(&retired, &request, &form).is_err());
}

#[test]
fn signing_out_ends_the_session_and_needs_the_token() {
    let (sim, company, _) = with_link();
    let browser = signed_in(&sim, &company);
    let csrf = session(&sim, &browser).unwrap().csrf(&sim.config);
    let send = |fields: &[(&str, &str)]| {
        run(identity::sign_out(&sim.platform(), &browser.post("/sign-out", fields)))
    };
    assert_eq!(send(&[]).status, 403);
    assert!(session(&sim, &browser).is_some());
    let answer = send(&[("csrf", &csrf)]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/sign-in")));
    assert!(session(&sim, &browser).is_none(), "the row is gone, whatever the browser keeps");
    browser.take(&answer);
    assert_eq!(browser.cookie(SESSION), None);
}

#[test]
fn the_directory_holds_neither_links_nor_sessions_secrets() {
    let (sim, company, link) = with_link();
    let browser = signed_in(&sim, &company);
    let session = browser.cookie(SESSION).unwrap();
    for (table, column, secret) in
        [("sign_in_link", "link_hash", secret(&link)), ("session", "session_hash", session.as_str())]
    {
        assert_eq!(secret.len(), 43);
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} = ?1");
        assert_eq!(sim.directory.number(&sql, [secret]), 0);
    }
}

#[test]
fn cookies_are_bound_to_the_host_over_https() {
    use postern::http::Cookie;
    assert_eq!(
        Cookie::Session.set("s", 60, false),
        "__Host-postern_session=s; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
    );
    assert_eq!(Cookie::Next.clear(true), "postern_next=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
}

#[test]
fn a_directory_that_fails_is_told_as_such() {
    let (sim, company, _) = with_link();
    let browser = signed_in(&sim, &company);
    sim.faults.on_call(Port::Directory, 1, Fault::LostRequest);
    assert_eq!(run(identity::sign_in_page(&sim.platform(), &browser.get("/sign-in"))).status, 503);
}

#[test]
fn people_are_one_whatever_the_case_of_their_address() {
    let (sim, company, _) = with_link();
    let platform = sim.platform();
    let email = "OWNER@Acme.example".parse().unwrap();
    let found = run(identity::find_or_add_person(&platform, &email, "Somebody")).unwrap();
    assert_eq!(found.user_id, company.owner);
    let fresh = "new@acme.example".parse().unwrap();
    assert!(run(identity::find_person(&platform, &fresh)).unwrap().is_none());
    let added = run(identity::find_or_add_person(&platform, &fresh, "New")).unwrap();
    assert_eq!(run(identity::find_person(&platform, &fresh)).unwrap(), Some(added));
}
