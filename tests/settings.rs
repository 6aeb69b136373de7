//! Settings, keys and sealed values.

use postern::platform::{Config, Keyring, Purpose, Sealed};

use crate::sim::{SimEntropy, config_from, local_settings};

fn problems(settings: &[(&'static str, String)]) -> Vec<&'static str> {
    match config_from(settings) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.setting).collect(),
    }
}

fn with(changes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut settings = local_settings();
    for (name, value) in changes {
        settings.retain(|(other, _)| other != name);
        settings.push((name, (*value).to_owned()));
    }
    settings
}

#[test]
fn every_problem_is_named_at_once() {
    assert_eq!(problems(&[]), ["PUBLIC_ORIGIN", "CONTENT_ORIGIN", "POSTERN_KEYS"]);
    let all_wrong = with(&[
        ("PUBLIC_ORIGIN", "http://mcp.example.com"),
        ("CONTENT_ORIGIN", "https://wall.example.com/"),
        ("POSTERN_KEYS", "{}"),
        ("ACCESS_TOKEN_SECONDS", "4"),
        ("REGISTRATIONS_PER_HOUR", "2"),
        ("OUTGOING_PORTS", "443,x"),
        ("DNS_RESOLVER", "http://dns.example.com/"),
        ("MAIL_SENDER", "pigeon"),
        ("MAIL_FROM", "Postern <postern@example.com>"),
        ("MAIL_API_URL", "http://mail.example.com/send"),
        ("MAIL_API_KEY", "two words"),
    ]);
    let named: Vec<&str> = Config::SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(problems(&all_wrong), named);
    assert_eq!(problems(&local_settings()), [""; 0]);
}

#[test]
fn both_origins_may_not_share_a_host() {
    let settings = with(&[("CONTENT_ORIGIN", "http://localhost:9999")]);
    assert_eq!(problems(&settings), ["CONTENT_ORIGIN"]);
}

#[test]
fn mail_is_off_or_has_all_that_its_sender_needs() {
    use postern::platform::MailSender;
    assert_eq!(problems(&with(&[("MAIL_SENDER", "binding")])), ["MAIL_FROM"]);
    assert_eq!(problems(&with(&[("MAIL_SENDER", "api")])), ["MAIL_FROM", "MAIL_API_KEY"]);
    for from in [
        "nobody",
        "@b.example",
        "a@",
        "a@b@c",
        "a b@c.example",
        "a@b.example\r\nbcc: x@y.example",
        "<a@b.example>",
    ] {
        assert_eq!(problems(&with(&[("MAIL_FROM", from)])), ["MAIL_FROM"], "{from}");
    }
    let mail = |settings: &[(&'static str, &str)]| {
        config_from(&with(settings)).unwrap_or_else(|_| panic!("good settings")).mail
    };
    assert!(mail(&[("MAIL_SENDER", "off"), ("MAIL_FROM", "a@b.example")]).is_none());
    let bound = mail(&[("MAIL_SENDER", "binding"), ("MAIL_FROM", "a@b.example")]).unwrap();
    assert!(matches!(bound.sender, MailSender::Binding));
    let api =
        mail(&[("MAIL_SENDER", "api"), ("MAIL_FROM", "a@b.example"), ("MAIL_API_KEY", "re_1")]).unwrap();
    let MailSender::Api { url, key } = api.sender else { panic!("an API") };
    assert_eq!((url.as_str(), key.expose()), ("https://api.resend.com/emails", "re_1"));
}

#[test]
fn a_problem_with_the_keys_does_not_tell_them() {
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAAA";
    let settings = with(&[("POSTERN_KEYS", &format!(r#"{{"current":"a","keys":{{"a":"{secret}"}}}}"#))]);
    let problem = config_from(&settings).err().unwrap().remove(0);
    assert!(problem.problem.contains("32 bytes") && !problem.problem.contains(secret));
}

fn keyring(text: &str) -> Keyring {
    Keyring::parse(text).unwrap_or_else(|why| panic!("{why}"))
}

const OLD: &str = r#"{"current":"old","keys":{"old":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#;
const ROTATED: &str = r#"{"current":"new","keys":{"old":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","new":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#;
const RETIRED: &str = r#"{"current":"new","keys":{"old":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","new":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"retired":["old"]}"#;

#[test]
fn a_sealed_value_opens_only_where_it_was_sealed_for() {
    let entropy = SimEntropy::new(1);
    let keys = keyring(OLD);
    let wrapped = keys.new_tenant_key("tnt_a", &entropy).unwrap();
    assert!(keys.tenant_key("tnt_b", &wrapped).is_err(), "another tenant's wrapping");
    let key = keys.tenant_key("tnt_a", &wrapped).unwrap_or_else(|_| panic!("its own"));

    let place = ["credential", "tnt_a", "profile_secret", "prf_1", "sealed", "https://a.example"];
    let sealed = key.seal(&entropy, &place, b"app password").unwrap();
    assert_eq!(key.open(&place, &sealed).unwrap(), b"app password");
    for position in 0..place.len() {
        let mut swapped = place;
        swapped[position] = "another";
        assert!(key.open(&swapped, &sealed).is_err(), "swapped across {}", place[position]);
    }
    let joined = ["credentialtnt_a", "", "profile_secret", "prf_1", "sealed", "https://a.example"];
    assert!(key.open(&joined, &sealed).is_err(), "parts cannot be shifted");
    let other = keys.new_tenant_key("tnt_b", &entropy).unwrap();
    let other = keys.tenant_key("tnt_b", &other).unwrap_or_else(|_| panic!("its own"));
    assert!(other.open(&place, &sealed).is_err(), "another tenant's key");
    let again = key.seal(&entropy, &place, b"app password").unwrap();
    assert!(again.as_str() != sealed.as_str(), "a fresh nonce each time");
}

#[test]
fn a_changed_text_does_not_open() {
    let entropy = SimEntropy::new(1);
    let keys = keyring(OLD);
    let sealed = keys.seal(Purpose::Cursor, &entropy, &["list"], b"position").unwrap();
    let text = sealed.as_str();
    for index in 0..text.len() {
        let replacement = if &text[index..=index] == "A" { "B" } else { "A" };
        let changed = format!("{}{replacement}{}", &text[..index], &text[index + 1..]);
        // The last character of base64url may hold bits that mean nothing; the decoder refuses them.
        assert!(keys.open(Purpose::Cursor, &["list"], &Sealed::from_stored(changed)).is_err(), "at {index}");
    }
    for length in 0..text.len() {
        let cut = Sealed::from_stored(text[..length].to_owned());
        assert!(keys.open(Purpose::Cursor, &["list"], &cut).is_err());
    }
    assert!(keys.open(Purpose::DryRun, &["list"], &sealed).is_err(), "made for another purpose");
}

#[test]
fn a_rotated_key_opens_the_old_until_it_is_retired() {
    let entropy = SimEntropy::new(1);
    let wrapped = keyring(OLD).new_tenant_key("tnt_a", &entropy).unwrap();
    let rotated = keyring(ROTATED);
    assert!(rotated.tenant_key("tnt_a", &wrapped).is_ok());
    let again = rotated.rewrap_tenant_key("tnt_a", &entropy, &wrapped).unwrap();
    let again = again.unwrap_or_else(|| panic!("the old key wrapped it"));
    assert_eq!(Keyring::key_id(&again), Some("new"));
    assert!(rotated.rewrap_tenant_key("tnt_a", &entropy, &again).unwrap().is_none(), "nothing to do");

    let retired = keyring(RETIRED);
    assert!(retired.tenant_key("tnt_a", &wrapped).is_err());
    assert!(retired.tenant_key("tnt_a", &again).is_ok());
    assert!(
        Keyring::parse(&RETIRED.replace(r#"["old"]"#, r#"["new"]"#)).is_err(),
        "the current key is retired"
    );
}

#[test]
fn a_leaked_key_only_opens_what_is_to_be_wrapped_anew() {
    let entropy = SimEntropy::new(1);
    let wrapped = keyring(OLD).new_tenant_key("tnt_a", &entropy).unwrap();
    let cursor = keyring(OLD).seal(Purpose::Cursor, &entropy, &["list"], b"position").unwrap();
    let leaked = keyring(&RETIRED.replace("retired", "leaked"));
    for purpose in PURPOSES {
        let usable = leaked.by_id("old", purpose).is_some();
        assert_eq!(usable, purpose == Purpose::TenantKey, "{purpose:?}");
        assert!(leaked.by_id("new", purpose).is_some());
    }
    assert!(leaked.open(Purpose::Cursor, &["list"], &cursor).is_err());
    let again = leaked.rewrap_tenant_key("tnt_a", &entropy, &wrapped).unwrap().unwrap();
    assert!(keyring(RETIRED).tenant_key("tnt_a", &again).is_ok());
    let current = RETIRED.replace("retired", "leaked").replace(r#"["old"]"#, r#"["new"]"#);
    assert!(Keyring::parse(&current).is_err(), "what is made with a leaked key is worth nothing");
}

/// All that a key is for.
pub const PURPOSES: [Purpose; 12] = [
    Purpose::AccessToken,
    Purpose::Csrf,
    Purpose::Cursor,
    Purpose::DryRun,
    Purpose::MediaAddress,
    Purpose::TenantKey,
    Purpose::Operator,
    Purpose::SignInCode,
    Purpose::SignInAttempt,
    Purpose::PeerAddress,
    Purpose::PasskeyChallenge,
    Purpose::UpstreamState,
];

#[test]
fn no_two_purposes_share_a_key() {
    let keys = keyring(OLD);
    let mut tags: Vec<[u8; 32]> =
        PURPOSES.iter().map(|purpose| keys.current(*purpose).hmac(b"same")).collect();
    let tag = tags[0];
    assert!(keys.current(Purpose::AccessToken).verify(b"same", &tag));
    assert!(!keys.current(Purpose::AccessToken).verify(b"other", &tag));
    assert!(!keys.current(Purpose::AccessToken).verify(b"same", &[0; 32]));
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), PURPOSES.len());
}
