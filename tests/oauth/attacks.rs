//! What attackers try with grants: RFC 9700 section 4 as far as it is about codes and tokens, and what went wrong
//! elsewhere. Each attempt fails closed, with the right error, and costs the honest client nothing.

use data_encoding::BASE64URL_NOPAD;
use postern::{
    desk::sha256_text,
    edge,
    http::{Request, RequestMethod, Response},
    oauth,
};

use super::{
    CALLBACK, VERIFIER, World, answer, error, form_request, location, plus, redirected, request, told_error,
    with,
};
use crate::{
    settings::PURPOSES,
    sim::{run, world::Company},
};

fn serve(world: &World, request: Request) -> Response {
    run(edge::serve(&world.sim.platform(), request))
}

#[test]
fn a_leaked_key_alone_forges_no_refresh_token() {
    let world = World::new();
    let tokens = world.tokens();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let stem = refresh.rsplit_once('.').unwrap().0;
    for purpose in PURPOSES {
        let tag = BASE64URL_NOPAD.encode(&world.sim.config.keys.current(purpose).hmac(b"1"));
        assert_eq!(error(&world.refresh(&format!("{stem}.{tag}"))), (400, "invalid_grant"), "{purpose:?}");
    }
    assert_eq!(world.refresh(refresh).0, 200);
}

#[test]
fn a_leaked_database_alone_forges_neither_code_nor_token() {
    let world = World::new();
    let code = world.code();
    let tokens = world.tokens();
    let stored = |sql: &str| -> String { world.sim.shard().query(sql, [])[0].get("it").unwrap() };
    let hash = stored("SELECT code_hash AS it FROM auth_code WHERE used_at IS NULL");
    let tenant = world.company.tenant.id.as_str();
    assert_eq!(error(&world.token(&world.redemption(&format!("{tenant}.{hash}")))), (400, "invalid_grant"));

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let stem = refresh.rsplit_once('.').unwrap().0;
    let sealed = stored("SELECT secret AS it FROM refresh_family");
    let wrapped = stored("SELECT wrapped_key AS it FROM tenant");
    for guess in [sealed.as_str(), wrapped.as_str()] {
        let bytes: Vec<u8> = guess
            .split('.')
            .filter_map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).ok())
            .flatten()
            .collect();
        for key in bytes.windows(32).map(|key| <[u8; 32]>::try_from(key).unwrap()) {
            let tag = postern::platform::SecretKey::from_bytes(key).hmac(b"1");
            let forged = format!("{stem}.{}", BASE64URL_NOPAD.encode(&tag));
            assert_ne!(forged, refresh, "the secret stands there in clear");
        }
    }
    assert_eq!(world.token(&world.redemption(&code)).0, 200);
}

#[test]
fn sealed_values_open_in_no_other_row_and_no_other_tenant() {
    let world = World::new();
    let other = Company::found(&world.sim, "other");
    let tokens = world.tokens();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let [acme, family] = [0, 1].map(|part| refresh.split('.').nth(part).unwrap().to_owned());

    // The whole row, key and all, in another tenant: its address is sealed in.
    let shard = world.sim.shard();
    let grant: String = shard.query("SELECT grant_id FROM refresh_family", [])[0].get("grant_id").unwrap();
    shard.execute(
        "INSERT INTO app_entry SELECT ?2, app_id, ?3, client_id, client_name, created_at FROM app_entry WHERE tenant_id = ?1 AND client_id = ?4",
        [&acme, other.tenant.id.as_str(), other.owner.as_str(), &world.client_id],
    );
    shard.execute(
        "INSERT INTO oauth_grant (tenant_id, grant_id, app_id, user_id, client_id, capabilities, offline, created_at, expires_at)
         SELECT ?2, grant_id, app_id, ?3, client_id, 131071, 1, created_at, expires_at FROM oauth_grant WHERE tenant_id = ?1 AND grant_id = ?4",
        [&acme, other.tenant.id.as_str(), other.owner.as_str(), &grant],
    );
    shard.execute(
        "INSERT INTO refresh_family (tenant_id, family_id, grant_id, secret, resource, token_number, rotated_at, expires_at)
         SELECT ?2, family_id, grant_id, secret, resource, token_number, rotated_at, expires_at FROM refresh_family WHERE tenant_id = ?1",
        [&acme, other.tenant.id.as_str()],
    );
    let moved = refresh.replace(&acme, other.tenant.id.as_str());
    assert_eq!(error(&world.refresh(&moved)), (400, "invalid_grant"));
    let wrapped = |tenant: &str| -> String {
        shard.query("SELECT wrapped_key FROM tenant WHERE tenant_id = ?1", [tenant])[0]
            .get("wrapped_key")
            .unwrap()
    };
    let (acmes, others) = (wrapped(&acme), wrapped(other.tenant.id.as_str()));
    let set = "UPDATE tenant SET wrapped_key = ?2 WHERE tenant_id = ?1";
    shard.execute(set, [other.tenant.id.as_str(), &acmes]);
    assert_eq!(error(&world.refresh(&moved)), (400, "invalid_grant"), "nor under its own tenant's key");
    shard.execute(set, [other.tenant.id.as_str(), &others]);
    shard.execute(set, [acme.as_str(), &others]);
    assert_eq!(error(&world.refresh(refresh)), (400, "invalid_grant"), "nor under another's");
    shard.execute(set, [acme.as_str(), &acmes]);

    // Another column's sealed value in its place.
    let second = world.tokens()["refresh_token"].as_str().unwrap().to_owned();
    let secret_of = |token: &str| -> String {
        let family = token.split('.').nth(1).unwrap();
        shard.query(
            "SELECT secret FROM refresh_family WHERE tenant_id = ?1 AND family_id = ?2",
            [&acme, family],
        )[0]
        .get("secret")
        .unwrap()
    };
    let (first_secret, second_secret) = (secret_of(refresh), secret_of(&second));
    let put = "UPDATE refresh_family SET secret = ?3 WHERE tenant_id = ?1 AND family_id = ?2";
    for wrong in [&second_secret, &acmes, &first_secret[1..].to_owned(), &String::new()] {
        shard.execute(put, [&acme, &family, wrong]);
        assert_eq!(error(&world.refresh(refresh)), (400, "invalid_grant"));
    }
    shard.execute(put, [&acme, &family, &first_secret]);
    assert_eq!(world.refresh(refresh).0, 200, "all of that changed nothing");
}

