//! Hundreds of seeded lives of a few connections, in which people, clients, networks and databases do what they do:
//! authorize, redeem, refresh, give back, narrow, end, change roles, steal; with crashes between the two databases, lost replies, and a
//! KV that lags for ever, remembers misses and fails.
//!
//! `POSTERN_SEED=n` repeats one of them.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use data_encoding::BASE64URL_NOPAD;
use postern::{
    desk::{Caller, Refusal, Role, Scope, Scopes, UserId},
    edge,
    http::{RequestMethod, Response},
    oauth,
    platform::{Clock, Later, Memory, Platform, Timestamp},
    tenants,
};
use serde_json::{Value, json};

use super::{World, answer, form_request, location, redirected, sign_in, text};
use crate::sim::{Odds, Random, for_each_seed, interleave_until_crash, run, run_until_crash};

const RUNS: u64 = 800;
const STEPS: u64 = 30;
const ACCESS_TOKEN_SECONDS: i64 = 600;
/// How long what is answered without the databases may lag.
const LAG_SECONDS: i64 = 75;
/// What narrowing takes away and viewers lack.
const WRITING: Scopes = Scopes::of(&[Scope::PostsWrite]);

#[test]
fn no_token_outlives_its_bound_no_code_has_two_families_and_nobody_honest_is_locked_out() {
    for_each_seed(RUNS, live);
}

fn live(seed: u64) {
    let life = Life::new(seed);
    for _ in 0..STEPS {
        life.act();
        life.judge();
        life.pass_time();
    }
    life.settle();
}

/// One connection of a client: what its processes share in one credential store.
struct Install {
    person: UserId,
    /// The newest refresh token that it was told, and its number.
    store: RefCell<Option<(String, i64)>>,
    /// Somebody else has used a token of this family: it may end without the client's doing.
    exposed: Cell<bool>,
    /// The client has given a token of this family back, or tried to.
    gave_back: Cell<bool>,
    /// The person has ended the connection, or tried to.
    ended: Cell<bool>,
}

/// An access token that was issued.
struct Issued {
    text: String,
    grant: String,
    /// Until when it says that it is good, in seconds.
    expires: i64,
}

