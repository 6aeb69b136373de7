//! `private_key_jwt`: RFC 7523 and RFC 7521, with the keys of client-ID metadata documents.

use std::sync::LazyLock;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use p256::ecdsa::signature::{SignatureEncoding, Signer};
use postern::{
    oauth,
    platform::{Clock, Later},
};
use rsa::{BigUint, RsaPrivateKey, pkcs1v15, sha2::Sha256, traits::PublicKeyParts};
use serde_json::{Value, json};

use super::{
    World, answer,
    documents::{CLIENT, Shelf, public_client},
    error, form_request, plus, text, with,
};
use crate::sim::{Fault, Random, Reply, interleave, run};

const KEYS: &str = "https://client.example/oauth/jwks.json";
const ISSUER: &str = "http://localhost:8790";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The primes of the tests' RSA key, which guards nothing.
const P: &str = "d0344b2122c71685fc13a18316165dd7c620a97421c2f02d088dda982ee109da905bc6fcce4daa91a5e620a3992f471b718fe4ff9981b3316d23d8cc4ea5c3dc976cd628d2f5a23be00092c1b1399b3120851d868c954ea4b4b8da23a1692c6279054b0798c7e44c7fb8247ffa337f78fdbce2a06fd56a014073d2d15afe552d";
const Q: &str = "c299a2c2ceb70a31bb283d9a31486163b7c126f31d6e04523b578298fb54906ccc46f5ec662209653d834fd1714f3488c01d387257365fdf629ace7ef60516114329976645c50813007b64912b033944acdf2b331efc977b8734b131f405915244e84addf6b54ef8bde011a6df6c6845bb44e32684b8e12beade0b28c8ba81b5";

/// A key of 2048 bits.
pub static RSA: LazyLock<RsaPrivateKey> = LazyLock::new(|| {
    let number = |hex: &str| BigUint::from_bytes_be(&HEXLOWER.decode(hex.as_bytes()).unwrap());
    RsaPrivateKey::from_p_q(number(P), number(Q), BigUint::from(65_537_u32)).unwrap()
});

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

pub fn rsa_jwk(kid: &str) -> Value {
    json!({ "kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig",
        "n": encode(RSA.n().to_bytes_be()), "e": encode(RSA.e().to_bytes_be()) })
}

/// A key of the P-256 curve, another for each seed.
fn ec(seed: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()
}

pub fn ec_jwk(kid: &str, seed: u8) -> Value {
    let point = ec(seed).verifying_key().to_encoded_point(false);
    json!({ "kty": "EC", "crv": "P-256", "kid": kid,
        "x": encode(point.x().unwrap()), "y": encode(point.y().unwrap()) })
}

pub fn signed_rs256(header: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = pkcs1v15::SigningKey::<Sha256>::new(RSA.clone()).sign(text.as_bytes());
    format!("{text}.{}", encode(signature.to_bytes()))
}

pub fn signed_es256(seed: u8, header: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature: p256::ecdsa::Signature = ec(seed).sign(text.as_bytes());
    format!("{text}.{}", encode(signature.to_bytes()))
}

/// The document of a hosted assistant that signs: as seen, with and without `none` as a second choice.
pub(super) fn signing_client(second_choice: bool) -> Value {
    let mut document = public_client();
    document["token_endpoint_auth_method"] = json!("private_key_jwt");
    document["token_endpoint_auth_signing_alg"] = json!("RS256");
    document["jwks_uri"] = json!(KEYS);
    if second_choice {
        document["token_endpoint_auth_methods_supported"] = json!(["none", "private_key_jwt"]);
    }
    document
}

fn without(mut document: Value, name: &str) -> Value {
    document.as_object_mut().unwrap().remove(name);
    document
}

/// A world whose client is described by `document`; its keys are one RSA key, `k1`.
fn world_of(document: &Value) -> (World, Shelf) {
    let mut world = World::new();
    let shelf = Shelf::of(&world);
    shelf.put_json(CLIENT, document);
    shelf.put_json(KEYS, &json!({ "keys": [rsa_jwk("k1")] }));
    world.client_id = CLIENT.to_owned();
    (world, shelf)
}

pub(super) fn signing() -> (World, Shelf) {
    world_of(&signing_client(true))
}