#[test]
fn an_origin_s_sealed_secrets_are_worth_nothing_at_another() {
    let mut world = World::new();
    let refresh = world.tokens()["refresh_token"].as_str().unwrap().to_owned();
    let elsewhere = World::deployed();
    world.sim.config = elsewhere.sim.config;
    assert_eq!(error(&world.refresh(&refresh)), (400, "invalid_grant"));
}

#[test]
fn rfc9700_4_5_a_code_that_was_injected_or_stolen_is_of_no_use() {
    let world = World::new();
    let stolen = world.code();
    let attacker = world.register_client(&[CALLBACK]);
    let good = world.redemption(&stolen);
    for theft in [
        with(&good, "code_verifier", Some(&"m".repeat(43))),
        with(&good, "code_verifier", Some(&sha256_text(VERIFIER.as_bytes()))),
        with(&good, "client_id", Some(&attacker)),
        with(&with(&good, "client_id", Some(&attacker)), "code_verifier", Some(&"m".repeat(43))),
    ] {
        assert_eq!(error(&world.token(&theft)), (400, "invalid_grant"));
    }
    assert_eq!(world.token(&good).0, 200, "and the honest client has lost nothing");
}

#[test]
fn rfc9700_4_8_2_pkce_can_be_left_out_at_neither_end() {
    let world = World::new();
    for (name, value) in [
        ("code_challenge", None),
        ("code_challenge", Some("")),
        ("code_challenge", Some(VERIFIER)),
        ("code_challenge_method", None),
        ("code_challenge_method", Some("plain")),
        ("code_challenge_method", Some("s256")),
        ("code_challenge_method", Some("")),
    ] {
        let refused = world.authorize(&with(&world.wish(), name, value));
        assert_eq!(told_error(&refused), "invalid_request", "{name} {value:?}");
    }
    let neither = with(&with(&world.wish(), "code_challenge", None), "code_challenge_method", None);
    assert_eq!(told_error(&world.authorize(&neither)), "invalid_request");
    let code = world.code();
    for verifier in [None, Some(""), Some(&*sha256_text(VERIFIER.as_bytes()))] {
        let attempt = with(&world.redemption(&code), "code_verifier", verifier);
        let (status, body) = world.token(&attempt);
        assert_eq!(status, 400, "{body}");
    }
    assert_eq!(world.token(&world.redemption(&code)).0, 200);
}

#[test]
fn rfc9700_4_10_and_mcp_a_token_opens_its_own_resource_only() {
    let world = World::new();
    let other = Company::found(&world.sim, "other");
    let member = "INSERT INTO membership (tenant_id, user_id, role, name, email, created_at) VALUES (?1, ?2, 'owner', 'o', 'o@x', 1)";
    world.sim.shard().execute(member, [other.tenant.id.as_str(), world.company.owner.as_str()]);
    let tokens = world.tokens();
    let access = tokens["access_token"].as_str().unwrap();
    let mut request = request(RequestMethod::Post, "/other/mcp");
    request.headers.push(("authorization".into(), format!("Bearer {access}")));
    let refused = serve(&world, request);
    assert_eq!(refused.status, 401, "although the same person belongs there");
    assert!(refused.header("www-authenticate").unwrap().contains("/other/mcp"));
    for resource in
        ["http://localhost:8790/other/mcp", "http://localhost:8790", "https://evil.example/acme/mcp"]
    {
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let attempt = plus(&world.refreshing(refresh), "resource", resource);
        assert_eq!(error(&world.token(&attempt)), (400, "invalid_target"), "{resource}");
        let attempt = with(&world.redemption(&world.code()), "resource", Some(resource));
        assert_eq!(error(&world.token(&attempt)), (400, "invalid_target"), "{resource}");
    }
}

