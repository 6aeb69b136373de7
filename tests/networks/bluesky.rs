//! The Bluesky connector against a simulated server.

use std::rc::Rc;

use postern::{
    desk::{DeliveryId, MediaId, ProfileId, TenantId, blob_key},
    http::GuardedClient,
    networks::{
        Account, Attachment, Connector, Draft, DraftPart, ErrorClass, Job, JobPart, Link, Network,
        NetworkError, PartKind, PartState, Session, SignIn, Step, Verdict, connector, render,
    },
    platform::{Clock, HttpFault, Timestamp},
};
use serde_json::{Value, json};

use super::pds::{self, Pds, Stored};
use crate::sim::{BEGIN, Peer, Reply, Sim, run};

const ACCOUNT: &str = "alice.test";

/// A delivery to Bluesky, the server it goes to, and nothing else: what `delivery` does, without its tables.
struct Desk {
    sim: Sim,
    pds: Rc<Pds>,
    session: Option<Session>,
    job: Job,
}

fn part(kind: PartKind, text: &str) -> DraftPart {
    DraftPart { kind, text: text.to_owned(), media: Vec::new(), field: "text".to_owned() }
}

impl Desk {
    fn posting(text: &str) -> Self {
        Self::with(vec![part(PartKind::Post, text)], Value::Null)
    }

    fn with(parts: Vec<DraftPart>, settings: Value) -> Self {
        let sim = Sim::new(1);
        let pds = Pds::new(&sim.clock, &[ACCOUNT, "bob.test"]);
        sim.web.set_peer(Rc::clone(&pds) as Rc<dyn Peer>);
        let account = Account {
            profile_id: ProfileId::new(BEGIN, &sim.entropy),
            network: Network::Bluesky,
            handle: ACCOUNT.to_owned(),
            remote_id: pds::did(0),
            server: Some(pds::ORIGIN.to_owned()),
        };
        let draft = Draft { parts, settings: settings.clone() };
        let rendered = render(Network::Bluesky, &draft);
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
        let job = Job {
            tenant_id: TenantId::new(BEGIN, &sim.entropy),
            safename: "acme".to_owned(),
            delivery_id: DeliveryId::new(BEGIN, &sim.entropy),
            account,
            due_at: BEGIN,
            parts: parts.collect(),
            settings,
            progress: Value::Null,
        };
        let mut desk = Self { sim, pds, session: None, job };
        desk.session = Some(desk.sign_in(ACCOUNT, pds::PASSWORD).unwrap());
        desk
    }

    fn link(&self) -> Link<'_> {
        Link {
            web: GuardedClient::new(&self.sim.web, &self.sim.config),
            session: self.session.as_ref(),
            content_origin: &self.sim.config.content_origin,
            now: self.sim.clock.now(),
        }
    }

    fn sign_in(&self, identifier: &str, secret: &str) -> Result<Session, NetworkError> {
        run(bluesky().sign_in(SignIn { server: pds::ORIGIN, identifier, secret }, self.link()))
    }

    /// Carries out the next step and gives it back.
    fn step(&mut self) -> Result<Step, NetworkError> {
        let step = bluesky().next(&self.job);
        match step {
            Step::Prepare => self.job.progress = run(bluesky().prepare(&self.job, self.link()))?,
            Step::Send(index) => {
                self.arm(index);
                let sent = run(bluesky().send(&self.job, index, self.link()))?;
                self.settle(index, sent);
            }
            Step::Done => {}
        }
        Ok(step)
    }

    fn arm(&mut self, index: usize) {
        let handle = bluesky().handle(&self.job, index);
        self.job.parts[index].handle = Some(handle);
        self.job.parts[index].state = PartState::Armed;
    }

    fn settle(&mut self, index: usize, sent: postern::networks::Sent) {
        let part = &mut self.job.parts[index];
        part.state = PartState::Live;
        part.handle = Some(sent.handle);
        part.remote_id = Some(sent.remote_id);
        part.url = sent.url;
    }

    fn steps_to_the_end(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        while steps.last() != Some(&Step::Done) {
            steps.push(self.step().unwrap());
        }
        steps
    }

    fn verify(&self, index: usize) -> Verdict {
        run(bluesky().verify(&self.job, index, self.link())).unwrap()
    }

    fn posts(&self) -> Vec<Stored> {
        self.pds.posts(&pds::did(0))
    }

    fn picture(&self, bytes: usize, content_type: &str) -> Attachment {
        let media_id = MediaId::new(BEGIN, &self.sim.entropy);
        self.sim.blobs.insert(&blob_key(&self.job.tenant_id, &media_id), content_type, vec![7; bytes]);
        Attachment {
            media_id,
            content_type: content_type.to_owned(),
            bytes: bytes as u64,
            width: Some(800),
            height: Some(600),
            alt: "A boat".to_owned(),
        }
    }
}

