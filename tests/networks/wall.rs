//! The Wall: what connectors put there, and what visitors see.

use postern::{
    desk::{DeliveryId, MediaId, Visitor, check_media_address, media_address},
    http::{GuardedClient, Request, RequestMethod, Response},
    networks::{
        Account, Attachment, Connector, Draft, DraftPart, Job, JobPart, Link, Network, PartKind, PartState,
        Step, Verdict, connector, render, wall,
    },
    platform::{Clock, Database, Statement, Timestamp},
};
use serde_json::{Value, json};

use super::xml;
use crate::sim::{BEGIN, Sim, run, world::Company};

/// What a hostile tenant would write everywhere.
const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(1)> \"'><svg/onload=alert(1)> javascript:alert(1) \
    https://evil.example/\"onmouseover=\"alert(1) https://evil.example/'onfocus='x &lt;b&gt; ]]> <!-- --> {{ 7*7 }} \u{202e}\u{0}\u{b}\u{ffff}";

struct Street {
    sim: Sim,
    company: Company,
}

impl Street {
    fn new() -> Self {
        let sim = Sim::new(3);
        let company = Company::found(&sim, "acme");
        Self { sim, company }
    }

    fn job(&self, due_at: Timestamp, parts: Vec<DraftPart>) -> Job {
        let account = Account {
            profile_id: self.company.wall.clone(),
            network: Network::Wall,
            handle: "acme".to_owned(),
            remote_id: self.company.wall.to_string(),
            server: None,
        };
        let rendered = render(Network::Wall, &Draft { parts, settings: Value::Null });
        assert_eq!(rendered.problems, []);
        let parts = rendered.parts.into_iter().map(|part| JobPart {
            kind: part.kind,
            text: part.text,
            media: part.media,
            wire: part.wire,
            state: PartState::Pending,
            handle: None,
            remote_id: None,
            url: None,
        });
        Job {
            tenant_id: self.company.tenant.id.clone(),
            safename: "acme".to_owned(),
            delivery_id: DeliveryId::new(due_at, &self.sim.entropy),
            account,
            due_at,
            parts: parts.collect(),
            settings: Value::Null,
            progress: Value::Null,
        }
    }

    fn link(&self) -> Link<'_> {
        Link {
            web: GuardedClient::new(&self.sim.web, &self.sim.config),
            session: None,
            content_origin: &self.sim.config.content_origin,
            now: self.sim.clock.now(),
        }
    }

    fn commit(&self, statements: Vec<Statement>) {
        run(self.sim.shard().batch(statements)).unwrap();
    }

    /// Publishes every part of the job and gives their addresses.
    fn publish(&self, job: &mut Job) -> Vec<String> {
        while let Step::Send(index) = the_wall().next(job) {
            let sent = run(the_wall().send(job, index, self.link())).unwrap();
            self.commit(sent.statements);
            let part = &mut job.parts[index];
            part.state = PartState::Live;
            part.url = sent.url;
        }
        job.parts.iter().map(|part| part.url.clone().unwrap()).collect()
    }

    fn post(&self, text: &str) -> String {
        let mut job = self.job(self.sim.clock.now(), vec![post(text)]);
        self.publish(&mut job).remove(0)
    }

    fn visitor(&self) -> Visitor<'_> {
        Visitor::new(&self.sim.platform(), self.company.tenant.clone()).unwrap()
    }

    fn page(&self, request: &Request) -> Response {
        run(wall::page(&self.visitor(), &self.sim.config, "acme", request))
    }

    fn atom(&self, request: &Request) -> Response {
        run(wall::atom(&self.visitor(), &self.sim.config, "acme", request))
    }

    fn json(&self) -> Value {
        let answer = run(wall::json_feed(&self.visitor(), &self.sim.config, "acme", &get("")));
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn entry(&self, address: &str) -> Response {
        let entry = address.rsplit('/').next().unwrap();
        run(wall::entry_page(&self.visitor(), &self.sim.config, "acme", entry, &get("")))
    }
}

