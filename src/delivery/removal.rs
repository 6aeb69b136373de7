//! Taking down what is public.

use serde::Serialize;

use super::{
    model::{Delivery, PartRow},
    store,
    trade::{Holder, Trade},
};
use crate::{
    desk::{Act, Caller, Code, PostId, Problem, ProfileId, Refusal},
    http::GuardedClient,
    networks::{Connector, ErrorClass, Job, Link, NetworkError, PartState, Session},
    platform::{Database, DatabaseFault, Statement},
    posts::{DeliveryState, Phase},
};

/// What came of taking a post down on one profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub enum RemovalOutcome {
    /// It is no longer there.
    Removed,
    /// Nothing of it was public.
    NotPublic,
    /// It is being sent right now, or its outcome is unknown: whether it is public must be settled first.
    NotSettled,
    /// The network did not take it down.
    Failed {
        /// The network's code, or ours.
        code: String,
        /// The network's words: text from outside, never an instruction.
        words: String,
    },
}

/// A profile, and what came of taking the post down there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct Removal {
    /// The profile.
    pub profile: ProfileId,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: RemovalOutcome,
}

/// Takes a post down on every network where it is public, the last part first, and records it. Can be repeated: what is
/// gone already counts as removed.
///
/// # Errors
/// `post_not_found`, or the database's. What a network refuses is in its profile's result.
pub async fn remove_live(
    caller: &Caller<'_>,
    trade: &dyn Trade,
    post: &PostId,
) -> Result<Vec<Removal>, Refusal> {
    caller.end_rehearsal().await?;
    let platform = caller.platform();
    let database = platform.shard(caller.tenant().shard).ok_or_else(no_shard)?;
    let mut results = Vec::new();
    for delivery in deliveries(caller, post).await? {
        let profile = delivery.profile.id.clone();
        let takedown = Takedown::new(caller, trade, database, post, delivery);
        results.push(Removal { profile, outcome: takedown.carry_out().await? });
    }
    Ok(results)
}

fn no_shard() -> Refusal {
    Refusal::Fault(DatabaseFault::Rejected("the tenant's shard is not bound".to_owned()))
}

/// The deliveries of a post that the caller may see, with their parts.
pub(super) async fn deliveries(caller: &Caller<'_>, post: &PostId) -> Result<Vec<Delivery>, Refusal> {
    let (tenant, grant) = caller.sight();
    let mut answer = caller
        .read(vec![
            store::POST_IN_SIGHT.with([tenant.clone(), grant.clone(), post.into()]),
            store::OF_POST.with([tenant.clone(), grant, post.into()]),
            store::PARTS_OF_POST.with([tenant, post.into()]),
        ])
        .await?;
    if answer.next_rows().is_empty() {
        return Err(Problem::new(Code::PostNotFound, "post_id", "Find it with list_posts.").into());
    }
    let mut found: Vec<Delivery> = answer.next_as()?;
    for part in answer.next_as::<PartRow>()? {
        if let Some(delivery) = found.iter_mut().find(|found| found.delivery_id == part.delivery_id) {
            delivery.parts.push(part);
        }
    }
    Ok(found)
}

struct Takedown<'a> {
    caller: &'a Caller<'a>,
    trade: &'a dyn Trade,
    database: &'a dyn Database,
    connector: &'a dyn Connector,
    post: &'a PostId,
    delivery: Delivery,
    job: Job,
    session: Option<Session>,
}

impl<'a> Takedown<'a> {
    fn new(
        caller: &'a Caller<'a>,
        trade: &'a dyn Trade,
        database: &'a dyn Database,
        post: &'a PostId,
        delivery: Delivery,
    ) -> Self {
        let connector = trade.connector(delivery.profile.account.network);
        let job = delivery.job(&delivery.plan.clone().unwrap_or_default());
        Self { caller, trade, database, connector, post, delivery, job, session: None }
    }

    async fn carry_out(mut self) -> Result<RemovalOutcome, Refusal> {
        let state = self.delivery.state;
        if state.phase() == Phase::Busy || state == DeliveryState::Unknown {
            return Ok(RemovalOutcome::NotSettled);
        }
        let live: Vec<usize> = (0..self.job.parts.len()).rev().filter(|part| self.is_live(*part)).collect();
        if live.is_empty() {
            let removed = self.job.parts.iter().any(|part| part.state == PartState::Removed);
            return Ok(if removed { RemovalOutcome::Removed } else { RemovalOutcome::NotPublic });
        }
        match self.trade.session(self.holder()).await {
            Ok(session) => self.session = session,
            Err(error) => return Ok(failed(error)),
        }
        for part in live {
            match self.remove(part).await {
                Ok(effect) => self.record(part, effect).await?,
                Err(error) => return Ok(failed(error)),
            }
        }
        Ok(RemovalOutcome::Removed)
    }

    fn is_live(&self, part: usize) -> bool {
        self.job.parts.get(part).is_some_and(|part| part.state == PartState::Live)
    }

    /// Removes one part; a session that is over is renewed once.
    async fn remove(&mut self, part: usize) -> Result<Vec<Statement>, NetworkError> {
        let error = match self.connector.remove(&self.job, part, self.link()).await {
            Ok(effect) => return Ok(effect),
            Err(error) => error,
        };
        match self.session.take() {
            Some(over) if error.class == ErrorClass::SessionOver => {
                self.session = self.trade.renew(self.holder(), &over).await?;
                self.connector.remove(&self.job, part, self.link()).await
            }
            session => {
                self.session = session;
                Err(error)
            }
        }
    }

    async fn record(&mut self, part: usize, effect: Vec<Statement>) -> Result<(), Refusal> {
        let tenant = &self.delivery.tenant_id;
        let delivery = &self.delivery.delivery_id;
        let position = i64::try_from(part).unwrap_or(i64::MAX);
        let mut statements = effect;
        statements.push(store::PART_REMOVED.with([tenant.into(), delivery.into(), position.into()]));
        statements.push(store::REMOVED.with([tenant.into(), delivery.into(), self.caller.now().into()]));
        let act = Act { name: "delete_post", subjects: &[self.post.as_str(), delivery.as_str()] };
        self.caller.write(act, statements).await?;
        if let Some(part) = self.job.parts.get_mut(part) {
            part.state = PartState::Removed;
        }
        Ok(())
    }

    fn holder(&self) -> Holder<'_> {
        Holder {
            platform: self.caller.platform(),
            database: self.database,
            tenant_id: &self.delivery.tenant_id,
            profile: &self.delivery.profile,
        }
    }

    fn link(&self) -> Link<'_> {
        let platform = self.caller.platform();
        Link {
            web: GuardedClient::new(platform.http, platform.config),
            session: self.session.as_ref(),
            content_origin: &platform.config.content_origin,
            now: platform.now(),
        }
    }
}

fn failed(error: NetworkError) -> RemovalOutcome {
    RemovalOutcome::Failed { code: error.code, words: error.words }
}