fn bluesky() -> &'static dyn Connector {
    connector(Network::Bluesky)
}

fn page(head: &str) -> Reply {
    let html = format!("<!doctype html><html><head>{head}</head><body>…</body></html>");
    Reply::of(200, "text/html; charset=utf-8", html.into_bytes())
}

#[test]
fn a_post_is_one_record_with_the_due_time() {
    let mut desk = Desk::posting("Good morning");
    assert_eq!(desk.steps_to_the_end(), [Step::Send(0), Step::Done]);
    let posts = desk.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(
        posts[0].value,
        json!({
            "$type": "app.bsky.feed.post",
            "text": "Good morning",
            "createdAt": "2026-11-20T09:00:00.000Z",
        })
    );
    let part = &desk.job.parts[0];
    let expected = format!("https://bsky.app/profile/{}/post/{}", pds::did(0), posts[0].rkey);
    assert_eq!(part.url.as_deref(), Some(expected.as_str()));
    assert_eq!(part.remote_id, Some(format!("at://{}/app.bsky.feed.post/{}", pds::did(0), posts[0].rkey)));
}

#[test]
fn sending_again_changes_nothing() {
    let mut desk = Desk::posting("Once");
    desk.arm(0);
    let first = run(bluesky().send(&desk.job, 0, desk.link())).unwrap();
    let commits = desk.pds.commits();
    let second = run(bluesky().send(&desk.job, 0, desk.link())).unwrap();
    assert_eq!((first.remote_id, first.handle), (second.remote_id, second.handle));
    assert_eq!(desk.pds.commits(), commits);
    assert_eq!(desk.posts().len(), 1);
}

#[test]
fn a_lost_reply_is_looked_up_and_found() {
    let mut desk = Desk::posting("Did it go out?");
    desk.pds.lose_reply_of("com.atproto.repo.putRecord");
    let error = desk.step().unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Verify, "connection_lost"));
    let Verdict::Present(sent) = desk.verify(0) else {
        panic!("it is there");
    };
    desk.settle(0, sent);
    assert_eq!(desk.step().unwrap(), Step::Done);
    assert_eq!(desk.posts().len(), 1);
}

#[test]
fn what_was_never_sent_is_absent() {
    let mut desk = Desk::posting("Not yet");
    desk.arm(0);
    assert!(matches!(desk.verify(0), Verdict::Absent));
}

#[test]
fn another_record_under_the_key_is_never_overwritten() {
    let mut desk = Desk::posting("First words");
    desk.steps_to_the_end();
    desk.job.parts[0].text = "Other words".to_owned();
    desk.job.parts[0].state = PartState::Armed;
    let error = desk.step().unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Verify, "InvalidSwap"));
    assert_eq!(desk.posts()[0].value["text"], "First words");
}

#[test]
fn a_thread_hangs_together_and_the_comment_hangs_under_the_post() {
    let mut desk = Desk::with(
        vec![
            part(PartKind::Post, "One"),
            part(PartKind::Reply, "Two"),
            part(PartKind::FirstComment, "Comment"),
            part(PartKind::Reply, "Three"),
        ],
        Value::Null,
    );
    desk.steps_to_the_end();
    let posts = desk.posts();
    let texts: Vec<&str> = posts.iter().map(|post| post.value["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["One", "Two", "Comment", "Three"], "keys keep the order of the parts");
    let reference = |index: usize| json!({ "uri": format!("at://{}/app.bsky.feed.post/{}", pds::did(0), posts[index].rkey), "cid": posts[index].cid });
    let under = |index: usize| json!({ "root": reference(0), "parent": reference(index) });
    assert_eq!(posts[0].value.get("reply"), None);
    assert_eq!(posts[1].value["reply"], under(0));
    assert_eq!(posts[2].value["reply"], under(0));
    assert_eq!(posts[3].value["reply"], under(1));
    assert_eq!(posts[2].value["createdAt"], "2026-11-20T09:00:00.002Z");
}

#[test]
fn a_reply_waits_for_no_one_who_is_gone() {
    let mut desk = Desk::with(vec![part(PartKind::Post, "One"), part(PartKind::Reply, "Two")], Value::Null);
    desk.step().unwrap();
    desk.job.parts[0].state = PartState::Removed;
    let error = desk.step().unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Refused, "parent_missing"));
}

