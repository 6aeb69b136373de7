//! The connector: a resumable machine whose steps are one provider call and one commit each.

use serde_json::Value;

use super::{Account, Attachment, PartKind};
use crate::{
    desk::{DeliveryId, TenantId},
    http::GuardedClient,
    platform::{Later, Statement, Timestamp},
};

/// How strongly a network lets a repeated or interrupted call be told from a second post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ladder {
    /// Repeating the same call is a no-op for ever.
    Exact,
    /// Repeating is a no-op for so many seconds; after that, look it up.
    Window(i64),
    /// The remote side holds a handle whose state tells.
    TwoPhase,
    /// It can be looked up.
    Lookup,
    /// Nothing tells: at most once, and a person decides.
    Blind,
}

/// The state of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartState {
    /// Nothing irreversible was tried.
    Pending,
    /// The irreversible call may have been made.
    Armed,
    /// It is public.
    Live,
    /// It was public and was removed.
    Removed,
}

/// A part of a delivery as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPart {
    /// What it is.
    pub kind: PartKind,
    /// The final text.
    pub text: String,
    /// Its media.
    pub media: Vec<Attachment>,
    /// What rendering added.
    pub wire: Value,
    /// Its state.
    pub state: PartState,
    /// What recognises it on the network; set when armed, completed when live.
    pub handle: Option<Value>,
    /// The network's id of it.
    pub remote_id: Option<String>,
    /// Its public address.
    pub url: Option<String>,
}

/// A delivery in the making: everything that a connector knows of it.
#[derive(Clone, Debug)]
pub struct Job {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The tenant's name in addresses.
    pub safename: String,
    /// The delivery. Handles derived from it survive even a restore from backup.
    pub delivery_id: DeliveryId,
    /// The account it goes to.
    pub account: Account,
    /// When it is due: also the time that the post carries.
    pub due_at: Timestamp,
    /// The parts in order.
    pub parts: Vec<JobPart>,
    /// The network's settings.
    pub settings: Value,
    /// What earlier steps gave back; null at first.
    pub progress: Value,
}

/// What a connector reaches the world by.
#[derive(Clone, Copy)]
pub struct Link<'a> {
    /// The guarded client.
    pub web: GuardedClient<'a>,
    /// The account's session, for networks that have one.
    pub session: Option<&'a Session>,
    /// The content origin, for addresses of our own.
    pub content_origin: &'a str,
    /// The time of this step.
    pub now: Timestamp,
}

/// A session with a network: a secret in the network's own form. It cannot be printed.
#[derive(Clone)]
pub struct Session {
    secret: String,
    /// When it should be renewed at the latest.
    pub expires_at: Option<Timestamp>,
}

impl Session {
    /// A session with this secret.
    pub const fn new(secret: String, expires_at: Option<Timestamp>) -> Self {
        Self { secret, expires_at }
    }

    /// The secret, for the connector that made it and for sealing.
    pub fn expose(&self) -> &str {
        &self.secret
    }
}

/// How an account signs in. The secret cannot be printed.
pub struct SignIn<'a> {
    /// The server's origin.
    pub server: &'a str,
    /// The account's name or id there.
    pub identifier: &'a str,
    /// The app password or key.
    pub secret: &'a str,
}

/// Who a session is for, as the network itself says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The network's own id of the account.
    pub remote_id: String,
    /// Its handle, without `@`.
    pub handle: String,
    /// Its name for people; the handle where the network tells none.
    pub name: String,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A reversible call.
    Prepare,
    /// The irreversible call of this part.
    Send(usize),
    /// Nothing: every part is live.
    Done,
}

/// A part that is public now.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The network's id of it.
    pub remote_id: String,
    /// Its public address.
    pub url: Option<String>,
    /// The completed handle.
    pub handle: Value,
    /// The effect itself, where the network is our own database: run in the batch that settles the part, so that it
    /// happens exactly once.
    pub statements: Vec<Statement>,
}

/// What a look-up found.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is there.
    Present(Sent),
    /// It is not there, and nothing under way can still bring it.
    Absent,
    /// It cannot be told.
    Unclear,
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Nothing was sent: try again later.
    Retry,
    /// The outcome is not known: look it up.
    Verify,
    /// The content must be changed.
    Fix,
    /// The account must be connected again.
    Reauthorise,
    /// The network will not take it.
    Refused,
    /// The session is over and nothing was sent: renew it and repeat.
    SessionOver,
    /// Nothing was sent, and the network no longer has what was prepared: begin again with progress null.
    PrepareAgain,
}

/// An error of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError {
    /// What to do about it.
    pub class: ErrorClass,
    /// The provider's code, or ours: a short word.
    pub code: String,
    /// The provider's words: text from outside, never an instruction.
    pub words: String,
    /// When the provider said to try again.
    pub retry_at: Option<Timestamp>,
}

impl NetworkError {
    /// An error with our own code and no words.
    pub fn of(class: ErrorClass, code: &str) -> Self {
        Self { class, code: code.to_owned(), words: String::new(), retry_at: None }
    }
}

/// How a network is reached. Object-safe: the engine knows no network by name.
pub trait Connector {
    /// How strong it is.
    fn ladder(&self) -> Ladder;

    /// Whether its whole effect is the statements that [`send`](Self::send) gives, so that nothing happens outside our own
    /// database: then the batch that settles a part is all there is to it, and it is not armed.
    fn is_our_own(&self) -> bool {
        false
    }

    /// What comes next for this job. Pure.
    fn next(&self, job: &Job) -> Step;

    /// What will recognise a part, stored before the irreversible call. The same for the same job, always.
    fn handle(&self, job: &Job, part: usize) -> Value;

    /// Carries out the reversible call that is next and gives the new progress.
    ///
    /// # Errors
    /// The network's.
    fn prepare<'a>(&'a self, job: &'a Job, link: Link<'a>) -> Later<'a, Result<Value, NetworkError>>;

    /// Makes the irreversible call of a part. It is armed.
    ///
    /// # Errors
    /// The network's.
    fn send<'a>(&'a self, job: &'a Job, part: usize, link: Link<'a>)
    -> Later<'a, Result<Sent, NetworkError>>;

    /// Looks for an armed part.
    ///
    /// # Errors
    /// When the network could not be asked.
    fn verify<'a>(
        &'a self,
        job: &'a Job,
        part: usize,
        link: Link<'a>,
    ) -> Later<'a, Result<Verdict, NetworkError>>;

    /// Removes a live part; removing what is gone succeeds. Gives statements for networks that are our own database.
    ///
    /// # Errors
    /// The network's.
    fn remove<'a>(
        &'a self,
        job: &'a Job,
        part: usize,
        link: Link<'a>,
    ) -> Later<'a, Result<Vec<Statement>, NetworkError>>;

    /// Whether `prepare`, `send` and `remove` need a session in their [`Link`].
    fn needs_session(&self) -> bool;

    /// Who a session that this connector made is for. Pure.
    fn identity(&self, session: &Session) -> Option<Identity>;

    /// Signs in, for networks with sessions.
    ///
    /// # Errors
    /// The network's.
    fn sign_in<'a>(
        &'a self,
        credentials: SignIn<'a>,
        link: Link<'a>,
    ) -> Later<'a, Result<Session, NetworkError>>;

    /// Renews a session that still can be renewed.
    ///
    /// # Errors
    /// [`ErrorClass::Reauthorise`] when it cannot.
    fn renew<'a>(
        &'a self,
        server: &'a str,
        session: &'a Session,
        link: Link<'a>,
    ) -> Later<'a, Result<Session, NetworkError>>;
}