fn header() -> Value {
    json!({ "alg": "RS256", "kid": "k1", "typ": "JWT" })
}

/// The claims of a good assertion.
fn claims(world: &World, jti: &str) -> Value {
    let now = world.sim.clock.now().as_seconds();
    json!({ "iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "iat": now, "exp": now + 300, "jti": jti })
}

pub(super) fn assertion(world: &World, jti: &str) -> String {
    signed_rs256(&header(), &claims(world, jti))
}

/// The form with an assertion added.
pub(super) fn proven(form: &[(String, String)], assertion: &str) -> Vec<(String, String)> {
    plus(&plus(form, "client_assertion_type", TYPE), "client_assertion", assertion)
}

fn refused(answer: &(u16, Value)) -> bool {
    error(answer) == (401, "invalid_client")
}

#[test]
fn rfc7523_3_and_mcp_both_shapes_of_a_hosted_assistant_s_document_work() {
    for second_choice in [true, false] {
        let (world, _shelf) = world_of(&signing_client(second_choice));
        let code = world.code();
        let (status, tokens) = world.token(&proven(&world.redemption(&code), &assertion(&world, "1")));
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Ok(()));
        let form = world.refreshing(tokens["refresh_token"].as_str().unwrap());
        let (status, tokens) = world.token(&proven(&form, &assertion(&world, "2")));
        assert_eq!(status, 200, "{tokens}");
        let token = tokens["refresh_token"].as_str().unwrap();
        let form = [("token", token), ("client_id", CLIENT)].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(world.revoke(&proven(&form, &assertion(&world, "3"))).0, 200);
        assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Err(401));
        let urls: Vec<String> = world.sim.web.requests().into_iter().map(|request| request.url).collect();
        assert_eq!(urls, [CLIENT, KEYS], "each once");
    }
}

#[test]
fn rfc7523_3_es256_and_keys_in_the_document_work() {
    let mut document = without(signing_client(false), "jwks_uri");
    document["token_endpoint_auth_signing_alg"] = json!("ES256");
    document["jwks"] = json!({ "keys": [ec_jwk("other", 2), ec_jwk("e1", 1)] });
    let (world, _shelf) = world_of(&document);
    let sign = |jti, header: &Value| signed_es256(1, header, &claims(&world, jti));
    for (jti, header) in [("1", json!({ "alg": "ES256", "kid": "e1" })), ("2", json!({ "alg": "ES256" }))] {
        let form = proven(&world.redemption(&world.code()), &sign(jti, &header));
        assert_eq!(world.token(&form).0, 200, "{header}");
    }
    let wrong = sign("3", &json!({ "alg": "ES256", "kid": "other" }));
    assert!(refused(&world.token(&proven(&world.redemption(&world.code()), &wrong))));
}

#[test]
fn a_signing_client_whose_document_cannot_be_had_just_now_is_not_called_unknown() {
    let (world, shelf) = signing();
    let (_, tokens) = world.token(&proven(&world.redemption(&world.code()), &assertion(&world, "1")));
    let form = world.refreshing(tokens["refresh_token"].as_str().unwrap());
    world.sim.clock.advance_seconds(301);
    shelf.put(CLIENT, Reply::json(500, &json!({})));
    let answer = world.token(&proven(&form, &assertion(&world, "2")));
    assert_eq!(error(&answer), (503, "temporarily_unavailable"));
    shelf.put_json(CLIENT, &signing_client(true));
    assert_eq!(world.token(&proven(&form, &assertion(&world, "3"))).0, 200);
}

#[test]
fn rfc7521_4_2_a_signing_client_may_leave_its_id_out() {
    let (world, _shelf) = signing();
    let form = with(&world.redemption(&world.code()), "client_id", None);
    assert_eq!(world.token(&proven(&form, &assertion(&world, "1"))).0, 200);
    let form = with(&world.redemption(&world.code()), "client_id", Some("https://other.example/client.json"));
    let answer = world.token(&proven(&form, &assertion(&world, "2")));
    assert_eq!(error(&answer), (400, "invalid_grant"), "another's id with one's own assertion");
}

