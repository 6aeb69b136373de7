//! The states of a delivery, the moves between them, and what a post group's deliveries make of it.

use serde::{Deserialize, Serialize};

use crate::platform::{FromValue, Value};

/// Where a delivery stands. Stored by name in `delivery.state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum DeliveryState {
    /// Scheduled.
    Waiting,
    /// Something passing stood in the way and nothing was sent: it is tried again.
    Retrying,
    /// It waits for a person, typically to connect the account again.
    Paused,
    /// A tick has it.
    Claimed,
    /// Reversible calls are being made.
    Preparing,
    /// An irreversible call may have been made.
    Armed,
    /// A part is public and others follow.
    Sent,
    /// Every part is public.
    Published,
    /// It will not go out as it is.
    Failed,
    /// Its time passed while nothing could be sent.
    Missed,
    /// It was called off.
    Cancelled,
    /// Whether it is public could not be told, or is being looked up.
    Unknown,
    /// A state of a later release. It counts as busy, never as due.
    Unrecognised,
}

/// What a delivery's state means to those who wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It can still be changed or called off.
    Pending,
    /// It is being sent.
    Busy,
    /// It is settled.
    Done,
    /// A person must do something.
    Person,
}

impl DeliveryState {
    /// Every state that this release writes.
    pub const ALL: [Self; 12] = [
        Self::Waiting,
        Self::Retrying,
        Self::Paused,
        Self::Claimed,
        Self::Preparing,
        Self::Armed,
        Self::Sent,
        Self::Published,
        Self::Failed,
        Self::Missed,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// The name in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Paused => "paused",
            Self::Claimed => "claimed",
            Self::Preparing => "preparing",
            Self::Armed => "armed",
            Self::Sent => "sent",
            Self::Published => "published",
            Self::Failed => "failed",
            Self::Missed => "missed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
            Self::Unrecognised => "unrecognised",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == name).unwrap_or(Self::Unrecognised)
    }

    /// The states that may follow this one. The one table of moves.
    pub const fn next(self) -> &'static [Self] {
        use DeliveryState as S;
        match self {
            S::Waiting => &[S::Retrying, S::Paused, S::Claimed, S::Missed, S::Cancelled, S::Unknown],
            S::Retrying => &[S::Waiting, S::Paused, S::Claimed, S::Missed, S::Cancelled, S::Unknown],
            S::Paused => &[S::Waiting, S::Claimed, S::Missed, S::Cancelled, S::Unknown],
            S::Claimed => &[
                S::Claimed,
                S::Preparing,
                S::Armed,
                S::Sent,
                S::Published,
                S::Retrying,
                S::Paused,
                S::Failed,
                S::Missed,
                S::Cancelled,
                S::Unknown,
            ],
            S::Preparing => &[
                S::Preparing,
                S::Armed,
                S::Sent,
                S::Published,
                S::Retrying,
                S::Paused,
                S::Failed,
                S::Unknown,
            ],
            S::Armed => &[
                S::Armed,
                S::Preparing,
                S::Sent,
                S::Published,
                S::Retrying,
                S::Paused,
                S::Failed,
                S::Unknown,
            ],
            S::Sent => &[S::Sent, S::Armed, S::Published, S::Failed, S::Unknown],
            S::Unknown => &[S::Unknown, S::Waiting, S::Retrying, S::Sent, S::Published, S::Failed, S::Missed],
            S::Failed => &[S::Waiting, S::Retrying, S::Sent, S::Cancelled, S::Unknown],
            S::Missed => &[S::Waiting, S::Retrying, S::Cancelled, S::Unknown],
            S::Cancelled => &[S::Waiting],
            S::Published | S::Unrecognised => &[],
        }
    }

    /// Whether `next` may follow this state.
    pub fn may_become(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    /// What the state means to those who wait.
    pub const fn phase(self) -> Phase {
        match self {
            Self::Waiting | Self::Retrying => Phase::Pending,
            Self::Claimed | Self::Preparing | Self::Armed | Self::Sent | Self::Unrecognised => Phase::Busy,
            Self::Published | Self::Failed | Self::Missed | Self::Cancelled => Phase::Done,
            Self::Unknown | Self::Paused => Phase::Person,
        }
    }
}

impl From<DeliveryState> for Value {
    fn from(state: DeliveryState) -> Self {
        state.as_str().into()
    }
}

impl FromValue for DeliveryState {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).map(|name| Self::parse(&name))
    }
}

/// Why a delivery stands where it stands. Stored by name in `delivery.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum Reason {
    /// Something passing: it is tried again.
    Retry,
    /// The content must be changed.
    Fix,
    /// The account must be connected again.
    Reauthorise,
    /// The network will not take it.
    Refused,
    /// Some parts are public and the rest did not follow.
    Incomplete,
    /// It was tried as often as it is tried, and nothing was sent.
    Exhausted,
    /// It is later than the workspace allows.
    Late,
    /// The database was restored, and it may have gone out since.
    Restored,
    /// The call was made and its outcome is not known.
    Unconfirmed,
    /// The post or its tenant was deleted.
    Deleted,
    /// Publishing was paused when its time came.
    OnHold,
}