#[test]
fn links_mentions_and_tags_are_marked_by_bytes() {
    let mut desk = Desk::posting("Grüße 👋🏽 @bob.test, siehe example.com/a und #Köln (@nobody.test)");
    desk.pds.serve("https://example.com/a", page(""));
    desk.steps_to_the_end();
    let record = desk.posts().remove(0).value;
    let text = record["text"].as_str().unwrap();
    let marked: Vec<(String, Value)> = record["facets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|facet| {
            let end = |name: &str| usize::try_from(facet["index"][name].as_u64().unwrap()).unwrap();
            (text[end("byteStart")..end("byteEnd")].to_owned(), facet["features"][0].clone())
        })
        .collect();
    let link = json!({ "$type": "app.bsky.richtext.facet#link", "uri": "https://example.com/a" });
    let mention = json!({ "$type": "app.bsky.richtext.facet#mention", "did": pds::did(1) });
    let tag = json!({ "$type": "app.bsky.richtext.facet#tag", "tag": "Köln" });
    assert_eq!(
        marked,
        [("@bob.test".to_owned(), mention), ("example.com/a".to_owned(), link), ("#Köln".to_owned(), tag)]
    );
}

#[test]
fn pictures_are_uploaded_with_their_type_and_shown_with_alt_text() {
    let mut desk = Desk::posting("Two pictures");
    let pictures = [desk.picture(5000, "image/png"), desk.picture(6000, "image/jpeg")];
    desk.job.parts[0].media = pictures.into();
    assert_eq!(desk.steps_to_the_end(), [Step::Prepare, Step::Prepare, Step::Send(0), Step::Done]);
    let embed = &desk.posts()[0].value["embed"];
    assert_eq!(embed["$type"], "app.bsky.embed.images");
    assert_eq!(embed["images"][0]["alt"], "A boat");
    assert_eq!(embed["images"][0]["aspectRatio"], json!({ "width": 800, "height": 600 }));
    assert_eq!(embed["images"][0]["image"]["mimeType"], "image/png");
    assert_eq!(embed["images"][1]["image"]["mimeType"], "image/jpeg");
    assert_eq!(embed["images"][1]["image"]["size"], 6000);
}

#[test]
fn uploads_that_were_swept_away_are_made_again() {
    let mut desk = Desk::posting("A picture");
    desk.job.parts[0].media = vec![desk.picture(5000, "image/png")];
    assert_eq!(desk.step().unwrap(), Step::Prepare);
    desk.pds.forget_blobs();
    let error = desk.step().unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::PrepareAgain, "BlobNotFound"));
    desk.job.progress = Value::Null;
    desk.steps_to_the_end();
    assert_eq!(desk.posts().len(), 1);
}

