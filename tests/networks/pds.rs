//! A simulated personal data server of the AT Protocol: what Bluesky's own server does, as far as Postern meets it.
//!
//! | rule | source |
//! |---|---|
//! | createSession takes a handle, DID or e-mail; wrong password: 401 AuthenticationRequired | `com.atproto.server.createSession`; seen on @atproto/pds |
//! | 30 createSession in 5 minutes, then 429 RateLimitExceeded with RateLimit-* and Retry-After | seen on @atproto/pds with rateLimitsEnabled |
//! | access tokens expire: 400 ExpiredToken; what is no token: 400 InvalidToken; none: 401 AuthMissing | seen on @atproto/pds |
//! | refreshSession uses its token up; used again: 400 ExpiredToken | `com.atproto.server.refreshSession` |
//! | uploadBlob gives a reference with the sent media type and size; too large: 413 PayloadTooLarge | seen on @atproto/pds |
//! | putRecord of the same content is a no-op that makes no commit, whatever swapRecord says | packages/pds/src/api/com/atproto/repo/putRecord.ts |
//! | putRecord with swapRecord null on other content: 400 InvalidSwap "Record was at" | seen on @atproto/pds |
//! | the record key of a post is a TID: 400 InvalidRequest | lexicon `app.bsky.feed.post`, key: tid |
//! | text of 300 graphemes and 3000 bytes, 3 langs, 8 tags, 4 images, thumb of 1,000,000 bytes: 400 InvalidRequest | lexicons `app.bsky.feed.post`, `app.bsky.embed.images`, `app.bsky.embed.external` |
//! | a record that names a blob that was not uploaded: 400 BlobNotFound | packages/pds, repo transactor |
//! | another account's repository: 401 AuthenticationRequired | putRecord.ts |
//! | getRecord of nothing: 400 RecordNotFound; deleteRecord of nothing: 200 | seen on @atproto/pds |
//! | resolveHandle of nobody's: 400 InvalidRequest "Unable to resolve handle" | `com.atproto.identity.resolveHandle` |
//! | methods that are not there: 501 MethodNotImplemented | XRPC specification |
//! | facets end on character boundaries | stricter than the server, which does not look |

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use data_encoding::BASE64URL_NOPAD;
use postern::{
    desk::sha256_text,
    platform::{Clock, HttpFault, Method},
};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use crate::sim::{Incoming, Peer, Reply, SimClock};

/// The server's origin.
pub const ORIGIN: &str = "https://pds.example";
/// The app password of every account.
pub const PASSWORD: &str = "abcd-efgh-ijkl-mnop";

const ACCESS_SECONDS: i64 = 7200;
const SIGN_INS: usize = 30;
const SIGN_IN_WINDOW_SECONDS: i64 = 300;
const BLOB_LIMIT: usize = 5 << 20;

type Answer = Result<Value, Refusal>;

/// An error answer.
#[derive(Clone, Debug)]
struct Refusal {
    status: u16,
    error: String,
    message: String,
    headers: Vec<(String, String)>,
}

fn refuse(status: u16, error: &str, message: &str) -> Refusal {
    Refusal { status, error: error.to_owned(), message: message.to_owned(), headers: Vec::new() }
}

fn invalid(message: &str) -> Refusal {
    refuse(400, "InvalidRequest", message)
}

/// A record in a repository.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub rkey: String,
    pub cid: String,
    pub value: Value,
}

struct Account {
    did: String,
    handle: String,
    email: String,
}

/// The server, and every page that cards are made of.
pub struct Pds {
    clock: Rc<SimClock>,
    accounts: Vec<Account>,
    records: RefCell<BTreeMap<(String, String), Stored>>,
    blobs: RefCell<BTreeMap<String, usize>>,
    access: RefCell<BTreeMap<String, (String, i64)>>,
    refresh: RefCell<BTreeMap<String, String>>,
    issued: Cell<u64>,
    commits: Cell<usize>,
    sign_ins: RefCell<Vec<i64>>,
    calls: RefCell<Vec<String>>,
    pages: RefCell<BTreeMap<String, Reply>>,
    lost_replies: RefCell<Vec<String>>,
    errors: RefCell<Vec<(String, Reply)>>,
}

