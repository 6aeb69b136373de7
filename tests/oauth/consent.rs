//! The consent page and the decision: RFC 6749 section 4.1.2, RFC 9207, and what a person is promised.

use postern::{
    desk::{Role, Scope, Selection, Toolset},
    http::Response,
    oauth,
    platform::Later,
};

use super::{Browser, World, attribute, location, plus, redirected, sign_in, text, with};
use crate::sim::{Fault, Random, interleave, run, run_until_crash, world::Company};

fn codes(world: &World) -> i64 {
    world.count("SELECT count(*) FROM auth_code")
}

#[test]
fn the_page_says_who_asks_for_what_and_where_the_answer_goes() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let response = world.consent_page(&world.browser, &id);
    assert_eq!(response.status, 200);
    let page = text(&response);
    for said in ["An assistant", "unverified name", "client.example", "owner@acme.example", "acme", "Main"] {
        assert!(page.contains(said), "{said}");
    }
    let ticked = |name: &str| page.contains(&format!("value=\"{name}\" checked"));
    assert!(ticked("posts:write") && ticked("workspace:read") && ticked("posts:read"));
    assert!(page.contains("value=\"posts:publish\"") && !ticked("posts:publish"), "offered, not ticked");
    assert!(!page.contains("known only as a program on your computer"));
    let policy = response.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("form-action"), "{policy}");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
}

#[test]
fn a_client_that_is_only_a_local_program_is_warned_about() {
    let mut world = World::new();
    world.client_id = world.register_client(&["http://127.0.0.1/cb", "http://localhost/cb"]);
    let id = world.pending(&with(&world.wish(), "redirect_uri", Some("http://127.0.0.1:5000/cb")));
    let page = text(&world.consent_page(&world.browser, &id));
    assert!(page.contains("known only as a program on your computer"));
    assert!(page.contains("this computer (127.0.0.1)"));
}

/// The consent page of a client that a document describes.
fn page_of_described(redirects: &[&str], redirect: &str) -> String {
    page_of_document(super::documents::public_client(), redirects, redirect)
}

fn page_of_document(mut document: serde_json::Value, redirects: &[&str], redirect: &str) -> String {
    let mut world = World::new();
    let shelf = super::documents::Shelf::of(&world);
    document["redirect_uris"] = serde_json::json!(redirects);
    document["logo_uri"] = "https://client.example/logo.png".into();
    shelf.put_json(super::documents::CLIENT, &document);
    world.client_id = super::documents::CLIENT.to_owned();
    let id = world.pending(&with(&world.wish(), "redirect_uri", Some(redirect)));
    text(&world.consent_page(&world.browser, &id))
}

fn heading(page: &str) -> &str {
    page.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap()
}

#[test]
fn the_page_leads_with_a_proven_host_and_says_of_any_other_name_that_nobody_checked_it() {
    let web = page_of_described(&[super::CALLBACK], super::CALLBACK);
    assert_eq!(heading(&web), "client.example asks to work for acme");
    assert!(web.contains("proven address") && !web.contains("unverified"));
    assert!(web.contains("A hosted assistant"));

    let local = page_of_described(&["http://127.0.0.1/cb"], "http://127.0.0.1:4321/cb");
    assert_eq!(heading(&local), "An app with an unverified name asks to work for acme");
    assert!(local.contains("unverified name") && !local.contains("proven address"));
    assert!(local.contains("the app that client.example describes. Any program on your device can say so."));
    assert!(local.contains("known only as a program on your computer"));

    let world = World::new();
    let id = world.pending(&world.wish());
    let registered = text(&world.consent_page(&world.browser, &id));
    assert_eq!(heading(&registered), "An app with an unverified name asks to work for acme");
    assert!(!registered.contains("proven address"), "wherever its answer goes");
}

#[test]
fn a_local_program_that_signs_is_known_by_the_host_of_its_keys() {
    let page = page_of_document(
        super::assertions::signing_client(false),
        &["http://127.0.0.1/cb"],
        "http://127.0.0.1:4321/cb",
    );
    assert_eq!(heading(&page), "client.example asks to work for acme");
    assert!(!page.contains("unverified name") && !page.contains("known only as a program"));
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = page_of_described(&[super::CALLBACK], super::CALLBACK);
    for loading in ["<img", "<script", "<link", "<iframe", "url(", "@import", " src=", "logo"] {
        assert!(!page.contains(loading), "{loading}");
    }
}