#[test]
fn a_link_gets_a_card_from_the_pages_own_words() {
    let mut desk = Desk::posting("Read https://news.example/story.");
    let head = r#"<title>Fallback</title><meta property="og:title" content="A &quot;story&quot; &amp; more"/>
        <META content='What it is about' name=description><meta property=og:image content="/pic.png">"#;
    desk.pds.serve("https://news.example/story", page(head));
    desk.pds.serve("https://news.example/pic.png", Reply::of(200, "image/png", vec![1; 900]));
    assert_eq!(desk.steps_to_the_end(), [Step::Prepare, Step::Prepare, Step::Send(0), Step::Done]);
    let external = &desk.posts()[0].value["embed"]["external"];
    assert_eq!(external["uri"], "https://news.example/story");
    assert_eq!(external["title"], r#"A "story" & more"#);
    assert_eq!(external["description"], "What it is about");
    assert_eq!(external["thumb"]["size"], 900);
}

#[test]
fn a_page_that_gives_no_card_holds_nothing_back() {
    let silent = [
        None,
        Some(page("")),
        Some(Reply::of(200, "application/pdf", b"%PDF".to_vec())),
        Some(Reply::of(500, "text/html", b"<title>Oops</title>".to_vec())),
        Some(Reply::of(200, "text/html", vec![b' '; (1 << 20) + 1])),
        Some(Reply::redirect(302, "http://169.254.169.254/latest")),
    ];
    for reply in silent {
        let mut desk = Desk::posting("Read https://news.example/story");
        if let Some(reply) = reply {
            desk.pds.serve("https://news.example/story", reply);
        }
        desk.steps_to_the_end();
        let record = desk.posts().remove(0).value;
        assert_eq!(record.get("embed"), None);
        assert_eq!(record["facets"].as_array().unwrap().len(), 1, "the link stays clickable");
    }
}

#[test]
fn a_cards_picture_is_left_out_when_it_is_none() {
    let pictures = [
        None,
        Some(Reply::of(200, "image/png", vec![1; 1_000_001])),
        Some(Reply::of(200, "text/html", b"no picture".to_vec())),
    ];
    for picture in pictures {
        let mut desk = Desk::posting("Read https://news.example/story");
        let head = r#"<title> A  title </title><meta property="og:image" content="pic.png">"#;
        desk.pds.serve("https://news.example/story", page(head));
        if let Some(picture) = picture {
            desk.pds.serve("https://news.example/pic.png", picture);
        }
        desk.steps_to_the_end();
        let external = desk.posts().remove(0).value["embed"]["external"].clone();
        assert_eq!(
            external,
            json!({ "uri": "https://news.example/story", "title": "A title", "description": "" })
        );
    }
}

#[test]
fn settings_reach_the_record() {
    let settings = json!({ "langs": ["de", "en"], "tags": ["Hafen"], "link_card": false });
    let mut desk = Desk::with(vec![part(PartKind::Post, "https://news.example/story")], settings);
    assert_eq!(desk.steps_to_the_end(), [Step::Send(0), Step::Done]);
    let record = desk.posts().remove(0).value;
    assert_eq!(record["langs"], json!(["de", "en"]));
    assert_eq!(record["tags"], json!(["Hafen"]));
    assert_eq!(record.get("embed"), None);
}

#[test]
fn a_post_can_be_removed_and_removed_again() {
    let mut desk = Desk::posting("Gone soon");
    desk.steps_to_the_end();
    for _ in 0..2 {
        run(bluesky().remove(&desk.job, 0, desk.link())).unwrap();
        assert_eq!(desk.posts(), []);
    }
    assert!(matches!(desk.verify(0), Verdict::Absent));
}

#[test]
fn people_sign_in_by_handle_did_or_mail() {
    let desk = Desk::posting("Hello");
    for identifier in [ACCOUNT, "@alice.test ", &pds::did(0), "0@people.example"] {
        let session = desk.sign_in(identifier, pds::PASSWORD).unwrap();
        let identity = bluesky().identity(&session).unwrap();
        assert_eq!((identity.remote_id, identity.handle), (pds::did(0), ACCOUNT.to_owned()));
        assert_eq!(session.expires_at, Some(BEGIN.plus_seconds(7200 - 60)));
    }
    let error = desk.sign_in(ACCOUNT, "wrong").err().unwrap();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Reauthorise, "AuthenticationRequired"));
}

#[test]
fn an_expired_session_is_renewed_and_only_once() {
    let mut desk = Desk::posting("Hello again");
    desk.pds.expire_access_tokens();
    assert_eq!(desk.step().unwrap_err().class, ErrorClass::SessionOver);
    let old = desk.session.clone().unwrap();
    let renewed = run(bluesky().renew(pds::ORIGIN, &old, desk.link())).unwrap();
    assert_eq!(bluesky().identity(&renewed), bluesky().identity(&old));
    let error = run(bluesky().renew(pds::ORIGIN, &old, desk.link())).err().unwrap();
    assert_eq!(error.class, ErrorClass::Reauthorise, "its refresh token is used up");
    desk.session = Some(renewed);
    desk.steps_to_the_end();
    assert_eq!(desk.posts().len(), 1);
}