impl Pds {
    /// A server with these accounts, by handle; account `n` has the DID [`did`]`(n)`.
    pub fn new(clock: &Rc<SimClock>, handles: &[&str]) -> Rc<Self> {
        let accounts = handles
            .iter()
            .enumerate()
            .map(|(index, handle)| Account {
                did: did(index),
                handle: (*handle).to_owned(),
                email: format!("{index}@people.example"),
            })
            .collect();
        Rc::new(Self {
            clock: Rc::clone(clock),
            accounts,
            records: RefCell::default(),
            blobs: RefCell::default(),
            access: RefCell::default(),
            refresh: RefCell::default(),
            issued: Cell::default(),
            commits: Cell::default(),
            sign_ins: RefCell::default(),
            calls: RefCell::default(),
            pages: RefCell::default(),
            lost_replies: RefCell::default(),
            errors: RefCell::default(),
        })
    }

    /// Every post of the account, in the order of their keys.
    pub fn posts(&self, did: &str) -> Vec<Stored> {
        let records = self.records.borrow();
        records.iter().filter(|((owner, _), _)| owner == did).map(|(_, stored)| stored.clone()).collect()
    }

    /// How many times any repository changed.
    pub fn commits(&self) -> usize {
        self.commits.get()
    }

    /// The methods that were called, in order.
    pub fn calls(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }

    /// The next call of `method` takes effect, and its reply is lost.
    pub fn lose_reply_of(&self, method: &str) {
        self.lost_replies.borrow_mut().push(method.to_owned());
    }

    /// The next call of `method` has no effect and gets this answer.
    pub fn answer_next(&self, method: &str, reply: Reply) {
        self.errors.borrow_mut().push((method.to_owned(), reply));
    }

    /// Every access token has expired.
    pub fn expire_access_tokens(&self) {
        for (_, expires) in self.access.borrow_mut().values_mut() {
            *expires = 0;
        }
    }

    /// Every session is over, as when the person revokes the app password's sessions.
    pub fn end_sessions(&self) {
        self.access.borrow_mut().clear();
        self.refresh.borrow_mut().clear();
    }

    /// Uploads that no record names are swept away.
    pub fn forget_blobs(&self) {
        self.blobs.borrow_mut().clear();
    }

    /// A page of another server.
    pub fn serve(&self, url: &str, reply: Reply) {
        self.pages.borrow_mut().insert(url.to_owned(), reply);
    }

    fn handle(&self, method: &str, request: &Incoming, query: &BTreeMap<String, String>) -> Answer {
        match (request.method, method) {
            (Method::Post, "com.atproto.server.createSession") => self.create_session(&request.json()),
            (Method::Post, "com.atproto.server.refreshSession") => self.refresh_session(request),
            (Method::Post, "com.atproto.repo.uploadBlob") => self.upload_blob(request),
            (Method::Post, "com.atproto.repo.putRecord") => self.put_record(request),
            (Method::Get, "com.atproto.repo.getRecord") => self.get_record(query),
            (Method::Post, "com.atproto.repo.deleteRecord") => self.delete_record(request),
            (Method::Get, "com.atproto.identity.resolveHandle") => self.resolve_handle(query),
            _ => Err(refuse(501, "MethodNotImplemented", "Method Not Implemented")),
        }
    }

    fn create_session(&self, input: &Value) -> Answer {
        let now = self.clock.now().as_seconds();
        let mut sign_ins = self.sign_ins.borrow_mut();
        sign_ins.retain(|at| *at > now - SIGN_IN_WINDOW_SECONDS);
        if sign_ins.len() >= SIGN_INS {
            return Err(rate_limited(SIGN_INS, sign_ins[0] + SIGN_IN_WINDOW_SECONDS, now));
        }
        sign_ins.push(now);
        let identifier = input["identifier"].as_str().ok_or_else(|| invalid("identifier is missing"))?;
        let account = self
            .accounts
            .iter()
            .find(|account| {
                [&account.did, &account.handle, &account.email].iter().any(|known| *known == identifier)
            })
            .filter(|_| input["password"] == PASSWORD)
            .ok_or_else(|| refuse(401, "AuthenticationRequired", "Invalid identifier or password"))?;
        Ok(self.session(account))
    }

