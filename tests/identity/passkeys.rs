//! Passkeys, by an authenticator in software: what is taken, and everything that is not.

use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use postern::{
    http::{Request, Response},
    identity::{self, SignInMethod},
    platform::Later,
};
use rsa::{pkcs1v15, sha2::Sha256, signature::SignatureEncoding, traits::PublicKeyParts};
use serde_json::{Value, json};
use sha2::Digest;

use super::{SESSION, press, session, signed_in};
use crate::{
    oauth::assertions::RSA,
    sim::{
        Fault, Random, Sim,
        browser::{Browser, text, with_header},
        config_from, config_with_keys, interleave, local_settings, run,
        world::Company,
    },
};

const ORIGIN: &str = "http://localhost:8790";
/// Present, verified.
const SEEN: u8 = 0b101;
/// May be copied, and is.
const SYNCED: u8 = 0b1_1000;

fn world() -> (Sim, Company) {
    let sim = Sim::new(1);
    let company = Company::found(&sim, "acme");
    (sim, company)
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

enum Key {
    Es256(SigningKey),
    Rs256,
}

/// An authenticator with one credential, and what it says when it is asked; tests change what it says.
struct Authenticator {
    key: Key,
    id: Vec<u8>,
    user: String,
    flags: u8,
    counter: u32,
    party: String,
    client: Value,
    extensions: Vec<u8>,
}

impl Authenticator {
    fn new(seed: u8) -> Self {
        Self {
            key: Key::Es256(SigningKey::from_slice(&[seed; 32]).unwrap()),
            id: vec![seed; 16],
            user: String::new(),
            flags: SEEN,
            counter: 0,
            party: "localhost".to_owned(),
            client: json!({ "origin": ORIGIN, "crossOrigin": false }),
            extensions: Vec::new(),
        }
    }

    fn data(&self, attested: bool) -> Vec<u8> {
        let mut data = sha2::Sha256::digest(&self.party).to_vec();
        data.push(self.flags | if attested { 1 << 6 } else { 0 });
        data.extend(self.counter.to_be_bytes());
        if attested {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            data.extend(&self.id);
            data.extend(self.cose());
        }
        data.extend(&self.extensions);
        data
    }

    fn cose(&self) -> Vec<u8> {
        match &self.key {
            Key::Es256(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                let mut cose = vec![0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20];
                cose.extend(point.x().unwrap());
                cose.extend([0x22, 0x58, 0x20]);
                cose.extend(point.y().unwrap());
                cose
            }
            Key::Rs256 => {
                let mut cose = vec![0xa4, 1, 3, 3, 0x39, 1, 0, 0x20, 0x59, 1, 0];
                cose.extend(RSA.n().to_bytes_be());
                cose.extend([0x21, 0x43, 1, 0, 1]);
                cose
            }
        }
    }

    fn client_data(&self, kind: &str, challenge: &str) -> Vec<u8> {
        let mut client = json!({ "type": kind, "challenge": challenge });
        for (name, value) in self.client.as_object().unwrap() {
            client[name] = value.clone();
        }
        client.to_string().into_bytes()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Es256(key) => {
                let signature: Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Key::Rs256 => pkcs1v15::SigningKey::<Sha256>::new(RSA.clone()).sign(message).to_vec(),
        }
    }

    /// The fields that the script fills in when a passkey is made.
    fn made(&self, challenge: &str) -> Vec<(&'static str, String)> {
        vec![
            ("client_data", encode(&self.client_data("webauthn.create", challenge))),
            ("authenticator_data", encode(&self.data(true))),
        ]
    }

    /// The fields that the script fills in when it is used.
    fn used(&self, challenge: &str) -> Vec<(&'static str, String)> {
        let client = self.client_data("webauthn.get", challenge);
        let data = self.data(false);
        let message = [data.as_slice(), sha2::Sha256::digest(&client).as_slice()].concat();
        vec![
            ("credential_id", encode(&self.id)),
            ("user_handle", encode(self.user.as_bytes())),
            ("client_data", encode(&client)),
            ("authenticator_data", encode(&data)),
            ("signature", encode(&self.sign(&message))),
        ]
    }
}

fn attribute(page: &str, name: &str) -> String {
    let begin = format!("data-{name}=\"");
    page.split(&begin)
        .nth(1)
        .unwrap_or_else(|| panic!("no {name} in {page}"))
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

fn account(sim: &Sim, browser: &Browser) -> String {
    text(&run(identity::account_page(&sim.platform(), &browser.get("/account"))))
}

/// The challenge on the sign-in page of a browser.
pub fn challenge(sim: &Sim, browser: &Browser) -> String {
    let page = run(identity::sign_in_page(&sim.platform(), &browser.get("/sign-in")));
    browser.take(&page);
    attribute(&text(&page), "challenge")
}

fn adding(sim: &Sim, browser: &Browser, fields: &[(&str, String)]) -> Request {
    let csrf = session(sim, browser).map(|session| session.csrf(&sim.config)).unwrap_or_default();
    let mut all = vec![("csrf", csrf.as_str()), ("act", "add"), ("name", "Laptop")];
    all.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
    browser.post("/account/passkeys", &all)
}

fn add(sim: &Sim, browser: &Browser, fields: &[(&str, String)]) -> Response {
    run(identity::change_passkeys(&sim.platform(), &adding(sim, browser, fields)))
}

fn sign_in(sim: &Sim, browser: &Browser, fields: &[(&str, String)]) -> Response {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer =
        run(identity::sign_in_by_passkey(&sim.platform(), &browser.post("/sign-in/passkey", &fields)));
    browser.take(&answer);
    answer
}

/// A world in which the owner's authenticator is registered.
fn registered(mut authenticator: Authenticator) -> (Sim, Company, Authenticator) {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    let page = account(&sim, &browser);
    authenticator.user = attribute(&page, "user");
    let answer = add(&sim, &browser, &authenticator.made(&attribute(&page, "challenge")));
    assert_eq!((answer.status, answer.header("location")), (303, Some("/account")), "{}", text(&answer));
    sim.directory.execute("DELETE FROM session", []);
    (sim, company, authenticator)
}

/// A world, and a request in it by which a passkey signs in.
pub fn signing_in() -> (Sim, Request) {
    let (sim, _, authenticator) = registered(Authenticator::new(7));
    let browser = Browser::default();
    let fields = authenticator.used(&challenge(&sim, &browser));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let request = browser.post("/sign-in/passkey", &fields);
    (sim, request)
}

/// Enrols a passkey in the browser `own`, which is signed in, and signs in by it in `there` as if `challenge` had been given.
pub fn enrol_and_sign_in(sim: &Sim, own: &Browser, there: &Browser, challenge: &str) -> bool {
    let mut authenticator = Authenticator::new(7);
    let page = account(sim, own);
    authenticator.user = attribute(&page, "user");
    let answer = add(sim, own, &authenticator.made(&attribute(&page, "challenge")));
    assert_eq!(answer.header("location"), Some("/account"), "{}", text(&answer));
    let answer = sign_in(sim, there, &authenticator.used(challenge));
    assert!(matches!(answer.status, 303 | 422), "{}", text(&answer));
    answer.status == 303
}

/// A world whose owner has a passkey.
pub fn with_passkey() -> (Sim, Company) {
    let (sim, company, _) = registered(Authenticator::new(7));
    (sim, company)
}

fn passkeys(sim: &Sim) -> i64 {
    sim.directory.number("SELECT count(*) FROM passkey", [])
}

#[test]
fn a_passkey_signs_in_without_a_name_whatever_its_algorithm() {
    for key in [Key::Es256(SigningKey::from_slice(&[7; 32]).unwrap()), Key::Rs256] {
        let (sim, company, authenticator) = registered(Authenticator { key, ..Authenticator::new(7) });
        let browser = Browser::default();
        let answer = sign_in(&sim, &browser, &authenticator.used(&challenge(&sim, &browser)));
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{}", text(&answer));
        let session = session(&sim, &browser).unwrap();
        assert_eq!((session.user_id, session.method), (company.owner, SignInMethod::Passkey));
    }
}

#[test]
fn the_account_shows_passkeys_and_removes_them() {
    let (sim, company, authenticator) =
        registered(Authenticator { flags: SEEN | SYNCED, ..Authenticator::new(7) });
    sim.clock.advance_seconds(7200);
    let browser = Browser::default();
    assert_eq!(sign_in(&sim, &browser, &authenticator.used(&challenge(&sim, &browser))).status, 303);
    let page = account(&sim, &browser);
    assert!(page.contains("Laptop") && page.contains("synced") && page.contains("2 hours ago"), "{page}");
    assert!(page.contains("last used") && attribute(&page, "known") == encode(&authenticator.id));

    let id = page.split("name=\"passkey\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let other = Company::found(&sim, "other");
    let remove = |browser: &Browser, id: &str| {
        let csrf = session(&sim, browser).unwrap().csrf(&sim.config);
        let request =
            browser.post("/account/passkeys", &[("csrf", &csrf), ("act", "remove"), ("passkey", id)]);
        run(identity::change_passkeys(&sim.platform(), &request)).status
    };
    assert_eq!(remove(&signed_in(&sim, &other), &id), 303);
    assert_eq!(passkeys(&sim), 1, "nobody removes somebody else's");
    assert_eq!(remove(&browser, &id), 303);
    assert_eq!(passkeys(&sim), 0);
    let after = Browser::default();
    assert_eq!(sign_in(&sim, &after, &authenticator.used(&challenge(&sim, &after))).status, 422);
    assert!(session(&sim, &signed_in(&sim, &company)).is_some());
}

#[test]
fn adding_one_needs_a_recent_sign_in() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    let page = account(&sim, &browser);
    let mut authenticator = Authenticator::new(7);
    authenticator.user = attribute(&page, "user");
    let fields = authenticator.made(&attribute(&page, "challenge"));
    sim.clock.advance_seconds(300);
    let answer = add(&sim, &browser, &fields);
    assert_eq!(answer.header("location"), Some("/sign-in?again=1&next=%2Faccount"));
    let page = account(&sim, &browser);
    assert!(page.contains("Sign in again to add a passkey") && !page.contains("data-challenge"));
    assert_eq!(passkeys(&sim), 0);
}

#[test]
fn adding_one_needs_the_forms_own_token() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    let page = account(&sim, &browser);
    let fields = Authenticator::new(7).made(&attribute(&page, "challenge"));
    let cross = with_header(adding(&sim, &browser, &fields), "sec-fetch-site", Some("cross-site"));
    assert_eq!(run(identity::change_passkeys(&sim.platform(), &cross)).status, 403);
    let forged: Vec<(&str, &str)> = [("csrf", "t1.AAAA"), ("act", "add")]
        .into_iter()
        .chain(fields.iter().map(|(name, value)| (*name, value.as_str())))
        .collect();
    let forged = browser.post("/account/passkeys", &forged);
    assert_eq!(run(identity::change_passkeys(&sim.platform(), &forged)).status, 403);
    assert_eq!(passkeys(&sim), 0);
}

/// What changes what an authenticator says.
type Tell = Box<dyn Fn(&mut Authenticator)>;

/// What makes an authenticator's word worth nothing, in both ceremonies.
fn lies() -> Vec<(&'static str, Tell)> {
    fn client(name: &'static str, value: Value) -> Tell {
        Box::new(move |authenticator| authenticator.client[name] = value.clone())
    }
    vec![
        ("another origin", client("origin", json!("https://evil.example"))),
        ("another port", client("origin", json!("http://localhost:8791"))),
        ("the content origin", client("origin", json!("http://127.0.0.1:8790"))),
        ("another scheme", client("origin", json!("https://localhost:8790"))),
        ("a host below ours", client("origin", json!("http://x.localhost:8790"))),
        ("a frame of another site", client("crossOrigin", json!(true))),
        ("a frame at the top of another site", client("topOrigin", json!("https://evil.example"))),
        ("the other ceremony", client("type", json!("payment.get"))),
        ("no ceremony", client("type", Value::Null)),
        ("no challenge", client("challenge", json!(""))),
        ("another relying party", Box::new(|it| it.party = "evil.example".to_owned())),
        ("a relying party above ours", Box::new(|it| it.party = "host".to_owned())),
        ("a relying party with a port", Box::new(|it| it.party = "localhost:8790".to_owned())),
        ("nobody present", Box::new(|it| it.flags = 0b100)),
        ("nobody verified", Box::new(|it| it.flags = 0b001)),
        ("a copy that may not be", Box::new(|it| it.flags = SEEN | 0b1_0000)),
        ("bytes after the end", Box::new(|it| it.extensions = vec![0])),
    ]
}

#[test]
fn no_lie_of_an_authenticator_signs_in() {
    for (lie, tell) in lies() {
        let (sim, _, mut authenticator) = registered(Authenticator::new(7));
        tell(&mut authenticator);
        let browser = Browser::default();
        let answer = sign_in(&sim, &browser, &authenticator.used(&challenge(&sim, &browser)));
        assert_eq!(answer.status, 422, "{lie}");
        assert_eq!(browser.cookie(SESSION), None, "{lie}");
    }
}

#[test]
fn no_lie_of_an_authenticator_is_registered() {
    for (lie, tell) in lies() {
        let (sim, company) = world();
        let browser = signed_in(&sim, &company);
        let mut authenticator = Authenticator::new(7);
        tell(&mut authenticator);
        let answer =
            add(&sim, &browser, &authenticator.made(&attribute(&account(&sim, &browser), "challenge")));
        assert_eq!((answer.status, passkeys(&sim)), (422, 0), "{lie}");
    }
}

#[test]
fn extensions_after_the_key_are_passed_over() {
    let extended = Authenticator { flags: SEEN | 1 << 7, extensions: vec![0xa0], ..Authenticator::new(7) };
    let (sim, _, authenticator) = registered(extended);
    let browser = Browser::default();
    assert_eq!(sign_in(&sim, &browser, &authenticator.used(&challenge(&sim, &browser))).status, 303);
}

/// The fields with one of them changed.
fn with(fields: &[(&'static str, String)], name: &str, value: &str) -> Vec<(&'static str, String)> {
    fields
        .iter()
        .map(|(other, kept)| (*other, if *other == name { value.to_owned() } else { kept.clone() }))
        .collect()
}

/// An ASN.1 signature with a third integer in it.
fn longer(signature: &str) -> String {
    let mut bytes = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    bytes.extend([2, 1, 0]);
    bytes[1] += 3;
    encode(&bytes)
}

#[test]
fn what_was_made_in_passing_signs_nobody_in() {
    let (sim, _, authenticator) = registered(Authenticator::new(7));
    let browser = Browser::default();
    let fields = authenticator.used(&challenge(&sim, &browser));
    let client = authenticator.client_data("webauthn.get", &challenge(&sim, &browser));
    let data = authenticator.data(true);
    let message = [data.as_slice(), sha2::Sha256::digest(&client).as_slice()].concat();
    let signature = encode(&authenticator.sign(&message));
    let made = with(&with(&fields, "client_data", &encode(&client)), "authenticator_data", &encode(&data));
    assert_eq!(sign_in(&sim, &browser, &with(&made, "signature", &signature)).status, 422);
    assert_eq!(sign_in(&sim, &browser, &fields).status, 303);
}

#[test]
fn a_key_that_stands_with_something_behind_it_opens_nothing() {
    let (sim, _, authenticator) = registered(Authenticator::new(7));
    let browser = Browser::default();
    let fields = authenticator.used(&challenge(&sim, &browser));
    let key = BASE64URL_NOPAD.encode(&[authenticator.cose(), vec![0]].concat());
    sim.directory.execute("UPDATE passkey SET public_key = ?1", [key]);
    assert_eq!(sign_in(&sim, &browser, &fields).status, 422);
}

#[test]
fn a_credential_s_id_has_at_most_1023_bytes() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    for (length, status) in [(1023, 303), (1024, 422)] {
        let challenge = attribute(&account(&sim, &browser), "challenge");
        let authenticator = Authenticator { id: vec![9; length], ..Authenticator::new(7) };
        assert_eq!(add(&sim, &browser, &authenticator.made(&challenge)).status, status, "{length}");
    }
}

#[test]
fn passkeys_are_shown_the_oldest_first_by_what_is_left_of_their_names() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    for (seed, name) in [(9, " My\u{7} phone "), (5, "Key"), (7, "\u{0}"), (3, "Last")] {
        sim.clock.advance_seconds(1);
        let challenge = attribute(&account(&sim, &browser), "challenge");
        let csrf = session(&sim, &browser).unwrap().csrf(&sim.config);
        let made = Authenticator::new(seed).made(&challenge);
        let mut fields = vec![("csrf", csrf.as_str()), ("act", "add"), ("name", name)];
        fields.extend(made.iter().map(|(name, value)| (*name, value.as_str())));
        let request = browser.post("/account/passkeys", &fields);
        assert_eq!(run(identity::change_passkeys(&sim.platform(), &request)).status, 303);
    }
    let page = account(&sim, &browser);
    let places = ["My phone", ">Key<", ">Passkey<", ">Last<"].map(|name| page.find(name));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} {page}");
}

