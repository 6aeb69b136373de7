//! Everything secret or signed that Postern gives out, presented everywhere that something of the kind is taken: each is
//! good where it belongs, and nowhere else.

use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use postern::{
    desk::{Scopes, open_cursor, seal_cursor, token_hash},
    edge,
    http::{Origin, Request, RequestMethod, Response, paths},
    identity,
    mcp::{self, Outcome},
    platform::{Clock, Purpose},
};
use rusqlite::params;
use serde_json::{Value, json};

use super::{
    World, assertions, attribute, bearer::rotate, error, form_request, plus, request, standing, text, with,
};
use crate::{
    identity::{passkeys, upstream},
    sim::{browser, run},
    tenants::{columns, tables},
};

/// The browser that asked for the mailed link, and the code that it shows.
const BROWSER: &str = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA";
const MAILED: &str = "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM";
const CODE: &str = "471142";

/// One of each, fresh and good where it belongs.
fn artefacts(world: &World) -> Vec<(&'static str, String)> {
    let tokens = world.tokens();
    let pending = world.pending(&world.wish());
    let csrf = attribute(&text(&world.consent_page(&world.browser, &pending)), "name=\"csrf\" value=\"");
    let media = world.company.add_media(&world.sim, &world.company.workspace);
    let media = postern::desk::media_address(&world.sim.config, &world.company.tenant.id, &media);
    let link = run(identity::make_link(&world.sim.platform(), &world.company.owner)).unwrap().url;
    let connect = tool(world, "connect_social_profile", json!({ "network": "bluesky" }));
    let post = tool(world, "create_post", json!({ "text": "Hello" }));
    let dry_run = tool(world, "change_posts", bulk(world));
    let of = |value: &Value| value.as_str().unwrap().to_owned();
    let end = |address: &str| address.rsplit('/').next().unwrap().to_owned();
    let cursor = seal_cursor(&world.company.caller(&world.sim), "list_posts", &1);
    mail_link(world);
    vec![
        ("access token", of(&tokens["access_token"])),
        ("refresh token", of(&tokens["refresh_token"])),
        ("code", world.code()),
        ("session", world.browser.cookie.split_once('=').unwrap().1.to_owned()),
        ("form token", csrf),
        ("pending request", pending),
        ("sign-in link", end(&link)),
        ("code of a link", CODE.to_owned()),
        ("browser's secret", BROWSER.to_owned()),
        ("passkey challenge", passkeys::challenge(&world.sim, &asking_browser())),
        ("upstream state", upstream::set_out(&world.sim, &world.company, &asking_browser())),
        ("invitation", end(&invite(world))),
        ("connect address", end(&of(&connect["connect_url"]))),
        ("header token", personal_token(world, "header")),
        ("address token", end(&personal_token(world, "address"))),
        ("cursor", cursor.unwrap_or_else(|_| panic!("sealed"))),
        ("media tag", end(&media)),
        ("dry-run token", of(&dry_run["token"])),
        ("change", of(&post["change_id"])),
        ("client assertion", assertions::assertion(world, "one")),
        ("operator token", operator_token(world)),
    ]
}

/// Where something is taken.
struct Place {
    name: &'static str,
    takes: &'static [&'static str],
    /// Whether it takes this; if not, its refusal must be the right one.
    verify: fn(&World, &str) -> bool,
}