#[test]
fn a_name_that_tricks_the_eye_is_shown_without_its_tricks() {
    for (given, shown) in [
        ("Claude\u{202e}moc.live", "Claudemoc.live"),
        ("\u{2066}Claude\u{2069}", "Claude"),
        ("Cl\u{200b}au\u{ad}de\u{feff}", "Claude"),
        ("Claude\u{0007}\u{001b}[31m", "Claude[31m"),
        ("Claude\r\n\r\nYou approved this before", "Claude You approved this before"),
        ("Claude\u{3164}\u{115f}\u{2800}!", "Claude!"),
        ("Claude\u{e0041}\u{e007f}", "Claude"),
        ("Claude\u{2028}\u{2029}x", "Claude x"),
        ("\u{200f}\u{200e}", "An app without a name"),
        (&"x".repeat(500), &"x".repeat(80)),
    ] {
        let mut world = World::new();
        let (status, body) =
            world.register(&serde_json::json!({ "redirect_uris": [super::CALLBACK], "client_name": given }));
        assert_eq!(status, 201, "{given:?}");
        world.client_id = body["client_id"].as_str().unwrap().to_owned();
        let id = world.pending(&world.wish());
        let page = text(&world.consent_page(&world.browser, &id));
        assert!(
            page.contains(&format!("<strong>{shown}</strong> <span class=\"tag\">")),
            "{given:?}: {page}"
        );
    }
}

#[test]
fn what_writes_publishes_or_deletes_is_marked_and_what_reads_is_not() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let page = text(&world.consent_page(&world.browser, &id));
    let marks = |scope: Scope| -> Vec<String> {
        let line = page.split(&format!("value=\"{}\"", scope.as_str())).nth(1).unwrap();
        let line = line.split("</label>").next().unwrap();
        let words = line.split("class=\"tag\">").skip(1).map(|mark| mark.split("</span>").next().unwrap());
        words.map(|mark| mark.rsplit('>').next().unwrap().to_owned()).collect()
    };
    assert_eq!(marks(Scope::PostsWrite), ["writes", "publishes later", "deletes"]);
    assert_eq!(marks(Scope::PostsPublish), ["publishes"]);
    assert_eq!(marks(Scope::MediaWrite), ["writes"]);
    assert_eq!(marks(Scope::CommentsWrite), ["publishes"]);
    assert_eq!(marks(Scope::WorkflowsRun), ["writes", "publishes"]);
    for scope in Scope::ALL {
        let reads = scope.as_str().ends_with(":read");
        if scope != Scope::OfflineAccess {
            assert_eq!(marks(scope).is_empty(), reads, "{scope:?}");
        }
    }
}

#[test]
fn what_scheduling_can_cause_is_said_plainly_to_whoever_may_allow_it() {
    let world = World::new();
    let of = |browser: &Browser, world: &World| {
        let id = world.pending(&world.wish());
        text(&world.consent_page(browser, &id))
    };
    let page = of(&world.browser, &world);
    for said in [
        "What scheduling can cause",
        "published on your social profiles at its time",
        "without asking you again",
        "after you have ended the connection",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let (_, viewer) = world.add_member("vera", Role::Viewer);
    let World { sim, company, client_id, .. } = world;
    let world = World { sim, company, client_id, browser: Browser { cookie: viewer.cookie.clone() } };
    assert!(!of(&viewer, &world).contains("What scheduling can cause"));
}

#[test]
fn exactly_what_the_client_asked_for_is_ticked() {
    let world = World::new();
    for scope in Scope::ALL.into_iter().filter(|scope| *scope != Scope::OfflineAccess) {
        let id = world.pending(&with(&world.wish(), "scope", Some(scope.as_str())));
        let form = world.filled_in(&id, "approve");
        let ticked: Vec<&str> =
            form.iter().filter(|(name, _)| name == "capability").map(|(_, value)| value.as_str()).collect();
        assert_eq!(ticked, [scope.as_str()]);
    }
}

#[test]
fn consent_is_shown_every_time_however_often_it_was_given() {
    let world = World::new();
    for extra in [&[][..], &[("prompt", "none")], &[("prompt", "consent")], &[("max_age", "0")]] {
        world.tokens();
        let mut wish = world.wish();
        wish.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let response = world.authorize(&wish);
        if extra.contains(&("prompt", "none")) {
            assert_eq!(super::told_error(&response), "login_required");
        } else {
            assert!(location(&response).starts_with("/consent/"), "{extra:?}");
        }
    }
}

#[test]
fn a_name_is_shown_as_text() {
    let mut world = World::new();
    let (_, body) = world.register(&serde_json::json!({
        "redirect_uris": [super::CALLBACK],
        "client_name": "<img src=x onerror=alert(1)>\u{202e}gnp"
    }));
    world.client_id = body["client_id"].as_str().unwrap().to_owned();
    let id = world.pending(&world.wish());
    let page = text(&world.consent_page(&world.browser, &id));
    assert!(!page.contains("<img") && !page.contains('\u{202e}'));
}

#[test]
fn rfc6749_4_1_2_and_rfc9207_2_approving_answers_with_code_state_and_issuer() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let response = world.decide(&id, &world.filled_in(&id, "approve"));
    assert_eq!(response.status, 303);
    assert!(location(&response).starts_with("https://client.example/callback?"));
    let got = redirected(&response);
    assert!(got.get("code").unwrap().starts_with(world.company.tenant.id.as_str()));
    assert_eq!(got.get("state"), Some("a state & more"));
    assert_eq!(got.get("iss"), Some("http://localhost:8790"));
    assert_eq!(got.get("error"), None);
}