#[test]
fn changed_fields_sign_nobody_in() {
    let (sim, company, authenticator) = registered(Authenticator::new(7));
    let stranger = Authenticator {
        user: authenticator.user.clone(),
        id: authenticator.id.clone(),
        ..Authenticator::new(8)
    };
    let viewer = company.add_member(&sim, "viewer", postern::desk::Role::Viewer);
    let browser = Browser::default();
    let fields = authenticator.used(&challenge(&sim, &browser));
    let other = stranger.used(&challenge(&sim, &browser));
    let of = |fields: &[(&'static str, String)], name: &str| {
        fields.iter().find(|(other, _)| *other == name).unwrap().1.clone()
    };
    let mut changes = vec![
        ("signature", of(&other, "signature")),
        ("signature", encode(&[0x30, 6, 2, 1, 0, 2, 1, 0])),
        ("signature", encode(&[0x30, 0])),
        ("signature", encode(&[0; 64])),
        ("user_handle", encode(viewer.as_str().as_bytes())),
        ("credential_id", encode(&[8; 16])),
        ("client_data", of(&other, "client_data")),
        ("authenticator_data", encode(&Authenticator { counter: 9, ..Authenticator::new(7) }.data(false))),
        ("authenticator_data", encode(&authenticator.data(true))),
        ("signature", longer(&of(&fields, "signature"))),
    ];
    for name in ["credential_id", "user_handle", "client_data", "authenticator_data", "signature"] {
        changes.extend(["", "!", "AA=="].map(|value| (name, value.to_owned())));
    }
    for (name, value) in changes {
        assert_eq!(sign_in(&sim, &browser, &with(&fields, name, &value)).status, 422, "{name} is {value}");
    }
    assert_eq!(sign_in(&sim, &browser, &other).status, 422, "another key under the same id");
    assert_eq!(browser.cookie(SESSION), None);
    assert_eq!(sign_in(&sim, &browser, &fields).status, 303, "and none of it used the challenge up");
}

#[test]
fn cut_and_changed_authenticator_data_never_panic_nor_sign_in() {
    let (sim, _, authenticator) = registered(Authenticator::new(7));
    let browser = Browser::default();
    let fields = authenticator.used(&challenge(&sim, &browser));
    let data = authenticator.data(true);
    for length in 0..data.len() {
        let cut = with(&fields, "authenticator_data", &encode(&data[..length]));
        assert_eq!(sign_in(&sim, &browser, &cut).status, 422, "cut at {length}");
    }
    let seed = 7;
    let random = Random::new(seed);
    for round in 0..300 {
        let length = usize::try_from(random.below(200)).unwrap();
        let noise: Vec<u8> = (0..length).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
        for name in ["authenticator_data", "client_data", "signature"] {
            let answer = sign_in(&sim, &browser, &with(&fields, name, &encode(&noise)));
            assert_eq!(answer.status, 422, "seed {seed}, round {round}, {name}");
        }
    }
}

#[test]
fn a_challenge_is_answered_once() {
    let (sim, _, authenticator) = registered(Authenticator::new(7));
    let browser = Browser::default();
    let fields = authenticator.used(&challenge(&sim, &browser));
    assert_eq!(sign_in(&sim, &browser, &fields).status, 303);
    browser.set_cookie(SESSION, "");
    assert_eq!(sign_in(&sim, &browser, &fields).status, 422, "replayed");
    assert!(session(&sim, &browser).is_none());

    for seed in 0..30 {
        let (sim, _, authenticator) = registered(Authenticator::new(7));
        let browser = Browser::default();
        let fields = authenticator.used(&challenge(&sim, &browser));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (platform, request) = (sim.platform(), browser.post("/sign-in/passkey", &fields));
        let attempt = || Box::pin(identity::sign_in_by_passkey(&platform, &request));
        let attempts = (0..4).map(|_| attempt() as Later<'_, Response>).collect();
        let answers = interleave(&Random::new(seed), attempts);
        assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1, "seed {seed}");
        assert_eq!(sim.directory.number("SELECT count(*) FROM session", []), 1, "seed {seed}");
    }
}

#[test]
fn a_challenge_is_its_browsers_its_ceremonys_and_fifteen_minutes_long() {
    let (mut sim, company, authenticator) = registered(Authenticator::new(7));
    let browser = Browser::default();
    let fresh = challenge(&sim, &browser);
    let stolen = authenticator.used(&fresh);
    assert_eq!(sign_in(&sim, &Browser::default(), &stolen).status, 422, "a browser without the secret");
    let other = Browser::default();
    challenge(&sim, &other);
    assert_eq!(sign_in(&sim, &other, &stolen).status, 422, "a browser with another secret");

    let signed_in_browser = signed_in(&sim, &company);
    let for_adding = attribute(&account(&sim, &signed_in_browser), "challenge");
    assert_eq!(sign_in(&sim, &browser, &authenticator.used(&for_adding)).status, 422, "one for adding");
    let new = Authenticator::new(9);
    assert_eq!(add(&sim, &signed_in_browser, &new.made(&fresh)).status, 422, "one for signing in");
    let second = signed_in(&sim, &company);
    assert_eq!(add(&sim, &second, &new.made(&for_adding)).status, 422, "another session's");

    let text = String::from_utf8(BASE64URL_NOPAD.decode(fresh.as_bytes()).unwrap()).unwrap();
    let later = text.replacen("17", "27", 1);
    for forged in
        [later.as_str(), &text[..text.len() - 1], "", "a.b.c.d", "t1.9999999999999..", &format!("{text}.x")]
    {
        let answer = sign_in(&sim, &browser, &authenticator.used(&encode(forged.as_bytes())));
        assert_eq!(answer.status, 422, "{forged}");
    }
    sim.clock.advance_seconds(900);
    assert_eq!(sign_in(&sim, &browser, &stolen).status, 422, "too old");

    let fresh = challenge(&sim, &browser);
    sim.config = config_with_keys("t2", &["t1"]);
    assert_eq!(sign_in(&sim, &browser, &authenticator.used(&fresh)).status, 422, "its key is retired");
}

#[test]
fn a_copied_authenticator_is_found_out_by_its_counter() {
    let (sim, _, mut authenticator) = registered(Authenticator { counter: 5, ..Authenticator::new(7) });
    let mut use_at = |counter: u32| {
        authenticator.counter = counter;
        let browser = Browser::default();
        sign_in(&sim, &browser, &authenticator.used(&challenge(&sim, &browser))).status
    };
    assert_eq!(use_at(6), 303);
    for counter in [6, 5, 0] {
        assert_eq!(use_at(counter), 422, "{counter} after 6");
    }
    assert_eq!(use_at(u32::MAX), 303);
    assert_eq!(use_at(7), 422);
}

#[test]
fn of_two_with_the_same_counter_one_signs_in() {
    for seed in 0..30 {
        let (sim, _, mut authenticator) = registered(Authenticator::new(7));
        authenticator.counter = 3;
        let (one, copy) = (Browser::default(), Browser::default());
        let platform = sim.platform();
        let request = |browser: &Browser| {
            let fields = authenticator.used(&challenge(&sim, browser));
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.post("/sign-in/passkey", &fields)
        };
        let (first, second) = (request(&one), request(&copy));
        let attempts: Vec<Later<'_, Response>> = vec![
            Box::pin(identity::sign_in_by_passkey(&platform, &first)),
            Box::pin(identity::sign_in_by_passkey(&platform, &second)),
        ];
        let answers = interleave(&Random::new(seed), attempts);
        assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1, "seed {seed}");
    }
}

