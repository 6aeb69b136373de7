//! Links by e-mail: the browser that asked, other browsers with the code, and nobody else; alike for unknown addresses.

use std::rc::Rc;

use postern::{
    edge::{NotSent, send_by_api},
    http::Response,
    identity::{self, SignInMethod},
    platform::{Config, Later, Letter, MailSender, Method},
};

use super::{SESSION, press, secret, session};
use crate::sim::{
    Fault, Incoming, Random, Reply, Sim,
    browser::{Browser, text, with_header},
    config_from, config_with_keys, interleave, local_settings, run, run_until_crash,
    world::Company,
};

const BROWSER: &str = "postern_browser";
const OWNER: &str = "owner@acme.example";

/// The settings of a deployment that sends mail by an API.
pub fn mail_config() -> Config {
    let mut settings = local_settings();
    settings.extend([
        ("MAIL_SENDER", "api".to_owned()),
        ("MAIL_FROM", "postern@acme.example".to_owned()),
        ("MAIL_API_URL", "http://127.0.0.1:9/emails".to_owned()),
        ("MAIL_API_KEY", "re_secret".to_owned()),
    ]);
    config_from(&settings).unwrap_or_else(|_| panic!("good settings"))
}

/// A world that sends mail, with a company.
pub fn mail_world() -> (Sim, Company) {
    let mut sim = Sim::new(1);
    sim.config = mail_config();
    let company = Company::found(&sim, "acme");
    (sim, company)
}

/// Asks for a link in a browser.
fn ask(sim: &Sim, browser: &Browser, email: &str) -> Response {
    let answer = run(identity::ask_for_link(&sim.platform(), &browser.post("/sign-in", &[("email", email)])));
    browser.take(&answer);
    answer
}