#[test]
fn rfc7523_3_an_assertion_works_once() {
    let (world, _shelf) = signing();
    let once = assertion(&world, "1");
    let code = world.code();
    let (_, tokens) = world.token(&proven(&world.redemption(&code), &once));
    let form = world.refreshing(tokens["refresh_token"].as_str().unwrap());
    assert!(refused(&world.token(&proven(&form, &once))), "neither for a refresh");
    let again = world.code();
    assert!(refused(&world.token(&proven(&world.redemption(&again), &once))), "nor for another code");
    let resigned = signed_rs256(&header(), &{
        let mut changed = claims(&world, "1");
        changed["exp"] = json!(world.sim.clock.now().as_seconds() + 200);
        changed
    });
    assert!(refused(&world.token(&proven(&world.redemption(&again), &resigned))), "nor its jti signed again");
    assert_eq!(world.token(&proven(&world.redemption(&again), &assertion(&world, "2"))).0, 200);
}

#[test]
fn rfc7523_3_of_parallel_uses_of_one_assertion_one_gets_through() {
    for seed in 0..20 {
        let (world, _shelf) = signing();
        let once = assertion(&world, "1");
        let requests: Vec<_> = (0..4)
            .map(|_| form_request("/token", &proven(&world.redemption(&world.code()), &once)))
            .collect();
        let platform = world.sim.platform();
        let running: Vec<Later<'_, _>> = requests
            .iter()
            .map(|request| Box::pin(oauth::token(&platform, request)) as Later<'_, _>)
            .collect();
        let answers: Vec<_> = interleave(&Random::new(seed), running).iter().map(answer).collect();
        assert_eq!(answers.iter().filter(|answer| answer.0 == 200).count(), 1, "seed {seed}");
        assert_eq!(answers.iter().filter(|answer| refused(answer)).count(), 3, "seed {seed}");
    }
}

#[test]
fn parallel_refreshes_of_a_client_that_signs_each_use_their_assertion_once() {
    for seed in 0..10 {
        let (world, _shelf) = signing();
        let code = world.code();
        let (_, tokens) = world.token(&proven(&world.redemption(&code), &assertion(&world, "first")));
        let form = world.refreshing(tokens["refresh_token"].as_str().unwrap());
        let requests: Vec<_> = (0..3)
            .map(|n| form_request("/token", &proven(&form, &assertion(&world, &n.to_string()))))
            .collect();
        let platform = world.sim.platform();
        let running: Vec<Later<'_, _>> = requests
            .iter()
            .map(|request| Box::pin(oauth::token(&platform, request)) as Later<'_, _>)
            .collect();
        for answer in interleave(&Random::new(seed), running).iter().map(answer) {
            assert_eq!(answer.0, 200, "seed {seed}: {}", answer.1);
        }
    }
}

#[test]
fn rfc7523_3_a_used_assertion_is_remembered_until_it_is_over() {
    let (world, _shelf) = signing();
    let once = assertion(&world, "1");
    assert_eq!(world.token(&proven(&world.redemption(&world.code()), &once)).0, 200);
    for _ in 0..36 {
        world.sim.clock.advance_seconds(10);
        run(postern::operator::retain(&world.sim.platform())).unwrap();
        assert!(refused(&world.token(&proven(&world.redemption(&world.code()), &once))));
    }
    world.sim.clock.advance_seconds(10);
    run(postern::operator::retain(&world.sim.platform())).unwrap();
    assert_eq!(world.sim.directory.number("SELECT count(*) FROM client_assertion", []), 0);
    assert!(refused(&world.token(&proven(&world.redemption(&world.code()), &once))));
}

#[test]
fn rfc7523_3_every_claim_is_checked_and_a_failure_burns_nothing() {
    let (world, _shelf) = signing();
    let code = world.code();
    let now = world.sim.clock.now().as_seconds();
    let changes = [
        ("iss", json!("https://other.example/client.json")),
        ("iss", Value::Null),
        ("sub", json!("https://other.example/client.json")),
        ("sub", Value::Null),
        ("aud", json!(format!("{ISSUER}/token"))),
        ("aud", json!(format!("{ISSUER}/"))),
        ("aud", json!("https://other.example")),
        ("aud", json!([ISSUER, "https://other.example"])),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 3661)),
        ("exp", json!("soon")),
        ("exp", json!(i64::MAX)),
        ("exp", Value::Null),
        ("nbf", json!(now + 61)),
        ("iat", json!(now + 61)),
        ("jti", json!("")),
        ("jti", json!("x".repeat(257))),
        ("jti", json!(7)),
        ("jti", Value::Null),
    ];
    for (number, (name, value)) in changes.into_iter().enumerate() {
        let mut changed = claims(&world, &format!("bad-{number}"));
        match &value {
            Value::Null => drop(changed.as_object_mut().unwrap().remove(name)),
            value => changed[name] = value.clone(),
        }
        let form = proven(&world.redemption(&code), &signed_rs256(&header(), &changed));
        assert!(refused(&world.token(&form)), "{name} {value}");
    }
    let mut single = claims(&world, "good");
    single["aud"] = json!([ISSUER]);
    single["nbf"] = json!(now + 60);
    single["exp"] = json!(now + 3660);
    let form = proven(&world.redemption(&code), &signed_rs256(&header(), &single));
    assert_eq!(world.token(&form).0, 200, "the code is still good, and clocks may differ by a minute");
    let mut over = claims(&world, "over");
    over["exp"] = json!(now - 59);
    let form = proven(&world.redemption(&world.code()), &signed_rs256(&header(), &over));
    assert_eq!(world.token(&form).0, 200, "also when it is over");
}

