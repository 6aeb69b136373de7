//! Why something was not done: a closed list of codes, each with the field and a hint that works.

use serde::Serialize;

use super::{Fix, NextCall, Scopes};
use crate::platform::DatabaseFault;

macro_rules! codes {
    ($( $variant:ident $name:literal $sentence:literal; )*) => {
        /// Every reason there is for a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(
                #[doc = $sentence]
                $variant,
            )*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, in one sentence for the model.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
        }
    };
}

codes! {
    Missing "missing" "A required field is missing.";
    UnknownField "unknown_field" "There is no such field.";
    WrongType "wrong_type" "The value has the wrong type.";
    NotInList "not_in_list" "The value is not one of those allowed.";
    OutOfRange "out_of_range" "The value is shorter, longer, smaller or larger than allowed.";
    Malformed "malformed" "The value does not have the form it must have.";
    Conflicting "conflicting" "Two fields contradict each other.";
    WorkspaceNotFound "workspace_not_found" "No workspace of this grant has that id or name.";
    WorkspaceNeeded "workspace_needed" "This grant has several workspaces; say which one.";
    SocialProfileRejected "social_profile_rejected" "No social profile of this workspace fits that id, handle or network.";
    AmbiguousProfile "ambiguous_profile" "Several social profiles fit; name one of them.";
    ProfileNeedsReconnect "profile_needs_reconnect" "The account must be connected again before anything can be sent to it.";
    NetworkNotFound "network_not_found" "There is no such network here.";
    PostNotFound "post_not_found" "There is no such post in the workspaces of this grant.";
    MediaNotFound "media_not_found" "There is no such media file in this workspace.";
    MediaNotFetched "media_not_fetched" "The media address could not be fetched.";
    MediaNotAccepted "media_not_accepted" "The file is not a picture or video that can be posted, or is too large.";
    ChangeNotFound "change_not_found" "There is no such change of this grant that can be undone.";
    NothingToUndo "nothing_to_undo" "Nothing of that change can be undone any more.";
    InvalidSchedule "invalid_schedule" "The time cannot be used.";
    NoFreeSlot "no_free_slot" "This workspace has no posting times to choose a slot from.";
    ContentEmpty "content_empty" "The post has neither text nor media.";
    ContentTooLong "content_too_long" "The text is longer than the network takes.";
    ContentNotSupported "content_not_supported" "The network cannot do what the post asks for.";
    NoProfiles "no_profiles" "The post has no social profile to go to.";
    PostHasProblems "post_has_problems" "The post's content has problems that must be mended before it can be scheduled or published.";
    PostChanged "post_changed" "The post was changed by someone else since the revision you named.";
    PostAlreadyLive "post_already_live" "The post, or that part of it, is already on the network.";
    PostBusy "post_busy" "The post is being sent right now.";
    NotScheduled "not_scheduled" "The post is not scheduled.";
    NotRetryable "not_retryable" "Nothing of this post can be sent again in its present state.";
    NotPaused "not_paused" "Publishing is not paused there, and nothing is on hold.";
    NotUnknown "not_unknown" "No outcome of this post is unknown there, so there is nothing to confirm.";
    DuplicatePost "duplicate_post" "This grant made an identical post a short while ago.";
    IdempotencyKeyReused "idempotency_key_reused" "That idempotency key was used with other arguments.";
    CursorInvalid "cursor_invalid" "The cursor is not one that this list gave for these arguments.";
    DryRunNeeded "dry_run_needed" "A bulk change is applied with the token that its dry run gave.";
    DryRunStale "dry_run_stale" "The posts have changed since the dry run, or its token has expired.";
    ApprovalNeeded "approval_needed" "A member with the approver flag must approve this first.";
    InsufficientScope "insufficient_scope" "The grant lacks a capability that this call needs.";
    GrantEnded "grant_ended" "The grant or session is over.";
    NotByAddress "not_by_address" "A token that is part of an address does nothing that cannot be taken back.";
    ToolNotSelected "tool_not_selected" "This connection was narrowed to other tools than this one.";
    RoleNotAllowed "role_not_allowed" "Your role in this organisation does not allow this.";
    MemberNotFound "member_not_found" "Nobody like that belongs to this organisation.";
    AlreadyMember "already_member" "Whoever has that address belongs to this organisation already.";
    LastOwner "last_owner" "An organisation keeps at least one owner.";
    SignInAgain "sign_in_again" "This needs a sign-in that is less than five minutes old.";
    TooMany "too_many" "There are more items than one call takes.";
    Cancelled "cancelled" "Nobody waited for the result any more; nothing was changed.";
    Conflict "conflict" "Something else changed this at the same moment.";
    Unavailable "unavailable" "The service cannot do this right now; nothing was changed.";
    OutcomeUnknown "outcome_unknown" "The connection to the database was lost and it is not known whether the change was made.";
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for Code {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// One thing that is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct Problem {
    /// The reason.
    pub code: Code,
    /// The argument's path, such as `profiles[1]`; empty when it is about the whole call.
    pub field: String,
    /// What is wrong, with the numbers.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The corrected call, or the call that finds what is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextCall>,
    /// What would make the field right; goes into the corrected call.
    #[serde(skip)]
    pub fix: Option<Fix>,
}

impl Problem {
    /// A problem whose message is its code's sentence.
    pub fn new(code: Code, field: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            field: field.into(),
            message: code.sentence().to_owned(),
            hint: hint.into(),
            next: None,
            fix: None,
        }
    }

    /// The problem with a message of its own.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The problem with what would make its field right.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// The problem seen from further out: its field within `prefix`.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        self.field = format!("{prefix}{}", self.field);
        if let Some(Fix::Elsewhere(fixes)) = &mut self.fix {
            fixes.iter_mut().for_each(|(field, _)| *field = format!("{prefix}{field}"));
        }
        self
    }

    /// The problem with a call that mends it.
    #[must_use]
    pub fn next(mut self, next: NextCall) -> Self {
        self.next = Some(next);
        self
    }
}