#[test]
fn an_authenticator_that_says_it_may_be_copied_now_is_not_the_same() {
    let (sim, _, mut authenticator) = registered(Authenticator::new(7));
    authenticator.flags = SEEN | SYNCED;
    let browser = Browser::default();
    assert_eq!(sign_in(&sim, &browser, &authenticator.used(&challenge(&sim, &browser))).status, 422);
}

#[test]
fn a_credential_is_one_persons_and_there_once() {
    let (sim, _, authenticator) = registered(Authenticator::new(7));
    let other = Company::found(&sim, "other");
    let browser = signed_in(&sim, &other);
    let answer = add(&sim, &browser, &authenticator.made(&attribute(&account(&sim, &browser), "challenge")));
    assert_eq!((answer.status, passkeys(&sim)), (422, 1));
    assert!(text(&answer).contains("not added"));
}

#[test]
fn keys_of_other_algorithms_and_shapes_are_not_taken() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    let authenticator = Authenticator::new(7);
    let good = authenticator.data(true);
    let key_at = 32 + 1 + 4 + 16 + 2 + 16;
    let altered = |at: usize, byte: u8| {
        let mut data = good.clone();
        data[key_at + at] = byte;
        data
    };
    let mut small_rsa = good[..key_at].to_vec();
    small_rsa.extend([0xa4, 1, 3, 3, 0x39, 1, 0, 0x20, 0x59, 0, 128]);
    small_rsa.extend([0xff; 128]);
    small_rsa.extend([0x21, 0x43, 1, 0, 1]);
    let mut no_id = good[..key_at - 18].to_vec();
    no_id.extend([0, 0]);
    no_id.extend(&good[key_at..]);
    for (why, data) in [
        ("EdDSA", altered(4, 0x27)),
        ("another curve", altered(6, 2)),
        ("another type", altered(2, 1)),
        ("no y", good[..good.len() - 35].to_vec()),
        ("a short y", good[..good.len() - 1].to_vec()),
        ("RSA of 1024 bits", small_rsa),
        ("an empty id", no_id),
        ("nothing made", authenticator.data(false)),
    ] {
        let challenge = attribute(&account(&sim, &browser), "challenge");
        let fields = with(&authenticator.made(&challenge), "authenticator_data", &encode(&data));
        assert_eq!((add(&sim, &browser, &fields).status, passkeys(&sim)), (422, 0), "{why}");
    }
}