#[test]
fn rfc8725_3_1_only_the_keys_own_algorithm_is_taken() {
    let (world, shelf) = world_of(&without(signing_client(true), "token_endpoint_auth_signing_alg"));
    shelf.put_json(KEYS, &json!({ "keys": [rsa_jwk("k1"), ec_jwk("e1", 1)] }));
    let code = world.code();
    let good = claims(&world, "1");
    let body = encode(good.to_string());
    let unsigned = |header: Value| format!("{}.{body}.", encode(header.to_string()));
    let by_public_key = {
        let text = format!("{}.{body}", encode(json!({ "alg": "HS256", "kid": "k1" }).to_string()));
        let key = postern::platform::SecretKey::from_bytes(RSA.n().to_bytes_be()[..32].try_into().unwrap());
        format!("{text}.{}", encode(key.hmac(text.as_bytes())))
    };
    let mangled = {
        let mut text = signed_rs256(&header(), &good);
        text.truncate(text.len() - 4);
        text
    };
    for bad in [
        unsigned(json!({ "alg": "none" })),
        unsigned(json!({ "alg": "RS256", "kid": "k1" })),
        by_public_key,
        mangled,
        signed_rs256(&json!({ "alg": "PS256", "kid": "k1" }), &good),
        signed_rs256(&json!({ "alg": "RS512", "kid": "k1" }), &good),
        signed_rs256(&json!({ "alg": "ES256", "kid": "k1" }), &good),
        signed_rs256(&json!({ "alg": "ES256", "kid": "e1" }), &good),
        signed_rs256(&json!({ "alg": "RS256", "kid": "e1" }), &good),
        signed_rs256(&json!({ "alg": "RS256", "kid": "k2" }), &good),
        signed_rs256(&json!({ "alg": "RS256", "kid": "k1", "crit": ["exp"], "exp": 1 }), &good),
        signed_rs256(&json!({ "alg": "RS256", "kid": "k1", "b64": false, "crit": ["b64"] }), &good),
        signed_rs256(&json!({ "alg": "RS256", "kid": "k1", "typ": "at+jwt" }), &good),
        signed_rs256(&json!({ "alg": "RS256", "kid": "k1", "typ": "secevent+jwt" }), &good),
        signed_rs256(&json!({ "kid": "k1" }), &good),
        signed_rs256(&json!({ "alg": "RS256", "jwk": rsa_jwk("own"), "kid": "own" }), &good),
        signed_es256(9, &json!({ "alg": "ES256", "kid": "e1" }), &good),
        format!("{}.x", signed_rs256(&header(), &good)),
        "a.b.c".to_owned(),
        "x".repeat(20_000),
    ] {
        let answer = world.token(&proven(&world.redemption(&code), &bad));
        assert!(refused(&answer), "{bad}: {}", answer.1);
    }
    let kind = json!({ "alg": "RS256", "kid": "k1", "typ": "client-authentication+jwt" });
    let form = proven(&world.redemption(&code), &signed_rs256(&kind, &good));
    assert_eq!(world.token(&form).0, 200);
}