/// Collects problems, so that all are told at once.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one.
    pub fn add(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Keeps a value, or its problem.
    pub fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.add(problem)).ok()
    }

    /// Adds several.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.0.extend(problems);
    }

    /// Keeps what was found; else the problems of the refusal, and goes on with what stands in, if anything does.
    ///
    /// # Errors
    /// The refusal with all that was wrong before, where nothing stands in.
    pub fn keep_or<T>(&mut self, found: Result<T, Refusal>, stand_in: Option<T>) -> Result<T, Refusal> {
        if let Some(found) = self.keep_all(found)? {
            return Ok(found);
        }
        stand_in.ok_or_else(|| Refusal::Problems(std::mem::take(&mut self.0)))
    }

    /// Keeps a value, or all the problems of a refusal.
    ///
    /// # Errors
    /// A refusal for another reason.
    pub fn keep_all<T>(&mut self, result: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Refusal::Problems(found)) => {
                self.0.extend(found);
                Ok(None)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses if there is any.
    ///
    /// # Errors
    /// All the problems.
    pub fn refuse_if_any(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Problems(self.0)) }
    }

    /// The problems so far.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }

    /// The problems.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

/// Why a call was not carried out. Nothing was changed, except where [`Code::OutcomeUnknown`] says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// What was asked for cannot be done as it was asked.
    Problems(Vec<Problem>),
    /// The grant lacks these capabilities; a wider one may be asked for.
    InsufficientScope(Scopes),
    /// The grant or session is over.
    Unauthenticated,
    /// A conditional write found another state than it needs; nothing changed.
    Conflict,
    /// The databases did not do their part.
    Fault(DatabaseFault),
    /// Nothing stood in the way but that these capabilities are needed, and it was a rehearsal. It never leaves the desk.
    Rehearsed(Scopes),
}

impl Refusal {
    /// A refusal for one reason.
    pub fn because(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }

    /// The refusal seen from further out: its fields within `prefix`.
    #[must_use]
    pub fn within(self, prefix: &str) -> Self {
        match self {
            Self::Problems(problems) => {
                Self::Problems(problems.into_iter().map(|problem| problem.within(prefix)).collect())
            }
            other => other,
        }
    }

    /// Its code, or that of its first problem. A fault of the databases is no refusal.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Problems(problems) => problems.first().map(|problem| problem.code),
            Self::InsufficientScope(_) => Some(Code::InsufficientScope),
            Self::Unauthenticated => Some(Code::GrantEnded),
            Self::Conflict => Some(Code::Conflict),
            Self::Fault(_) | Self::Rehearsed(_) => None,
        }
    }

    /// The refusal as problems, for results that list them. Capabilities and authentication have answers of their
    /// own on the wire.
    pub fn problems(self) -> Vec<Problem> {
        match self {
            Self::Problems(problems) => problems,
            Self::Conflict => vec![Problem::new(Code::Conflict, "", "Read it again and repeat the call.")],
            Self::Fault(DatabaseFault::Unknown(_)) => vec![Problem::new(
                Code::OutcomeUnknown,
                "",
                "Read it again to see whether the change was made before you repeat the call; with the same idempotency_key repeating is safe.",
            )],
            Self::Fault(_) | Self::Rehearsed(_) => {
                vec![Problem::new(Code::Unavailable, "", "Try again in a minute.")]
            }
            Self::InsufficientScope(scopes) => vec![Problem::new(
                Code::InsufficientScope,
                "",
                format!("Ask the person to connect again and allow {}.", scopes.to_text()),
            )],
            Self::Unauthenticated => {
                vec![Problem::new(Code::GrantEnded, "", "Ask the person to connect again.")]
            }
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::because(problem)
    }
}

impl From<DatabaseFault> for Refusal {
    fn from(fault: DatabaseFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<crate::platform::RowFault> for Refusal {
    fn from(fault: crate::platform::RowFault) -> Self {
        Self::Fault(fault.into())
    }
}