#[test]
fn a_person_has_at_most_twenty() {
    let (sim, company) = world();
    let browser = signed_in(&sim, &company);
    for number in 1..=21 {
        let challenge = attribute(&account(&sim, &browser), "challenge");
        let status = add(&sim, &browser, &Authenticator::new(number).made(&challenge)).status;
        assert_eq!(status, if number <= 20 { 303 } else { 422 }, "{number}");
    }
    assert_eq!(passkeys(&sim), 20);
}

#[test]
fn the_relying_party_is_the_exact_host() {
    let (mut sim, company) = world();
    let mut settings = local_settings();
    settings[0].1 = "https://mcp.example.com".to_owned();
    settings[1].1 = "https://wall.example.com".to_owned();
    let link = super::link(&sim, &company);
    sim.config = config_from(&settings).unwrap_or_else(|_| panic!("good settings"));
    let browser = Browser::default();
    press(&sim, &browser, &link);
    let page = account(&sim, &browser);
    assert_eq!(attribute(&page, "party"), "mcp.example.com");
    let client = json!({ "origin": "https://mcp.example.com" });
    for (party, status) in [("example.com", 422), ("wall.example.com", 422), ("mcp.example.com", 303)] {
        let authenticator =
            Authenticator { party: party.to_owned(), client: client.clone(), ..Authenticator::new(7) };
        let challenge = attribute(&account(&sim, &browser), "challenge");
        assert_eq!(add(&sim, &browser, &authenticator.made(&challenge)).status, status, "{party}");
    }
}