#[test]
fn rfc6749_4_1_2_1_denying_answers_access_denied_and_grants_nothing() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let response = world.decide(&id, &world.filled_in(&id, "deny"));
    assert_eq!(response.status, 303);
    let got = redirected(&response);
    assert_eq!(got.get("error"), Some("access_denied"));
    assert_eq!(got.get("state"), Some("a state & more"));
    assert_eq!(got.get("iss"), Some("http://localhost:8790"));
    assert_eq!(codes(&world), 0);
}

#[test]
fn the_address_s_own_query_is_kept() {
    let mut world = World::new();
    world.client_id = world.register_client(&["cursor://anysphere.cursor-mcp/cb?a=1"]);
    let id =
        world.pending(&with(&world.wish(), "redirect_uri", Some("cursor://anysphere.cursor-mcp/cb?a=1")));
    let response = world.decide(&id, &world.filled_in(&id, "approve"));
    assert!(location(&response).starts_with("cursor://anysphere.cursor-mcp/cb?a=1&code=tnt_"));
}

#[test]
fn a_request_is_decided_once() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let form = world.filled_in(&id, "approve");
    assert_eq!(world.decide(&id, &form).status, 303);
    assert_eq!(world.decide(&id, &form).status, 410);
    assert_eq!(world.consent_page(&world.browser, &id).status, 410);
    assert_eq!(codes(&world), 1);
}