#[test]
fn rfc7591_2_the_algorithm_that_a_client_names_is_the_only_one() {
    let (world, shelf) = signing();
    shelf.put_json(KEYS, &json!({ "keys": [rsa_jwk("k1"), ec_jwk("e1", 1)] }));
    let other = signed_es256(1, &json!({ "alg": "ES256", "kid": "e1" }), &claims(&world, "1"));
    assert!(refused(&world.token(&proven(&world.redemption(&world.code()), &other))));
}

#[test]
fn rfc7517_4_keys_for_something_else_verify_nothing() {
    let (world, shelf) = signing();
    let mut small = rsa_jwk("k1");
    small["n"] = json!(encode([0xc5; 128]));
    let changed = |name: &str, value: Value| {
        let mut key = rsa_jwk("k1");
        key[name] = value;
        key
    };
    for key in [
        changed("use", json!("enc")),
        changed("key_ops", json!(["encrypt"])),
        changed("alg", json!("RS512")),
        changed("alg", json!("RSA-OAEP")),
        changed("kty", json!("oct")),
        changed("kty", json!("EC")),
        changed("n", json!("!")),
        changed("e", json!("")),
        small,
        json!({ "kty": "oct", "kid": "k1", "k": "AAAA" }),
        json!("k1"),
        json!(null),
    ] {
        world.sim.clock.advance_seconds(301);
        shelf.put_json(KEYS, &json!({ "keys": [key] }));
        let form = proven(&world.redemption(&world.code()), &assertion(&world, "1"));
        assert!(refused(&world.token(&form)), "{key}");
    }
}

#[test]
fn rfc9700_2_5_the_method_is_fixed_when_authorization_is_asked_for() {
    let (world, shelf) = signing();
    let code = world.code();
    assert!(refused(&world.token(&world.redemption(&code))), "a client that can sign must");
    shelf.put_json(CLIENT, &public_client());
    world.sim.clock.advance_seconds(59);
    assert!(refused(&world.token(&world.redemption(&code))));
    let (status, tokens) = world.token(&proven(&world.redemption(&code), &assertion(&world, "1")));
    assert_eq!(status, 200);
    world.sim.clock.advance_seconds(300);
    let form = world.refreshing(tokens["refresh_token"].as_str().unwrap());
    assert!(refused(&world.token(&form)), "a document that has come to say none does not lower it");
    assert!(refused(&world.token(&proven(&form, &assertion(&world, "2")))), "and there are no keys any more");
    shelf.put_json(CLIENT, &signing_client(false));
    world.sim.clock.advance_seconds(300);
    assert_eq!(world.token(&proven(&form, &assertion(&world, "3"))).0, 200);
}

#[test]
fn rfc9700_2_5_a_client_that_was_public_stays_so_for_its_grant() {
    let (world, shelf) = world_of(&public_client());
    let tokens = world.tokens();
    shelf.put_json(CLIENT, &signing_client(true));
    world.sim.clock.advance_seconds(300);
    let form = world.refreshing(tokens["refresh_token"].as_str().unwrap());
    assert!(refused(&world.token(&proven(&form, &assertion(&world, "1")))));
    assert_eq!(world.token(&form).0, 200);
    assert!(refused(&world.token(&world.redemption(&world.code()))), "a new one must sign");
}

#[test]
fn rfc6749_10_4_who_cannot_sign_neither_refreshes_nor_revokes_nor_ends_a_grant() {
    let (world, _shelf) = signing();
    let (_, tokens) = world.token(&proven(&world.redemption(&world.code()), &assertion(&world, "1")));
    let old = world.refreshing(tokens["refresh_token"].as_str().unwrap());
    let (_, tokens) = world.token(&proven(&old, &assertion(&world, "2")));
    let newer = world.refreshing(tokens["refresh_token"].as_str().unwrap());
    let (_, tokens) = world.token(&proven(&newer, &assertion(&world, "3")));
    world.sim.clock.advance_seconds(200);
    assert!(refused(&world.token(&old)), "a replay that is not proven ends nothing");
    for kind in ["access_token", "refresh_token"] {
        let token = tokens[kind].as_str().unwrap();
        let form = [("token", token), ("client_id", CLIENT)].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert!(refused(&world.revoke(&form)), "{kind}");
    }
    assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Ok(()));
}