const PLACES: [Place; 21] = [
    Place {
        name: "the Authorization header of the endpoint",
        takes: &["access token", "header token"],
        verify: |world, it| {
            let mut ping = ping("/acme/mcp");
            ping.headers.push(("authorization".into(), format!("Bearer {it}")));
            taken(&serve(world, ping), 200, 401)
        },
    },
    Place {
        name: "the address of the endpoint",
        takes: &["address token"],
        verify: |world, it| taken(&serve(world, ping(&format!("/acme/mcp/{it}"))), 200, 401),
    },
    Place { name: "refreshing", takes: &["refresh token"], verify: |world, it| granted(&world.refresh(it)) },
    Place {
        name: "redeeming",
        takes: &["code"],
        verify: |world, it| granted(&world.token(&world.redemption(it))),
    },
    Place {
        name: "revoking",
        takes: &["access token", "refresh token"],
        verify: |world, it| {
            let shard = world.sim.shard();
            let put_back =
                "UPDATE oauth_grant SET revoked_at = NULL, generation = 1 WHERE revoked_at IS NOT NULL";
            shard.execute(put_back, []);
            let form = [("token", it), ("client_id", &world.client_id)];
            let form = form.map(|(key, value)| (key.to_owned(), value.to_owned()));
            assert_eq!(world.revoke(&form).0, 200, "nobody learns which are good");
            world.count("SELECT count(*) FROM oauth_grant WHERE revoked_at IS NOT NULL") > 0
        },
    },
    Place {
        name: "proving a client",
        takes: &["client assertion"],
        verify: |_, it| {
            let (signing, _shelf) = assertions::signing();
            let answer = signing.token(&assertions::proven(&signing.redemption(&signing.code()), it));
            if answer.0 != 200 {
                assert_eq!(error(&answer), (401, "invalid_client"));
            }
            answer.0 == 200
        },
    },
    Place {
        name: "the session's cookie",
        takes: &["session"],
        verify: |world, it| {
            let home =
                with_header(request(RequestMethod::Get, "/"), "cookie", &format!("postern_session={it}"));
            taken(&serve(world, home), 200, 303)
        },
    },
    Place {
        name: "a form's token",
        takes: &["form token"],
        verify: |world, it| {
            let id = world.pending(&world.wish());
            let form = with(&world.filled_in(&id, "approve"), "csrf", Some(it));
            taken(&world.decide(&id, &form), 303, 403)
        },
    },
    Place {
        name: "the consent page",
        takes: &["pending request"],
        verify: |world, it| taken(&world.consent_page(&world.browser, it), 200, 410),
    },
    Place {
        name: "the page of a sign-in link",
        takes: &["sign-in link"],
        verify: |world, it| {
            let response = serve(world, own_form(&format!("/sign-in/link/{it}"), &[]));
            assert!(matches!(response.status, 303 | 404), "{}", response.status);
            hands_out_a_session(&response)
        },
    },
    Place {
        name: "the code of a mailed link",
        takes: &["code of a link"],
        verify: |world, it| {
            fresh_mailed_link(world);
            let response = serve(world, own_form(&format!("/sign-in/link/{MAILED}"), &[("code", it)]));
            assert!(matches!(response.status, 303 | 422), "{}", response.status);
            hands_out_a_session(&response)
        },
    },
    Place {
        name: "the cookie of the browser that asked",
        takes: &["browser's secret"],
        verify: |world, it| {
            fresh_mailed_link(world);
            let look = request(RequestMethod::Get, &format!("/sign-in/link/{MAILED}"));
            let page = serve(world, with_header(look, "cookie", &format!("postern_browser={it}")));
            assert_eq!(page.status, 200);
            text(&page).contains("owner@acme.example")
        },
    },
    Place {
        name: "a passkey's challenge",
        takes: &["passkey challenge"],
        verify: |world, it| {
            world.sim.directory.execute("DELETE FROM passkey", []);
            let owner = browser::Browser::default();
            owner.set_cookie("postern_session", world.browser.cookie.split_once('=').unwrap().1);
            passkeys::enrol_and_sign_in(&world.sim, &owner, &asking_browser(), it)
        },
    },
    Place {
        name: "the provider's callback",
        takes: &["upstream state"],
        verify: |world, it| {
            let back = upstream::come_back(&world.sim, &world.company, &asking_browser(), it);
            assert_eq!(hands_out_a_session(&back), back.status == 303);
            taken(&back, 303, 400)
        },
    },
    Place {
        name: "the page of an invitation",
        takes: &["invitation"],
        verify: |world, it| {
            let page = serve(world, request(RequestMethod::Get, &format!("/acme/invitation/{it}")));
            taken(&page, 200, 404)
        },
    },
    Place {
        name: "the page that connects an account",
        takes: &["connect address"],
        verify: |world, it| {
            let look = request(RequestMethod::Get, &format!("/acme/connect/{it}"));
            taken(&serve(world, with_header(look, "cookie", &world.browser.cookie)), 200, 404)
        },
    },
    Place {
        name: "the rest of a list",
        takes: &["cursor"],
        verify: |world, it| {
            open_cursor::<i64>(&world.company.caller(&world.sim), "list_posts", it)
                .map_err(|problem| assert_eq!(problem.code.as_str(), "cursor_invalid"))
                .is_ok()
        },
    },
    Place {
        name: "the address of a file",
        takes: &["media tag"],
        verify: |world, it| {
            let media: String =
                world.sim.shard().query("SELECT media_id FROM media", [])[0].get("media_id").unwrap();
            postern::desk::check_media_address(
                &world.sim.config,
                world.company.tenant.id.as_str(),
                &media,
                it,
            )
            .is_some()
        },
    },
    Place {
        name: "applying a bulk change",
        takes: &["dry-run token"],
        verify: |world, it| {
            let mut arguments = bulk(world);
            arguments["token"] = json!(it);
            done_or(&tool(world, "change_posts", arguments), "dry_run_stale")
        },
    },
    Place {
        name: "taking a change back",
        takes: &["change"],
        verify: |world, it| {
            done_or(&tool(world, "undo_change", json!({ "change_id": it })), "change_not_found")
        },
    },
    Place {
        name: "the operator's door",
        takes: &["operator token"],
        verify: |world, it| {
            let mut knock = request(RequestMethod::Post, "/operator");
            knock.body = br#"{"command":"status"}"#.to_vec();
            taken(&serve(world, with_header(knock, "authorization", &format!("Bearer {it}"))), 200, 401)
        },
    },
];

