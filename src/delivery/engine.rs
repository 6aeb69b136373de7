//! The tick of a shard: what is due is claimed in rounds and carried forward.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use serde::Serialize;

use super::{
    at_most::at_most,
    commit::Lease,
    epoch::{self, KnownShard, Standing},
    fan_out,
    meter::Meter,
    model::{Delivery, LEASE_MILLIS, PartRow, Token, cut},
    run::Run,
    store::{self, directory},
    trade::Trade,
};
use crate::{
    desk::{DeliveryId, ProfileId, TenantId},
    platform::{
        Database, DatabaseFault, Event, FromRow, Later, Platform, Rows, Statement, Timestamp, Value, first,
        only,
    },
    posts::DeliveryState,
};

/// Deliveries carried at the same time, each of another profile.
const LANES: usize = 6;
/// Statements kept back for ending the tick and for the steps that are under way.
const RESERVE: u32 = 120;
/// What is due so soon is given an errand of its own, in seconds.
const SOON_SECONDS: i64 = 60;
/// Rows ended or forgotten by one statement.
const AT_ONCE: i64 = 500;
const ATTEMPTS_LIVE_SECONDS: i64 = 90 * 86_400;
/// How often a batch whose reply was lost is read again.
const READINGS: usize = 3;

/// How much one tick may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Statements in the shard; an invocation may issue only so many.
    pub statements: u32,
    /// Milliseconds after which nothing more is begun.
    pub millis: i64,
    /// Deliveries claimed at once, of all tenants.
    pub round: i64,
    /// Deliveries claimed at once, of one tenant.
    pub per_tenant: i64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { statements: 800, millis: 240_000, round: 40, per_tenant: 20 }
    }
}

/// What a tick did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TickReport {
    /// Deliveries claimed.
    pub claimed: i64,
    /// Deliveries published.
    pub published: i64,
    /// Deliveries that failed for good.
    pub failed: i64,
    /// Deliveries that became unknown.
    pub unknown: i64,
    /// Deliveries whose time had passed.
    pub missed: i64,
    /// Statements issued in the shard.
    pub statements: u32,
    /// Whether it stopped before everything due was looked at.
    pub stopped: bool,
    /// Why the shard is on hold, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// What went wrong with the tick itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What the runs of a tick share.
pub(super) struct Shift<'a> {
    pub platform: Platform<'a>,
    pub trade: &'a dyn Trade,
    pub database: Meter<'a>,
    budget: Budget,
    began: Timestamp,
    epoch: Cell<i64>,
    armed: Cell<bool>,
    report: RefCell<TickReport>,
    /// Until when networks asked accounts to wait, as far as this tick heard it.
    waits: RefCell<HashMap<(TenantId, ProfileId), Timestamp>>,
}

impl Shift<'_> {
    /// Whether another step may be begun.
    pub(super) fn has_room(&self) -> bool {
        self.database.statements() + RESERVE < self.budget.statements
            && self.platform.now().millis_since(self.began) < self.budget.millis
    }

    /// The epoch that this tick arms in.
    pub(super) const fn epoch(&self) -> i64 {
        self.epoch.get()
    }

    /// Something irreversible may have happened in this tick.
    pub(super) fn armed_something(&self) {
        self.armed.set(true);
    }

    /// The network asked the account of `delivery` to wait: nothing else is sent to it before that. Best effort: who does
    /// not know of it asks the network and is told the same.
    pub(super) async fn wait_for(&self, delivery: &Delivery, until: Timestamp) {
        let (tenant, profile) = (&delivery.tenant_id, &delivery.profile.id);
        self.waits.borrow_mut().insert((tenant.clone(), profile.clone()), until);
        let wait = store::WAIT_FOR.with([tenant.into(), profile.into(), until.into()]);
        drop(only(&self.database, wait).await);
    }

    /// Until when the account of `delivery` was asked to wait in this tick, if that is to come.
    pub(super) fn waits_until(&self, delivery: &Delivery) -> Option<Timestamp> {
        let key = (delivery.tenant_id.clone(), delivery.profile.id.clone());
        self.waits.borrow().get(&key).copied().filter(|until| *until > self.platform.now())
    }

    /// Counts a move.
    pub(super) fn count(&self, from: DeliveryState, to: DeliveryState) {
        let mut report = self.report.borrow_mut();
        match to {
            DeliveryState::Published => report.published += 1,
            DeliveryState::Failed => report.failed += 1,
            DeliveryState::Missed => report.missed += 1,
            DeliveryState::Unknown if from != DeliveryState::Unknown => report.unknown += 1,
            _ => {}
        }
    }
}