#[test]
fn a_client_s_new_key_is_found_and_its_old_one_forgotten() {
    let (world, shelf) = signing();
    let redeem = |jti: &str, kid: &str, seed: Option<u8>| {
        let header = json!({ "alg": if seed.is_some() { "ES256" } else { "RS256" }, "kid": kid });
        let signed = match seed {
            Some(seed) => signed_es256(seed, &header, &claims(&world, jti)),
            None => signed_rs256(&header, &claims(&world, jti)),
        };
        world.token(&proven(&world.redemption(&world.code()), &signed))
    };
    shelf.put_json(CLIENT, &without(signing_client(true), "token_endpoint_auth_signing_alg"));
    assert_eq!(redeem("1", "k1", None).0, 200);
    shelf.put_json(KEYS, &json!({ "keys": [ec_jwk("e2", 2)] }));
    assert!(refused(&redeem("2", "e2", Some(2))), "asked again after a minute at the earliest");
    let before = world.sim.web.requests().len();
    world.sim.clock.advance_seconds(60);
    assert_eq!(redeem("3", "e2", Some(2)).0, 200);
    assert!(refused(&redeem("4", "k1", None)), "a key that was taken out is of no use");
    assert_eq!(world.sim.web.requests().len(), before + 1, "unknown keys are no reason to ask each time");
}

#[test]
fn keys_that_cannot_be_had_are_a_reason_to_try_again_and_not_kept() {
    let (world, shelf) = signing();
    let code = world.code();
    for reply in [
        Reply::json(500, &json!({})),
        Reply::redirect(302, CLIENT),
        Reply::of(200, "text/html", b"<p>".to_vec()),
        Reply::json(200, &json!({ "no": "keys" })),
        Reply::json(200, &json!({ "keys": ["x".repeat(65 * 1024)] })),
    ] {
        shelf.put(KEYS, reply);
        let answer = world.token(&proven(&world.redemption(&code), &assertion(&world, "1")));
        assert_eq!(error(&answer), (503, "temporarily_unavailable"));
    }
    shelf.put_json(KEYS, &json!({ "keys": [rsa_jwk("k1")] }));
    world.sim.faults.on_statement("use_client_assertion", Fault::LostRequest);
    let answer = world.token(&proven(&world.redemption(&code), &assertion(&world, "1")));
    assert_eq!(error(&answer), (503, "temporarily_unavailable"));
    assert_eq!(world.token(&proven(&world.redemption(&code), &assertion(&world, "2"))).0, 200);
}

#[test]
fn mcp_authorization_no_keys_are_fetched_for_strangers() {
    let (world, _shelf) = signing();
    let tenant = world.company.tenant.id.to_string();
    let guess = format!("{tenant}.{}", "A".repeat(43));
    let form = proven(&world.redemption(&guess), &assertion(&world, "1"));
    assert_eq!(error(&world.token(&form)), (400, "invalid_grant"));
    let form = proven(&world.refreshing(&format!("{tenant}.fam_00000000000000000000000000.1.AAAA")), "a.b.c");
    assert_eq!(error(&world.token(&form)), (400, "invalid_grant"));
    assert!(world.sim.web.requests().is_empty());
}

#[test]
fn mcp_authorization_a_document_whose_keys_cannot_be_used_is_refused() {
    let (world, shelf) = signing();
    let changed = |name: &str, value: Value| {
        let mut document = signing_client(true);
        document[name] = value;
        document
    };
    for document in [
        without(signing_client(true), "jwks_uri"),
        changed("jwks", json!({ "keys": [rsa_jwk("k1")] })),
        changed("jwks_uri", json!("http://client.example/jwks.json")),
        changed("jwks_uri", json!("https://10.0.0.1/jwks.json")),
        changed("jwks_uri", json!("https://metadata.internal/jwks.json")),
        changed("jwks_uri", json!("https://user@client.example/jwks.json")),
        changed("jwks_uri", json!("http://localhost:8790/jwks.json")),
        changed("jwks_uri", json!("data:application/json,{}")),
        changed("token_endpoint_auth_signing_alg", json!("none")),
        changed("token_endpoint_auth_signing_alg", json!("HS256")),
        changed("token_endpoint_auth_method", json!("tls_client_auth"))
            .as_object()
            .map(|document| {
                let mut document = document.clone();
                document.insert("token_endpoint_auth_methods_supported".into(), json!(["tls_client_auth"]));
                Value::Object(document)
            })
            .unwrap(),
        without(changed("jwks", json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })), "jwks_uri"),
    ] {
        shelf.put_json(CLIENT, &document);
        let response = world.authorize(&world.wish());
        assert_eq!(response.status, 400, "{document}");
        let page = text(&response);
        assert!(page.contains("private_key_jwt"), "{document}: {page}");
    }
}