#[test]
fn another_sites_form_signs_nobody_in() {
    let (sim, _, authenticator) = registered(Authenticator::new(7));
    let browser = Browser::default();
    let fields = authenticator.used(&challenge(&sim, &browser));
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let own = browser.post("/sign-in/passkey", &pairs);
    for site in ["cross-site", "same-site", "none"] {
        let request = with_header(own.clone(), "sec-fetch-site", Some(site));
        assert_eq!(run(identity::sign_in_by_passkey(&sim.platform(), &request)).status, 403);
    }
}

#[test]
fn signing_in_by_a_passkey_renews_the_session() {
    let (sim, company, authenticator) = registered(Authenticator::new(7));
    let browser = signed_in(&sim, &company);
    let former = browser.cookie(SESSION).unwrap();
    sim.clock.advance_seconds(600);
    let page = run(identity::sign_in_page(&sim.platform(), &browser.get("/sign-in?again=1&next=%2Faccount")));
    browser.take(&page);
    let answer = sign_in(&sim, &browser, &authenticator.used(&attribute(&text(&page), "challenge")));
    assert_eq!(answer.header("location"), Some("/account"));
    assert_ne!(browser.cookie(SESSION).unwrap(), former);
    assert!(session(&sim, &browser).unwrap().recent(sim.platform().now()).is_some());
    assert_eq!(sim.directory.number("SELECT count(*) FROM session", []), 1);
}

