//! What a delivery is made of, and what follows from how strong its network is. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    desk::{DeliveryId, TenantId},
    networks::{Job, JobPart, Ladder, NetworkError, PartKind, PartState, Rendered},
    platform::{Entropy, FromRow, Row, RowFault, Timestamp, random_array},
    posts::{DeliveryState, PlanPart, Reason},
    profiles::{Profile, ProfileState},
};

/// How long a claim is exclusive without a commit.
pub(super) const LEASE_MILLIS: i64 = 180_000;
/// How long a call may still take effect after it was begun: longer than any connector's time limit. An irreversible
/// call is begun only while the lease lasts longer than this, so that whoever takes the delivery over and looks does not
/// look too early.
pub(super) const CALL_MILLIS: i64 = 90_000;
/// Tries without success before a part is given up.
pub(super) const MAX_TRIES: u32 = 8;
/// Look-ups without an answer before a person is asked.
pub(super) const MAX_LOOKS: u32 = 8;
/// Polls of a network that is still preparing, one per tick, before it is given up.
pub(super) const MAX_POLLS: u32 = 120;
/// Claims in a row that ended with the death of their process before nothing more is tried.
pub(super) const MAX_DEATHS: i64 = 4;
/// When to poll again.
pub(super) const POLL_MILLIS: i64 = 20_000;
/// How often a paused delivery sees whether its account is connected again.
pub(super) const PAUSE_MILLIS: i64 = 600_000;
/// The furthest that a network can put a next try off.
const LONGEST_WAIT_MILLIS: i64 = 24 * 3_600_000;
const FIRST_BACKOFF_MILLIS: i64 = 30_000;
const LONGEST_BACKOFF_MILLIS: i64 = 3_600_000;
const VERSION: u32 = 1;

/// A fencing token: whoever knows the one that stands in the row may commit, and each commit replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token(String);

impl Token {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        Self(data_encoding::BASE64URL_NOPAD.encode(&random_array::<16>(entropy)))
    }

    /// The token of a claim that was handed out.
    pub(super) const fn handed(token: String) -> Self {
        Self(token)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Token> for crate::platform::Value {
    fn from(token: &Token) -> Self {
        Self::Text(token.0.clone())
    }
}

/// What will be sent, frozen when the delivery is first prepared, and how it is getting on. Stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    v: u32,
    /// The parts as rendered.
    pub parts: Vec<PlanPart>,
    /// The network's settings.
    pub settings: Value,
    /// What the connector's steps gave back.
    pub progress: Value,
    /// Tries since something last went well.
    #[serde(default)]
    pub tries: u32,
    /// Look-ups since something last went well.
    #[serde(default)]
    pub looks: u32,
    /// Polls since something last went well.
    #[serde(default)]
    pub polls: u32,
    /// A person asked for it to go on: the parts that are not public are rendered again.
    #[serde(default)]
    pub stale: bool,
    /// A part is in doubt and cannot be sent again: it is looked up.
    #[serde(default)]
    pub look: bool,
    /// It was restored from a backup while it was settled: it is looked up before it is sent again.
    #[serde(default)]
    pub suspect: bool,
}

impl Plan {
    /// The plan for a rendering. The first `public` parts stay as they were sent, and what was prepared for the same
    /// parts stays prepared.
    pub(super) fn of(rendered: Rendered, settings: Value, earlier: Option<&Self>, public: usize) -> Self {
        let kept = earlier.map_or(&[][..], |plan| plan.parts.get(..public).unwrap_or(&plan.parts));
        let fresh = rendered.parts.into_iter().map(PlanPart::from);
        let parts: Vec<PlanPart> = kept.iter().cloned().chain(fresh.skip(kept.len())).collect();
        let mut plan = Self { v: VERSION, parts, settings, ..Self::default() };
        if let Some(earlier) = earlier {
            plan.tries = earlier.tries;
            plan.looks = earlier.looks;
            plan.suspect = earlier.suspect;
            if earlier.parts == plan.parts && earlier.settings == plan.settings {
                plan.progress = earlier.progress.clone();
            }
        }
        plan
    }

    /// Reads the stored form; nothing when it is of a version that this code does not know.
    pub(super) fn parse(stored: &str) -> Option<Self> {
        serde_json::from_str::<Self>(stored).ok().filter(|plan| plan.v == VERSION)
    }

    /// The form to store.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Something went well: the next difficulty is a new one.
    pub(super) const fn went_well(&mut self) {
        self.tries = 0;
        self.looks = 0;
        self.polls = 0;
        self.look = false;
    }
}

/// A part's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartRow {
    pub tenant_id: TenantId,
    pub delivery_id: DeliveryId,
    pub position: i64,
    pub state: PartState,
    pub handle: Option<Value>,
    pub remote_id: Option<String>,
    pub url: Option<String>,
    pub armed_at: Option<Timestamp>,
}

impl FromRow for PartRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        let state: String = row.get("state")?;
        Ok(Self {
            tenant_id: row.get("tenant_id")?,
            delivery_id: row.get("delivery_id")?,
            position: row.get("position")?,
            state: part_state(&state).ok_or(RowFault { column: "state" })?,
            handle: row.get("handle")?,
            remote_id: row.get("remote_id")?,
            url: row.get("url")?,
            armed_at: row.get("armed_at")?,
        })
    }
}

fn part_state(name: &str) -> Option<PartState> {
    Some(match name {
        "pending" => PartState::Pending,
        "armed" => PartState::Armed,
        "live" => PartState::Live,
        "removed" => PartState::Removed,
        _ => return None,
    })
}

/// The name of a part's kind in the database.
pub(super) const fn part_kind_name(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Post => "post",
        PartKind::Reply => "reply",
        PartKind::FirstComment => "first_comment",
    }
}

