//! The path of tokens: a header and claims, a line each, that are signed well; or one line, that is the token itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postern::http::{KeySet, SignedToken};
use postern_fuzz::{
    World, with_world,
    world::{RESOURCE, bare_request},
};
use serde_json::Value;

fuzz_target!(|input: &str| {
    with_world(|world| {
        let input = world.fill_in(input);
        match input.split_once('\n') {
            Some((header, claims)) => signed(world, header, claims),
            None => unsigned(world, &input),
        }
    });
});

/// A signature makes no token good that says something else than ours do.
fn signed(world: &World, header: &str, claims: &str) {
    // A shard that is not bound is the operator's fault, and no token's.
    let said = serde_json::from_str::<Value>(claims).unwrap_or_default();
    if said["shard"].as_i64().is_some_and(|shard| shard != world.claims()["shard"]) {
        return;
    }
    let token = world.sign(header, claims);
    if status(world, &token) == 401 {
        return;
    }
    let [header, claims]: [Value; 2] = [header, claims].map(|text| serde_json::from_str(text).expect("JSON"));
    let ours = world.claims();
    assert_eq!(
        (&header["typ"], &header["alg"], &header["kid"]),
        (&"at+jwt".into(), &"HS256".into(), &"t1".into())
    );
    for name in ["iss", "sub", "client_id", "tenant_id", "grant_id", "shard", "generation"] {
        assert_eq!(claims[name], ours[name], "{name}");
    }
    assert_eq!(claims["aud"], RESOURCE);
    let time = |claims: &Value, name: &str| claims[name].as_f64().expect("a time");
    let now = time(&ours, "iat");
    assert!(now < time(&claims, "exp") && time(&claims, "iat") <= now + 61.0, "{claims}");
}

/// Nothing is a token that we did not sign.
fn unsigned(world: &World, token: &str) {
    assert_eq!(status(world, token), 401);
    if let Some(token) = SignedToken::parse(token) {
        token.claims::<Value>();
    }
    if let Ok(keys) = serde_json::from_str::<KeySet>(token) {
        keys.is_usable();
    }
}

fn status(world: &World, token: &str) -> u16 {
    let mut request = bare_request(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.to_vec());
    request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    request.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    world.serve(request).status
}