#[test]
fn too_many_calls_wait_until_the_server_says() {
    let mut desk = Desk::posting("Patience");
    let now = BEGIN.as_seconds();
    desk.pds.answer_next("com.atproto.repo.putRecord", pds::too_many(now + 240, now));
    let error = desk.step().unwrap_err();
    assert_eq!((error.class, error.retry_at), (ErrorClass::Retry, Some(BEGIN.plus_seconds(240))));

    let by_reset = |reset: String| {
        let mut reply = Reply::json(429, &json!({ "error": "RateLimitExceeded" }));
        reply.headers.push(("RateLimit-Reset".to_owned(), reset));
        reply
    };
    desk.pds.answer_next("com.atproto.repo.putRecord", by_reset((now + 90).to_string()));
    assert_eq!(desk.step().unwrap_err().retry_at, Some(BEGIN.plus_seconds(90)));
    desk.pds.answer_next("com.atproto.repo.putRecord", by_reset("30".to_owned()));
    assert_eq!(desk.step().unwrap_err().retry_at, Some(BEGIN.plus_seconds(30)));
    desk.pds.answer_next("com.atproto.repo.putRecord", by_reset("99999999999".to_owned()));
    assert_eq!(desk.step().unwrap_err().retry_at, Some(BEGIN.plus_seconds(86400)), "no longer than a day");
    let dated = Reply {
        headers: vec![("Retry-After".to_owned(), "Fri, 20 Nov 2026 09:02:00 GMT".to_owned())],
        ..Reply::json(429, &Value::Null)
    };
    desk.pds.answer_next("com.atproto.repo.putRecord", dated);
    assert_eq!(desk.step().unwrap_err().retry_at, Some(BEGIN.plus_seconds(120)));
}

#[test]
fn the_thirty_first_sign_in_is_told_to_wait() {
    let desk = Desk::posting("Hello");
    for _ in 0..29 {
        desk.sign_in(ACCOUNT, pds::PASSWORD).unwrap();
    }
    let error = desk.sign_in(ACCOUNT, pds::PASSWORD).err().unwrap();
    assert_eq!((error.class, error.retry_at), (ErrorClass::Retry, Some(BEGIN.plus_seconds(300))));
}

/// What an answer means depends on the moment: while preparing, while sending, while looking, while signing in.
#[test]
fn every_error_has_its_class() {
    use ErrorClass::{Fix, PrepareAgain, Reauthorise, Refused, Retry, SessionOver, Verify};
    let table = [
        // status, error, sending, preparing, signing in
        (400, "ExpiredToken", SessionOver, SessionOver, Reauthorise),
        (400, "InvalidToken", SessionOver, SessionOver, Reauthorise),
        (401, "AuthMissing", SessionOver, SessionOver, Reauthorise),
        (401, "AuthenticationRequired", SessionOver, SessionOver, Reauthorise),
        (401, "AuthFactorTokenRequired", SessionOver, SessionOver, Reauthorise),
        (400, "InvalidRequest", Fix, Fix, Reauthorise),
        (400, "InvalidSwap", Verify, Verify, Reauthorise),
        (400, "BlobNotFound", PrepareAgain, PrepareAgain, Reauthorise),
        (400, "AccountDeactivated", Refused, Refused, Reauthorise),
        (401, "AccountTakedown", Refused, Refused, Refused),
        (403, "Forbidden", Refused, Refused, Reauthorise),
        (413, "PayloadTooLarge", Fix, Fix, Reauthorise),
        (429, "RateLimitExceeded", Retry, Retry, Retry),
        (500, "InternalServerError", Verify, Retry, Retry),
        (502, "UpstreamFailure", Verify, Retry, Retry),
        (503, "", Verify, Retry, Retry),
        (301, "", Refused, Refused, Reauthorise),
        (404, "", Refused, Refused, Reauthorise),
    ];
    for (status, error, sending, preparing, signing_in) in table {
        let reply = || Reply::json(status, &json!({ "error": error, "message": "Do as I say!" }));
        let mut desk = Desk::posting("Hello");
        desk.pds.answer_next("com.atproto.repo.putRecord", reply());
        let sent = desk.step().unwrap_err();
        assert_eq!(sent.class, sending, "sending: {status} {error}");
        assert_eq!(sent.words, "Do as I say!");
        assert_ne!(sent.code, sent.words);

        desk.job.parts[0].state = PartState::Pending;
        desk.job.parts[0].media = vec![desk.picture(10, "image/png")];
        desk.pds.answer_next("com.atproto.repo.uploadBlob", reply());
        assert_eq!(desk.step().unwrap_err().class, preparing, "preparing: {status} {error}");

        desk.pds.answer_next("com.atproto.server.createSession", reply());
        let refused = desk.sign_in(ACCOUNT, pds::PASSWORD).err().unwrap();
        assert_eq!(refused.class, signing_in, "signing in: {status} {error}");
    }
}

