//! Sending again what a person wants sent again: never what is public, and never blindly what may be.

use serde::{Deserialize, Serialize};

use super::{
    model::{PartRow, is_public},
    store,
    trade::Trade,
};
use crate::{
    desk::{Act, Caller, Code, DeliveryId, PostId, Problem, Problems, ProfileId, Refusal, next_call},
    networks::Ladder,
    platform::{FromRow, Row, RowFault, Statement, Timestamp},
    posts::DeliveryState,
    profiles::{Profile, ProfileState},
};

/// What was set off for one profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum RetryAnswer {
    /// It is sent again.
    SentAgain,
    /// Some parts are public: the rest follows.
    GoesOn,
    /// It may be public: it is looked up, and sent only if it is not there.
    LookedUp,
}

/// A delivery that was set off again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct Retried {
    /// The profile.
    pub profile: ProfileId,
    /// What happens now.
    pub answer: RetryAnswer,
    /// When, in milliseconds since 1970.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "i64"))]
    pub at: Timestamp,
}

/// What would set a post's deliveries off again.
#[derive(Clone, Debug)]
pub struct Retry {
    /// The conditional statements that do it, all or none.
    pub statements: Vec<Statement>,
    /// What then happens for each profile.
    pub retried: Vec<Retried>,
}

/// Finds what sets a post's deliveries off again: those of `profiles`, or all that can be.
///
/// What is sent again goes out after the workspace's hold, with the content that the post has then. A delivery whose
/// outcome is unknown is looked up first.
///
/// # Errors
/// `post_not_found`; for each named profile that cannot be sent to again, why; `not_retryable` when nothing can be.
pub async fn plan(
    caller: &Caller<'_>,
    trade: &dyn Trade,
    post: &PostId,
    profiles: Option<&[ProfileId]>,
) -> Result<Retry, Refusal> {
    let found = deliveries(caller, post).await?;
    let now = caller.now();
    let mut chosen = Vec::new();
    let mut problems = Problems::default();
    for candidate in &found {
        let named = profiles.map(|profiles| profiles.contains(&candidate.profile.id));
        match (named, candidate.move_again(trade, now)) {
            (Some(false), _) => {}
            (_, Ok(moved)) => chosen.push((candidate, moved)),
            (Some(true), Err(problem)) => problems.add(problem),
            (None, Err(_)) => {}
        }
    }
    for stranger in profiles.unwrap_or_default() {
        if !found.iter().any(|candidate| candidate.profile.id == *stranger) {
            problems.add(Problem::new(
                Code::SocialProfileRejected,
                "profiles",
                format!("The post does not go to {stranger}; leave it out."),
            ));
        }
    }
    problems.refuse_if_any()?;
    if chosen.is_empty() {
        return Err(nothing_to_retry(post, &found, trade, now));
    }
    let mut statements = Vec::with_capacity(chosen.len() * 2);
    for (candidate, moved) in &chosen {
        statements.push(store::RETRY.with([
            (&caller.tenant().id).into(),
            (&candidate.delivery_id).into(),
            candidate.state.into(),
            moved.to.into(),
            moved.at.into(),
            now.into(),
        ]));
        statements.push(Caller::require_changes(1));
    }
    let retried = chosen
        .into_iter()
        .map(|(candidate, moved)| Retried {
            profile: candidate.profile.id.clone(),
            answer: moved.answer,
            at: moved.at,
        })
        .collect();
    Ok(Retry { statements, retried })
}

/// Sets a post's deliveries off again, all of them or none. See [`plan`].
///
/// # Errors
/// Those of [`plan`], and those of the write.
pub async fn retry(
    caller: &Caller<'_>,
    trade: &dyn Trade,
    post: &PostId,
    profiles: Option<&[ProfileId]>,
) -> Result<Vec<Retried>, Refusal> {
    let plan = plan(caller, trade, post, profiles).await?;
    carry_out(caller, post, plan.statements).await?;
    Ok(plan.retried)
}

/// Carries out what [`plan`] found.
///
/// # Errors
/// Those of the write.
pub async fn carry_out(
    caller: &Caller<'_>,
    post: &PostId,
    statements: Vec<Statement>,
) -> Result<(), Refusal> {
    caller.write(Act { name: "retry_post", subjects: &[post.as_str()] }, statements).await.map(drop)
}