/// Runs one tick of a shard: puts it on hold if it was restored, ends what is too late, and claims and publishes what
/// is due until nothing is left or `budget` is used up. Safe to run twice at once, and to be stopped at any moment.
///
/// What went wrong with the tick itself is in the report, the directory's record and the events, never an error: the
/// platform cannot report a failed cron.
pub async fn tick(platform: &Platform<'_>, trade: &dyn Trade, shard: i64, budget: Budget) -> TickReport {
    shift(platform, trade, shard, budget, Work::Minute).await
}

/// As [`tick`], between two minutes: on the second at which something is due.
pub(super) async fn tick_between(
    platform: &Platform<'_>,
    trade: &dyn Trade,
    shard: i64,
    budget: Budget,
) -> TickReport {
    shift(platform, trade, shard, budget, Work::Between).await
}

/// Carries out a claim that was handed out, as far as nobody else has begun with it.
pub(super) async fn publish(
    platform: &Platform<'_>,
    trade: &dyn Trade,
    shard: i64,
    (token, ends_at): (String, Timestamp),
    budget: Budget,
) -> TickReport {
    shift(platform, trade, shard, budget, Work::Claim(Token::handed(token), ends_at)).await
}

/// What an invocation is for.
enum Work {
    /// The minute's tick.
    Minute,
    /// A tick between two of them.
    Between,
    /// The claim of this token, whose lease ends then.
    Claim(Token, Timestamp),
}

async fn shift(
    platform: &Platform<'_>,
    trade: &dyn Trade,
    shard: i64,
    budget: Budget,
    what: Work,
) -> TickReport {
    let Some(database) = platform.shard(shard) else {
        return TickReport { fault: Some("no such shard".to_owned()), ..TickReport::default() };
    };
    let shift = Shift {
        platform: *platform,
        trade,
        database: Meter::new(database),
        budget,
        began: platform.now(),
        epoch: Cell::new(0),
        armed: Cell::new(false),
        report: RefCell::default(),
        waits: RefCell::default(),
    };
    let outcome = work(&shift, shard, &what).await;
    let mut report = shift.report.take();
    report.statements = shift.database.statements();
    report.fault = outcome.err().map(|fault| cut(&fault.to_string(), 500));
    if matches!(what, Work::Minute) {
        record(&shift, shard, &report).await;
    } else {
        tell(&shift, shard, &report, false);
    }
    report
}

async fn work(shift: &Shift<'_>, shard: i64, what: &Work) -> Result<(), DatabaseFault> {
    let known = begin(shift, shard, what).await?;
    let epoch = match epoch::advance(&shift.platform, shard, &shift.database, &known).await? {
        Standing::Open(epoch) => epoch,
        Standing::Held(why) => {
            shift.report.borrow_mut().held = Some(why);
            return Ok(());
        }
    };
    shift.epoch.set(epoch);
    let outcome = match what {
        Work::Minute => whole_minute(shift, shard).await,
        Work::Between => rounds(shift, shard).await,
        Work::Claim(token, ends_at) => carry_handed(shift, shard, token, *ends_at).await,
    };
    if shift.armed.get() {
        // Closes the epoch: a copy of the shard from the middle of this tick is behind from here on.
        let known = KnownShard { epoch, ..known };
        epoch::advance(&shift.platform, shard, &shift.database, &known).await?;
    }
    outcome
}

async fn begin(shift: &Shift<'_>, shard: i64, what: &Work) -> Result<KnownShard, DatabaseFault> {
    let mut batch = vec![directory::KNOW_SHARD.with([shard.into()])];
    if matches!(what, Work::Minute) {
        batch.push(directory::TICK_BEGINS.with([shard.into(), shift.began.into()]));
    }
    batch.push(directory::SHARD.with([shard.into()]));
    let answers = shift.platform.directory.batch(batch).await?;
    let known = answers.last().map(first::<KnownShard>).transpose()?.flatten();
    known.ok_or_else(|| DatabaseFault::Rejected("the directory does not know the shard".to_owned()))
}

/// Tidies, and then the rounds; what is due within the minute is given an errand that comes on the second.
async fn whole_minute(shift: &Shift<'_>, shard: i64) -> Result<(), DatabaseFault> {
    tidy(shift).await?;
    rounds(shift, shard).await?;
    if shift.platform.queue.is_none() {
        return Ok(());
    }
    let now = shift.platform.now();
    let soon = store::SOON.with([now.into(), now.plus_seconds(SOON_SECONDS).into()]);
    let rows = only(&shift.database, soon).await?;
    let due: Vec<Timestamp> = rows.iter().map(|row| row.get("next_at")).collect::<Result<_, _>>()?;
    fan_out::hand_out(&shift.platform, fan_out::on_the_second(shard, now, &due)).await;
    Ok(())
}