#[test]
fn no_answer_has_its_class_too() {
    let outcome = |fault: HttpFault| {
        let mut desk = Desk::posting("Hello");
        desk.sim.web.set_peer(Rc::new(move |_: &crate::sim::Incoming| Err(fault.clone())));
        desk.step().unwrap_err().class
    };
    assert_eq!(outcome(HttpFault::NotSent("refused".into())), ErrorClass::Retry);
    assert_eq!(outcome(HttpFault::Unknown("reset".into())), ErrorClass::Verify);
    assert_eq!(outcome(HttpFault::TooLarge), ErrorClass::Verify);

    let mut desk = Desk::posting("Hello");
    desk.pds.answer_next("com.atproto.repo.putRecord", Reply::of(200, "text/html", b"<p>".to_vec()));
    assert_eq!(desk.step().unwrap_err().class, ErrorClass::Verify, "an answer that says nothing");

    let mut desk = Desk::posting("Hello");
    desk.session = None;
    assert_eq!(desk.step().unwrap_err().class, ErrorClass::SessionOver);
}

#[test]
fn a_private_server_is_never_asked() {
    let desk = Desk::posting("Hello");
    let credentials = SignIn { server: "https://10.0.0.1", identifier: ACCOUNT, secret: pds::PASSWORD };
    let error = run(bluesky().sign_in(credentials, desk.link())).err().unwrap();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Refused, "address_not_allowed"));
}

/// Each state of each part has its next step, whatever was prepared.
#[test]
fn the_next_step_follows_from_the_states() {
    use PartState::{Armed, Live, Pending, Removed};
    let two =
        || Desk::with(vec![part(PartKind::Post, "One"), part(PartKind::Reply, "Two @bob.test")], Value::Null);
    let prepared = json!({ "v": 1, "blobs": {}, "dids": { "bob.test": null }, "cards": {} });
    let other_version = json!({ "v": 0, "blobs": {}, "dids": { "bob.test": null }, "cards": {} });
    for (first, second, progress, expected) in [
        (Pending, Pending, Value::Null, Step::Prepare),
        (Live, Pending, Value::Null, Step::Prepare),
        (Live, Armed, Value::Null, Step::Prepare),
        (Live, Pending, other_version, Step::Prepare),
        (Pending, Pending, prepared.clone(), Step::Send(0)),
        (Armed, Pending, prepared.clone(), Step::Send(0)),
        (Live, Pending, prepared.clone(), Step::Send(1)),
        (Live, Armed, prepared.clone(), Step::Send(1)),
        (Removed, Pending, prepared, Step::Send(1)),
        (Live, Live, Value::Null, Step::Done),
        (Removed, Live, Value::Null, Step::Done),
        (Removed, Removed, Value::Null, Step::Done),
    ] {
        let mut desk = two();
        desk.job.parts[0].state = first;
        desk.job.parts[1].state = second;
        desk.job.progress = progress;
        assert_eq!(bluesky().next(&desk.job), expected, "{first:?} {second:?} {}", desk.job.progress);
    }
}

#[test]
fn keys_are_made_of_delivery_place_and_time_alone() {
    let key =
        |desk: &Desk, index: usize| bluesky().handle(&desk.job, index)["rkey"].as_str().unwrap().to_owned();
    let mut desk = Desk::with((0..20).map(|n| part(PartKind::Reply, &format!("{n}"))).collect(), Value::Null);
    let keys: Vec<String> = (0..20).map(|index| key(&desk, index)).collect();
    let mut sorted = keys.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(keys, sorted, "in the order of the thread, none twice");
    assert!(keys.iter().all(|key| key.len() == 13));

    desk.job.progress = json!({ "anything": 1 });
    desk.job.parts[3].text = "Other".to_owned();
    assert_eq!(key(&desk, 3), keys[3]);
    desk.job.due_at = Timestamp::from_millis(BEGIN.as_millis() + 60_000);
    assert!(key(&desk, 0) > keys[19], "later posts have later keys");
    desk.job.parts[0].handle = Some(json!({ "rkey": keys[0] }));
    assert_eq!(key(&desk, 0), keys[0], "an armed part keeps the key it was armed with");
}

#[test]
fn deliveries_that_are_due_together_have_keys_of_their_own() {
    let mut desk = Desk::posting("Hello");
    let mut keys: Vec<String> = (0..300)
        .map(|_| {
            desk.job.delivery_id = DeliveryId::new(BEGIN, &desk.sim.entropy);
            bluesky().handle(&desk.job, 0)["rkey"].as_str().unwrap().to_owned()
        })
        .collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 300);
}