fn serve(world: &World, request: Request) -> Response {
    run(edge::serve(&world.sim.platform(), request))
}

/// Whether the answer says yes; if not, it must be this refusal.
fn taken(response: &Response, yes: u16, no: u16) -> bool {
    assert!([yes, no].contains(&response.status), "{}: {}", response.status, text(response));
    response.status == yes
}

fn granted(answer: &(u16, Value)) -> bool {
    if answer.0 != 200 {
        assert_eq!(error(answer), (400, "invalid_grant"));
    }
    answer.0 == 200
}

/// Whether a tool has done it; if not, it must be for this reason.
fn done_or(result: &Value, code: &str) -> bool {
    let refused = result["error"]["problems"][0]["code"].as_str();
    assert!(refused.is_none_or(|refused| refused == code), "{result}");
    refused.is_none()
}

fn with_header(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.retain(|(other, _)| other != name);
    request.headers.push((name.to_owned(), value.to_owned()));
    request
}

/// A form as a page of this origin sends it, from a browser without cookies.
fn own_form(path: &str, fields: &[(&str, &str)]) -> Request {
    let fields: Vec<(String, String)> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    with_header(form_request(path, &fields), "sec-fetch-site", "same-origin")
}

/// The same from the owner's browser, with its token.
fn owners_form(world: &World, path: &str, fields: &[(&str, &str)]) -> Response {
    let home = with_header(request(RequestMethod::Get, "/"), "cookie", &world.browser.cookie);
    let session = run(identity::session(&world.sim.platform(), &home)).unwrap().unwrap();
    let csrf = session.csrf(&world.sim.config);
    let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
    serve(world, with_header(own_form(path, &fields), "cookie", &world.browser.cookie))
}

fn hands_out_a_session(response: &Response) -> bool {
    response.headers.iter().any(|(name, value)| *name == "set-cookie" && value.contains("postern_session="))
}

/// A message of a client that speaks the usual revision.
fn message(path: &str, body: &Value) -> Request {
    let mut request = request(RequestMethod::Post, path);
    for (name, value) in [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2025-11-25"),
    ] {
        request.headers.push((name.into(), value.into()));
    }
    request.body = body.to_string().into_bytes();
    request
}

fn ping(path: &str) -> Request {
    message(path, &json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }))
}

/// What a tool gives to the company's own assistant.
fn tool(world: &World, name: &str, arguments: Value) -> Value {
    let caller = world.company.caller(&world.sim);
    let request = message("/acme/mcp", &standing::call(name, arguments));
    let answer = run(mcp::serve(&world.sim.platform(), &caller, Scopes::EVERY, &request));
    let Outcome::Response(response) = answer.outcome else { panic!("{name} was denied") };
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    body["result"]["structuredContent"].clone()
}

/// The arguments of a bulk change of the only post.
fn bulk(world: &World) -> Value {
    let post: String =
        world.sim.shard().query("SELECT post_id FROM post_group", [])[0].get("post_id").unwrap();
    json!({ "post_ids": [post], "labels": ["autumn"] })
}