async fn tidy(shift: &Shift<'_>) -> Result<(), DatabaseFault> {
    let now = shift.platform.now();
    let tidied = shift
        .database
        .batch(vec![
            store::PUT_ON_HOLD.with([now.into(), AT_ONCE.into(), Value::Null]),
            store::PUT_OFF.with([now.into(), AT_ONCE.into()]),
            store::MARK_MISSED.with([now.into(), AT_ONCE.into()]),
            store::FORGET_ATTEMPTS.with([now.plus_seconds(-ATTEMPTS_LIVE_SECONDS).into(), AT_ONCE.into()]),
        ])
        .await?;
    let missed = tidied.get(2).map_or(0, Vec::len);
    shift.report.borrow_mut().missed += i64::try_from(missed).unwrap_or(i64::MAX);
    Ok(())
}

async fn rounds(shift: &Shift<'_>, shard: i64) -> Result<(), DatabaseFault> {
    while shift.has_room() {
        if !round(shift, shard).await? {
            return Ok(());
        }
    }
    stop(shift, shard).await;
    Ok(())
}

/// There is more to do than one invocation may: another goes on, at once where there is a queue.
async fn stop(shift: &Shift<'_>, shard: i64) {
    shift.report.borrow_mut().stopped = true;
    fan_out::hand_out(&shift.platform, vec![fan_out::Task::Tick { shard, cron: false }.errand(0)]).await;
}

/// Claims once, and hands out what was claimed or carries it forward. Whether there was anything.
async fn round(shift: &Shift<'_>, shard: i64) -> Result<bool, DatabaseFault> {
    let (token, claimed) = claim(shift).await?;
    let Some((_, lease)) = claimed.first() else { return Ok(false) };
    shift.report.borrow_mut().claimed += i64::try_from(claimed.len()).unwrap_or(i64::MAX);
    if shift.platform.queue.is_some() {
        let claim = |(delivery, _): &Claimed| {
            let (tenant, id) = (delivery.tenant_id.to_string(), delivery.delivery_id.to_string());
            fan_out::Claim(tenant, id, delivery.deaths + 1)
        };
        let task = fan_out::Task::Publish {
            shard,
            token: token.as_str().to_owned(),
            lease_ends: lease.ends_at,
            deliveries: claimed.iter().map(claim).collect(),
        };
        if fan_out::hand_out(&shift.platform, vec![task.errand(0)]).await {
            return Ok(true);
        }
    }
    carry(shift, &token, claimed).await?;
    Ok(true)
}

/// What is left of a claim that was handed out.
async fn carry_handed(
    shift: &Shift<'_>,
    shard: i64,
    token: &Token,
    ends_at: Timestamp,
) -> Result<(), DatabaseFault> {
    let rows = shift.database.batch(reading(token, ends_at)).await?;
    let claimed = leased(assemble(&rows)?, token, ends_at);
    shift.report.borrow_mut().claimed += i64::try_from(claimed.len()).unwrap_or(i64::MAX);
    if !carry(shift, token, claimed).await? {
        stop(shift, shard).await;
    }
    Ok(())
}