#[test]
fn a_squatters_passkey_goes_when_the_address_is_proved() {
    let (sim, company, authenticator) = registered(Authenticator::new(7));
    sim.directory.execute("UPDATE person SET proved_at = NULL WHERE user_id = ?1", [company.owner.as_str()]);
    let email = "owner@acme.example".parse().unwrap();
    run(identity::find_or_add_person(&sim.platform(), &email, "Owner")).unwrap();
    assert_eq!(passkeys(&sim), 0);
    let browser = Browser::default();
    assert_eq!(sign_in(&sim, &browser, &authenticator.used(&challenge(&sim, &browser))).status, 422);
}

#[test]
fn a_directory_that_fails_is_told_as_such() {
    for statement in ["find_passkey", "use_challenge"] {
        let (sim, _, authenticator) = registered(Authenticator::new(7));
        let browser = Browser::default();
        let fields = authenticator.used(&challenge(&sim, &browser));
        sim.faults.on_statement(statement, Fault::LostRequest);
        assert_eq!(sign_in(&sim, &browser, &fields).status, 503, "{statement}");
        assert_eq!(sign_in(&sim, &browser, &fields).status, 303, "{statement}: nothing was used up");
    }
}

#[test]
fn the_script_is_one_file_and_nothing_else_may_run() {
    let (sim, company) = world();
    let script = identity::passkey_script();
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(script.header("x-content-type-options"), Some("nosniff"));
    let browser = signed_in(&sim, &company);
    for page in [
        run(identity::account_page(&sim.platform(), &browser.get("/account"))),
        run(identity::sign_in_page(&sim.platform(), &Browser::default().get("/sign-in"))),
    ] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src http://localhost:8790/passkeys.js; "),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && policy.contains("form-action 'self'"));
        let html = text(&page);
        assert_eq!(html.matches("<script").count(), 1);
        assert!(html.contains("<script src=\"/passkeys.js\" defer></script>"));
        assert!(!html.contains(" onclick") && !html.contains("javascript:"));
    }
}