#[test]
fn of_parallel_decisions_one_is_carried_out() {
    for seed in 0..40 {
        let world = World::with_seed(seed);
        let id = world.pending(&world.wish());
        let decisions = ["approve", "approve", "deny"];
        let requests = decisions.map(|decision| world.decide_request(&id, &world.filled_in(&id, decision)));
        let platform = world.sim.platform();
        let running: Vec<Later<'_, Response>> = requests
            .iter()
            .map(|request| Box::pin(oauth::decide(&platform, request, &id)) as Later<'_, Response>)
            .collect();
        let answers = interleave(&Random::new(seed), running);
        let decided: Vec<_> = answers.iter().filter(|answer| answer.status == 303).collect();
        assert_eq!(decided.len(), 1, "seed {seed}");
        let approved = i64::from(redirected(decided[0]).get("code").is_some());
        assert_eq!(codes(&world), approved, "seed {seed}");
    }
}

#[test]
fn a_crash_at_any_step_never_leaves_two_codes_and_asking_again_works() {
    for steps in 0.. {
        let world = World::new();
        let id = world.pending(&world.wish());
        let form = world.filled_in(&id, "approve");
        let request = world.decide_request(&id, &form);
        let platform = world.sim.platform();
        let ended = run_until_crash(steps, oauth::decide(&platform, &request, &id)).is_some();
        let again = world.decide(&id, &form);
        assert!(codes(&world) <= 1, "after {steps} steps");
        assert!(!(ended && again.status == 303), "a decision that was answered is taken");
        let redeemable = world.token(&world.redemption(&world.code())).0;
        assert_eq!(redeemable, 200, "asking again after {steps} steps");
        if ended {
            return;
        }
    }
}

#[test]
fn a_lost_reply_is_told_as_such_and_its_grant_dies_with_its_code() {
    let world = World::new();
    for statement in ["claim_pending_authorization", "add_code"] {
        let id = world.pending(&world.wish());
        let form = world.filled_in(&id, "approve");
        world.sim.faults.on_statement(statement, Fault::LostReply);
        assert_eq!(world.decide(&id, &form).status, 503);
        assert_eq!(world.decide(&id, &form).status, 410);
    }
    world.sim.clock.advance_seconds(60);
    let now = postern::platform::Clock::now(&*world.sim.clock).as_millis();
    let living = "SELECT count(*) FROM oauth_grant WHERE expires_at > ?1 AND grant_id != ?2";
    assert_eq!(world.sim.shard().number(living, rusqlite::params![now, world.company.grant.id.as_str()]), 0);
}

#[test]
fn a_request_belongs_to_the_session_that_made_it() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let (_, other) = world.add_member("mallory", Role::Admin);
    assert_eq!(world.consent_page(&other, &id).status, 410);
    let same_person = sign_in(&world.sim, &world.company.owner);
    assert_eq!(world.consent_page(&same_person, &id).status, 410);
    let mut request = world.decide_request(&id, &world.filled_in(&id, "approve"));
    request.headers.retain(|(name, _)| name != "cookie");
    request.headers.push(("cookie".into(), other.cookie));
    assert_ne!(run(oauth::decide(&world.sim.platform(), &request, &id)).status, 303);
    assert_eq!(codes(&world), 0);
}

#[test]
fn rfc9700_4_7_a_form_of_another_page_decides_nothing() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let form = world.filled_in(&id, "approve");
    for bad in [with(&form, "csrf", None), with(&form, "csrf", Some("t1.AAAA"))] {
        assert_eq!(world.decide(&id, &bad).status, 403);
    }
    let mut cross_site = world.decide_request(&id, &form);
    cross_site.headers.retain(|(name, _)| name != "sec-fetch-site");
    cross_site.headers.push(("sec-fetch-site".into(), "cross-site".into()));
    assert_eq!(run(oauth::decide(&world.sim.platform(), &cross_site, &id)).status, 403);
    assert_eq!(world.decide(&id, &with(&form, "decision", None)).status, 400);
    assert_eq!(world.decide(&id, &form).status, 303, "none of them used the request up");
}

#[test]
fn a_request_waits_ten_minutes() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let form = world.filled_in(&id, "approve");
    world.sim.clock.advance_seconds(600);
    assert_eq!(world.decide(&id, &form).status, 410);
}

#[test]
fn without_a_workspace_or_a_capability_the_page_asks_again() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let form = world.filled_in(&id, "approve");
    let other = Company::found(&world.sim, "other").workspace;
    for (name, value, said) in [
        ("workspace", None, "Tick at least one workspace"),
        ("workspace", Some(other.as_str()), "Tick at least one workspace"),
        ("capability", None, "Tick at least one thing"),
        ("capability", Some("offline_access"), "Tick at least one thing"),
    ] {
        let response = world.decide(&id, &with(&form, name, value));
        assert_eq!(response.status, 400);
        assert!(text(&response).contains(said), "{name}");
    }
    assert_eq!(world.decide(&id, &form).status, 303);
}

#[test]
fn only_the_ticked_workspaces_and_capabilities_are_granted() {
    let world = World::new();
    world.company.add_workspace(&world.sim, "Second", "UTC");
    let id = world.pending(&world.wish());
    let form = with(&world.filled_in(&id, "approve"), "capability", Some("posts:read"));
    let form = with(&form, "workspace", Some(world.company.workspace.as_str()));
    let form = plus(&form, "capability", "posts:publish");
    let code = redirected(&world.decide(&id, &form)).get("code").unwrap().to_owned();
    let (_, tokens) = world.token(&world.redemption(&code));
    assert_eq!(tokens["scope"], "posts:read posts:publish");
    let granted = "SELECT count(*) FROM grant_workspace WHERE grant_id = (SELECT grant_id FROM auth_code)";
    assert_eq!(world.count(granted), 1);
}