    fn refresh_session(&self, request: &Incoming) -> Answer {
        let token = bearer(request)?;
        let did = self
            .refresh
            .borrow_mut()
            .remove(token)
            .ok_or_else(|| refuse(400, "ExpiredToken", "Token has been revoked"))?;
        let account = self.accounts.iter().find(|account| account.did == did).unwrap();
        Ok(self.session(account))
    }

    fn session(&self, account: &Account) -> Value {
        let expires = self.clock.now().as_seconds() + ACCESS_SECONDS;
        let access = self.token("access", &account.did, expires);
        let refresh = self.token("refresh", &account.did, expires + 90 * 86400);
        self.access.borrow_mut().insert(access.clone(), (account.did.clone(), expires));
        self.refresh.borrow_mut().insert(refresh.clone(), account.did.clone());
        json!({
            "accessJwt": access,
            "refreshJwt": refresh,
            "did": account.did,
            "handle": account.handle,
            "active": true,
            "didDoc": {
                "id": account.did,
                "service": [{
                    "id": "#atproto_pds",
                    "type": "AtprotoPersonalDataServer",
                    "serviceEndpoint": ORIGIN,
                }],
            },
        })
    }

    fn token(&self, scope: &str, did: &str, exp: i64) -> String {
        self.issued.set(self.issued.get() + 1);
        let claims = json!({ "scope": scope, "sub": did, "exp": exp, "jti": self.issued.get() });
        format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", BASE64URL_NOPAD.encode(claims.to_string().as_bytes()))
    }

    /// The account that the request's access token is for.
    fn authorised(&self, request: &Incoming) -> Result<String, Refusal> {
        let token = bearer(request)?;
        let access = self.access.borrow();
        let (did, expires) =
            access.get(token).ok_or_else(|| refuse(400, "InvalidToken", "Token could not be verified"))?;
        if *expires <= self.clock.now().as_seconds() {
            return Err(refuse(400, "ExpiredToken", "Token has expired"));
        }
        Ok(did.clone())
    }

    fn owner(&self, request: &Incoming, input: &Value) -> Result<String, Refusal> {
        let did = self.authorised(request)?;
        if input["repo"] == *did {
            Ok(did)
        } else {
            Err(refuse(401, "AuthenticationRequired", "Authentication Required"))
        }
    }

    fn upload_blob(&self, request: &Incoming) -> Answer {
        self.authorised(request)?;
        if request.body.len() > BLOB_LIMIT {
            return Err(refuse(413, "PayloadTooLarge", "request entity too large"));
        }
        let media_type = request.header("content-type").ok_or_else(|| invalid("Request encoding missing"))?;
        let cid = cid("bafkrei", &request.body);
        self.blobs.borrow_mut().insert(cid.clone(), request.body.len());
        Ok(json!({
            "blob": {
                "$type": "blob",
                "ref": { "$link": cid },
                "mimeType": media_type,
                "size": request.body.len(),
            }
        }))
    }

    fn put_record(&self, request: &Incoming) -> Answer {
        let input = request.json();
        let did = self.owner(request, &input)?;
        let rkey = input["rkey"].as_str().filter(|key| is_tid(key)).ok_or_else(|| invalid("Invalid TID"))?;
        check_post(&input["record"])?;
        let key = (did.clone(), rkey.to_owned());
        let cid = cid("bafyrei", input["record"].to_string().as_bytes());
        let uri = format!("at://{did}/app.bsky.feed.post/{rkey}");
        let current = self.records.borrow().get(&key).map(|stored| stored.cid.clone());
        if current.as_ref() != Some(&cid) {
            self.check_blobs(&input["record"])?;
            if let (Some(was), Some(Value::Null)) = (&current, input.get("swapRecord")) {
                return Err(refuse(400, "InvalidSwap", &format!("Record was at {was}")));
            }
            let stored = Stored { rkey: rkey.to_owned(), cid: cid.clone(), value: input["record"].clone() };
            self.records.borrow_mut().insert(key, stored);
            self.commits.set(self.commits.get() + 1);
        }
        Ok(json!({ "uri": uri, "cid": cid, "validationStatus": "valid" }))
    }

    fn check_blobs(&self, record: &Value) -> Result<(), Refusal> {
        let blobs = self.blobs.borrow();
        let missing = blob_refs(record).into_iter().find(|cid| !blobs.contains_key(cid));
        missing.map_or(Ok(()), |cid| Err(refuse(400, "BlobNotFound", &format!("Could not find blob: {cid}"))))
    }