struct Life {
    world: World,
    random: Random,
    /// What each isolate remembers.
    isolates: Vec<Memory>,
    installs: Vec<Install>,
    issued: RefCell<Vec<Issued>>,
    refresh_tokens: RefCell<Vec<(usize, String)>>,
    /// Every code that was handed out, and how often it was redeemed.
    codes: RefCell<BTreeMap<String, u32>>,
    /// When each grant was first seen to be over.
    over: RefCell<BTreeMap<String, Timestamp>>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let world = World::with_seed(seed);
        let random = Random::new(seed);
        let (eve, _) = world.add_member("eve", Role::Editor);
        let owner = world.company.owner.clone();
        let install = |person: UserId| Install {
            person,
            store: RefCell::default(),
            exposed: Cell::new(false),
            gave_back: Cell::new(false),
            ended: Cell::new(false),
        };
        Self {
            installs: vec![install(owner.clone()), install(eve), install(owner)],
            isolates: (0..3).map(|_| Memory::default()).collect(),
            random,
            world,
            issued: RefCell::default(),
            refresh_tokens: RefCell::default(),
            codes: RefCell::default(),
            over: RefCell::default(),
        }
    }

    fn now(&self) -> Timestamp {
        self.world.sim.clock.now()
    }

    fn below(&self, bound: u64) -> usize {
        usize::try_from(self.random.below(bound)).unwrap()
    }

    /// One of the isolates.
    fn platform(&self) -> Platform<'_> {
        Platform { memory: &self.isolates[self.below(3)], ..self.world.sim.platform() }
    }

    fn trouble(&self) {
        let rate = [0, 20, 80][self.below(3)];
        self.world.sim.faults.set_odds(Odds {
            not_sent: rate,
            lost_request: rate,
            lost_reply: rate,
            slow: rate,
            slowest_millis: 20_000,
        });
    }

    fn calm(&self) {
        self.world.sim.faults.calm();
    }

    /// Steps until everything in flight dies with its isolate; mostly more than it takes.
    fn steps(&self) -> usize {
        if self.random.happens(250) { self.below(60) } else { 1_000_000 }
    }

    fn act(&self) {
        let which = self.below(3);
        let install = &self.installs[which];
        // What KV told once, a miss too, it may tell for ever.
        self.world.sim.key_value.set_lag([0, 45, 10_000_000][self.below(3)]);
        self.trouble();
        match self.random.below(16) {
            0..2 => self.connect(which),
            2..9 if install.store.borrow().is_none() => self.connect(which),
            2..9 => self.refresh(which),
            9 => self.give_back(which),
            10 => self.change_role(),
            11 => self.leave_and_return(),
            12 => self.steal_refresh_token(),
            13 => self.change_on_the_page(install, "end"),
            14 => self.change_on_the_page(install, "narrow"),
            _ => self.steal_code(which),
        }
        self.calm();
    }

    fn pass_time(&self) {
        let seconds = match self.random.below(10) {
            0..5 => self.below(150),
            5..8 => self.below(3600),
            _ => self.below(9 * 86_400),
        };
        self.world.sim.clock.advance_seconds(i64::try_from(seconds).unwrap());
    }

    /// The whole way of a client from the browser to its tokens, as far as it comes.
    fn connect(&self, which: usize) {
        let install = &self.installs[which];
        let Some(code) = self.consent(install) else { return };
        self.codes.borrow_mut().insert(code.clone(), 0);
        install.exposed.set(false);
        install.gave_back.set(false);
        install.ended.set(false);
        *install.store.borrow_mut() = None;
        for _ in 0..=self.random.below(2) {
            self.redeem(which, &code);
        }
        if self.random.happens(100) {
            self.redeem_with_another_verifier(which, &code);
        }
    }

    /// A code, if the person got through to one.
    fn consent(&self, install: &Install) -> Option<String> {
        self.calm();
        let browser = sign_in(&self.world.sim, &install.person);
        let response = self.world.authorize_in(Some(&browser), &self.world.wish());
        if response.status != 303 {
            assert_eq!(response.status, 403, "{}", text(&response));
            assert!(!self.is_member(&install.person));
            return None;
        }
        let id = location(&response).strip_prefix("/consent/").unwrap().to_owned();
        let page = text(&self.world.consent_page(&browser, &id));
        let form = [
            ("csrf", super::attribute(&page, "name=\"csrf\" value=\"")),
            ("workspace", self.world.company.workspace.to_string()),
            ("capability", "workspace:read".to_owned()),
            ("capability", "posts:write".to_owned()),
            ("decision", "approve".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        let mut request = self.world.decide_request(&id, &form);
        request.headers.retain(|(name, _)| name != "cookie");
        request.headers.push(("cookie".into(), browser.cookie.clone()));
        self.trouble();
        let platform = self.platform();
        // Twice at once now and then: an impatient person.
        let decide = || Box::pin(oauth::decide(&platform, &request, &id)) as Later<'_, Response>;
        let decisions = (0..=self.random.below(2)).map(|_| decide()).collect();
        let answers = interleave_until_crash(&self.random, self.steps(), decisions);
        let mut codes = answers
            .iter()
            .flatten()
            .filter(|response| response.status == 303)
            .filter_map(|response| redirected(response).get("code").map(str::to_owned));
        let code = codes.next();
        assert_eq!(codes.next(), None, "one decision gives one code");
        code
    }

    /// One to three processes present the code; replies get lost.
    fn redeem(&self, which: usize, code: &str) {
        let request = form_request("/token", &self.world.redemption(code));
        let platform = self.platform();
        let redeem = || Box::pin(oauth::token(&platform, &request)) as Later<'_, Response>;
        let running = (0..=self.random.below(3)).map(|_| redeem()).collect();
        for response in interleave_until_crash(&self.random, self.steps(), running).iter().flatten() {
            let (status, body) = answer(response);
            if status == 200 {
                *self.codes.borrow_mut().get_mut(code).unwrap() += 1;
                self.told(which, &body);
            }
        }
    }

    fn redeem_with_another_verifier(&self, which: usize, code: &str) {
        let theft = super::with(&self.world.redemption(code), "code_verifier", Some(&"m".repeat(43)));
        let platform = self.platform();
        let request = form_request("/token", &theft);
        // Only a code that was used up can tell a thief from a mistake.
        self.installs[which].exposed.set(true);
        if let Some(response) = run_until_crash(self.steps(), oauth::token(&platform, &request)) {
            assert_ne!(response.status, 200, "a code without its verifier");
        }
    }

    /// One to three processes of an install refresh what stands in their store.
    fn refresh(&self, which: usize) {
        let install = &self.installs[which];
        let stored = install.store.borrow().clone();
        let Some((token, _)) = stored else { return };
        let request = form_request("/token", &self.world.refreshing(&token));
        let platform = self.platform();
        let refresh = || Box::pin(oauth::token(&platform, &request)) as Later<'_, Response>;
        let running = (0..=self.random.below(3)).map(|_| refresh()).collect();
        let may_be_refused = self.may_be_refused(install, &token);
        for response in interleave_until_crash(&self.random, self.steps(), running).iter().flatten() {
            let (status, body) = answer(response);
            match status {
                200 => self.told(which, &body),
                400 | 401 => assert!(may_be_refused, "locked out: {body}"),
                _ => assert_eq!(status, 503, "{body}"),
            }
        }
    }

    /// A pair came out of the server: its refresh token.
    fn issued(&self, which: usize, body: &Value) -> String {
        let access = body["access_token"].as_str().unwrap().to_owned();
        let refresh = body["refresh_token"].as_str().unwrap().to_owned();
        let grant = self.grant_of(&refresh);
        let expires = expiry(&access);
        assert!(expires <= self.now().as_seconds() + ACCESS_TOKEN_SECONDS);
        self.issued.borrow_mut().push(Issued { text: access, grant, expires });
        self.refresh_tokens.borrow_mut().push((which, refresh.clone()));
        refresh
    }

    /// A reply came out of the server, and most likely reaches the client, which keeps the newest pair.
    fn told(&self, which: usize, body: &Value) {
        let refresh = self.issued(which, body);
        let number: i64 = refresh.split('.').nth(2).unwrap().parse().unwrap();
        let mut store = self.installs[which].store.borrow_mut();
        let is_first = store.is_none();
        let is_newer = store.as_ref().is_some_and(|(_, known)| number > *known);
        if (is_first || is_newer) && !self.random.happens(150) {
            *store = Some((refresh, number));
        }
    }

    fn give_back(&self, which: usize) {
        let install = &self.installs[which];
        let stored = install.store.borrow().clone();
        let Some((token, _)) = stored else { return };
        install.gave_back.set(true);
        let form = vec![("token".into(), token.clone()), ("client_id".into(), self.world.client_id.clone())];
        let platform = self.platform();
        let request = form_request("/revoke", &form);
        let response = run_until_crash(self.steps(), oauth::revoke(&platform, &request));
        if response.is_some_and(|response| response.status == 200) {
            assert!(self.is_over(&self.grant_of(&token)), "it was said to be revoked");
        }
    }

    /// The person narrows or ends the connection that the install knows.
    fn change_on_the_page(&self, install: &Install, act: &str) {
        let stored = install.store.borrow().clone();
        let Some((token, _)) = stored else { return };
        self.calm();
        let browser = sign_in(&self.world.sim, &install.person);
        let mut asked = super::request(RequestMethod::Get, "/acme/apps");
        asked.headers.push(("cookie".into(), browser.cookie.clone()));
        let page = run(edge::serve(&self.platform(), asked));
        if page.status != 200 {
            return assert!(!self.is_member(&install.person));
        }
        let grant = self.grant_of(&token);
        let form = [
            ("csrf", super::attribute(&text(&page), "name=\"csrf\" value=\"")),
            ("act", act.to_owned()),
            ("grant", grant.clone()),
            ("capability", "workspace:read".to_owned()),
            ("workspace", self.world.company.workspace.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let mut request = form_request("/acme/apps", &form);
        request.headers.push(("cookie".into(), browser.cookie));
        request.headers.push(("sec-fetch-site".into(), "same-origin".into()));
        install.ended.set(install.ended.get() || act == "end");
        self.trouble();
        let platform = self.platform();
        let response = run_until_crash(self.steps(), edge::serve(&platform, request));
        if response.is_some_and(|response| response.status == 303) {
            let kept = "SELECT capabilities & ?2 FROM oauth_grant WHERE grant_id = ?1";
            let done = match act {
                "end" => self.is_over(&grant),
                _ => self.world.sim.shard().number(kept, rusqlite::params![grant, WRITING.bits()]) == 0,
            };
            assert!(done, "it was said to be done: {act}");
        }
    }

    fn change_role(&self) {
        let role = ["viewer", "editor", "admin"][self.below(3)];
        self.world.sim.shard().execute("UPDATE membership SET role = ?1 WHERE name = 'eve'", [role]);
    }

    fn leave_and_return(&self) {
        let eve = &self.installs[1].person;
        let shard = self.world.sim.shard();
        if self.is_member(eve) {
            let end = "UPDATE membership SET ended_at = ?2 WHERE user_id = ?1";
            shard.execute(end, rusqlite::params![eve.as_str(), self.now().as_millis()]);
        } else {
            self.calm();
            let new = tenants::NewMember { user_id: eve, name: "eve", email: "eve@acme.example" };
            run(tenants::add_member(
                &self.world.sim.platform(),
                &self.world.company.tenant,
                &new,
                Role::Editor,
                false,
            ))
            .unwrap();
        }
    }

    /// Somebody presents a refresh token that they should not have, of any age.
    fn steal_refresh_token(&self) {
        let known = self.refresh_tokens.borrow().len();
        if known == 0 {
            return;
        }
        let (which, token) = self.refresh_tokens.borrow()[self.below(known as u64)].clone();
        let install = &self.installs[which];
        if install.store.borrow().as_ref().is_some_and(|(own, _)| family_of(own) == family_of(&token)) {
            install.exposed.set(true);
        }
        let request = form_request("/token", &self.world.refreshing(&token));
        let was_over = self.is_over(&self.grant_of(&token));
        let platform = self.platform();
        let Some(response) = run_until_crash(self.steps(), oauth::token(&platform, &request)) else { return };
        let (status, body) = answer(&response);
        if status == 200 {
            assert!(!was_over, "a token of a grant that is over");
            self.issued(which, &body);
        }
    }

    /// Somebody presents a code that was handed out before, as the client and with its verifier.
    fn steal_code(&self, which: usize) {
        let codes: Vec<String> = self.codes.borrow().keys().cloned().collect();
        if codes.is_empty() {
            return;
        }
        let code = codes[self.below(codes.len() as u64)].clone();
        let used = self.codes.borrow()[&code];
        let request = form_request("/token", &self.world.redemption(&code));
        let platform = self.platform();
        if let Some(response) = run_until_crash(self.steps(), oauth::token(&platform, &request)) {
            let (status, body) = answer(&response);
            if status == 200 {
                assert_eq!(used, 0, "a code twice");
                *self.codes.borrow_mut().get_mut(&code).unwrap() += 1;
                self.issued(which, &body);
            }
        }
    }

    fn is_member(&self, person: &UserId) -> bool {
        let live = "SELECT count(*) FROM membership WHERE user_id = ?1 AND ended_at IS NULL";
        self.world.sim.shard().number(live, [person.as_str()]) > 0
    }

    fn grant_of(&self, refresh_token: &str) -> String {
        let find = "SELECT grant_id FROM refresh_family WHERE family_id = ?1";
        self.world.sim.shard().query(find, [family_of(refresh_token)])[0].get("grant_id").unwrap()
    }

    /// Whether a grant is over by what the databases hold.
    fn is_over(&self, grant: &str) -> bool {
        let live = "SELECT count(*) FROM oauth_grant g JOIN membership m USING (tenant_id, user_id)
            WHERE g.grant_id = ?1 AND g.revoked_at IS NULL AND g.expires_at > ?2
              AND m.ended_at IS NULL AND m.created_at <= g.created_at";
        self.world.sim.shard().number(live, rusqlite::params![grant, self.now().as_millis()]) == 0
    }

    /// Whether a client that kept its newest pair may yet be refused: the grant was given back, stolen, or ended with
    /// its membership or its time.
    fn may_be_refused(&self, install: &Install, token: &str) -> bool {
        let row = &self.world.sim.shard().query(
            "SELECT f.expires_at, g.revoked_why, m.ended_at, m.created_at > g.created_at AS came_back
             FROM refresh_family f JOIN oauth_grant g USING (tenant_id, grant_id)
             JOIN membership m ON m.tenant_id = g.tenant_id AND m.user_id = g.user_id WHERE f.family_id = ?1",
            [family_of(token)],
        )[0];
        let slow = self.now().plus_seconds(3600);
        let why: Option<String> = row.get("revoked_why").unwrap();
        let lawful = match why.as_deref() {
            Some("client") => install.gave_back.get(),
            Some("person") => install.ended.get(),
            Some("refresh_replay" | "code_replay") => install.exposed.get(),
            Some(_) => false,
            None => true,
        };
        assert!(lawful, "ended although nobody did anything wrong: {why:?}");
        why.is_some()
            || install.exposed.get()
            || row.get::<Timestamp>("expires_at").unwrap() <= slow
            || row.get::<Option<Timestamp>>("ended_at").unwrap().is_some()
            || row.get("came_back").unwrap()
    }

    fn judge(&self) {
        self.no_code_has_two_families();
        let grants: Vec<String> = self.issued.borrow().iter().map(|issued| issued.grant.clone()).collect();
        for grant in grants {
            if self.is_over(&grant) {
                self.over.borrow_mut().entry(grant).or_insert_with(|| self.now());
            }
        }
        let issued = self.issued.borrow();
        for _ in 0..4 {
            // Mostly the latest: the others have expired.
            let back = 1 + self.below(if self.random.happens(700) { 3 } else { issued.len() as u64 });
            if let Some(token) = issued.len().checked_sub(back).and_then(|index| issued.get(index)) {
                self.a_token_works_within_its_bounds_and_no_longer(token);
            }
        }
    }

    fn no_code_has_two_families(&self) {
        let several = "SELECT count(*) FROM (SELECT c.code_hash FROM auth_code c
            JOIN refresh_family f ON f.tenant_id = c.tenant_id AND f.grant_id = c.grant_id
            GROUP BY c.code_hash HAVING count(*) > 1)";
        assert_eq!(self.world.count(several), 0);
        assert!(self.codes.borrow().values().all(|redeemed| *redeemed <= 1), "{:?}", self.codes.borrow());
    }

    fn a_token_works_within_its_bounds_and_no_longer(&self, token: &Issued) {
        let now = self.now();
        let in_time = now.as_seconds() < token.expires;
        let over = self.over.borrow().get(&token.grant).copied();
        if over.is_some() || !in_time {
            assert_eq!(self.call(&token.text, Scopes::NONE), Err(401), "a call after the end");
        } else if self.random.happens(500) {
            assert_eq!(self.call(&token.text, Scopes::NONE), Ok(()), "a good token");
            if !self.may_write(&token.grant) {
                assert_eq!(self.call(&token.text, WRITING), Err(403), "more than grant and role allow");
            }
        }
        for memory in &self.isolates {
            let status = self.list_tools(memory, &token.text);
            match over {
                Some(over) if now.millis_since(over) >= LAG_SECONDS * 1000 => {
                    assert_eq!(status, 401, "a list 75 s after the end");
                }
                Some(_) => assert!(matches!(status, 200 | 401)),
                None => assert_eq!(status, if in_time { 200 } else { 401 }),
            }
        }
    }

    fn list_tools(&self, memory: &Memory, access_token: &str) -> u16 {
        let platform = Platform { memory, ..self.world.sim.platform() };
        let mut request = self.world.mcp_request(Some(&format!("Bearer {access_token}")));
        request.headers.push(("content-type".into(), "application/json".into()));
        request.headers.push(("accept".into(), "application/json, text/event-stream".into()));
        request.body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string().into_bytes();
        run(edge::serve(&platform, request)).status
    }

    /// Whether the grant and its person's role allow writing posts at this moment.
    fn may_write(&self, grant: &str) -> bool {
        let may = "SELECT count(*) FROM oauth_grant g JOIN membership m USING (tenant_id, user_id) JOIN role r USING (role)
            WHERE g.grant_id = ?1 AND g.capabilities & r.capabilities & ?2 = ?2";
        self.world.sim.shard().number(may, rusqlite::params![grant, WRITING.bits()]) == 1
    }

    /// What a call with this token meets that needs `scopes`.
    fn call(&self, access_token: &str, scopes: Scopes) -> Result<(), u16> {
        let platform = self.platform();
        let request = self.world.mcp_request(Some(&format!("Bearer {access_token}")));
        let who = run(oauth::authenticate(&platform, &request, "acme")).map_err(|refused| refused.status)?;
        let caller = Caller::new(platform, who.tenant, who.authority).unwrap();
        run(caller.needing(scopes).facts()).map(drop).map_err(|refusal| match refusal {
            Refusal::Unauthenticated => 401,
            _ => 403,
        })
    }

    /// In calm, every honest connection goes on, and what is over stays over.
    fn settle(&self) {
        for install in &self.installs {
            let stored = install.store.borrow().clone();
            let Some((token, _)) = stored else { continue };
            let (status, body) = self.world.refresh(&token);
            if self.may_be_refused(install, &token) {
                assert!(matches!(status, 200 | 400), "{body}");
            } else {
                assert_eq!(status, 200, "{body}");
                assert_eq!(self.call(body["access_token"].as_str().unwrap(), Scopes::NONE), Ok(()));
            }
        }
        for (_, token) in self.refresh_tokens.borrow().iter() {
            if self.is_over(&self.grant_of(token)) {
                assert_eq!(super::error(&self.world.refresh(token)), (400, "invalid_grant"));
            }
        }
    }
}

fn family_of(refresh_token: &str) -> &str {
    refresh_token.split('.').nth(1).unwrap()
}

/// When an access token expires, by its own claim.
fn expiry(access_token: &str) -> i64 {
    let claims = access_token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap();
    claims["exp"].as_i64().unwrap()
}