#[test]
fn the_role_caps_what_may_be_granted() {
    let world = World::new();
    let (_, viewer) = world.add_member("vera", Role::Viewer);
    let World { sim, company, client_id, .. } = world;
    let world = World { sim, company, client_id, browser: Browser { cookie: viewer.cookie } };
    let id = world.pending(&world.wish());
    let page = text(&world.consent_page(&world.browser, &id));
    assert!(!page.contains("value=\"posts:write\"") && page.contains("your role does not allow"));
    let form = plus(&world.filled_in(&id, "approve"), "capability", "posts:write");
    let code = redirected(&world.decide(&id, &form)).get("code").unwrap().to_owned();
    let (_, tokens) = world.token(&world.redemption(&code));
    assert_eq!(tokens["scope"], "workspace:read posts:read");
}

#[test]
fn unknown_capabilities_are_passed_over_and_none_means_the_usual_ones() {
    let world = World::new();
    for scope in [None, Some("mcp:read everything"), Some("offline_access")] {
        let code = world.code_for(&with(&world.wish(), "scope", scope));
        let (_, tokens) = world.token(&world.redemption(&code));
        let granted = tokens["scope"].as_str().unwrap();
        let usual = "workspace:read social_profiles:read posts:read posts:write media:write";
        assert_eq!(granted.replace(" offline_access", ""), usual);
        assert_eq!(granted.contains("offline_access"), scope == Some("offline_access"));
    }
}

#[test]
fn rfc8707_2_without_a_resource_the_person_chooses_among_their_own_tenants() {
    let world = World::new();
    let second = Company::found(&world.sim, "second");
    Company::found(&world.sim, "third");
    let owner = world.company.owner.as_str();
    world.sim.directory.execute(
        "INSERT INTO person_tenant (user_id, tenant_id) VALUES (?1, ?2)",
        [owner, second.tenant.id.as_str()],
    );
    world.sim.shard().execute(
        "INSERT INTO membership (tenant_id, user_id, role, name, email, created_at) VALUES (?1, ?2, 'editor', 'o', 'o@x', 1)",
        [second.tenant.id.as_str(), owner],
    );
    let id = world.pending(&with(&world.wish(), "resource", None));
    let page = text(&world.consent_page(&world.browser, &id));
    assert!(page.contains("<option value=\"acme\" selected") && page.contains("<option value=\"second\">"));
    assert!(!page.contains("third"));

    let csrf = attribute(&page, "name=\"csrf\" value=\"");
    let form = |pairs: &[(&str, &str)]| {
        let mut form = vec![("csrf".to_owned(), csrf.clone())];
        form.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        form
    };
    let chosen = world.decide(&id, &form(&[("tenant", "second"), ("decision", "choose")]));
    assert_eq!(chosen.status, 200);
    assert!(text(&chosen).contains(second.workspace.as_str()));
    assert!(!text(&chosen).contains(world.company.workspace.as_str()));
    let wrong = [
        ("tenant", "third"),
        ("workspace", second.workspace.as_str()),
        ("capability", "posts:read"),
        ("decision", "approve"),
    ];
    assert_eq!(world.decide(&id, &form(&wrong)).status, 403);
    let right = wrong.map(|(name, value)| (name, if name == "tenant" { "second" } else { value }));
    let code = redirected(&world.decide(&id, &form(&right))).get("code").unwrap().to_owned();
    assert!(code.starts_with(second.tenant.id.as_str()));
    let (status, tokens) = world.token(&with(&world.redemption(&code), "resource", None));
    assert_eq!(status, 200);
    assert_eq!(world.call(tokens["access_token"].as_str().unwrap()), Err(401), "it is not for acme");
}

#[test]
fn a_second_device_never_narrows_the_first() {
    let world = World::new();
    let first = world.tokens();
    let code = world.code_for(&with(&world.wish(), "scope", Some("posts:read")));
    let second = world.token(&world.redemption(&code)).1;
    assert_eq!(second["scope"], "posts:read");
    let (_, again) = world.refresh(first["refresh_token"].as_str().unwrap());
    assert_eq!(again["scope"], first["scope"]);
    assert_eq!(world.count("SELECT count(*) FROM app_entry WHERE client_name = 'An assistant' AND app_id IN (SELECT app_id FROM oauth_grant JOIN auth_code USING (grant_id))"), 1, "one app, two grants");
}