    fn get_record(&self, query: &BTreeMap<String, String>) -> Answer {
        let (repo, rkey) = (query["repo"].clone(), query["rkey"].clone());
        let uri = format!("at://{repo}/app.bsky.feed.post/{rkey}");
        let records = self.records.borrow();
        let stored = records
            .get(&(repo, rkey))
            .ok_or_else(|| refuse(400, "RecordNotFound", &format!("Could not locate record: {uri}")))?;
        Ok(json!({ "uri": uri, "cid": stored.cid, "value": stored.value }))
    }

    fn delete_record(&self, request: &Incoming) -> Answer {
        let input = request.json();
        let did = self.owner(request, &input)?;
        let rkey = input["rkey"].as_str().unwrap_or_default().to_owned();
        if self.records.borrow_mut().remove(&(did, rkey)).is_some() {
            self.commits.set(self.commits.get() + 1);
        }
        Ok(json!({}))
    }

    fn resolve_handle(&self, query: &BTreeMap<String, String>) -> Answer {
        let found = self.accounts.iter().find(|account| account.handle == query["handle"]);
        found.map(|account| json!({ "did": account.did })).ok_or_else(|| invalid("Unable to resolve handle"))
    }
}

impl Peer for Pds {
    fn answer(&self, request: &Incoming) -> Result<Reply, HttpFault> {
        let url = Url::parse(&request.url).unwrap();
        if url.origin().ascii_serialization() != ORIGIN {
            let page = self.pages.borrow().get(&request.url).cloned();
            return page.ok_or_else(|| HttpFault::NotSent("no such host".to_owned()));
        }
        let method = url.path().trim_start_matches("/xrpc/").to_owned();
        self.calls.borrow_mut().push(method.clone());
        if let Some(reply) = take(&self.errors, |(name, _)| *name == method) {
            return Ok(reply.1);
        }
        let query = url.query_pairs().into_owned().collect();
        let answer = self.handle(&method, request, &query);
        if take(&self.lost_replies, |name| *name == method).is_some() {
            return Err(HttpFault::Unknown("connection lost".to_owned()));
        }
        Ok(answer.map_or_else(error_reply, |output| Reply::json(200, &output)))
    }
}

/// The DID of the account that was named at this place.
pub fn did(index: usize) -> String {
    format!("did:plc:{:a>24}", ["first", "second", "third"][index])
}

/// A 429 as the server sends it: until `reset`, in epoch seconds.
pub fn too_many(reset: i64, now: i64) -> Reply {
    error_reply(rate_limited(3000, reset, now))
}

fn rate_limited(limit: usize, reset: i64, now: i64) -> Refusal {
    let headers = [
        ("RateLimit-Limit", limit.to_string()),
        ("RateLimit-Remaining", "0".to_owned()),
        ("RateLimit-Reset", reset.to_string()),
        ("RateLimit-Policy", format!("{limit};w=300")),
        ("Retry-After", (reset - now).to_string()),
    ];
    Refusal {
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..refuse(429, "RateLimitExceeded", "Rate Limit Exceeded")
    }
}

fn error_reply(refusal: Refusal) -> Reply {
    let mut reply =
        Reply::json(refusal.status, &json!({ "error": refusal.error, "message": refusal.message }));
    reply.headers.extend(refusal.headers);
    reply
}

fn take<T>(list: &RefCell<Vec<T>>, wanted: impl Fn(&T) -> bool) -> Option<T> {
    let mut list = list.borrow_mut();
    let index = list.iter().position(wanted)?;
    Some(list.remove(index))
}

fn bearer(request: &Incoming) -> Result<&str, Refusal> {
    request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(|| refuse(401, "AuthMissing", "Authentication Required"))
}

fn cid(prefix: &str, bytes: &[u8]) -> String {
    let hash = sha256_text(bytes).to_lowercase().replace(['-', '_'], "z");
    format!("{prefix}{hash}")
}

fn is_tid(key: &str) -> bool {
    let alphabet = |c: char| c.is_ascii_lowercase() || ('2'..='7').contains(&c);
    key.len() == 13
        && key.chars().all(alphabet)
        && key.starts_with(|c| ('2'..='7').contains(&c) || ('a'..='j').contains(&c))
}