/// The code that the page shows.
fn code_of(page: &Response) -> String {
    let page = text(page);
    page.split("class=\"code\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// The path of the only letter's link.
pub fn link_in(letters: &[Letter]) -> String {
    let [letter] = letters else { panic!("{} letters", letters.len()) };
    let line = letter.text.lines().find(|line| line.starts_with("http://localhost:8790/")).unwrap();
    line.strip_prefix("http://localhost:8790").unwrap().to_owned()
}

/// Asks, and gives the code and the letter's link.
fn asked(sim: &Sim, browser: &Browser) -> (String, String) {
    let page = ask(sim, browser, OWNER);
    assert_eq!(page.status, 200);
    (code_of(&page), link_in(&sim.mail.take()))
}

fn look(sim: &Sim, browser: &Browser, link: &str) -> Response {
    run(identity::link_page(&sim.platform(), &browser.get(link), secret(link)))
}

/// Types a code on the link's page.
fn type_code(sim: &Sim, browser: &Browser, link: &str, code: &str) -> Response {
    let request = browser.post(link, &[("code", code)]);
    let answer = run(identity::use_link(&sim.platform(), &request, secret(link)));
    browser.take(&answer);
    answer
}

/// A code that is not this one.
fn another(code: &str) -> String {
    code.chars().map(|digit| if digit == '1' { '2' } else { '1' }).collect()
}

/// Asks for a link, and types a wrong code so often elsewhere.
pub fn type_wrong_codes(sim: &Sim, times: usize) {
    let (code, link) = asked(sim, &Browser::default());
    for _ in 0..times {
        type_code(sim, &Browser::default(), &link, &another(&code.replace(' ', "")));
    }
}

#[test]
fn a_mailed_link_works_in_the_browser_that_asked() {
    let (sim, company) = mail_world();
    let browser = Browser::default();
    let (_, link) = asked(&sim, &browser);
    assert!(text(&look(&sim, &browser, &link)).contains(OWNER));
    assert_eq!(press(&sim, &browser, &link).status, 303);
    let session = session(&sim, &browser).unwrap();
    assert_eq!((session.user_id, session.method), (company.owner, SignInMethod::Email));
    assert_eq!(press(&sim, &browser, &link).status, 404, "once");
}

#[test]
fn a_letter_tells_who_asks_where_and_no_code() {
    let (sim, _) = mail_world();
    let page = ask(&sim, &Browser::default(), OWNER);
    let code = code_of(&page);
    let letters = sim.mail.take();
    let letter = &letters[0];
    assert_eq!(letter.to, OWNER);
    assert!(letter.text.contains("http://localhost:8790 as owner@acme.example"), "{}", letter.text);
    assert!(!letter.text.contains(&code) && !letter.text.contains(&code.replace(' ', "")));
    assert!(!letter.subject.contains('\n') && !letter.text.contains('&'), "plain text");
    let secret = secret(&link_in(&letters)).to_owned();
    assert!(!text(&page).contains(&secret), "the page has no link");
}

#[test]
fn elsewhere_the_link_asks_for_the_code_and_tells_nothing() {
    let (sim, company) = mail_world();
    let (code, link) = asked(&sim, &Browser::default());
    let phone = Browser::default();
    let page = look(&sim, &phone, &link);
    assert_eq!(page.status, 200);
    assert!(text(&page).contains("name=\"code\"") && !text(&page).contains(OWNER));

    assert_eq!(press(&sim, &phone, &link).status, 404, "without a code");
    let wrong = type_code(&sim, &phone, &link, &another(&code));
    assert_eq!(wrong.status, 422);
    assert!(text(&wrong).contains("not the code") && !text(&wrong).contains(OWNER));
    assert_eq!(phone.cookie(SESSION), None);

    assert_eq!(type_code(&sim, &phone, &link, &format!(" {}-{} ", &code[..3], &code[4..])).status, 303);
    assert_eq!(session(&sim, &phone).unwrap().user_id, company.owner);
    assert_eq!(type_code(&sim, &Browser::default(), &link, &code).status, 404, "once");
}

#[test]
fn another_browsers_secret_does_not_help() {
    let (sim, _) = mail_world();
    let (_, link) = asked(&sim, &Browser::default());
    let other = Browser::default();
    asked(&sim, &other);
    assert!(other.cookie(BROWSER).is_some());
    assert_eq!(press(&sim, &other, &link).status, 404);
    for forged in ["", "x", "NULL"] {
        other.set_cookie(BROWSER, forged);
        assert_eq!(press(&sim, &other, &link).status, 404, "{forged:?}");
    }
}

#[test]
fn a_browsers_secret_is_always_of_our_own_making() {
    let (sim, _) = mail_world();
    let browser = Browser::default();
    for planted in ["", "x", &"A".repeat(44), &"A".repeat(4000), "a\"b", &"!".repeat(43)] {
        browser.set_cookie(BROWSER, planted);
        let (_, link) = asked(&sim, &browser);
        assert_ne!(browser.cookie(BROWSER).unwrap(), planted);
        assert_eq!(look(&sim, &browser, &link).status, 200);
        sim.clock.advance_seconds(3600);
    }
    let kept = browser.cookie(BROWSER).unwrap();
    asked(&sim, &browser);
    assert_eq!(browser.cookie(BROWSER).unwrap(), kept, "one that is ours stays");
}

#[test]
fn five_codes_may_be_tried_however_many_try_at_once() {
    for seed in 0..20 {
        let (sim, _) = mail_world();
        let asking = Browser::default();
        let (code, link) = asked(&sim, &asking);
        let thief = Browser::default();
        let platform = sim.platform();
        let request = thief.post(&link, &[("code", &another(&code))]);
        let attempt = || Box::pin(identity::use_link(&platform, &request, secret(&link)));
        let attempts = (0..12).map(|_| attempt() as Later<'_, Response>).collect();
        let answers = interleave(&Random::new(seed), attempts);
        let tried = answers.iter().filter(|answer| answer.status == 422).count();
        assert_eq!(tried, 5, "seed {seed}");
        assert_eq!(type_code(&sim, &thief, &link, &code).status, 404, "the right one comes too late");
        assert_eq!(press(&sim, &asking, &link).status, 303, "the browser that asked needs none");
    }
}

#[test]
fn a_code_is_one_links_and_one_keys() {
    let (mut sim, _) = mail_world();
    let browser = Browser::default();
    let (first_code, first) = asked(&sim, &browser);
    let (second_code, _) = asked(&sim, &browser);
    assert_ne!(first_code, second_code);
    assert_eq!(type_code(&sim, &Browser::default(), &first, &second_code).status, 422);
    for code in ["", "000", "0000000", "------", "９９９９９９"] {
        let status = type_code(&sim, &Browser::default(), &first, code).status;
        assert!(status == 422 || status == 404, "{code}");
    }
    let (code, link) = asked(&sim, &browser);
    sim.config = config_with_keys("t2", &["t1"]);
    assert_eq!(type_code(&sim, &Browser::default(), &link, &code).status, 422, "its key is retired");
}

#[test]
fn a_code_with_an_operators_link_opens_nothing() {
    let (sim, company) = mail_world();
    let link = super::link(&sim, &company);
    assert_eq!(type_code(&sim, &Browser::default(), &link, "000000").status, 404);
    assert_eq!(press(&sim, &Browser::default(), &link).status, 303, "and spoils nothing");
}

#[test]
fn a_mailed_link_is_too_old_after_fifteen_minutes() {
    let (sim, _) = mail_world();
    let browser = Browser::default();
    let (code, link) = asked(&sim, &browser);
    sim.clock.advance_seconds(900);
    assert_eq!(press(&sim, &browser, &link).status, 404);
    assert_eq!(type_code(&sim, &Browser::default(), &link, &code).status, 404);
    assert_eq!(look(&sim, &browser, &link).status, 404);
}

/// An answer without what is random in it and without the address that was typed.
fn plain(answer: &Response, email: &str) -> (u16, Vec<(&'static str, String)>, String) {
    let blank = |value: &str| {
        value.chars().map(|sign| if sign.is_ascii_alphanumeric() { 'x' } else { sign }).collect::<String>()
    };
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| {
            let cookie = value.strip_prefix(BROWSER).map(|rest| rest.split(';').skip(1).collect::<String>());
            (*name, cookie.unwrap_or_else(|| value.clone()))
        })
        .collect();
    let body = text(answer).replace(email, "somebody");
    let body = if body.contains("class=\"code\"") {
        body.replace(&code_of(answer), &blank(&code_of(answer)))
    } else {
        body
    };
    (answer.status, headers, body)
}

#[test]
fn unknown_addresses_are_answered_alike() {
    let (sim, _) = mail_world();
    let known = ask(&sim, &Browser::default(), OWNER);
    assert_eq!(sim.mail.take().len(), 1);
    let unknown = ask(&sim, &Browser::default(), "nobody@acme.example");
    assert_eq!(sim.mail.count(), 0);
    assert_eq!(plain(&known, OWNER), plain(&unknown, "nobody@acme.example"));
    assert_eq!(code_of(&unknown).len(), 7);
}

/// How many steps an answer takes: each call of a port takes three.
fn steps(sim: &Sim, email: &str) -> usize {
    let request = Browser::default().post("/sign-in", &[("email", email)]);
    (1..200)
        .find(|steps| {
            let snapshot = sim.directory.snapshot();
            let done = run_until_crash(*steps, identity::ask_for_link(&sim.platform(), &request)).is_some();
            sim.directory.restore(&snapshot);
            done
        })
        .unwrap()
}

#[test]
fn unknown_addresses_take_the_same_calls_and_no_letter_is_waited_for() {
    let (sim, _) = mail_world();
    let known = steps(&sim, OWNER);
    assert_eq!(known, steps(&sim, "nobody@acme.example"));
    assert!(sim.mail.count() > 0, "a letter was handed over");
    assert_eq!(sim.web.requests().len(), 0, "and nothing was sent meanwhile");
}

#[test]
fn five_letters_an_hour_go_to_an_address_known_or_not() {
    for email in [OWNER, "nobody@acme.example"] {
        let (sim, _) = mail_world();
        let spellings = [email.to_owned(), email.to_uppercase(), format!(" {email} ")];
        for number in 0..5 {
            assert_eq!(ask(&sim, &Browser::default(), &spellings[number % 3]).status, 200);
        }
        sim.clock.advance_seconds(600);
        let refused = ask(&sim, &Browser::default(), email);
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3000")));
        assert_eq!(sim.mail.count(), if email == OWNER { 5 } else { 0 });
        assert_eq!(
            ask(&sim, &Browser::default(), "other@acme.example").status,
            200,
            "others are not held up"
        );
        sim.clock.advance_seconds(3000);
        assert_eq!(ask(&sim, &Browser::default(), email).status, 200, "an hour later");
    }
}

#[test]
fn letters_are_counted_exactly_however_many_ask_at_once() {
    for seed in 0..20 {
        let (sim, _) = mail_world();
        let platform = sim.platform();
        let request = Browser::default().post("/sign-in", &[("email", OWNER)]);
        let attempt = || Box::pin(identity::ask_for_link(&platform, &request));
        let attempts = (0..12).map(|_| attempt() as Later<'_, Response>).collect();
        let answers = interleave(&Random::new(seed), attempts);
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 5, "seed {seed}");
        assert_eq!(sim.mail.count(), 5, "seed {seed}");
    }
}

#[test]
fn a_network_that_asked_enough_uses_up_nobodys_letters() {
    let (sim, _) = mail_world();
    let from = |peer: &str, email: &str| {
        let mut request = Browser::default().post("/sign-in", &[("email", email)]);
        peer.clone_into(&mut request.peer);
        run(identity::ask_for_link(&sim.platform(), &request)).status
    };
    for number in 0..30 {
        let peer = format!("2001:db8:1:2:{number:x}::1");
        assert_eq!(from(&peer, &format!("n{number}@acme.example")), 200);
    }
    for _ in 0..20 {
        assert_eq!(from("2001:db8:1:2:ffff::9", OWNER), 429, "the same network");
    }
    for _ in 0..5 {
        assert_eq!(from("2001:db8:1:3::1", OWNER), 200, "the owner's own letters are all there");
    }
    for peer in ["::ffff:203.0.113.7", "203.0.113.8", "", "not an address"] {
        assert_eq!(from(peer, "other@acme.example"), 200, "{peer}");
    }
}

#[test]
fn what_is_no_address_is_told_so_and_counts_nothing() {
    let (sim, _) = mail_world();
    let of = |length: usize| format!("{}@acme.example", "a".repeat(length - "@acme.example".len()));
    let bad = ["", "owner", "@acme.example", "a@", "a@b@c", "a b@c.example", "a@b\r\nbcc: c@d.example"];
    for typed in bad.into_iter().chain(["a\u{7f}@acme.example", "a\u{85}@acme.example", &of(255)]) {
        let answer = ask(&sim, &Browser::default(), typed);
        assert_eq!(answer.status, 422, "{typed:?}");
        assert!(text(&answer).contains("not an e-mail address"));
    }
    let hostile = ask(&sim, &Browser::default(), "\"><script>alert(1)</script>");
    assert!(!text(&hostile).contains("<script>"));
    assert_eq!(sim.directory.number("SELECT count(*) FROM sign_in_attempt", []), 0);
    assert_eq!(ask(&sim, &Browser::default(), &of(254)).status, 200, "the longest there is");
}

#[test]
fn another_sites_form_sends_no_letter() {
    let (sim, _) = mail_world();
    let own = Browser::default().post("/sign-in", &[("email", OWNER)]);
    for site in ["cross-site", "same-site", "none"] {
        let request = with_header(own.clone(), "sec-fetch-site", Some(site));
        assert_eq!(run(identity::ask_for_link(&sim.platform(), &request)).status, 403);
    }
    assert_eq!(sim.mail.count(), 0);
}

#[test]
fn without_mail_the_page_says_whom_to_ask_and_takes_no_address() {
    let sim = Sim::new(1);
    Company::found(&sim, "acme");
    let page = run(identity::sign_in_page(&sim.platform(), &Browser::default().get("/sign-in")));
    assert!(text(&page).contains("Ask whoever runs this server") && !text(&page).contains("name=\"email\""));
    let answer = ask(&sim, &Browser::default(), OWNER);
    assert_eq!((answer.status, answer.header("location"), sim.mail.count()), (303, Some("/sign-in"), 0));
}

#[test]
fn a_letter_goes_to_the_address_that_is_stored() {
    let (sim, _) = mail_world();
    ask(&sim, &Browser::default(), "OWNER@ACME.EXAMPLE");
    assert_eq!(sim.mail.take()[0].to, OWNER);
    for lookalike in ["own\u{0435}r@acme.example", "owner@acme.example.evil.example", "owner%@acme.example"] {
        ask(&sim, &Browser::default(), lookalike);
    }
    assert_eq!(sim.mail.count(), 0);
}

#[test]
fn the_directory_holds_neither_link_code_browser_nor_address() {
    let (sim, _) = mail_world();
    let browser = Browser::default();
    let (code, link) = asked(&sim, &browser);
    ask(&sim, &Browser::default(), "nobody@acme.example");
    let row = &sim.directory.query("SELECT * FROM sign_in_link", [])[0];
    let attempts = sim.directory.query("SELECT * FROM sign_in_attempt", []);
    let dump = format!("{row:?} {attempts:?}");
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    for told in [secret(&link), &digits, &browser.cookie(BROWSER).unwrap(), "nobody@", "127.0.0.1"] {
        assert!(!dump.contains(told), "{told} stands in {dump}");
    }
}

#[test]
fn a_directory_that_fails_sends_nothing() {
    for (statement, fault) in [("count_attempt", Fault::LostRequest), ("add_mailed_link", Fault::LostReply)] {
        let (sim, _) = mail_world();
        sim.faults.on_statement(statement, fault);
        assert_eq!(ask(&sim, &Browser::default(), OWNER).status, 503);
        assert_eq!(sim.mail.count(), 0);
    }
}

fn send(sim: &Sim, letter: &Letter) -> Result<(), NotSent> {
    let mail = sim.config.mail.as_ref().unwrap();
    let MailSender::Api { url, key } = &mail.sender else { panic!("an API") };
    run(send_by_api(&sim.web, &sim.config, (url, key), &mail.from, letter))
}

#[test]
fn an_api_gets_a_letter_as_json_once() {
    let (sim, _) = mail_world();
    sim.web.set_peer(Rc::new(|_: &Incoming| Ok(Reply::json(200, &serde_json::json!({ "id": "1" })))));
    ask(&sim, &Browser::default(), OWNER);
    let letter = sim.mail.take().remove(0);
    assert_eq!(send(&sim, &letter), Ok(()));
    let requests = sim.web.requests();
    let [request] = requests.as_slice() else { panic!("one request") };
    assert_eq!((request.method, request.url.as_str()), (Method::Post, "http://127.0.0.1:9/emails"));
    assert_eq!(request.header("authorization"), Some("Bearer re_secret"));
    let expected = serde_json::json!({ "from": "postern@acme.example", "to": [OWNER], "subject": letter.subject, "text": letter.text });
    assert_eq!(request.json(), expected);
}

#[test]
fn a_letter_that_no_api_accepts_is_told_as_not_sent() {
    let (sim, _) = mail_world();
    let letter = Letter { to: OWNER.to_owned(), subject: "s".to_owned(), text: "t".to_owned() };
    assert_eq!(send(&sim, &letter), Err(NotSent), "nobody answers");
    for status in [301, 400, 401, 429, 500] {
        sim.web.set_peer(Rc::new(move |_: &Incoming| {
            Ok(if status == 301 {
                Reply::redirect(301, "http://127.0.0.1:9/elsewhere")
            } else {
                Reply::json(status, &serde_json::json!({}))
            })
        }));
        let before = sim.web.requests().len();
        assert_eq!(send(&sim, &letter), Err(NotSent), "{status}");
        assert_eq!(sim.web.requests().len(), before + 1, "no second time, and no redirect is followed");
    }
}
