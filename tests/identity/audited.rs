//! What people do to their ways in, and what whoever tries them is refused, is in the audit of their tenants.

use postern::{edge::tick, identity};

use super::{link, mail, passkeys, press, secret, session, signed_in};
use crate::sim::{
    Fault, Sim,
    browser::{Browser, text},
    run,
    world::Company,
};

/// Every line of the audit that is not a plain sign-in, as `act subject outcome`, after a tick.
fn lines(sim: &Sim) -> Vec<String> {
    run(tick(&sim.platform()));
    let sql = "SELECT act || ' ' || (subjects ->> 0) || ' ' || outcome AS line FROM audit
        WHERE NOT (act = 'sign_in' AND outcome = 'done') ORDER BY audit_id";
    sim.shard().query(sql, []).iter().map(|row| row.get("line").unwrap()).collect()
}

/// Presses a button of the account page.
fn button(sim: &Sim, browser: &Browser, path: &str, fields: &[(&str, &str)]) {
    let csrf = session(sim, browser).unwrap().csrf(&sim.config);
    let fields: Vec<(&str, &str)> =
        [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
    let answer = run(postern::edge::serve(&sim.platform(), browser.post(path, &fields)));
    assert_eq!(answer.status, 303, "{}", text(&answer));
}

#[test]
fn a_passkey_that_comes_or_goes_is_a_line_and_one_that_does_not_is_none() {
    let (sim, company) = passkeys::with_passkey();
    let id: String = sim.directory.query("SELECT passkey_id FROM passkey", [])[0].get("passkey_id").unwrap();
    assert_eq!(lines(&sim), [format!("add_passkey {id} done")]);

    let other = Company::found(&sim, "other");
    let owner = signed_in(&sim, &company);
    let remove = [("act", "remove"), ("passkey", id.as_str())];
    button(&sim, &signed_in(&sim, &other), "/account/passkeys", &remove);
    assert_eq!(lines(&sim).len(), 1, "somebody else's is not removed");
    sim.clock.advance_seconds(1);
    for _ in 0..2 {
        button(&sim, &owner, "/account/passkeys", &remove);
    }
    assert_eq!(lines(&sim)[1..], [format!("remove_passkey {id} done")], "once");
}

#[test]
fn ending_another_session_is_a_line_if_there_is_one() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let strangers = session(&sim, &signed_in(&sim, &Company::found(&sim, "other"))).unwrap().session_id;
    let (here, there) = (signed_in(&sim, &company), signed_in(&sim, &company));
    let lost = session(&sim, &there).unwrap().session_id;
    sim.clock.advance_seconds(1);
    for which in ["ses_00000000000000000000000000", strangers.as_str(), lost.as_str(), lost.as_str()] {
        button(&sim, &here, "/account/sessions", &[("session", which)]);
    }
    assert_eq!(lines(&sim), [format!("sign_out {lost} done")]);
}

#[test]
fn a_link_that_was_used_or_is_too_old_is_a_line_of_its_person() {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    let (used, old) = (link(&sim, &company), link(&sim, &company));
    press(&sim, &Browser::default(), &used);
    for _ in 0..5 {
        assert_eq!(press(&sim, &Browser::default(), &used).status, 404);
    }
    assert_eq!(lines(&sim), ["sign_in link link_useless"], "once, however often it is pressed");
    sim.clock.advance_seconds(900);
    assert_eq!(press(&sim, &Browser::default(), &old).status, 404);
    assert_eq!(lines(&sim).len(), 2);
    assert_eq!(press(&sim, &Browser::default(), &format!("/sign-in/link/{}", "A".repeat(43))).status, 404);
    let look = run(identity::link_page(&sim.platform(), &Browser::default().get(&used), secret(&used)));
    assert_eq!((look.status, lines(&sim).len()), (404, 2), "nobody's link, and looking at one");
    let owners = "SELECT count(*) FROM audit WHERE outcome = 'link_useless' AND user_id = ?1";
    assert_eq!(sim.shard().number(owners, [company.owner.as_str()]), 2);
}

#[test]
fn a_wrong_code_and_one_too_many_are_lines() {
    let (sim, _) = mail::mail_world();
    mail::type_wrong_codes(&sim, 6);
    assert_eq!(lines(&sim), ["sign_in link wrong_code", "sign_in link link_useless"]);
}

#[test]
fn a_passkey_that_lies_is_a_line_and_a_stranger_s_is_none() {
    let (sim, request) = passkeys::signing_in();
    lines(&sim);
    let send = |request| run(identity::sign_in_by_passkey(&sim.platform(), &request)).status;
    let changed = |name: &str| {
        let mut changed = request.clone();
        let mut form: Vec<(String, String)> =
            url::form_urlencoded::parse(&request.body).into_owned().collect();
        form.iter_mut().filter(|(key, _)| key == name).for_each(|(_, value)| *value = "AAAA".to_owned());
        changed.body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish().into();
        changed
    };
    assert_eq!(send(changed("credential_id")), 422);
    assert_eq!(lines(&sim).len(), 1, "the line of its making");
    assert_eq!(send(changed("signature")), 422);
    assert_eq!(lines(&sim)[1..], ["sign_in passkey passkey_refused"]);
    assert_eq!(send(request.clone()), 303);
    sim.clock.advance_seconds(61);
    assert_eq!(send(request), 422, "what was signed works once");
    assert_eq!(lines(&sim)[2..], ["sign_in passkey passkey_refused"]);
}

#[test]
fn a_refusal_stands_though_the_directory_does_not_take_its_line() {
    let sim = Sim::new(1);
    let used = link(&sim, &Company::found(&sim, "acme"));
    press(&sim, &Browser::default(), &used);
    sim.faults.on_statement("queue_refusal", Fault::LostRequest);
    assert_eq!(press(&sim, &Browser::default(), &used).status, 404);
    let fault = serde_json::json!({ "event": "fault", "place": "audit_refusal", "kind": "database" });
    assert!(sim.events.all().contains(&fault));
}