/// Carries deliveries forward, those of one profile one after the other, and what killed its last process at the end and
/// alone. What there is no room for is given back. Whether there was room for all.
async fn carry(shift: &Shift<'_>, token: &Token, claimed: Vec<Claimed>) -> Result<bool, DatabaseFault> {
    let (trials, sound): (Vec<Claimed>, Vec<Claimed>) =
        claimed.into_iter().partition(|(delivery, _)| delivery.deaths > 0);
    let mut lanes: Vec<(ProfileId, Vec<Claimed>)> = Vec::new();
    for claimed in sound {
        let profile = &claimed.0.profile.id;
        match lanes.iter_mut().find(|(of, _)| of == profile) {
            Some((_, lane)) => lane.push(claimed),
            None => lanes.push((profile.clone(), vec![claimed])),
        }
    }
    let untouched = RefCell::new(Vec::new());
    let lanes: Vec<Later<'_, ()>> = lanes
        .into_iter()
        .map(|(_, lane)| -> Later<'_, ()> { Box::pin(run_lane(shift, lane, &untouched)) })
        .collect();
    at_most(LANES, lanes).await;
    run_lane(shift, trials, &untouched).await;
    let untouched = untouched.into_inner();
    give_back(shift, token, &untouched).await?;
    Ok(untouched.is_empty())
}

async fn run_lane(shift: &Shift<'_>, lane: Vec<Claimed>, untouched: &RefCell<Vec<Claimed>>) {
    for (delivery, lease) in lane {
        if shift.has_room() {
            Run::new(shift, delivery, lease).go().await;
        } else {
            untouched.borrow_mut().push((delivery, lease));
        }
    }
}

type Claimed = (Delivery, Lease);

async fn claim(shift: &Shift<'_>) -> Result<(Token, Vec<Claimed>), DatabaseFault> {
    let now = shift.platform.now();
    let token = Token::new(shift.platform.entropy);
    let ends_at = now.plus_millis(LEASE_MILLIS);
    let reading = reading(&token, ends_at);
    let mut batch = vec![store::CLAIM.with([
        now.into(),
        (&token).into(),
        ends_at.into(),
        shift.budget.per_tenant.into(),
        shift.budget.round.into(),
    ])];
    batch.extend(reading.iter().cloned());
    let rows = match shift.database.batch(batch).await {
        Ok(mut answers) => answers.split_off(1),
        Err(DatabaseFault::Unknown(_)) => read_again(shift, &reading).await?,
        Err(fault) => return Err(fault),
    };
    let claimed = leased(assemble(&rows)?, &token, ends_at);
    Ok((token, claimed))
}

/// The statements that read what a claim took.
fn reading(token: &Token, ends_at: Timestamp) -> Vec<Statement> {
    vec![
        store::CLAIMED.with([ends_at.into(), token.into()]),
        store::CLAIMED_PARTS.with([ends_at.into(), token.into()]),
    ]
}

/// Each delivery with the right to change it.
fn leased(deliveries: Vec<Delivery>, token: &Token, ends_at: Timestamp) -> Vec<Claimed> {
    let lease = |delivery: &Delivery| Lease {
        tenant_id: delivery.tenant_id.clone(),
        delivery_id: delivery.delivery_id.clone(),
        token: token.clone(),
        ends_at,
    };
    deliveries.into_iter().map(|delivery| (delivery.clone(), lease(&delivery))).collect()
}

/// What a claim took whose reply was lost.
async fn read_again(shift: &Shift<'_>, reading: &[Statement]) -> Result<Vec<Rows>, DatabaseFault> {
    let mut outcome = Err(DatabaseFault::Unknown("the claim".to_owned()));
    for _ in 0..READINGS {
        outcome = shift.database.batch(reading.to_vec()).await;
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn assemble(rows: &[Rows]) -> Result<Vec<Delivery>, DatabaseFault> {
    let [claimed, parts] = rows else {
        return Err(DatabaseFault::Rejected("a claim gave other answers than asked for".to_owned()));
    };
    let mut by_delivery: HashMap<(TenantId, DeliveryId), Vec<PartRow>> = HashMap::new();
    for row in parts {
        let part = PartRow::from_row(row)?;
        by_delivery.entry((part.tenant_id.clone(), part.delivery_id.clone())).or_default().push(part);
    }
    claimed
        .iter()
        .map(|row| {
            let mut delivery = Delivery::from_row(row)?;
            let key = (delivery.tenant_id.clone(), delivery.delivery_id.clone());
            delivery.parts = by_delivery.remove(&key).unwrap_or_default();
            Ok(delivery)
        })
        .collect()
}

/// Lets others have what was claimed and not begun.
async fn give_back(shift: &Shift<'_>, token: &Token, untouched: &[Claimed]) -> Result<(), DatabaseFault> {
    let ids: Vec<[&str; 2]> = untouched
        .iter()
        .map(|(delivery, _)| [delivery.tenant_id.as_str(), delivery.delivery_id.as_str()])
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids = serde_json::json!(ids).to_string();
    let back = store::GIVE_BACK.with([shift.platform.now().into(), token.into(), ids.into()]);
    only(&shift.database, back).await.map(drop)
}

/// Writes down how the tick went, for `/healthz` and for operators. Best effort.
async fn record(shift: &Shift<'_>, shard: i64, report: &TickReport) {
    let now = shift.platform.now();
    let counts = serde_json::to_string(report).unwrap_or_else(|_| "{}".to_owned());
    let end =
        directory::TICK_ENDS.with([shard.into(), now.into(), counts.into(), report.fault.clone().into()]);
    let recorded = only(shift.platform.directory, end).await;
    tell(shift, shard, report, recorded.is_err());
}

fn tell(shift: &Shift<'_>, shard: i64, report: &TickReport, unrecorded: bool) {
    let now = shift.platform.now();
    shift.platform.events.emit(Event::Tick {
        shard,
        millis: now.millis_since(shift.began),
        claimed: report.claimed,
        published: report.published,
        failed: report.failed,
        unknown: report.unknown,
        stopped: report.stopped,
        fault: report.fault.is_some() || unrecorded,
    });
}