/// A delivery as a claim finds it.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub tenant_id: TenantId,
    pub safename: String,
    pub delivery_id: DeliveryId,
    pub profile: Profile,
    pub state: DeliveryState,
    pub reason: Option<Reason>,
    pub due_at: Timestamp,
    pub content: String,
    pub plan: Option<Plan>,
    pub grace_seconds: i64,
    pub gone: bool,
    /// How many claims of it, one after the other, ended with the death of their process.
    pub deaths: i64,
    pub parts: Vec<PartRow>,
}

impl FromRow for Delivery {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            tenant_id: row.get("tenant_id")?,
            safename: row.get("safename")?,
            delivery_id: row.get("delivery_id")?,
            profile: Profile::from_row(row)?,
            state: row.get("delivery_state")?,
            reason: row.get("reason")?,
            due_at: row.get("due_at")?,
            content: row.get("content")?,
            plan: row.get::<Option<String>>("plan")?.as_deref().and_then(Plan::parse),
            grace_seconds: row.get("grace_seconds")?,
            gone: row.get("gone")?,
            deaths: row.get::<i64>("claims")? - 1,
            parts: Vec::new(),
        })
    }
}

impl Delivery {
    /// How many parts are public or were.
    pub(super) fn public_parts(&self) -> usize {
        self.parts.iter().filter(|part| is_public(part.state)).count()
    }

    /// Why nothing can be sent to the account, if so.
    pub(super) fn sickness(&self) -> Option<Why> {
        let text = "The account is no longer connected.";
        let why = || Why::new(Reason::Reauthorise, "profile_needs_reconnect", text);
        (self.profile.state != ProfileState::Healthy).then(why)
    }

    /// The last moment at which it may still go out.
    pub(super) const fn latest(&self) -> Timestamp {
        self.due_at.plus_seconds(self.grace_seconds)
    }

    /// The job that `plan` makes of it.
    pub(super) fn job(&self, plan: &Plan) -> Job {
        let parts = plan.parts.iter().zip(0_i64..).map(|(part, position)| {
            let row = self.parts.iter().find(|row| row.position == position);
            JobPart {
                kind: part.kind,
                text: part.text.clone(),
                media: part.media.clone(),
                wire: part.wire.clone(),
                state: row.map_or(PartState::Pending, |row| row.state),
                handle: row.and_then(|row| row.handle.clone()),
                remote_id: row.and_then(|row| row.remote_id.clone()),
                url: row.and_then(|row| row.url.clone()),
            }
        });
        Job {
            tenant_id: self.tenant_id.clone(),
            safename: self.safename.clone(),
            delivery_id: self.delivery_id.clone(),
            account: self.profile.account.clone(),
            due_at: self.due_at,
            parts: parts.collect(),
            settings: plan.settings.clone(),
            progress: plan.progress.clone(),
        }
    }
}

/// Whether the network showed the part, now or once.
pub(super) const fn is_public(state: PartState) -> bool {
    matches!(state, PartState::Live | PartState::Removed)
}

/// What to do with a part whose irreversible call may have been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Make the call again: a repetition is no second post.
    SendAgain,
    /// Look whether it is there.
    LookUp,
    /// Nothing tells: a person decides.
    AskPerson,
}

/// What the ladder says of a part that was armed at `armed_at` and tried `tries` times since.
pub(super) fn doubt(ladder: Ladder, armed_at: Timestamp, now: Timestamp, tries: u32) -> Doubt {
    match ladder {
        Ladder::Blind => Doubt::AskPerson,
        Ladder::TwoPhase | Ladder::Lookup => Doubt::LookUp,
        Ladder::Exact | Ladder::Window(_) if tries >= MAX_TRIES => Doubt::LookUp,
        Ladder::Exact => Doubt::SendAgain,
        // The repetition must arrive within the window, however long it takes.
        Ladder::Window(seconds)
            if now >= armed_at && now.plus_millis(CALL_MILLIS) < armed_at.plus_seconds(seconds) =>
        {
            Doubt::SendAgain
        }
        Ladder::Window(_) => Doubt::LookUp,
    }
}

/// When to try again after `tries` failures: what the network asked for, else twice as long each time, and never all at
/// the same moment.
pub(super) fn try_again_at(
    now: Timestamp,
    tries: u32,
    asked: Option<Timestamp>,
    entropy: &dyn Entropy,
) -> Timestamp {
    let [high, low] = random_array::<2>(entropy);
    let jitter = i64::from(u16::from_be_bytes([high, low]));
    match asked.filter(|at| *at > now) {
        Some(at) => at.min(now.plus_millis(LONGEST_WAIT_MILLIS)).plus_millis(jitter % 5_000),
        None => {
            let doubled = FIRST_BACKOFF_MILLIS.saturating_mul(1_i64 << tries.min(16));
            let longest = doubled.min(LONGEST_BACKOFF_MILLIS);
            now.plus_millis(longest / 2 + longest / 2 * jitter / i64::from(u16::MAX))
        }
    }
}

/// Why a delivery stands where it stands, in a word, a code, our words, and the network's if it spoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Why {
    pub reason: Reason,
    pub code: String,
    pub text: Option<String>,
    pub said: Option<String>,
}

impl Why {
    /// In our words.
    pub(super) fn new(reason: Reason, code: &str, text: impl AsRef<str>) -> Self {
        Self { reason, code: cut(code, 100), text: Some(cut(text.as_ref(), 1000)), said: None }
    }

    /// As the network says, if it says anything.
    pub(super) fn said(reason: Reason, error: &NetworkError) -> Self {
        let said = (!error.words.is_empty()).then(|| cut(&error.words, 1000));
        Self { reason, code: cut(&error.code, 100), text: None, said }
    }
}

/// At most `most` characters of `text`.
pub(super) fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
