//! Settling what nothing but a person can tell: whether a post is public.

use serde::{Deserialize, Serialize};

use super::{
    model::{Delivery, Plan, cut, is_public, part_kind_name},
    removal::deliveries,
    store,
};
use crate::{
    desk::{Act, Caller, Code, PostId, Problem, ProfileId, Refusal, next_call},
    networks::{PartKind, PartState},
    platform::{Statement, Timestamp},
    posts::{DeliveryState, Reason},
};

/// What a person saw when looking at the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum Outcome {
    /// It is there.
    Live,
    /// It is not there, and shall be sent again.
    SendAgain,
}

/// A person's word on one delivery.
#[derive(Clone, Debug)]
pub struct Word<'a> {
    /// The profile that the person looked at; may be left out where one outcome only is unknown.
    pub profile: Option<&'a ProfileId>,
    /// What was seen.
    pub outcome: Outcome,
    /// The post's public address, if it is known.
    pub address: Option<&'a str>,
    /// What is sent again waits so long, in seconds.
    pub hold_seconds: i64,
}

/// Settles a delivery whose outcome is unknown. A look-up of it that is under way changes nothing any more.
///
/// What is live is published; where parts behind the one in doubt were never sent it is failed and incomplete, and a retry
/// goes on from there. What is sent again goes out after the hold, with the content that the post has then.
///
/// # Errors
/// `post_not_found`; `not_unknown` when there is nothing to settle; `ambiguous_profile` when several outcomes are
/// unknown and no profile is named; [`Refusal::Conflict`] when it was settled at the same moment.
pub async fn confirm(caller: &Caller<'_>, post: &PostId, word: &Word<'_>) -> Result<ProfileId, Refusal> {
    let found = deliveries(caller, post).await?;
    let delivery = the_unknown(post, &found, word.profile)?;
    let settled = match word.outcome {
        Outcome::Live => Settled::live(delivery, caller.now()),
        Outcome::SendAgain => Settled::send_again(delivery, caller.now().plus_seconds(word.hold_seconds)),
    };
    let subjects = [post.as_str(), delivery.delivery_id.as_str()];
    let act = Act { name: "confirm_delivery", subjects: &subjects };
    caller.write(act, settled.statements(delivery, word, caller.now())).await?;
    Ok(delivery.profile.id.clone())
}

fn the_unknown<'d>(
    post: &PostId,
    found: &'d [Delivery],
    named: Option<&ProfileId>,
) -> Result<&'d Delivery, Problem> {
    let candidates: Vec<&Delivery> = found
        .iter()
        .filter(|delivery| delivery.state == DeliveryState::Unknown)
        .filter(|delivery| named.is_none_or(|named| delivery.profile.id == *named))
        .collect();
    match candidates.as_slice() {
        [only] => Ok(only),
        [] => Err(not_unknown(post)),
        several => {
            let handles: Vec<String> =
                several.iter().map(|one| format!("\"{}\"", one.profile.account.handle)).collect();
            let hint = format!("Set profile to the one that was looked at: {}.", handles.join(" or "));
            Err(Problem::new(Code::AmbiguousProfile, "profile", hint))
        }
    }
}

/// The problem of a post whose outcome is known.
pub(super) fn not_unknown(post: &PostId) -> Problem {
    Problem::new(Code::NotUnknown, "post_id", "See with get_post where it stands.")
        .next(next_call("get_post", serde_json::json!({ "post_id": post })))
}

/// What a word makes of a delivery.
struct Settled {
    to: DeliveryState,
    next_at: Option<Timestamp>,
    reason: Option<Reason>,
    text: Option<String>,
    published_at: Option<Timestamp>,
    /// The parts that are public by it.
    seen: Vec<(usize, PartKind)>,
}

impl Settled {
    fn live(delivery: &Delivery, now: Timestamp) -> Self {
        let open = open_parts(delivery);
        let armed = delivery.parts.iter().find(|part| part.state == PartState::Armed);
        let last = armed.and_then(|part| usize::try_from(part.position).ok()).unwrap_or(usize::MAX);
        let seen: Vec<_> = open.iter().copied().filter(|(position, _)| *position <= last).collect();
        if seen.len() == open.len() {
            let (to, published_at) = (DeliveryState::Published, Some(now));
            return Self { to, next_at: None, reason: None, text: None, published_at, seen };
        }
        let public = delivery.public_parts() + seen.len();
        let all = delivery.public_parts() + open.len();
        let text = format!("{public} of {all} parts are public. The next one was not sent.");
        Self {
            to: DeliveryState::Failed,
            next_at: None,
            reason: Some(Reason::Incomplete),
            text: Some(cut(&text, 1000)),
            published_at: None,
            seen,
        }
    }

    fn send_again(delivery: &Delivery, at: Timestamp) -> Self {
        let to = if delivery.public_parts() > 0 { DeliveryState::Sent } else { DeliveryState::Retrying };
        Self { to, next_at: Some(at), reason: None, text: None, published_at: None, seen: Vec::new() }
    }

    /// The conditional batch that settles it, or changes nothing.
    fn statements(&self, delivery: &Delivery, word: &Word<'_>, now: Timestamp) -> Vec<Statement> {
        let (tenant, id) = (&delivery.tenant_id, &delivery.delivery_id);
        let settle = store::CONFIRM.with([
            tenant.into(),
            id.into(),
            self.to.into(),
            self.next_at.into(),
            self.reason.into(),
            self.reason.map(Reason::as_str).into(),
            self.text.clone().into(),
            word.address.into(),
            self.published_at.into(),
            now.into(),
        ]);
        let (parts, said) = match word.outcome {
            Outcome::Live => {
                let seen: Vec<_> =
                    self.seen.iter().map(|(position, kind)| (position, part_kind_name(*kind))).collect();
                let seen = serde_json::json!(seen).to_string();
                let live = [tenant.into(), id.into(), seen.into(), word.address.into(), now.into()];
                (store::CONFIRM_LIVE.with(live), "live")
            }
            Outcome::SendAgain => (store::CONFIRM_ABSENT.with([tenant.into(), id.into()]), "send again"),
        };
        let log = store::LOG_WORD.with([tenant.into(), id.into(), now.into(), said.into()]);
        vec![settle, crate::desk::Caller::require_changes(1), parts, log]
    }
}

/// The parts of the plan that are not public, or the post alone where nothing was planned yet.
fn open_parts(delivery: &Delivery) -> Vec<(usize, PartKind)> {
    let planned = delivery.plan.as_ref().map(|plan: &Plan| plan.parts.as_slice()).unwrap_or_default();
    let is_open = |position: usize| {
        let row = delivery.parts.iter().find(|row| usize::try_from(row.position) == Ok(position));
        !row.is_some_and(|row| is_public(row.state))
    };
    if planned.is_empty() {
        return if is_open(0) { vec![(0, PartKind::Post)] } else { Vec::new() };
    }
    planned
        .iter()
        .enumerate()
        .map(|(position, part)| (position, part.kind))
        .filter(|(at, _)| is_open(*at))
        .collect()
}