impl Reason {
    const ALL: [Self; 11] = [
        Self::Retry,
        Self::Fix,
        Self::Reauthorise,
        Self::Refused,
        Self::Incomplete,
        Self::Exhausted,
        Self::Late,
        Self::Restored,
        Self::Unconfirmed,
        Self::Deleted,
        Self::OnHold,
    ];

    /// What it means, for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Retry => "Something passing stood in the way. It is tried again by itself.",
            Self::Fix => "The network does not take it as it is: it must be changed and sent again.",
            Self::Reauthorise => "The account must be connected again before anything can be sent to it.",
            Self::Refused => "The network refused it.",
            Self::Incomplete => "Only a part of it is public; the rest did not follow.",
            Self::Exhausted => "It was tried several times, and nothing was sent.",
            Self::Late => "Its time passed before it could be sent.",
            Self::Restored => {
                "It may be public: the database was restored from a backup. It is being looked up."
            }
            Self::Unconfirmed => "It may be public: the network did not confirm it. Look at the account.",
            Self::Deleted => "The post was deleted before it went out.",
            Self::OnHold => "Publishing was paused when its time came.",
        }
    }

    /// The name in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Fix => "fix",
            Self::Reauthorise => "reauthorise",
            Self::Refused => "refused",
            Self::Incomplete => "incomplete",
            Self::Exhausted => "exhausted",
            Self::Late => "late",
            Self::Restored => "restored",
            Self::Unconfirmed => "unconfirmed",
            Self::Deleted => "deleted",
            Self::OnHold => "on_hold",
        }
    }
}

impl From<Reason> for Value {
    fn from(reason: Reason) -> Self {
        reason.as_str().into()
    }
}

impl FromValue for Reason {
    fn from_value(value: &Value) -> Option<Self> {
        let name = String::from_value(value)?;
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// What a group's status depends on, of each of its deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryFacts {
    /// Its state.
    pub state: DeliveryState,
    /// Why, if it says.
    pub reason: Option<Reason>,
    /// Whether its next time is still to come.
    pub is_ahead: bool,
}

/// Where a post group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum GroupStatus {
    /// It has no time yet.
    Draft,
    /// It waits for its time.
    Scheduled,
    /// It is going out.
    Publishing,
    /// It is out everywhere.
    Published,
    /// It is out in some places, or only in part.
    PartlyPublished,
    /// A person must do something.
    NeedsAttention,
    /// It went out nowhere.
    Failed,
    /// Its time passed.
    Missed,
    /// It was called off.
    Cancelled,
}

impl GroupStatus {
    /// The status in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Publishing => "going out",
            Self::Published => "published",
            Self::PartlyPublished => "partly published",
            Self::NeedsAttention => "needs attention",
            Self::Failed => "failed",
            Self::Missed => "missed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether somebody who asks for posts of this status means one of `status`: what needs attention is also what did
    /// not go out, or not everywhere.
    pub fn covers(self, status: Self) -> bool {
        self == status
            || self == Self::NeedsAttention
                && matches!(status, Self::Failed | Self::Missed | Self::PartlyPublished)
    }
}

/// What a post group's deliveries make of it; a group without any is a draft. While the only ones that are not settled
/// wait for a time to come, it is not going out: it is scheduled, or partly published.
pub fn group_status(deliveries: &[DeliveryFacts]) -> GroupStatus {
    let any = |test: fn(&DeliveryFacts) -> bool| deliveries.iter().any(test);
    let all = |test: fn(&DeliveryFacts) -> bool| deliveries.iter().all(test);

    if deliveries.is_empty() {
        GroupStatus::Draft
    } else if any(needs_person) {
        GroupStatus::NeedsAttention
    } else if any(waits)
        && all(|one| {
            matches!(one.state, DeliveryState::Waiting | DeliveryState::Cancelled) && !is_public(one)
        })
    {
        GroupStatus::Scheduled
    } else if any(|one| one.state.phase() != Phase::Done && !(waits(one) && one.is_ahead)) {
        GroupStatus::Publishing
    } else if any(waits) {
        if any(is_public) { GroupStatus::PartlyPublished } else { GroupStatus::Scheduled }
    } else if any(is_public) {
        let complete = all(|one| {
            one.state == DeliveryState::Published
                || (one.state == DeliveryState::Cancelled && one.reason != Some(Reason::Incomplete))
        });
        if complete { GroupStatus::Published } else { GroupStatus::PartlyPublished }
    } else if any(|one| one.state == DeliveryState::Failed) {
        GroupStatus::Failed
    } else if any(|one| one.state == DeliveryState::Missed) {
        GroupStatus::Missed
    } else {
        GroupStatus::Cancelled
    }
}

fn waits(delivery: &DeliveryFacts) -> bool {
    delivery.state == DeliveryState::Waiting
}

fn needs_person(delivery: &DeliveryFacts) -> bool {
    delivery.state.phase() == Phase::Person
        || (delivery.state == DeliveryState::Failed && delivery.reason == Some(Reason::Reauthorise))
}

fn is_public(delivery: &DeliveryFacts) -> bool {
    delivery.state == DeliveryState::Published || delivery.reason == Some(Reason::Incomplete)
}