/// The checks of the lexicon that Postern's records could fail.
fn check_post(record: &Value) -> Result<(), Refusal> {
    let text = record["text"].as_str().ok_or_else(|| invalid("Record must have the property \"text\""))?;
    let graphemes = text.graphemes(true).count();
    if graphemes > 300 {
        return Err(invalid(&format!("grapheme too big (maximum 300, got {graphemes}) at $.record.text")));
    }
    if text.len() > 3000 {
        return Err(invalid("string too big (maximum 3000) at $.record.text"));
    }
    if record["$type"] != "app.bsky.feed.post" || !is_datetime(&record["createdAt"]) {
        return Err(invalid("Invalid app.bsky.feed.post record"));
    }
    for (name, most) in [("langs", 3), ("tags", 8)] {
        if items(&record[name]).len() > most {
            return Err(invalid(&format!("array too big (maximum {most}) at $.record.{name}")));
        }
    }
    items(&record["facets"]).iter().try_for_each(|facet| check_facet(text, facet))?;
    check_embed(&record["embed"])?;
    check_reply(&record["reply"])
}

fn is_datetime(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == 24 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
    })
}

fn check_facet(text: &str, facet: &Value) -> Result<(), Refusal> {
    let end = |name: &str| facet["index"][name].as_u64().and_then(|n| usize::try_from(n).ok());
    let marked = end("byteStart").zip(end("byteEnd")).and_then(|(start, end)| text.get(start..end));
    let known = items(&facet["features"]).iter().all(|feature| match feature["$type"].as_str() {
        Some("app.bsky.richtext.facet#link") => {
            feature["uri"].as_str().is_some_and(|uri| Url::parse(uri).is_ok())
        }
        Some("app.bsky.richtext.facet#mention") => {
            feature["did"].as_str().is_some_and(|did| did.starts_with("did:"))
        }
        Some("app.bsky.richtext.facet#tag") => {
            feature["tag"].as_str().is_some_and(|tag| tag.len() <= 640 && tag.graphemes(true).count() <= 64)
        }
        _ => false,
    });
    if marked.is_some_and(|marked| !marked.is_empty()) && known {
        Ok(())
    } else {
        Err(invalid("Invalid facet at $.record.facets"))
    }
}

fn check_embed(embed: &Value) -> Result<(), Refusal> {
    match embed["$type"].as_str() {
        None if embed.is_null() => Ok(()),
        Some("app.bsky.embed.images") => {
            let images = items(&embed["images"]);
            if images.len() > 4 {
                return Err(invalid("array too big (maximum 4) at $.record.embed.images"));
            }
            let whole = |image: &Value| {
                image["alt"].is_string()
                    && image["image"]["size"].as_u64().is_some_and(|size| size <= 2_000_000)
            };
            if images.iter().all(whole) {
                Ok(())
            } else {
                Err(invalid("Invalid image at $.record.embed.images"))
            }
        }
        Some("app.bsky.embed.external") => {
            let external = &embed["external"];
            let words = ["uri", "title", "description"].iter().all(|name| external[*name].is_string());
            let small = external["thumb"]["size"].as_u64().is_none_or(|size| size <= 1_000_000);
            if words && small { Ok(()) } else { Err(invalid("Invalid card at $.record.embed.external")) }
        }
        _ => Err(invalid("Invalid embed at $.record.embed")),
    }
}

fn check_reply(reply: &Value) -> Result<(), Refusal> {
    let whole = |reference: &Value| {
        reference["uri"].as_str().is_some_and(|uri| uri.starts_with("at://")) && reference["cid"].is_string()
    };
    if reply.is_null() || (whole(&reply["root"]) && whole(&reply["parent"])) {
        Ok(())
    } else {
        Err(invalid("Invalid reply at $.record.reply"))
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Every blob that a record names.
fn blob_refs(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(fields) if fields.get("$type") == Some(&json!("blob")) => {
            value["ref"]["$link"].as_str().map(str::to_owned).into_iter().collect()
        }
        Value::Object(fields) => fields.values().flat_map(blob_refs).collect(),
        Value::Array(items) => items.iter().flat_map(blob_refs).collect(),
        _ => BTreeSet::new(),
    }
}