#[test]
fn rfc9700_4_4_and_4_12_the_answer_names_its_issuer_and_never_repeats_a_form() {
    let world = World::new();
    for decision in ["approve", "deny"] {
        let id = world.pending(&world.wish());
        let response = world.decide(&id, &world.filled_in(&id, decision));
        assert_eq!(response.status, 303, "307 would send the form on");
        assert_eq!(redirected(&response).get("iss"), Some("http://localhost:8790"));
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"), "section 4.2");
        assert_eq!(response.header("cache-control"), Some("no-store"), "section 4.3");
        assert!(!location(&response).contains('#'), "section 4.1.3");
    }
}

#[test]
fn rfc9700_2_4_no_other_grant_is_served() {
    let world = World::new();
    let good = world.redemption(&world.code());
    for grant_type in [
        "password",
        "client_credentials",
        "implicit",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:device_code",
        "authorization_code refresh_token",
        "AUTHORIZATION_CODE",
    ] {
        let answer = world.token(&with(&good, "grant_type", Some(grant_type)));
        assert_eq!(error(&answer), (400, "unsupported_grant_type"), "{grant_type}");
    }
    for response_type in ["token", "id_token", "code token", "code id_token", "none", "Code"] {
        let refused = world.authorize(&with(&world.wish(), "response_type", Some(response_type)));
        assert_eq!(told_error(&refused), "unsupported_response_type", "{response_type}");
    }
}

#[test]
fn a_refused_redemption_changes_nothing_at_all() {
    let world = World::new();
    let code = world.code();
    let good = world.redemption(&code);
    let other = world.register_client(&[CALLBACK]);
    let dump = || {
        ["auth_code", "oauth_grant", "refresh_family"]
            .map(|table| format!("{:?}", world.sim.shard().query(&format!("SELECT * FROM {table}"), [])))
    };
    let before = dump();
    for wrong in [
        with(&good, "code_verifier", Some(&"m".repeat(43))),
        with(&good, "client_id", Some(&other)),
        with(&good, "redirect_uri", Some("https://client.example/other")),
        with(&good, "resource", Some("https://evil.example/acme/mcp")),
        plus(&good, "code", &code),
    ] {
        assert_ne!(world.token(&wrong).0, 200);
        assert_eq!(dump(), before);
    }
}

#[test]
fn a_refused_refresh_changes_nothing_at_all() {
    let world = World::new();
    let one = world.tokens()["refresh_token"].as_str().unwrap().to_owned();
    let good = world.refreshing(&one);
    let other = world.register_client(&[CALLBACK]);
    let dump = || {
        ["oauth_grant", "refresh_family"]
            .map(|table| format!("{:?}", world.sim.shard().query(&format!("SELECT * FROM {table}"), [])))
    };
    let before = dump();
    for wrong in [
        with(&good, "client_id", Some(&other)),
        plus(&good, "scope", "posts:publish"),
        plus(&good, "resource", "https://evil.example/acme/mcp"),
        plus(&good, "client_secret", "x"),
        plus(&good, "refresh_token", &one),
    ] {
        assert_ne!(world.token(&wrong).0, 200);
        assert_eq!(dump(), before);
    }
}

#[test]
fn errors_say_nothing_that_an_attacker_sent_or_seeks() {
    let world = World::new();
    let tokens = world.tokens();
    let canary = "canary-0123456789-abcdefghij-0123456789-abcdefghij";
    let mut answers = Vec::new();
    for field in ["code", "code_verifier", "redirect_uri", "client_id", "resource", "grant_type"] {
        let form = with(&world.redemption(&world.code()), field, Some(canary));
        answers.push(run(oauth::token(&world.sim.platform(), &form_request("/token", &form))));
    }
    for field in ["refresh_token", "scope", "client_id", "resource"] {
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let form = with(&world.refreshing(refresh), field, Some(canary));
        answers.push(run(oauth::token(&world.sim.platform(), &form_request("/token", &form))));
    }
    for response in &answers {
        let (status, body) = answer(response);
        assert!(matches!(status, 400 | 401), "{body}");
        assert!(!body.to_string().contains("canary"), "{body}");
        assert!(response.headers.iter().all(|(_, value)| !value.contains("canary")));
    }
    let events = format!("{:?}", world.sim.events.all());
    assert!(!events.contains("canary"), "{events}");
}

#[test]
fn a_grant_s_token_cannot_be_pointed_at_another_grant() {
    let world = World::new();
    let (mine, theirs) = (world.tokens(), world.tokens());
    let [mine, theirs] = [mine, theirs].map(|tokens| tokens["refresh_token"].as_str().unwrap().to_owned());
    let part = |token: &str, index: usize| token.split('.').nth(index).unwrap().to_owned();
    let crossed = [
        format!("{}.{}.1.{}", part(&mine, 0), part(&theirs, 1), part(&mine, 3)),
        format!("{}.{}.1.{}", part(&theirs, 0), part(&mine, 1), part(&theirs, 3)),
    ];
    for forged in crossed {
        assert_eq!(error(&world.refresh(&forged)), (400, "invalid_grant"));
    }
    assert_eq!(world.refresh(&mine).0, 200);
    assert_eq!(world.refresh(&theirs).0, 200);
}
