//! Bluesky's connector.

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    card::{self, Preview},
    progress::{Card, Progress, Task},
    record::{COLLECTION, Handle, record},
    session::{self, Tokens},
    xrpc::{Call, Purpose},
};
use crate::{
    desk::blob_key,
    http::Fetched,
    networks::{
        Attachment, Connector, ErrorClass, Identity, Job, Ladder, Link, NetworkError, PartState, Sent,
        Session, SignIn, Step, Verdict,
    },
    platform::{Body, ByteRange, Later, Method, ResponseSink, Statement},
};

const MAX_PAGE: usize = 1 << 20;
/// `app.bsky.embed.external#external/thumb`.
const MAX_THUMB: usize = 1_000_000;
const CARD_TIMEOUT_MILLIS: u32 = 8_000;

/// See the module.
pub struct Bluesky;

impl Connector for Bluesky {
    fn ladder(&self) -> Ladder {
        Ladder::Exact
    }

    fn next(&self, job: &Job) -> Step {
        if Progress::of(job).next_task(job).is_some() {
            return Step::Prepare;
        }
        job.parts
            .iter()
            .position(|part| matches!(part.state, PartState::Pending | PartState::Armed))
            .map_or(Step::Done, Step::Send)
    }

    fn handle(&self, job: &Job, part: usize) -> Value {
        serde_json::to_value(Handle::of(job, part)).unwrap_or_default()
    }

    fn prepare<'a>(&'a self, job: &'a Job, link: Link<'a>) -> Later<'a, Result<Value, NetworkError>> {
        Box::pin(prepare(job, link))
    }

    fn send<'a>(
        &'a self,
        job: &'a Job,
        part: usize,
        link: Link<'a>,
    ) -> Later<'a, Result<Sent, NetworkError>> {
        Box::pin(put_record(job, part, link))
    }

    fn verify<'a>(
        &'a self,
        job: &'a Job,
        part: usize,
        link: Link<'a>,
    ) -> Later<'a, Result<Verdict, NetworkError>> {
        Box::pin(get_record(job, part, link))
    }

    fn remove<'a>(
        &'a self,
        job: &'a Job,
        part: usize,
        link: Link<'a>,
    ) -> Later<'a, Result<Vec<Statement>, NetworkError>> {
        Box::pin(delete_record(job, part, link))
    }

    fn needs_session(&self) -> bool {
        true
    }

    fn identity(&self, session: &Session) -> Option<Identity> {
        session::identity(session)
    }

    fn sign_in<'a>(
        &'a self,
        credentials: SignIn<'a>,
        link: Link<'a>,
    ) -> Later<'a, Result<Session, NetworkError>> {
        Box::pin(session::create(credentials, link))
    }

    fn renew<'a>(
        &'a self,
        server: &'a str,
        session: &'a Session,
        link: Link<'a>,
    ) -> Later<'a, Result<Session, NetworkError>> {
        Box::pin(session::refresh(server, session, link))
    }
}

/// Carries out the next task. A card is an ornament: whatever goes wrong with its page, the post goes without it.
async fn prepare(job: &Job, link: Link<'_>) -> Result<Value, NetworkError> {
    let mut progress = Progress::of(job);
    match progress.next_task(job) {
        None => {}
        Some(Task::Resolve(handle)) => {
            let did = resolve(&handle, link).await?;
            progress.dids.insert(handle, did);
        }
        Some(Task::Upload(media)) => {
            let blob = upload(job, &media, link).await?;
            progress.blobs.insert(media.media_id.to_string(), blob);
        }
        Some(Task::ReadPage(address)) => {
            let card = read_page(&address, link).await.unwrap_or(Card::Absent);
            progress.cards.insert(address, card);
        }
        Some(Task::FetchPicture { link: address, words, picture }) => {
            let thumb = fetch_picture(&picture, link).await?;
            progress.cards.insert(address, Card::Ready { words, thumb });
        }
    }
    Ok(progress.to_value())
}

/// The DID of a handle (`com.atproto.identity.resolveHandle`); nothing when nobody has it.
async fn resolve(handle: &str, link: Link<'_>) -> Result<Option<String>, NetworkError> {
    let tokens = Tokens::of_link(&link)?;
    let call = Call {
        token: Some(&tokens.access),
        ..Call::query("com.atproto.identity.resolveHandle", &[("handle", handle)])
    };
    match call.make(&tokens.pds, &link).await {
        Ok(output) => Ok(output.get("did").and_then(Value::as_str).map(str::to_owned)),
        Err(error) if error.class == ErrorClass::Fix => Ok(None),
        Err(error) => Err(error),
    }
}

async fn upload(job: &Job, media: &Attachment, link: Link<'_>) -> Result<Value, NetworkError> {
    let body = Body::Blob {
        key: blob_key(&job.tenant_id, &media.media_id),
        range: ByteRange { start: 0, length: media.bytes },
    };
    upload_blob(&media.content_type, body, link).await
}