/// The address with which the owner lets somebody in.
fn invite(world: &World) -> String {
    let fields = [("act", "invite"), ("email", "new@acme.example"), ("role", "viewer")];
    let page = text(&owners_form(world, "/acme/members", &fields));
    page.split("<pre><code>").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// A personal token of this kind, or the address that it is part of, as its page shows it.
fn personal_token(world: &World, kind: &str) -> String {
    let on = owners_form(world, "/acme/tokens/setting", &[("setting", "header_and_address")]);
    assert_eq!(on.status, 303);
    let page = with_header(request(RequestMethod::Get, "/acme/tokens"), "cookie", &world.browser.cookie);
    let id = attribute(&text(&serve(world, page)), "name=\"id\" value=\"");
    let workspace = world.company.workspace.to_string();
    let fields = [
        ("id", id.as_str()),
        ("kind", kind),
        ("label", "A script"),
        ("days", "30"),
        ("workspace", &workspace),
        ("capability", "posts:read"),
    ];
    let page = owners_form(world, "/acme/tokens", &fields);
    assert_eq!(page.status, 201, "{}", text(&page));
    let prefix = if kind == "header" { "pst_" } else { "psu_" };
    let token = text(&page);
    let begin = token.find(prefix).unwrap();
    token[begin..begin + 63].to_owned()
}

/// The browser that asked for the mailed link.
fn asking_browser() -> browser::Browser {
    let browser = browser::Browser::default();
    browser.set_cookie("postern_browser", BROWSER);
    browser
}

/// A link as it was mailed to the owner, who asked for it in that browser.
fn mail_link(world: &World) {
    let link = token_hash(MAILED);
    let now = world.sim.clock.now();
    let tag = world.sim.config.keys.current(Purpose::SignInCode).hmac(format!("{link}.{CODE}").as_bytes());
    let tag = format!("{}.{}", world.sim.config.keys.current_id(), BASE64URL_NOPAD.encode(&tag));
    world.sim.directory.execute(
        "INSERT INTO sign_in_link (link_hash, user_id, method, browser_hash, code_tag, created_at, expires_at)
         VALUES (?1, ?2, 'email', ?3, ?4, ?5, ?6)",
        params![
            link,
            world.company.owner.as_str(),
            token_hash(BROWSER),
            tag,
            now.as_millis(),
            now.plus_seconds(900).as_millis()
        ],
    );
}

/// The same link as if nobody had tried it.
fn fresh_mailed_link(world: &World) {
    let put_back = "UPDATE sign_in_link SET used_at = NULL, tries = 0 WHERE link_hash = ?1";
    world.sim.directory.execute(put_back, [token_hash(MAILED)]);
}

fn operator_token(world: &World) -> String {
    let now = world.sim.clock.now().as_seconds();
    let part = |part: Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let head = part(json!({ "alg": "HS256", "typ": "JWT", "kid": "t1" }));
    let claims = part(
        json!({ "aud": "http://localhost:8790", "iat": now, "exp": now + 60, "jti": "0123456789abcdef" }),
    );
    let tag = world.sim.config.keys.current(Purpose::Operator).hmac(format!("{head}.{claims}").as_bytes());
    format!("{head}.{claims}.{}", BASE64URL_NOPAD.encode(&tag))
}

#[test]
fn every_artefact_is_good_where_it_belongs_and_nowhere_else() {
    for place in PLACES {
        let world = World::new();
        for (name, artefact) in artefacts(&world) {
            let good = place.takes.contains(&name);
            assert_eq!((place.verify)(&world, &artefact), good, "the {name} at {}", place.name);
        }
    }
}

/// What a root key signs, which ends with the key. All else is looked up, or is sealed under its tenant's own key.
const SIGNED: [&str; 9] = [
    "access token",
    "form token",
    "code of a link",
    "passkey challenge",
    "cursor",
    "media tag",
    "dry-run token",
    "operator token",
    "upstream state",
];

#[test]
fn what_a_retired_or_leaked_key_signed_is_worth_nothing_and_all_else_goes_on() {
    for gone in [r#","retired":["t1"]"#, r#","leaked":["t1"]"#] {
        let mut world = World::new();
        let artefacts = artefacts(&world);
        rotate(&mut world, "");
        run(postern::tenants::rotate_keys(&world.sim.platform())).unwrap_or_else(|_| panic!("rotated"));
        rotate(&mut world, gone);
        for (name, artefact) in artefacts {
            let place = PLACES.iter().find(|place| place.takes.contains(&name)).unwrap();
            let good = (place.verify)(&world, &artefact);
            assert_eq!(good, !SIGNED.contains(&name), "the {name} after {gone}");
        }
    }
}

#[test]
fn a_forger_with_a_retired_key_gets_nowhere_under_any_name() {
    let mut world = World::new();
    let good = artefacts(&world);
    let signed: Vec<(&str, String)> = good.into_iter().filter(|(name, _)| SIGNED.contains(name)).collect();
    rotate(&mut world, r#","retired":["t1"]"#);
    for (name, artefact) in signed {
        let place = PLACES.iter().find(|place| place.takes.contains(&name)).unwrap();
        for kid in ["t2", "t3", "", "T1", "t1 ", "../t1", "t1\u{0}"] {
            let renamed = renamed(&artefact, kid);
            assert!(!(place.verify)(&world, &renamed), "the {name} as if {kid:?} had signed it");
        }
    }
}

/// The artefact as if another key had signed it.
fn renamed(artefact: &str, kid: &str) -> String {
    let (first, rest) = artefact.split_once('.').unwrap_or((artefact, ""));
    let decoded =
        BASE64URL_NOPAD.decode(first.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded {
        Some(header) if header.starts_with('{') => {
            let mut header: Value = serde_json::from_str(&header).unwrap();
            header["kid"] = json!(kid);
            format!("{}.{rest}", BASE64URL_NOPAD.encode(header.to_string().as_bytes()))
        }
        Some(challenge) => {
            BASE64URL_NOPAD.encode(challenge.replacen("t1.", &format!("{kid}."), 1).as_bytes())
        }
        None => format!("{kid}.{rest}"),
    }
}

/// Whatever the code has that makes, keeps or carries a secret, and which artefact it is for. None: it opens nothing.
const SOURCES: &[(&str, Option<&str>)] = &[
    ("key access-token", Some("access token")),
    ("key csrf", Some("form token")),
    ("key cursor", Some("cursor")),
    ("key dry-run", Some("dry-run token")),
    ("key media-address", Some("media tag")),
    ("key operator", Some("operator token")),
    ("key passkey-challenge", Some("passkey challenge")),
    ("key peer-address", None),
    ("key sign-in-attempt", None),
    ("key sign-in-code", Some("code of a link")),
    ("key tenant-key", Some("refresh token")),
    ("key upstream-state", Some("upstream state")),
    ("cookie browser", Some("browser's secret")),
    ("cookie next", None),
    ("cookie session", Some("session")),
    ("column auth_code.code_hash", Some("code")),
    ("column client_assertion.assertion_hash", Some("client assertion")),
    ("column idempotency.body_hash", None),
    ("column invitation.link_hash", Some("invitation")),
    ("column pending_authorization.session_hash", Some("session")),
    ("column personal_token.token_hash", Some("header token")),
    ("column post_group.content_hash", None),
    ("column session.session_hash", Some("session")),
    ("column sign_in_link.browser_hash", Some("browser's secret")),
    ("column sign_in_link.code_tag", Some("code of a link")),
    ("column sign_in_link.link_hash", Some("sign-in link")),
    ("column used_challenge.challenge_hash", Some("passkey challenge")),
    ("path /consent/{}", Some("pending request")),
    ("path /sign-in/link/{}", Some("sign-in link")),
    ("path /{}/connect/{}", Some("connect address")),
    ("path /{}/invitation/{}", Some("invitation")),
    ("path /{}/mcp/{}", Some("address token")),
    ("path /{}/posts/{}", None),
    ("path /{}/posts/{}/cancel", None),
    ("path /{}/posts/{}/confirm", None),
    ("path /{}/settings/{}", None),
    ("path /{}/sign-in/{}", None),
    ("path /{}/sign-in/{}/callback", Some("upstream state")),
    ("path /{}/tokens/{}/revoke", None),
    ("path /media/{}/{}/{}", Some("media tag")),
];

/// What of that the code has now.
fn sources() -> BTreeSet<String> {
    let source = |path: &str| {
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    };
    let between = |text: &str, before: &str, after: &str, kind: &str| -> Vec<String> {
        let found = text.split(before).skip(1).filter_map(|rest| rest.split_once(after));
        found.map(|(name, _)| format!("{kind} {name}")).collect()
    };
    let keys = between(&source("src/platform/keys.rs"), "\"postern/", "/v1\"", "key");
    let cookies = between(&source("src/http/cookies.rs"), "\"postern_", "\"", "cookie");
    let world = World::new();
    let columns = [&world.sim.directory, world.sim.shard()].into_iter().flat_map(|database| {
        tables(database).into_iter().flat_map(move |table| {
            let columns = columns(database, &table).into_iter().map(|(name, _)| name);
            let kept = columns.filter(|name| name.ends_with("_hash") || name.ends_with("_tag"));
            kept.map(|name| format!("column {table}.{name}")).collect::<Vec<_>>()
        })
    });
    let paths = paths().filter(|(origin, pattern, _)| match origin {
        Origin::App => pattern.trim_start_matches("/{}").contains("{}"),
        Origin::Content => pattern.starts_with("/media/"),
    });
    let paths = paths.map(|(_, pattern, _)| format!("path {pattern}"));
    // Discovery of a tenant's resource names the tenant alone.
    let paths = paths.filter(|path| !path.contains(".well-known"));
    keys.into_iter().chain(cookies).chain(columns).chain(paths).collect()
}

#[test]
fn nothing_that_the_code_makes_is_missing_here() {
    let listed: BTreeSet<String> = SOURCES.iter().map(|(source, _)| (*source).to_owned()).collect();
    assert_eq!(sources(), listed, "what is new needs a line in SOURCES, an artefact and a place");
    let world = World::new();
    let made: BTreeSet<&str> = artefacts(&world).into_iter().map(|(name, _)| name).collect();
    for (source, artefact) in SOURCES {
        assert!(artefact.is_none_or(|artefact| made.contains(artefact)), "{source} has no artefact");
    }
    let taken: BTreeSet<&str> = PLACES.iter().flat_map(|place| place.takes).copied().collect();
    assert_eq!(made, taken, "each artefact has a place, and each place an artefact");
}

#[test]
fn rfc9700_4_9_1_an_artefact_of_one_tenant_is_nothing_in_another() {
    let world = World::new();
    let other = crate::sim::world::Company::found(&world.sim, "other");
    let member = "INSERT INTO membership (tenant_id, user_id, role, name, email, created_at) VALUES (?1, ?2, 'owner', 'o', 'o@x', 1)";
    world.sim.shard().execute(member, [other.tenant.id.as_str(), world.company.owner.as_str()]);
    let artefacts: Vec<(&str, String)> = artefacts(&world);
    let artefact = |name: &str| &artefacts.iter().find(|(other, _)| *other == name).unwrap().1;
    for name in ["access token", "header token"] {
        let mut ping = ping("/other/mcp");
        ping.headers.push(("authorization".into(), format!("Bearer {}", artefact(name))));
        assert_eq!(serve(&world, ping).status, 401, "{name}");
    }
    let by_address = ping(&format!("/other/mcp/{}", artefact("address token")));
    assert_eq!(serve(&world, by_address).status, 401);
    for path in [
        format!("/other/invitation/{}", artefact("invitation")),
        format!("/other/connect/{}", artefact("connect address")),
    ] {
        let look = with_header(request(RequestMethod::Get, &path), "cookie", &world.browser.cookie);
        assert_eq!(serve(&world, look).status, 404, "{path}");
    }
    let foreign = other.caller(&world.sim);
    assert!(open_cursor::<i64>(&foreign, "list_posts", artefact("cursor")).is_err());
    let media: String = world.sim.shard().query("SELECT media_id FROM media", [])[0].get("media_id").unwrap();
    let tag = artefact("media tag");
    assert!(
        postern::desk::check_media_address(&world.sim.config, other.tenant.id.as_str(), &media, tag)
            .is_none()
    );
    let tenant = world.company.tenant.id.as_str();
    for name in ["refresh token", "code"] {
        let moved = artefact(name).replace(tenant, other.tenant.id.as_str());
        let form = if name == "code" { world.redemption(&moved) } else { world.refreshing(&moved) };
        assert_eq!(error(&world.token(&plus(&form, "state", "x"))), (400, "invalid_grant"), "{name}");
    }
}