#[test]
fn mcp_authorization_of_several_methods_the_client_s_choice_counts() {
    for (method, offered, must_sign) in [
        (Some("private_key_jwt"), None, true),
        (Some("none"), Some(json!(["none", "private_key_jwt"])), false),
        (None, Some(json!(["none", "private_key_jwt"])), true),
        (None, Some(json!(["none"])), false),
        (Some("tls_client_auth"), Some(json!(["none", "tls_client_auth"])), false),
        (None, None, false),
    ] {
        let mut document = without(signing_client(false), "token_endpoint_auth_method");
        if let Some(method) = method {
            document["token_endpoint_auth_method"] = json!(method);
        }
        if let Some(offered) = &offered {
            document["token_endpoint_auth_methods_supported"] = offered.clone();
        }
        let (world, _shelf) = world_of(&document);
        let answer = world.token(&world.redemption(&world.code()));
        assert_eq!(refused(&answer), must_sign, "{method:?} {offered:?}: {}", answer.1);
    }
}

#[test]
fn rfc7521_4_2_an_assertion_comes_with_its_type() {
    let (world, _shelf) = signing();
    let form = world.redemption(&world.code());
    let signed = assertion(&world, "1");
    for bad in [
        plus(&form, "client_assertion", &signed),
        plus(&form, "client_assertion_type", TYPE),
        plus(
            &plus(&form, "client_assertion", &signed),
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        ),
        plus(&proven(&form, &signed), "client_assertion", &signed),
    ] {
        assert_eq!(error(&world.token(&bad)), (400, "invalid_request"));
    }
    let both = plus(&proven(&form, &signed), "client_secret", "x");
    assert!(refused(&world.token(&both)), "RFC 6749 section 2.3: one method at a time");
}

#[test]
fn an_assertion_is_no_token_and_a_token_no_assertion() {
    let (world, _shelf) = signing();
    let (_, tokens) = world.token(&proven(&world.redemption(&world.code()), &assertion(&world, "1")));
    let access = tokens["access_token"].as_str().unwrap();
    assert!(refused(&world.token(&proven(&world.redemption(&world.code()), access))));
    assert_eq!(world.call(&assertion(&world, "2")), Err(401));
    let form = world.refreshing(&assertion(&world, "3"));
    assert_eq!(error(&world.token(&proven(&form, &assertion(&world, "4")))), (400, "invalid_grant"));
}

#[test]
fn a_client_of_the_operator_s_may_have_to_sign_as_well() {
    let mut world = World::new();
    let shelf = Shelf::of(&world);
    shelf.put_json(KEYS, &json!({ "keys": [ec_jwk("e1", 1)] }));
    let redirects = vec![super::CALLBACK.to_owned()];
    let add = |keys: &str| {
        let platform = world.sim.platform();
        run(oauth::add_client(&platform, "In-house", redirects.clone(), Some(keys.to_owned()))).unwrap()
    };
    assert!(add("http://client.example/jwks.json").is_err());
    assert!(add("https://10.0.0.1/jwks.json").is_err());
    let id = add(KEYS).unwrap().to_string();
    world.client_id = id.clone();
    let code = world.code();
    assert!(refused(&world.token(&world.redemption(&code))));
    let now = world.sim.clock.now().as_seconds();
    let own = json!({ "iss": id, "sub": id, "aud": ISSUER, "exp": now + 60, "jti": "1" });
    let signed = signed_es256(1, &json!({ "alg": "ES256", "kid": "e1" }), &own);
    assert_eq!(world.token(&proven(&world.redemption(&code), &signed)).0, 200);
}