fn nothing_to_retry(post: &PostId, found: &[Candidate], trade: &dyn Trade, now: Timestamp) -> Refusal {
    let reasons: Vec<Problem> =
        found.iter().filter_map(|candidate| candidate.move_again(trade, now).err()).collect();
    if reasons.is_empty() {
        let hint = "Schedule the post, or publish it now.";
        return Problem::new(Code::NotRetryable, "post_id", hint)
            .next(next_call("get_post", serde_json::json!({ "post_id": post })))
            .into();
    }
    Refusal::Problems(reasons)
}

async fn deliveries(caller: &Caller<'_>, post: &PostId) -> Result<Vec<Candidate>, Refusal> {
    let (tenant, grant) = caller.sight();
    let mut answer = caller
        .read(vec![
            store::POST_IN_SIGHT.with([tenant.clone(), grant.clone(), post.into()]),
            store::OF_POST.with([tenant.clone(), grant, post.into()]),
            store::PARTS_OF_POST.with([tenant, post.into()]),
        ])
        .await?;
    if answer.next_rows().is_empty() {
        return Err(Problem::new(Code::PostNotFound, "post_id", "Find it with list_posts.")
            .next(next_call("list_posts", serde_json::json!({})))
            .into());
    }
    let mut found: Vec<Candidate> = answer.next_as()?;
    let parts: Vec<PartRow> = answer.next_as()?;
    for candidate in &mut found {
        candidate.has_public_parts =
            parts.iter().any(|part| part.delivery_id == candidate.delivery_id && is_public(part.state));
    }
    Ok(found)
}

struct Candidate {
    delivery_id: DeliveryId,
    profile: Profile,
    state: DeliveryState,
    hold_seconds: i64,
    has_public_parts: bool,
}

impl FromRow for Candidate {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        Ok(Self {
            delivery_id: row.get("delivery_id")?,
            profile: Profile::from_row(row)?,
            state: row.get("delivery_state")?,
            hold_seconds: row.get("hold_seconds")?,
            has_public_parts: false,
        })
    }
}

struct Moved {
    to: DeliveryState,
    at: Timestamp,
    answer: RetryAnswer,
}

impl Candidate {
    /// How it is set off again, or why it cannot be.
    fn move_again(&self, trade: &dyn Trade, now: Timestamp) -> Result<Moved, Problem> {
        use DeliveryState as S;
        let held = now.plus_seconds(self.hold_seconds);
        let problem = |code: Code, hint: &str| {
            Problem::new(code, "profiles", hint).message(format!(
                "{}: {}",
                self.profile.account.handle,
                code.sentence()
            ))
        };
        match self.state {
            S::Unknown if trade.connector(self.profile.account.network).ladder() == Ladder::Blind => {
                Err(problem(
                    Code::NotRetryable,
                    "This network cannot be asked. Have a person look at the account, then call confirm_delivery.",
                ))
            }
            S::Unknown => Ok(Moved { to: S::Unknown, at: now, answer: RetryAnswer::LookedUp }),
            S::Failed | S::Missed | S::Paused if self.profile.state != ProfileState::Healthy => {
                Err(problem(Code::ProfileNeedsReconnect, "Connect the account again, then repeat the call.")
                    .next(next_call(
                        "connect_social_profile",
                        serde_json::json!({
                            "network": self.profile.account.network,
                            "workspace": self.profile.workspace_id,
                            "reconnect": self.profile.id,
                        }),
                    )))
            }
            S::Failed if self.has_public_parts => {
                Ok(Moved { to: S::Sent, at: held, answer: RetryAnswer::GoesOn })
            }
            S::Failed | S::Missed => Ok(Moved { to: S::Retrying, at: held, answer: RetryAnswer::SentAgain }),
            S::Paused => Ok(Moved { to: S::Waiting, at: held, answer: RetryAnswer::SentAgain }),
            S::Published => Err(problem(Code::PostAlreadyLive, "Leave this profile out.")),
            S::Waiting | S::Retrying => {
                Err(problem(Code::NotRetryable, "It goes out by itself; publish_post sends it at once."))
            }
            S::Cancelled => Err(problem(Code::NotRetryable, "It was called off; schedule the post again.")),
            S::Claimed | S::Preparing | S::Armed | S::Sent | S::Unrecognised => {
                Err(problem(Code::PostBusy, "Read it with get_post in a minute."))
            }
        }
    }
}