fn the_wall() -> &'static dyn Connector {
    connector(Network::Wall)
}

fn part(kind: PartKind, text: &str) -> DraftPart {
    DraftPart { kind, text: text.to_owned(), media: Vec::new(), field: "text".to_owned() }
}

fn post(text: &str) -> DraftPart {
    part(PartKind::Post, text)
}

fn get(query: &str) -> Request {
    Request {
        method: RequestMethod::Get,
        host: "somewhere-else.example".to_owned(),
        path: "/acme/acme".to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        peer: "192.0.2.1".to_owned(),
    }
}

fn with_header(name: &str, value: &str) -> Request {
    Request { headers: vec![(name.to_owned(), value.to_owned())], ..get("") }
}

fn body(answer: &Response) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

#[test]
fn a_post_stands_on_the_page_under_its_permalink_and_in_both_feeds() {
    let street = Street::new();
    let address = street.post("The harbour office is open.\nCome by: example.com/harbour.");
    assert!(address.starts_with("http://127.0.0.1:8790/acme/acme/ent_"), "{address}");
    let link = r#"Come by: <a href="https://example.com/harbour" rel="nofollow noopener ugc">example.com/harbour</a>."#;
    for answer in [street.page(&get("")), street.entry(&address)] {
        let page = body(&answer);
        assert_eq!(answer.status, 200);
        assert!(page.contains("The harbour office is open.<br>"), "{page}");
        assert!(page.contains(link), "{page}");
        assert!(page.contains(&format!(r#"href="{address}""#)));
        assert!(page.contains(r#"datetime="2026-11-20T09:00:00Z">20 November 2026, 10:00<"#), "{page}");
    }
    let feed = street.json();
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(feed["items"][0]["id"], address);
    assert_eq!(feed["items"][0]["title"], "The harbour office is open.");
    assert_eq!(feed["items"][0]["date_published"], "2026-11-20T09:00:00Z");
    assert!(feed["items"][0]["content_html"].as_str().unwrap().contains(link));
    let atom = body(&street.atom(&get("")));
    assert!(atom.contains(&format!("<id>{address}</id>")), "{atom}");
}

#[test]
fn an_effect_that_is_repeated_is_one_entry() {
    let street = Street::new();
    let job = street.job(BEGIN, vec![post("Once")]);
    let first = run(the_wall().send(&job, 0, street.link())).unwrap();
    let again = run(the_wall().send(&job, 0, street.link())).unwrap();
    assert_eq!((&first.remote_id, &first.handle), (&again.remote_id, &again.handle));
    assert_eq!(first.handle, the_wall().handle(&job, 0));
    street.commit(first.statements);
    street.commit(again.statements);
    assert_eq!(body(&street.page(&get(""))).matches("<article>").count(), 1);
}

#[test]
fn what_is_armed_and_not_settled_never_happened() {
    let street = Street::new();
    let mut job = street.job(BEGIN, vec![post("Once")]);
    job.parts[0].state = PartState::Armed;
    assert!(matches!(run(the_wall().verify(&job, 0, street.link())), Ok(Verdict::Absent)));
    assert_eq!(the_wall().next(&job), Step::Send(0));
}

#[test]
fn a_thread_is_one_entry_and_its_parts_have_anchors() {
    let street = Street::new();
    let parts = vec![post("One"), part(PartKind::Reply, "Two"), part(PartKind::FirstComment, "Note")];
    let addresses = street.publish(&mut street.job(BEGIN, parts));
    let page = body(&street.entry(&addresses[0]));
    assert_eq!(page.matches("<article>").count(), 1);
    for (address, text) in addresses.iter().skip(1).zip(["Two", "Note"]) {
        let (permalink, anchor) = address.split_once('#').unwrap();
        assert_eq!(permalink, addresses[0]);
        assert!(page.contains(&format!(r#"<section id="{anchor}""#)), "{page}");
        assert!(page.contains(text));
    }
    assert_eq!(street.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(street.json()["items"][0]["content_text"], "One\n\nTwo\n\nNote");
}

#[test]
fn what_is_removed_is_gone_everywhere() {
    let street = Street::new();
    let mut job = street.job(BEGIN, vec![post("Gone soon")]);
    let address = street.publish(&mut job).remove(0);
    for _ in 0..2 {
        street.commit(run(the_wall().remove(&job, 0, street.link())).unwrap());
    }
    assert_eq!(street.entry(&address).status, 404);
    assert!(!body(&street.page(&get(""))).contains("Gone soon"));
    assert_eq!(street.json()["items"], json!([]));
    xml::elements(&body(&street.atom(&get("")))).unwrap();
}

#[test]
fn whatever_is_not_there_is_not_there_in_the_same_way() {
    let street = Street::new();
    let other = Company::found(&street.sim, "other");
    let address = street.post("Here");
    let entry = address.rsplit('/').next().unwrap();
    let config = &street.sim.config;
    let elsewhere = Visitor::new(&street.sim.platform(), other.tenant).unwrap();
    let at = |visitor: &Visitor<'_>, handle: &str, entry: &str| {
        run(wall::entry_page(visitor, config, handle, entry, &get("")))
    };
    let invented = DeliveryId::new(BEGIN, &street.sim.entropy).to_string().replace("dlv_", "ent_");
    let answers = [
        wall::not_found(),
        run(wall::page(&street.visitor(), config, "nobody", &get(""))),
        run(wall::atom(&street.visitor(), config, "nobody", &get(""))),
        run(wall::json_feed(&street.visitor(), config, "nobody", &get(""))),
        at(&street.visitor(), "acme", &invented),
        at(&street.visitor(), "acme", "ent_short"),
        at(&street.visitor(), "nobody", entry),
        at(&elsewhere, "acme", entry),
        at(&elsewhere, "other", entry),
    ];
    for answer in &answers {
        assert_eq!(answer.status, 404);
        assert_eq!((&answer.headers, &answer.body), (&answers[0].headers, &answers[0].body));
    }
    street.sim.shard().execute("UPDATE tenant SET deleted_at = 1 WHERE safename = 'acme'", []);
    let gone = street.page(&get(""));
    assert_eq!((&gone.headers, &gone.body), (&answers[0].headers, &answers[0].body));
}

#[test]
fn a_disconnected_wall_is_not_there() {
    let street = Street::new();
    street.post("Here");
    street.sim.shard().execute("UPDATE profile SET state = 'disconnected' WHERE handle = 'acme'", []);
    assert_eq!(street.page(&get("")).status, 404);
}

#[test]
fn hostile_text_stays_text() {
    let street = Street::new();
    let shard = street.sim.shard();
    shard.execute("UPDATE profile SET name = ?1 WHERE network = 'wall'", [HOSTILE]);
    shard.execute("UPDATE tenant SET name = ?1", ["<script>\"'&\u{0}</title>"]);
    let mut draft = post(HOSTILE);
    draft.media = vec![picture(&street, HOSTILE)];
    let address = street.publish(&mut street.job(BEGIN, vec![draft])).remove(0);
    let answers = [street.page(&get("")), street.entry(&address)];
    for page in answers.iter().map(body) {
        for tag in tags_of(&page) {
            assert!(KNOWN_TAGS.contains(&tag.name.as_str()), "<{}> in {page}", tag.name);
            for (name, value) in &tag.attributes {
                assert!(KNOWN_ATTRIBUTES.contains(&name.as_str()), "{name} of {} in {page}", tag.name);
                assert!(
                    !matches!(name.as_str(), "href" | "src") || value.starts_with("http"),
                    "{name}={value}"
                );
            }
        }
    }
    let atom = body(&street.atom(&get("")));
    xml::elements(&atom).unwrap();
    assert!(!atom.contains("<script") && !atom.contains("<img"), "{atom}");
    let html = street.json()["items"][0]["content_html"].as_str().unwrap().to_owned();
    assert!(
        tags_of(&html).iter().all(|tag| ["p", "a", "br", "div", "img", "hr"].contains(&tag.name.as_str()))
    );
}

const KNOWN_TAGS: [&str; 23] = [
    "html", "head", "meta", "title", "link", "style", "body", "header", "main", "footer", "nav", "a", "span",
    "h1", "article", "time", "section", "p", "br", "div", "img", "!doctype", "hr",
];
const KNOWN_ATTRIBUTES: [&str; 19] = [
    "lang",
    "charset",
    "name",
    "content",
    "rel",
    "type",
    "title",
    "href",
    "property",
    "class",
    "aria-hidden",
    "dir",
    "aria-label",
    "datetime",
    "id",
    "src",
    "alt",
    "loading",
    "html",
];

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

/// The opening tags of a page as a browser reads them: `<` and a letter opens one, and a quote ends only at its like.
fn tags_of(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') {
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '>').unwrap();
        let mut tag = Tag { name: rest[..end].to_lowercase(), attributes: Vec::new() };
        rest = rest[end..].trim_start();
        while !rest.starts_with('>') {
            let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '>').unwrap();
            let name = rest[..end].to_lowercase();
            rest = rest[end..].trim_start();
            let mut value = "";
            if let Some(quoted) = rest.strip_prefix("=\"") {
                (value, rest) = quoted.split_once('"').unwrap();
                rest = rest.trim_start();
            } else if let Some(bare) = rest.strip_prefix('=') {
                let end = bare.find(|c: char| c.is_whitespace() || c == '>').unwrap();
                (value, rest) = (&bare[..end], bare[end..].trim_start());
            }
            tag.attributes.push((name, value.to_owned()));
        }
        tags.push(tag);
    }
    tags
}

fn picture(street: &Street, alt: &str) -> Attachment {
    Attachment {
        media_id: MediaId::new(BEGIN, &street.sim.entropy),
        content_type: "image/png".to_owned(),
        bytes: 100,
        width: None,
        height: None,
        alt: alt.to_owned(),
    }
}

#[test]
fn every_answer_of_the_content_origin_is_locked_in() {
    let street = Street::new();
    let address = street.post("Here");
    let answers = [street.page(&get("")), street.entry(&address), street.atom(&get("")), wall::not_found()];
    for answer in &answers {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.contains("sandbox"), "{policy}");
        assert!(!policy.contains("allow-scripts") && !policy.contains("allow-same-origin"), "{policy}");
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("set-cookie"), None);
    }
}

#[test]
fn what_a_visitor_has_already_is_not_sent_again() {
    let street = Street::new();
    street.post("Here");
    type Show = fn(&Street, &Request) -> Response;
    for show in [Street::page as Show, Street::atom as Show] {
        let first = show(&street, &get(""));
        let tag = first.header("etag").unwrap().to_owned();
        let modified = first.header("last-modified").unwrap().to_owned();
        assert_eq!(modified, "Fri, 20 Nov 2026 09:00:00 GMT");
        assert!(first.header("cache-control").unwrap().contains("max-age=30"));
        for known in [
            with_header("if-none-match", &tag),
            with_header("if-none-match", &format!("\"other\", W/{tag}")),
            with_header("if-modified-since", &modified),
        ] {
            let again = show(&street, &known);
            assert_eq!((again.status, again.body.len()), (304, 0));
            assert_eq!(again.header("etag"), Some(tag.as_str()));
        }
        assert_eq!(show(&street, &with_header("if-none-match", "\"other\"")).status, 200);
    }
    let tag = street.page(&get("")).header("etag").unwrap().to_owned();
    street.sim.clock.advance_seconds(5);
    street.post("More");
    assert_eq!(street.page(&with_header("if-none-match", &tag)).status, 200);
}

#[test]
fn older_posts_are_found_page_by_page() {
    let street = Street::new();
    for number in 0..45 {
        let parts = vec![post(&format!("Post no. {number}.")), part(PartKind::Reply, "and more")];
        // Some carry the same time.
        street.publish(&mut street.job(BEGIN.plus_seconds(number / 3), parts));
    }
    let mut seen = Vec::new();
    let mut query = String::new();
    loop {
        let page = body(&street.page(&get(&query)));
        assert_eq!(page.matches("and more").count(), page.matches("Post no.").count(), "threads stay whole");
        seen.extend(
            page.split("Post no. ")
                .skip(1)
                .map(|rest| rest.split('.').next().unwrap().parse::<i64>().unwrap()),
        );
        match page.split_once("?before=") {
            Some((_, rest)) => query = format!("before={}", rest.split('"').next().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen.len(), 45);
    assert!(seen.is_sorted_by_key(|number| -(number / 3)), "newest first: {seen:?}");
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 45, "each once");
    assert_eq!(body(&street.page(&get("before=nonsense"))), body(&street.page(&get(""))));
}

#[test]
fn the_atom_feed_has_what_the_standard_asks_for() {
    let street = Street::new();
    let empty = body(&street.atom(&get("")));
    let elements = xml::elements(&empty).unwrap();
    assert!(
        ["feed", "id", "title", "updated", "author"].iter().all(|name| elements.iter().any(|e| e == name))
    );

    street.post("Tom & Jerry <3 \"quotes\" 'n' more\n\nhttps://example.com/?a=1&b=2");
    let feed = body(&street.atom(&get("")));
    let elements = xml::elements(&feed).unwrap();
    assert_eq!(elements[0], "feed");
    let entry: Vec<&str> = elements.iter().skip_while(|name| *name != "entry").map(String::as_str).collect();
    assert_eq!(entry, ["entry", "id", "title", "link", "published", "updated", "content"]);
    assert!(feed.contains(
        r#"<link rel="self" type="application/atom+xml" href="http://127.0.0.1:8790/acme/acme/feed.atom"/>"#
    ));
    assert!(xml::elements("<a><b></a></b>").is_err() && xml::elements("<a>&nope;</a>").is_err());
}

#[test]
fn pictures_have_alt_text_and_an_address_only_postern_can_make() {
    let street = Street::new();
    let mut draft = post("");
    draft.media = vec![picture(&street, "A white house")];
    let media = draft.media[0].media_id.clone();
    let address = street.publish(&mut street.job(BEGIN, vec![draft])).remove(0);
    let config = &street.sim.config;
    let tenant = &street.company.tenant.id;
    let source = media_address(config, tenant, &media);
    let page = body(&street.entry(&address));
    assert!(page.contains(&format!(r#"<img src="{source}" alt="A white house""#)), "{page}");
    assert_eq!(street.json()["items"][0]["image"], source);

    let path = source.strip_prefix("http://127.0.0.1:8790/media/").unwrap();
    let segments: Vec<&str> = path.split('/').collect();
    let check = |tenant: &str, media: &str, tag: &str| check_media_address(config, tenant, media, tag);
    assert_eq!(check(segments[0], segments[1], segments[2]), Some((tenant.clone(), media)));
    let other = MediaId::new(BEGIN, &street.sim.entropy);
    assert_eq!(check(segments[0], other.as_str(), segments[2]), None);
    assert_eq!(check(segments[0], segments[1], "t1.AAAA"), None);
    assert_eq!(check(segments[0], segments[1], ""), None);
    assert_eq!(check(segments[0], segments[1], &segments[2].replace("t1.", "t2.")), None);
}

#[test]
fn a_page_reads_the_entries_it_shows_and_no_more() {
    let sim = Sim::new(1);
    for sql in postern::networks::STATEMENTS {
        for line in sim.shard().plan(sql.text).iter().filter(|line| line.contains("(tenant_id=?)")) {
            assert!(line.contains("tenant_1"), "{} reads a whole tenant: {line}", sql.name);
        }
    }
}