#[test]
fn a_grant_remembers_how_the_person_had_signed_in() {
    for method in ["link", "email", "invitation", "passkey"] {
        let world = World::new();
        world.sim.directory.execute("UPDATE session SET method = ?1", [method]);
        world.code();
        let granted = "SELECT count(*) FROM oauth_grant WHERE signed_in_by = ?1 AND client_id = ?2";
        assert_eq!(world.sim.shard().number(granted, [method, world.client_id.as_str()]), 1, "{method}");
    }
}

/// What the only grant is narrowed to.
fn selection(world: &World) -> Selection {
    Selection::from_bits(world.count("SELECT selection FROM oauth_grant"))
}

#[test]
fn what_a_person_narrows_the_tools_to_is_kept_with_the_grant_and_shown_to_the_person() {
    for (ticked, kept, shown) in [
        (&[][..], Selection::EVERYTHING, None),
        (&[("toolset", "posts")][..], Selection::of_sets([Toolset::Posts]), Some("the toolsets posts.")),
        (
            &[("toolset", "posts"), ("toolset", "delivery"), ("read_only", "yes")],
            Selection::of_sets([Toolset::Posts, Toolset::Delivery]).reading(true),
            Some("the toolsets posts, delivery, and of them what only reads."),
        ),
        (&[("read_only", "yes")], Selection::EVERYTHING.reading(true), Some("tools that only read.")),
        (&[("toolset", "no such set")], Selection::EVERYTHING, None),
    ] {
        let world = World::new();
        let id = world.pending(&world.wish());
        let page = text(&world.consent_page(&world.browser, &id));
        for set in Toolset::ALL {
            assert!(
                page.contains(&format!("name=\"toolset\" value=\"{}\">", set.as_str())),
                "offered, not ticked"
            );
        }
        let mut form = world.filled_in(&id, "approve");
        form.extend(ticked.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        assert_eq!(world.decide(&id, &form).status, 303);
        assert_eq!(selection(&world), kept, "{ticked:?}");
        let apps = super::apps::page(&world);
        match shown {
            Some(words) => assert!(apps.contains(&format!("You narrowed it to {words}")), "{apps}"),
            None => assert!(!apps.contains("You narrowed it")),
        }
    }
}

#[test]
fn what_was_ticked_of_the_tools_stays_ticked_when_the_page_is_shown_again() {
    let world = World::new();
    let id = world.pending(&world.wish());
    let mut form = world.filled_in(&id, "approve");
    form.retain(|(name, _)| name != "workspace");
    form.extend(
        [("toolset", "posts"), ("read_only", "yes")].map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let response = world.decide(&id, &form);
    assert_eq!(response.status, 400);
    let page = text(&response);
    assert!(page.contains("value=\"posts\" checked") && !page.contains("value=\"delivery\" checked"));
    assert!(page.contains("name=\"read_only\" value=\"yes\" checked"));
}

#[test]
fn a_request_for_one_tenant_offers_no_other() {
    let world = World::new();
    let page = text(&world.consent_page(&world.browser, &world.pending(&world.wish())));
    assert!(!page.contains("<select name=\"tenant\""), "{page}");
}

#[test]
fn the_only_workspace_is_ticked_and_of_several_those_that_were() {
    let world = World::new();
    let ticked = |page: &str| -> Vec<String> {
        let boxes = page.split("name=\"workspace\" value=\"").skip(1);
        boxes
            .filter(|input| input.split('>').next().unwrap().ends_with(" checked"))
            .map(|input| input.split('"').next().unwrap().to_owned())
            .collect()
    };
    let page = |id: &str| text(&world.consent_page(&world.browser, id));
    assert_eq!(ticked(&page(&world.pending(&world.wish()))), [world.company.workspace.as_str()]);

    let second = world.company.add_workspace(&world.sim, "Second", "UTC");
    let id = world.pending(&world.wish());
    assert_eq!(ticked(&page(&id)), [""; 0]);
    let form = with(&world.filled_in(&id, "approve"), "workspace", Some(second.as_str()));
    let again = world.decide(&id, &with(&form, "capability", None));
    assert_eq!((again.status, ticked(&text(&again))), (400, vec![second.to_string()]));
}
