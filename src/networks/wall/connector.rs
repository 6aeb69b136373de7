//! The Wall's connector: its effects are statements, run in the batch that settles the part.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::store::{self, Content, NewEntry};
use crate::{
    desk::EntryId,
    networks::{
        Connector, ErrorClass, Identity, Job, Ladder, Link, NetworkError, PartState, Sent, Session, SignIn,
        Step, Verdict,
    },
    platform::{Entropy, Later, Statement},
};

/// See the module.
pub struct Wall;

/// Bytes that are the same for the same part, so that an entry's address is known before it stands and survives a
/// restore from backup.
struct OfPart<'a> {
    job: &'a Job,
    position: usize,
}

impl Entropy for OfPart<'_> {
    fn fill(&self, bytes: &mut [u8]) {
        let digest = Sha256::digest(format!("{}/{}", self.job.delivery_id, self.position));
        for (to, from) in bytes.iter_mut().zip(digest.iter().cycle()) {
            *to = *from;
        }
    }
}

/// The entry that a part was armed with, or the one that it will be armed with.
fn entry_id(job: &Job, position: usize) -> EntryId {
    let stored =
        job.parts.get(position).and_then(|part| part.handle.as_ref()?.get("entry")?.as_str()?.parse().ok());
    stored.unwrap_or_else(|| EntryId::new(job.due_at, &OfPart { job, position }))
}

fn address(job: &Job, position: usize, link: &Link<'_>) -> String {
    let post =
        format!("{}/{}/{}/{}", link.content_origin, job.safename, job.account.handle, entry_id(job, 0));
    if position == 0 { post } else { format!("{post}#{}", entry_id(job, position)) }
}

fn sent(job: &Job, position: usize, link: &Link<'_>) -> Result<Sent, NetworkError> {
    let part =
        job.parts.get(position).ok_or_else(|| NetworkError::of(ErrorClass::Refused, "part_missing"))?;
    let entry = entry_id(job, position);
    let content = Content { v: 1, kind: part.kind, text: part.text.clone(), media: part.media.clone() };
    let add = store::add(&NewEntry {
        tenant: &job.tenant_id,
        entry: &entry,
        profile: &job.account.profile_id,
        delivery: &job.delivery_id,
        position: place(position),
        content: &content,
        at: job.due_at,
    });
    Ok(Sent {
        remote_id: entry.to_string(),
        url: Some(address(job, position, link)),
        handle: json!({ "entry": entry }),
        statements: vec![add],
    })
}

fn place(position: usize) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn without_sessions<T>() -> Result<T, NetworkError> {
    Err(NetworkError::of(ErrorClass::Refused, "no_sessions"))
}

impl Connector for Wall {
    fn ladder(&self) -> Ladder {
        Ladder::Exact
    }

    fn is_our_own(&self) -> bool {
        true
    }

    fn next(&self, job: &Job) -> Step {
        job.parts
            .iter()
            .position(|part| matches!(part.state, PartState::Pending | PartState::Armed))
            .map_or(Step::Done, Step::Send)
    }

    fn handle(&self, job: &Job, part: usize) -> Value {
        json!({ "entry": entry_id(job, part) })
    }

    fn prepare<'a>(&'a self, job: &'a Job, _link: Link<'a>) -> Later<'a, Result<Value, NetworkError>> {
        Box::pin(async move { Ok(job.progress.clone()) })
    }

    fn send<'a>(
        &'a self,
        job: &'a Job,
        part: usize,
        link: Link<'a>,
    ) -> Later<'a, Result<Sent, NetworkError>> {
        Box::pin(async move { sent(job, part, &link) })
    }

    /// A part that is armed and not live never took effect: the effect is in the batch that makes it live.
    fn verify<'a>(
        &'a self,
        _job: &'a Job,
        _part: usize,
        _link: Link<'a>,
    ) -> Later<'a, Result<Verdict, NetworkError>> {
        Box::pin(async { Ok(Verdict::Absent) })
    }

    fn remove<'a>(
        &'a self,
        job: &'a Job,
        part: usize,
        _link: Link<'a>,
    ) -> Later<'a, Result<Vec<Statement>, NetworkError>> {
        Box::pin(async move { Ok(vec![store::remove(&job.tenant_id, &job.delivery_id, place(part))]) })
    }

    fn needs_session(&self) -> bool {
        false
    }

    fn identity(&self, _session: &Session) -> Option<Identity> {
        None
    }

    fn sign_in<'a>(
        &'a self,
        _credentials: SignIn<'a>,
        _link: Link<'a>,
    ) -> Later<'a, Result<Session, NetworkError>> {
        Box::pin(async { without_sessions() })
    }

    fn renew<'a>(
        &'a self,
        _server: &'a str,
        _session: &'a Session,
        _link: Link<'a>,
    ) -> Later<'a, Result<Session, NetworkError>> {
        Box::pin(async { without_sessions() })
    }
}