/// Stores bytes with the account (`com.atproto.repo.uploadBlob`) and gives the reference to them.
async fn upload_blob(content_type: &str, body: Body, link: Link<'_>) -> Result<Value, NetworkError> {
    let tokens = Tokens::of_link(&link)?;
    let call = Call {
        purpose: Purpose::Reversible,
        method: Method::Post,
        path: "com.atproto.repo.uploadBlob".to_owned(),
        token: Some(&tokens.access),
        content_type: Some(content_type),
        body,
    };
    let output = call.make(&tokens.pds, &link).await?;
    output.get("blob").cloned().ok_or_else(|| NetworkError::of(ErrorClass::Retry, "unreadable_answer"))
}

async fn read_page(address: &str, link: Link<'_>) -> Option<Card> {
    let fetched = fetch(address, MAX_PAGE, "text/html", link).await?;
    let Preview { words, picture } = card::preview(&String::from_utf8_lossy(&fetched.response.body))?;
    let base = Url::parse(fetched.address.as_str()).ok()?;
    let picture = picture.and_then(|picture| base.join(&picture).ok());
    Some(match picture {
        Some(picture) => Card::WithPicture { words, picture: picture.to_string() },
        None => Card::Ready { words, thumb: None },
    })
}

/// Fetches a card's picture and stores it with the account: two calls in one step, so that its bytes need no place in
/// between. Only what concerns the account itself is an error.
async fn fetch_picture(address: &str, link: Link<'_>) -> Result<Option<Value>, NetworkError> {
    let Some(fetched) = fetch(address, MAX_THUMB, "image/", link).await else {
        return Ok(None);
    };
    let content_type = media_type(&fetched).to_owned();
    match upload_blob(&content_type, Body::Bytes(fetched.response.body), link).await {
        Ok(blob) => Ok(Some(blob)),
        Err(error) if matches!(error.class, ErrorClass::Fix | ErrorClass::Refused) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What `address` holds, if it answers 200 with a media type that begins like this.
async fn fetch(address: &str, limit: usize, media: &str, link: Link<'_>) -> Option<Fetched> {
    let fetched = link.web.get(address, ResponseSink::Memory { limit }, CARD_TIMEOUT_MILLIS).await.ok()?;
    (fetched.response.status == 200 && media_type(&fetched).starts_with(media)).then_some(fetched)
}

fn media_type(fetched: &Fetched) -> &str {
    let header = fetched.response.header("content-type").unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim()
}

/// Creates the record unless exactly it is there. Another record under the key is `InvalidSwap`, which is looked up.
async fn put_record(job: &Job, part: usize, link: Link<'_>) -> Result<Sent, NetworkError> {
    let tokens = Tokens::of_link(&link)?;
    let handle = Handle::of(job, part);
    let input = json!({
        "repo": job.account.remote_id,
        "collection": COLLECTION,
        "rkey": handle.rkey,
        "record": record(job, part)?,
        "swapRecord": null,
    });
    let call = Call::procedure(Purpose::Send, "com.atproto.repo.putRecord", Some(&tokens.access), &input);
    let output = call.make(&tokens.pds, &link).await?;
    sent(job, handle, &output).ok_or_else(|| NetworkError::of(ErrorClass::Verify, "unreadable_answer"))
}

async fn get_record(job: &Job, part: usize, link: Link<'_>) -> Result<Verdict, NetworkError> {
    let handle = Handle::of(job, part);
    let pds = link.session.and_then(Tokens::of).map(|tokens| tokens.pds);
    let server = pds
        .or_else(|| job.account.server.clone())
        .ok_or_else(|| NetworkError::of(ErrorClass::SessionOver, "no_session"))?;
    let repo = job.account.remote_id.as_str();
    let parameters = [("repo", repo), ("collection", COLLECTION), ("rkey", handle.rkey.as_str())];
    match Call::query("com.atproto.repo.getRecord", &parameters).make(&server, &link).await {
        Ok(output) => Ok(sent(job, handle, &output).map_or(Verdict::Unclear, Verdict::Present)),
        Err(error) if error.code == "RecordNotFound" => Ok(Verdict::Absent),
        Err(error) => Err(error),
    }
}

/// Where a record stands, from the answer of putRecord or getRecord.
fn sent(job: &Job, handle: Handle, output: &Value) -> Option<Sent> {
    #[derive(Deserialize)]
    struct Place {
        uri: String,
        cid: String,
    }
    let Place { uri, cid } = Place::deserialize(output).ok()?;
    let url = format!("https://bsky.app/profile/{}/post/{}", job.account.remote_id, handle.rkey);
    let handle = Handle { uri: Some(uri.clone()), cid: Some(cid), ..handle };
    Some(Sent {
        remote_id: uri,
        url: Some(url),
        handle: serde_json::to_value(handle).ok()?,
        statements: Vec::new(),
    })
}

async fn delete_record(job: &Job, part: usize, link: Link<'_>) -> Result<Vec<Statement>, NetworkError> {
    let tokens = Tokens::of_link(&link)?;
    let input = json!({
        "repo": job.account.remote_id,
        "collection": COLLECTION,
        "rkey": Handle::of(job, part).rkey,
    });
    let call =
        Call::procedure(Purpose::Reversible, "com.atproto.repo.deleteRecord", Some(&tokens.access), &input);
    call.make(&tokens.pds, &link).await?;
    Ok(Vec::new())
}
