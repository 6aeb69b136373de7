//! One commit of a delivery: fenced by its lease, and read back when the reply was lost.

use super::{
    model::{LEASE_MILLIS, Token, Why, cut, part_kind_name},
    store,
};
use crate::{
    desk::{DeliveryId, TenantId},
    networks::Sent,
    platform::{
        Database, DatabaseFault, Entropy, FromRow, Row, RowFault, Statement, Timestamp, Value, first, only,
    },
    posts::{DeliveryState, PlanPart},
};

/// How often a batch whose reply was lost is sent in all.
const SENDINGS: usize = 3;

/// The delivery is no longer this process's to change, or the database cannot be reached. Nothing more may be done
/// with it; whoever finds its lease ended goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost;

/// The right to change one delivery.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub tenant_id: TenantId,
    pub delivery_id: DeliveryId,
    pub token: Token,
    pub ends_at: Timestamp,
}

/// What a step did, for the log of attempts.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub step: &'static str,
    /// The part that it was about, if it was about one.
    pub part: Option<usize>,
    pub started_at: Timestamp,
    pub outcome: &'static str,
    pub code: Option<String>,
    pub words: Option<String>,
}

/// What becomes of a part.
#[derive(Clone, Debug)]
pub(super) enum PartChange<'a> {
    /// It is armed with what will recognise it.
    Arm { position: usize, part: &'a PlanPart, handle: &'a serde_json::Value, epoch: i64 },
    /// Nothing irreversible happened after all.
    Disarm { position: usize },
    /// It is public.
    Settle { position: usize, part: &'a PlanPart, sent: &'a Sent },
}

/// When a delivery is looked at again after a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This process goes on with it under a lease renewed; whoever finds that ended takes it over.
    Work,
    /// Then; until then nobody has it.
    At(Timestamp),
    /// Not by itself.
    Never,
}

impl Next {
    fn at(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Work => Some(now.plus_millis(LEASE_MILLIS)),
            Self::At(time) => Some(time),
            Self::Never => None,
        }
    }
}

/// One move of a delivery.
#[derive(Clone, Debug)]
pub(super) struct Move<'a> {
    pub from: DeliveryState,
    pub to: DeliveryState,
    pub next: Next,
    pub why: Option<&'a Why>,
    pub plan: Option<String>,
    pub part: Option<PartChange<'a>>,
    pub attempt: Option<Attempt>,
}

impl Lease {
    /// Commits a move, and whatever belongs to it, as one batch. The lease then has another token, and lasts until the
    /// delivery is looked at again.
    pub(super) async fn commit(
        &mut self,
        database: &dyn Database,
        entropy: &dyn Entropy,
        now: Timestamp,
        change: &Move<'_>,
    ) -> Result<(), Lost> {
        let token = Token::new(entropy);
        let batch = self.statements(&token, now, change);
        for _ in 0..SENDINGS {
            let moved = match database.batch(batch.clone()).await {
                Ok(answers) => answers.first().is_some_and(|rows| !rows.is_empty()),
                Err(DatabaseFault::Unknown(_) | DatabaseFault::Aborted(_)) => false,
                Err(DatabaseFault::Rejected(_)) => return Err(Lost),
            };
            if moved || self.standing_token(database).await.as_deref() == Some(token.as_str()) {
                self.token = token;
                self.ends_at = change.next.at(now).unwrap_or(now);
                return Ok(());
            }
        }
        Err(Lost)
    }

    async fn standing_token(&self, database: &dyn Database) -> Option<String> {
        let read = store::TOKEN.with([(&self.tenant_id).into(), (&self.delivery_id).into()]);
        let rows = only(database, read).await.ok()?;
        first::<TokenRow>(&rows).ok()?.and_then(|row| row.0)
    }

    fn statements(&self, token: &Token, now: Timestamp, change: &Move<'_>) -> Vec<Statement> {
        let mut batch = vec![self.moving(token, now, change)];
        if let Some(attempt) = &change.attempt {
            batch.push(self.logging(token, now, attempt));
        }
        match &change.part {
            None => {}
            Some(PartChange::Arm { position, part, handle, .. }) => batch.push(store::ARM_PART.with([
                (&self.tenant_id).into(),
                (&self.delivery_id).into(),
                token.into(),
                index(*position),
                part_kind_name(part.kind).into(),
                handle.to_string().into(),
                now.into(),
            ])),
            Some(PartChange::Disarm { position }) => batch.push(store::DISARM_PART.with([
                (&self.tenant_id).into(),
                (&self.delivery_id).into(),
                token.into(),
                index(*position),
            ])),
            Some(PartChange::Settle { position, part, sent }) => {
                batch.push(store::SETTLE_PART.with([
                    (&self.tenant_id).into(),
                    (&self.delivery_id).into(),
                    token.into(),
                    index(*position),
                    part_kind_name(part.kind).into(),
                    sent.handle.to_string().into(),
                    sent.remote_id.as_str().into(),
                    sent.url.clone().into(),
                    now.into(),
                ]));
                batch.extend(sent.statements.iter().cloned());
            }
        }
        batch
    }

    fn moving(&self, token: &Token, now: Timestamp, change: &Move<'_>) -> Statement {
        if let Some(PartChange::Arm { epoch, .. }) = &change.part {
            return store::ARM.with([
                (&self.tenant_id).into(),
                (&self.delivery_id).into(),
                (&self.token).into(),
                change.from.into(),
                token.into(),
                change.next.at(now).into(),
                change.plan.clone().into(),
                now.into(),
                (*epoch).into(),
            ]);
        }
        let address = match &change.part {
            Some(PartChange::Settle { position: 0, sent, .. }) => sent.url.clone(),
            _ => None,
        };
        let published_at = (change.to == DeliveryState::Published).then_some(now);
        store::COMMIT.with([
            (&self.tenant_id).into(),
            (&self.delivery_id).into(),
            (&self.token).into(),
            change.from.into(),
            token.into(),
            change.to.into(),
            change.next.at(now).into(),
            change.why.map(|why| why.reason).into(),
            change.why.map(|why| why.code.clone()).into(),
            change.why.and_then(|why| why.text.clone()).into(),
            change.plan.clone().into(),
            address.into(),
            published_at.into(),
            change.attempt.is_some().into(),
            now.into(),
            change.why.and_then(|why| why.said.clone()).into(),
            (change.next != Next::Work).into(),
        ])
    }

    fn logging(&self, token: &Token, now: Timestamp, attempt: &Attempt) -> Statement {
        store::LOG_ATTEMPT.with([
            (&self.tenant_id).into(),
            (&self.delivery_id).into(),
            token.into(),
            attempt.started_at.into(),
            now.into(),
            attempt.step.into(),
            attempt.outcome.into(),
            attempt.code.as_deref().map(|code| cut(code, 100)).into(),
            attempt.words.as_deref().filter(|words| !words.is_empty()).map(|words| cut(words, 500)).into(),
            attempt.part.map_or(Value::Null, index),
        ])
    }
}

fn index(position: usize) -> Value {
    Value::Int(i64::try_from(position).unwrap_or(i64::MAX))
}

struct TokenRow(Option<String>);

impl FromRow for TokenRow {
    fn from_row(row: &Row) -> Result<Self, RowFault> {
        row.get("lease_token").map(Self)
    }
}
