//! The doors: sessions begin at the routes that are meant for it and at no other, whatever is sent.

use std::collections::BTreeSet;

use postern::{
    edge::{serve, statements},
    http::{Origin, Request, RequestMethod, Response, Routed, paths, route},
};

use super::{SESSION, invitations::invite, link, passkeys, session, signed_in, upstream};
use crate::{
    operator::fresh_authorization,
    sim::{Sim, browser::Browser, run, world::Company},
};

/// The routes that begin sessions, each with what stands for its secret.
const DOORS: &[&str] =
    &["/sign-in/link/{}", "/{}/invitation/{}", "/sign-in/passkey", "/{}/sign-in/{}/callback"];

/// The statements that begin sessions: one for each door.
const BEGINNINGS: &[&str] = &[
    "begin_session_by_link",
    "begin_session_by_invitation",
    "begin_session_by_passkey",
    "begin_session_by_provider",
];

/// What an attacker, a member or an operator may put into a path, but for the secret of a door.
fn values(company: &Company) -> Vec<String> {
    vec![
        company.tenant.safename.to_string(),
        company.workspace.to_string(),
        company.owner.to_string(),
        "A".repeat(43),
        "session".to_owned(),
    ]
}

/// A pattern with its variable segments filled in, in every way.
fn fill(pattern: &str, values: &[String]) -> Vec<String> {
    match pattern.split_once("{}") {
        None => vec![pattern.to_owned()],
        Some((before, after)) => {
            let rests = fill(after, values);
            let joined = |value: &String| {
                rests.iter().map(|rest| format!("{before}{value}{rest}")).collect::<Vec<_>>()
            };
            values.iter().flat_map(joined).collect()
        }
    }
}

/// Every way of asking for a path: by nobody, by a member with a form of theirs, by the operator, by a client.
fn requests(sim: &Sim, member: &Browser, host: &str, method: RequestMethod, path: &str) -> Vec<Request> {
    let csrf = session(sim, member).unwrap().csrf(&sim.config);
    let owner = session(sim, member).unwrap();
    let fields = [
        ("csrf", csrf.as_str()),
        ("email", owner.email.as_str()),
        ("user_id", owner.user_id.as_str()),
        ("session", owner.session_id.as_str()),
        ("code", "000000"),
        ("name", "Somebody"),
        ("decision", "approve"),
        ("grant_type", "session"),
        ("next", "/"),
    ];
    let nobody = Browser::default();
    let mut requests = vec![nobody.post(path, &[]), nobody.post(path, &fields), member.post(path, &fields)];
    let mut operator = nobody.post(path, &[]);
    operator.headers.push(("authorization".to_owned(), fresh_authorization(sim)));
    operator.body =
        serde_json::json!({ "command": "create_session", "email": owner.email }).to_string().into_bytes();
    requests.push(operator);
    for request in &mut requests {
        request.method = method;
        host.clone_into(&mut request.host);
    }
    requests
}

/// Whether an answer hands out a session.
fn hands_out_a_session(response: &Response) -> bool {
    response.headers.iter().any(|(name, value)| {
        *name == "set-cookie" && value.contains(SESSION) && !value.contains(&format!("{SESSION}=;"))
    })
}

#[test]
fn no_route_makes_a_session_without_the_secret_of_a_door() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let values = values(&company);
    let mut asked = 0;
    for (origin, pattern, methods) in paths() {
        let host = if origin == Origin::App { "localhost:8790" } else { "127.0.0.1:8790" };
        for path in fill(pattern, &values) {
            for method in methods {
                let member = signed_in(&sim, &company);
                let began = sim.directory.number("SELECT count(*) FROM session", []);
                for request in requests(&sim, &member, host, *method, &path) {
                    let response = run(serve(&sim.platform(), request));
                    asked += 1;
                    assert!(!hands_out_a_session(&response), "{path} hands out a session");
                    let there = sim.directory.number("SELECT count(*) FROM session", []);
                    assert!(there <= began, "{path} has begun a session");
                }
                sim.directory.execute("DELETE FROM session", []);
            }
        }
    }
    assert!(asked > 1000, "{asked} requests");
}

#[test]
fn every_door_opens_to_its_secret() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let opened = [link(&sim, &company), invite(&sim, &company, "new@acme.example", "viewer")];
    for path in &opened {
        let response = run(serve(&sim.platform(), Browser::default().post(path, &[("name", "Nora")])));
        assert!(hands_out_a_session(&response), "{path}");
    }
    let (by_passkey, passkey) = passkeys::signing_in();
    assert!(hands_out_a_session(&run(serve(&by_passkey.platform(), passkey.clone()))));
    let (by_provider, arrival) = upstream::coming_back();
    assert!(hands_out_a_session(&run(serve(&by_provider.platform(), arrival.clone()))));
    let opened = [&opened[0], &opened[1], &passkey.path, &arrival.path];
    let route_of = |path: &str| {
        [RequestMethod::Post, RequestMethod::Get].into_iter().find_map(|method| {
            match route(Origin::App, method, path) {
                Routed::To(route, _) => Some(route),
                _ => None,
            }
        })
    };
    for (door, path) in DOORS.iter().zip(opened) {
        assert!(route_of(path).is_some(), "{path}");
        assert_eq!(route_of(path), route_of(door));
    }
    assert_eq!(DOORS.len(), opened.len());
}

#[test]
fn only_the_doors_statements_begin_sessions() {
    let found: BTreeSet<&str> =
        statements().filter(|sql| sql.text.contains("INTO session ")).map(|sql| sql.name).collect();
    assert_eq!(found, BEGINNINGS.iter().copied().collect());
}

#[test]
fn a_browsers_own_cookie_never_becomes_a_session() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let browser = Browser::default();
    browser.set_cookie(SESSION, "planted-by-somebody-who-then-waits-for-a-sign-in");
    let answer = super::press(&sim, &browser, &link(&sim, &company));
    assert_eq!(answer.status, 303);
    let after = browser.cookie(SESSION).unwrap();
    assert_ne!(after, "planted-by-somebody-who-then-waits-for-a-sign-in");
    browser.set_cookie(SESSION, "planted-by-somebody-who-then-waits-for-a-sign-in");
    assert!(session(&sim, &browser).is_none());
}

#[test]
fn forged_cookies_are_nobodys() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let good = signed_in(&sim, &company).cookie(SESSION).unwrap();
    let row = session(&sim, &signed_in(&sim, &company)).unwrap();
    let altered = format!("{}{}", &good[..42], if good.ends_with('A') { 'B' } else { 'A' });
    let forgeries = [
        String::new(),
        "A".repeat(43),
        altered,
        good[..42].to_owned(),
        format!("{good}A"),
        good.to_lowercase(),
        format!("\"{good}\""),
        row.hash.clone(),
        row.session_id.to_string(),
        row.user_id.to_string(),
        "' OR '1'='1".to_owned(),
        "%".to_owned(),
        good.chars().rev().collect(),
    ];
    for forged in forgeries {
        let browser = Browser::default();
        browser.set_cookie(SESSION, &forged);
        assert!(session(&sim, &browser).is_none(), "{forged}");
    }
}
