//! One claimed delivery, carried forward step by step until it must wait or is settled.

use serde_json::Value;

use super::{
    commit::{Attempt, Lease, Lost, Move, Next, PartChange},
    engine::Shift,
    model::{
        CALL_MILLIS, Delivery, Doubt, MAX_DEATHS, MAX_LOOKS, MAX_POLLS, MAX_TRIES, PAUSE_MILLIS, POLL_MILLIS,
        Plan, Why, doubt, is_public, try_again_at,
    },
    trade::Holder,
};
use crate::{
    desk::{Code, Problem},
    http::GuardedClient,
    networks::{
        Connector, ErrorClass, Job, Ladder, Link, NetworkError, PartState, Sent, Session, Step, Verdict,
    },
    platform::{Event, Timestamp},
    posts::{DeliveryState, PlanPart, Reason},
};

/// What comes after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Another step at once.
    GoOn,
    /// Nothing now: it is settled, waits for a time, or is no longer ours.
    Rest,
}

impl From<Result<(), Lost>> for Flow {
    fn from(committed: Result<(), Lost>) -> Self {
        if committed.is_ok() { Self::GoOn } else { Self::Rest }
    }
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Stop,
    Doubt,
    Plan,
    Prepare,
    Arm(usize),
    SendAgain(usize),
    LookUp(usize),
    AskPerson,
    Finish,
    Break,
}

/// A delivery under a lease of this process.
pub(super) struct Run<'a> {
    shift: &'a Shift<'a>,
    connector: &'a dyn Connector,
    delivery: Delivery,
    lease: Lease,
    plan: Plan,
    job: Job,
    session: Option<Session>,
    session_asked: bool,
    renewed: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(shift: &'a Shift<'a>, delivery: Delivery, lease: Lease) -> Self {
        let connector = shift.trade.connector(delivery.profile.account.network);
        let plan = delivery.plan.clone().unwrap_or_default();
        let job = delivery.job(&plan);
        Self {
            shift,
            connector,
            delivery,
            lease,
            plan,
            job,
            session: None,
            session_asked: false,
            renewed: false,
        }
    }

    /// Goes on until nothing can be done now, or the tick has no more room.
    pub(super) async fn go(mut self) {
        while self.step().await == Flow::GoOn {
            if !self.shift.has_room() {
                let now = self.now();
                let _ = self.stay(Next::At(now), None, None).await;
                return;
            }
        }
    }

    async fn step(&mut self) -> Flow {
        match self.task() {
            Task::Stop => self.stop_killing().await,
            Task::Doubt => self.start_doubt().await,
            Task::Plan => self.make_plan().await,
            Task::Prepare => self.prepare().await,
            Task::Arm(part) | Task::SendAgain(part) => self.send(part).await,
            Task::LookUp(part) => self.look_up(part).await,
            Task::AskPerson => self.ask_person("unconfirmed", None).await,
            Task::Finish => self.finish().await,
            Task::Break => {
                let why = Why::new(
                    Reason::Refused,
                    "connector",
                    "The network's connector asked for a step that is not possible.",
                );
                self.give_up(why, None).await
            }
        }
    }

    fn task(&self) -> Task {
        let ladder = self.connector.ladder();
        match self.delivery.state {
            _ if self.delivery.deaths >= MAX_DEATHS => Task::Stop,
            DeliveryState::Claimed if self.plan.suspect => Task::Doubt,
            DeliveryState::Claimed => Task::Plan,
            DeliveryState::Sent if self.plan.stale => Task::Plan,
            DeliveryState::Unknown if self.job.parts.is_empty() => Task::Plan,
            DeliveryState::Unknown => match self.first_not_public() {
                None => Task::Finish,
                Some(_) if ladder == Ladder::Blind => Task::AskPerson,
                Some(part) => Task::LookUp(part),
            },
            DeliveryState::Armed => match self.armed() {
                None => Task::Break,
                Some((part, _)) if self.plan.look && ladder != Ladder::Blind => Task::LookUp(part),
                Some((part, armed_at)) => match doubt(ladder, armed_at, self.now(), self.plan.tries) {
                    Doubt::SendAgain => Task::SendAgain(part),
                    Doubt::LookUp => Task::LookUp(part),
                    Doubt::AskPerson => Task::AskPerson,
                },
            },
            DeliveryState::Preparing | DeliveryState::Sent if self.first_not_public().is_none() => {
                Task::Finish
            }
            DeliveryState::Preparing | DeliveryState::Sent => match self.connector.next(&self.job) {
                Step::Prepare => Task::Prepare,
                Step::Send(part) if self.first_not_public() == Some(part) => Task::Arm(part),
                Step::Send(_) | Step::Done => Task::Break,
            },
            _ => Task::Break,
        }
    }

    fn now(&self) -> Timestamp {
        self.shift.platform.now()
    }

    fn first_not_public(&self) -> Option<usize> {
        self.job.parts.iter().position(|part| !is_public(part.state))
    }

    fn public_parts(&self) -> usize {
        self.job.parts.iter().filter(|part| is_public(part.state)).count()
    }

    fn armed(&self) -> Option<(usize, Timestamp)> {
        let part = self.job.parts.iter().position(|part| part.state == PartState::Armed)?;
        let row = self.delivery.parts.iter().find(|row| usize::try_from(row.position) == Ok(part));
        Some((part, row.and_then(|row| row.armed_at).unwrap_or(self.delivery.due_at)))
    }

    fn plan_part(&self, position: usize) -> Option<PlanPart> {
        self.plan.parts.get(position).cloned()
    }

    fn holder(&self) -> Holder<'_> {
        Holder {
            platform: &self.shift.platform,
            database: &self.shift.database,
            tenant_id: &self.delivery.tenant_id,
            profile: &self.delivery.profile,
        }
    }

    fn link(&self) -> Link<'_> {
        let platform = &self.shift.platform;
        Link {
            web: GuardedClient::new(platform.http, platform.config),
            session: self.session.as_ref(),
            content_origin: &platform.config.content_origin,
            now: platform.now(),
        }
    }

    /// The session is asked for once, and before anything is armed.
    async fn ask_session(&mut self) -> Result<(), NetworkError> {
        if !self.session_asked {
            self.session = self.shift.trade.session(self.holder()).await?;
            self.session_asked = true;
        }
        Ok(())
    }

    /// Renews a session that the network says is over; once in a run.
    async fn renew_session(&mut self, error: NetworkError) -> Result<(), NetworkError> {
        let refused = |error| NetworkError { class: ErrorClass::Reauthorise, ..error };
        let Some(over) = self.session.take().filter(|_| !self.renewed) else { return Err(refused(error)) };
        self.renewed = true;
        self.session = self.shift.trade.renew(self.holder(), &over).await?;
        Ok(())
    }

    /// Every process that had it died at it: nothing more is tried without a person.
    async fn stop_killing(&mut self) -> Flow {
        if matches!(self.delivery.state, DeliveryState::Armed | DeliveryState::Unknown) {
            return self.ask_person("process_died", None).await;
        }
        let text = format!("The process that was sending it died {MAX_DEATHS} times in a row.");
        let why = Why::new(Reason::Exhausted, "process_died", text);
        let attempt = self.attempt("plan", self.now(), "gave up", None);
        self.give_up(why, Some(attempt)).await
    }

    /// What a restore put in doubt is looked up before anything else.
    async fn start_doubt(&mut self) -> Flow {
        self.plan.suspect = false;
        let why = Why::new(
            Reason::Restored,
            "restored",
            "The database was restored from a backup, and this may have gone out since.",
        );
        let plan = Some(self.plan.to_json());
        self.change(DeliveryState::Unknown, Next::Work, Some(&why), plan, None, None).await.into()
    }

    /// Renders what is not public yet.
    async fn make_plan(&mut self) -> Flow {
        if self.delivery.gone && self.public_parts() == 0 && self.delivery.state == DeliveryState::Claimed {
            let why = Why::new(Reason::Deleted, "deleted", "The post was deleted before it went out.");
            return rest(
                self.change(DeliveryState::Cancelled, Next::Never, Some(&why), None, None, None).await,
            );
        }
        let delivery = &self.delivery;
        let public = delivery.public_parts();
        let rendered = self.shift.trade.render(&delivery.content, &delivery.profile.account);
        let Some((rendered, settings)) = rendered else {
            // Content of a later release: that release's tick will know it.
            let now = self.now();
            let later = now.plus_millis(PAUSE_MILLIS);
            return rest(self.stay(Next::At(later), None, None).await);
        };
        let problem = rendered.problems.first().cloned();
        self.plan = Plan::of(rendered, settings, self.delivery.plan.as_ref(), public);
        self.job = self.delivery.job(&self.plan);
        match self.delivery.state {
            DeliveryState::Unknown if self.job.parts.is_empty() => {
                self.ask_person("content_empty", None).await
            }
            DeliveryState::Unknown => self.stay(Next::Work, None, None).await.into(),
            _ => self.start(problem).await,
        }
    }

    /// Goes on from a new plan, unless its content or the account stands in the way.
    async fn start(&mut self, problem: Option<Problem>) -> Flow {
        if let Some(problem) = problem {
            let words = format!("{} {}", problem.message, problem.hint);
            let why = Why::new(Reason::Fix, problem.code.as_str(), words);
            return self.give_up(why, Some(self.attempt("plan", self.now(), "fix", None))).await;
        }
        if self.job.parts.is_empty() {
            let code = Code::ContentEmpty;
            let why = Why::new(Reason::Fix, code.as_str(), code.sentence());
            return self.give_up(why, Some(self.attempt("plan", self.now(), "fix", None))).await;
        }
        if let Some(why) = self.delivery.sickness() {
            return self.pause(why, None).await;
        }
        if let Some(until) = self.shift.waits_until(&self.delivery) {
            let text = "The network asked this account to wait.";
            let why = Why::new(Reason::Retry, "asked_to_wait", text);
            let to = if self.public_parts() == 0 { DeliveryState::Retrying } else { DeliveryState::Sent };
            return self.leave(to, Next::At(until), &why, None).await;
        }
        if self.waited_too_long() {
            let why = late();
            return rest(self.change(DeliveryState::Missed, Next::Never, Some(&why), None, None, None).await);
        }
        let first = match self.connector.next(&self.job) {
            Step::Send(part) if self.first_not_public() == Some(part) => Some(part),
            _ => None,
        };
        match (self.delivery.state, first) {
            // What can be sent at once is armed with its plan, in one commit.
            (DeliveryState::Claimed, Some(part)) => self.send(part).await,
            (state, _) => {
                let to = if state == DeliveryState::Claimed { DeliveryState::Preparing } else { state };
                let plan = Some(self.plan.to_json());
                self.change(to, Next::Work, None, plan, None, None).await.into()
            }
        }
    }

    /// Whether it was paused until after its time, so that the account came back too late.
    fn waited_too_long(&self) -> bool {
        self.delivery.reason == Some(Reason::Reauthorise)
            && self.delivery.latest().plus_millis(PAUSE_MILLIS) < self.now()
            && !self.delivery.plan.as_ref().is_some_and(|plan| plan.stale)
    }

    async fn prepare(&mut self) -> Flow {
        if let Some(why) = self.delivery.sickness() {
            return self.pause(why, None).await;
        }
        if let Err(error) = self.ask_session().await {
            return self.stopped("sign_in", self.now(), error).await;
        }
        let started = self.now();
        match self.connector.prepare(&self.job, self.link()).await {
            Ok(progress) if progress == self.plan.progress => self.poll_again(started).await,
            Ok(progress) => {
                self.plan.went_well();
                self.set_progress(progress);
                let plan = Some(self.plan.to_json());
                self.change(self.delivery.state, Next::Work, None, plan, None, None).await.into()
            }
            Err(error) if error.class == ErrorClass::SessionOver => match self.renew_session(error).await {
                Ok(()) => Flow::GoOn,
                Err(error) => self.stopped("prepare", started, error).await,
            },
            Err(error) => self.stopped("prepare", started, error).await,
        }
    }

    /// The network is still busy with what it was given.
    async fn poll_again(&mut self, started: Timestamp) -> Flow {
        self.plan.polls += 1;
        if self.plan.polls >= MAX_POLLS {
            let why = Why::new(
                Reason::Exhausted,
                "still_preparing",
                "The network did not get ready with the media.",
            );
            return self.give_up(why, Some(self.attempt("prepare", started, "gave up", None))).await;
        }
        let next_at = self.now().plus_millis(POLL_MILLIS);
        rest(self.stay(Next::At(next_at), None, None).await)
    }

    fn set_progress(&mut self, progress: Value) {
        self.plan.progress.clone_from(&progress);
        self.job.progress = progress;
    }

    /// Arms a part, unless it is, and makes the irreversible call.
    async fn send(&mut self, part: usize) -> Flow {
        let again = self.delivery.state == DeliveryState::Armed;
        if !again && let Some(why) = self.delivery.sickness() {
            return self.pause(why, None).await;
        }
        match self.ask_session().await {
            Ok(()) => {}
            Err(_) if again => return self.look_up(part).await,
            Err(error) => return self.stopped("sign_in", self.now(), error).await,
        }
        if !again && self.connector.is_our_own() {
            let started = self.now();
            return match self.connector.send(&self.job, part, self.link()).await {
                Ok(sent) => self.settle(part, sent, "send", started).await,
                Err(error) => self.stopped("send", started, error).await,
            };
        }
        if self.arm(part, again).await.is_err() {
            return Flow::Rest;
        }
        // Whoever takes the delivery over when the lease ends must find the call over and done with.
        if self.now().plus_millis(CALL_MILLIS) > self.lease.ends_at {
            return Flow::Rest;
        }
        let started = self.now();
        match self.connector.send(&self.job, part, self.link()).await {
            Ok(sent) => self.settle(part, sent, "send", started).await,
            Err(error) if again => self.sent_again_in_vain(error, started).await,
            Err(error) => self.send_failed(part, error, started).await,
        }
    }

    /// This call did not bring the part, but an earlier one may have: it stays armed, and what cannot be repeated is
    /// looked up.
    async fn sent_again_in_vain(&mut self, error: NetworkError, started: Timestamp) -> Flow {
        let error = match error.class {
            ErrorClass::Retry | ErrorClass::Verify => error,
            ErrorClass::SessionOver => match self.renew_session(error).await {
                Ok(()) => return Flow::GoOn,
                Err(error) => {
                    self.plan.look = true;
                    error
                }
            },
            ErrorClass::Fix | ErrorClass::Reauthorise | ErrorClass::Refused | ErrorClass::PrepareAgain => {
                self.plan.look = true;
                error
            }
        };
        self.still_in_doubt("send", started, error).await
    }

    async fn arm(&mut self, part: usize, again: bool) -> Result<(), Lost> {
        let Some(what) = self.plan_part(part) else { return Err(Lost) };
        if again {
            self.plan.tries += 1;
        }
        let handle = match self.job.parts.get(part).and_then(|part| part.handle.clone()).filter(|_| again) {
            Some(handle) => handle,
            None => self.connector.handle(&self.job, part),
        };
        let epoch = self.shift.epoch();
        let change = PartChange::Arm { position: part, part: &what, handle: &handle, epoch };
        let plan = Some(self.plan.to_json());
        self.change(DeliveryState::Armed, Next::Work, None, plan, Some(change), None).await?;
        self.shift.armed_something();
        if let Some(job_part) = self.job.parts.get_mut(part) {
            job_part.state = PartState::Armed;
            job_part.handle = Some(handle);
        }
        Ok(())
    }

    async fn send_failed(&mut self, part: usize, error: NetworkError, started: Timestamp) -> Flow {
        let ladder = self.connector.ladder();
        match error.class {
            ErrorClass::Verify if ladder == Ladder::Blind => self.ask_person(&error.code, Some(&error)).await,
            ErrorClass::Verify => self.still_in_doubt("send", started, error).await,
            ErrorClass::SessionOver => {
                let attempt = self.attempt("send", started, "session over", Some(&error));
                if self.disarm(part, attempt).await.is_err() {
                    return Flow::Rest;
                }
                match self.renew_session(error).await {
                    Ok(()) => Flow::GoOn,
                    Err(error) => self.stopped("sign_in", started, error).await,
                }
            }
            ErrorClass::PrepareAgain => {
                self.set_progress(Value::Null);
                let attempt = self.attempt("send", started, "prepare again", Some(&error));
                if self.disarm(part, attempt).await.is_err() {
                    return Flow::Rest;
                }
                self.stopped("prepare", started, error).await
            }
            _ => self.stopped("send", started, error).await,
        }
    }

    /// Nothing was sent: the part goes back to where it was before it was armed.
    async fn disarm(&mut self, part: usize, attempt: Attempt) -> Result<(), Lost> {
        let to = if self.public_parts() == 0 { DeliveryState::Preparing } else { DeliveryState::Sent };
        let change = Some(PartChange::Disarm { position: part });
        let plan = Some(self.plan.to_json());
        self.change(to, Next::Work, None, plan, change, Some(attempt)).await?;
        self.mark_pending(part);
        Ok(())
    }

    fn mark_pending(&mut self, part: usize) {
        if let Some(part) = self.job.parts.get_mut(part) {
            part.state = PartState::Pending;
        }
    }

    /// Looks whether a part is on the network.
    async fn look_up(&mut self, part: usize) -> Flow {
        if self.job.parts.get(part).is_some_and(|part| part.handle.is_none()) {
            let handle = self.connector.handle(&self.job, part);
            if let Some(part) = self.job.parts.get_mut(part) {
                part.handle = Some(handle);
            }
        }
        // Many networks tell without a session; one that does not will say so.
        let _ = self.ask_session().await;
        let started = self.now();
        match self.connector.verify(&self.job, part, self.link()).await {
            Ok(Verdict::Present(sent)) => self.settle(part, sent, "verify", started).await,
            Ok(Verdict::Absent) => self.absent(part, started).await,
            Ok(Verdict::Unclear) => {
                let error = NetworkError {
                    class: ErrorClass::Verify,
                    code: "unclear".to_owned(),
                    words: "The network does not tell whether it is there.".to_owned(),
                    retry_at: None,
                };
                self.looked_in_vain(error, started).await
            }
            Err(error)
                if error.class == ErrorClass::SessionOver && !self.renewed && self.session.is_some() =>
            {
                match self.renew_session(error).await {
                    Ok(()) => Flow::GoOn,
                    Err(error) => self.looked_in_vain(error, started).await,
                }
            }
            Err(error) => self.looked_in_vain(error, started).await,
        }
    }

    /// It is not there and will not come: it may go out, unless that was tried too often or its time is over.
    async fn absent(&mut self, part: usize, started: Timestamp) -> Flow {
        let now = self.now();
        let doubted = self.delivery.state == DeliveryState::Unknown;
        self.plan.look = false;
        self.plan.looks = 0;
        self.plan.tries += 1;
        let attempt = self.attempt("verify", started, "absent", None);
        if self.plan.tries > MAX_TRIES {
            let why = Why::new(
                Reason::Exhausted,
                "exhausted",
                "It was tried as often as it is tried; it is not on the network.",
            );
            return self.give_up(why, Some(attempt)).await;
        }
        let (to, next, why) = if self.public_parts() > 0 {
            (DeliveryState::Sent, Next::At(now), None)
        } else if doubted && self.delivery.due_at > now {
            (DeliveryState::Waiting, Next::At(self.delivery.due_at), None)
        } else if doubted && !self.plan.stale && self.delivery.latest() < now {
            (DeliveryState::Missed, Next::Never, Some(late()))
        } else {
            (
                DeliveryState::Retrying,
                Next::At(now),
                Some(Why::new(Reason::Retry, "absent", "It is not on the network: it is sent again.")),
            )
        };
        let change = Some(PartChange::Disarm { position: part });
        let plan = Some(self.plan.to_json());
        rest(self.change(to, next, why.as_ref(), plan, change, Some(attempt)).await)
    }

    /// The network could not be asked, or does not tell.
    async fn looked_in_vain(&mut self, error: NetworkError, started: Timestamp) -> Flow {
        self.plan.looks += 1;
        if self.plan.looks >= MAX_LOOKS {
            return self.ask_person(&error.code, Some(&error)).await;
        }
        let now = self.now();
        let next_at = try_again_at(now, self.plan.looks, error.retry_at, self.shift.platform.entropy);
        let attempt = self.attempt("verify", started, "unclear", Some(&error));
        rest(self.stay(Next::At(next_at), Some(attempt), Some(&error)).await)
    }

    /// The irreversible call may have taken effect: it is dealt with later, when it can no longer be under way.
    async fn still_in_doubt(&mut self, step: &'static str, started: Timestamp, error: NetworkError) -> Flow {
        let now = self.now();
        let backoff = try_again_at(now, self.plan.tries, error.retry_at, self.shift.platform.entropy);
        let next_at = backoff.max(now.plus_millis(CALL_MILLIS));
        let attempt = self.attempt(step, started, "not known", Some(&error));
        rest(self.stay(Next::At(next_at), Some(attempt), Some(&error)).await)
    }

    /// Stays in its state until then.
    async fn stay(
        &mut self,
        next: Next,
        attempt: Option<Attempt>,
        error: Option<&NetworkError>,
    ) -> Result<(), Lost> {
        let reason = match self.delivery.state {
            DeliveryState::Armed | DeliveryState::Unknown => Reason::Unconfirmed,
            _ => Reason::Retry,
        };
        let why = error.map(|error| Why::said(reason, error));
        let plan = (!self.job.parts.is_empty()).then(|| self.plan.to_json());
        self.change(self.delivery.state, next, why.as_ref(), plan, None, attempt).await
    }

    /// A part is public.
    async fn settle(&mut self, part: usize, sent: Sent, step: &'static str, started: Timestamp) -> Flow {
        let Some(what) = self.plan_part(part) else { return Flow::Rest };
        self.plan.went_well();
        let last = self.public_parts() + 1 >= self.job.parts.len();
        let to = match self.delivery.state {
            _ if last => DeliveryState::Published,
            DeliveryState::Unknown => DeliveryState::Unknown,
            _ => DeliveryState::Sent,
        };
        let next = if last { Next::Never } else { Next::Work };
        let attempt = self.attempt(step, started, if step == "verify" { "present" } else { "live" }, None);
        let change = PartChange::Settle { position: part, part: &what, sent: &sent };
        let plan = Some(self.plan.to_json());
        if self.change(to, next, None, plan, Some(change), Some(attempt)).await.is_err() {
            return Flow::Rest;
        }
        if let Some(part) = self.job.parts.get_mut(part) {
            part.state = PartState::Live;
            part.handle = Some(sent.handle);
            part.remote_id = Some(sent.remote_id);
            part.url = sent.url;
        }
        if last { Flow::Rest } else { Flow::GoOn }
    }

    /// Every part is public already.
    async fn finish(&mut self) -> Flow {
        rest(self.change(DeliveryState::Published, Next::Never, None, None, None, None).await)
    }

    /// Nothing irreversible is under way, and an error says what to do.
    async fn stopped(&mut self, step: &'static str, started: Timestamp, error: NetworkError) -> Flow {
        let attempt = |run: &Self, outcome| Some(run.attempt(step, started, outcome, Some(&error)));
        match error.class {
            ErrorClass::Fix => {
                let why = Why::said(Reason::Fix, &error);
                self.give_up(why, attempt(self, "fix")).await
            }
            ErrorClass::Refused => {
                let why = Why::said(Reason::Refused, &error);
                self.give_up(why, attempt(self, "refused")).await
            }
            ErrorClass::Reauthorise | ErrorClass::SessionOver => {
                let silent = error.words.is_empty();
                let why = if silent { "It must be connected again." } else { &error.words };
                self.shift.trade.mark_reauthorise(self.holder(), why).await;
                self.pause(Why::said(Reason::Reauthorise, &error), attempt(self, "reauthorise")).await
            }
            ErrorClass::PrepareAgain => {
                self.set_progress(Value::Null);
                self.try_later(&error, attempt(self, "prepare again")).await
            }
            ErrorClass::Retry | ErrorClass::Verify => self.try_later(&error, attempt(self, "retry")).await,
        }
    }

    async fn try_later(&mut self, error: &NetworkError, attempt: Option<Attempt>) -> Flow {
        self.plan.tries += 1;
        if self.plan.tries > MAX_TRIES {
            let why = Why::said(Reason::Exhausted, error);
            return self.give_up(why, attempt).await;
        }
        let now = self.now();
        let next_at = try_again_at(now, self.plan.tries, error.retry_at, self.shift.platform.entropy);
        if error.retry_at.is_some() {
            self.shift.wait_for(&self.delivery, next_at).await;
        }
        let why = Why::said(Reason::Retry, error);
        let to = if self.public_parts() == 0 { DeliveryState::Retrying } else { DeliveryState::Sent };
        self.leave(to, Next::At(next_at), &why, attempt).await
    }

    /// The account is sick: the delivery waits for it as long as the workspace allows.
    async fn pause(&mut self, why: Why, attempt: Option<Attempt>) -> Flow {
        let now = self.now();
        if self.public_parts() > 0 || now >= self.delivery.latest() {
            return self.give_up(why, attempt).await;
        }
        let next_at = now.plus_millis(PAUSE_MILLIS).min(self.delivery.latest());
        self.leave(DeliveryState::Paused, Next::At(next_at), &why, attempt).await
    }

    /// It will not go out, or not the rest of it, without a person.
    async fn give_up(&mut self, why: Why, attempt: Option<Attempt>) -> Flow {
        let public = self.public_parts();
        let why = if public == 0 {
            why
        } else {
            let addresses: Vec<&str> = self.job.parts.iter().filter_map(|part| part.url.as_deref()).collect();
            let text = format!(
                "{public} of {} parts are public ({}). The next one did not follow. {}",
                self.job.parts.len(),
                addresses.join(", "),
                why.text.unwrap_or_default()
            );
            Why { said: why.said, ..Why::new(Reason::Incomplete, &why.code, text.trim_end()) }
        };
        self.leave(DeliveryState::Failed, Next::Never, &why, attempt).await
    }

    /// Leaves the busy states; a part that was armed was not sent.
    async fn leave(&mut self, to: DeliveryState, next: Next, why: &Why, attempt: Option<Attempt>) -> Flow {
        let armed = self.armed().map(|(position, _)| PartChange::Disarm { position });
        let plan = (!self.job.parts.is_empty()).then(|| self.plan.to_json());
        rest(self.change(to, next, Some(why), plan, armed, attempt).await)
    }

    /// Nothing tells whether it is public.
    async fn ask_person(&mut self, code: &str, error: Option<&NetworkError>) -> Flow {
        let text = "It may or may not be on the network. Look at the account, then say which it is.";
        let said = error.and_then(|error| Why::said(Reason::Unconfirmed, error).said);
        let why = Why { said, ..Why::new(Reason::Unconfirmed, code, text) };
        let attempt = Some(Attempt {
            step: "verify",
            part: self.first_not_public(),
            started_at: self.now(),
            outcome: "unknown",
            code: Some(code.to_owned()),
            words: why.said.clone(),
        });
        let plan = Some(self.plan.to_json());
        rest(self.change(DeliveryState::Unknown, Next::Never, Some(&why), plan, None, attempt).await)
    }

    fn attempt(
        &self,
        step: &'static str,
        started_at: Timestamp,
        outcome: &'static str,
        error: Option<&NetworkError>,
    ) -> Attempt {
        let is_of_part = matches!(step, "send" | "verify");
        Attempt {
            step,
            part: self.first_not_public().filter(|_| is_of_part),
            started_at,
            outcome,
            code: error.map(|error| error.code.clone()),
            words: error.map(|error| error.words.clone()),
        }
    }

    async fn change(
        &mut self,
        to: DeliveryState,
        next: Next,
        why: Option<&Why>,
        plan: Option<String>,
        part: Option<PartChange<'_>>,
        attempt: Option<Attempt>,
    ) -> Result<(), Lost> {
        let platform = &self.shift.platform;
        if !self.delivery.state.may_become(to) {
            platform.events.emit(Event::Fault { place: "delivery_move", kind: to.as_str() });
            return Err(Lost);
        }
        let change = Move { from: self.delivery.state, to, next, why, plan, part, attempt };
        self.lease.commit(&self.shift.database, platform.entropy, platform.now(), &change).await?;
        self.shift.count(self.delivery.state, to);
        self.delivery.state = to;
        Ok(())
    }
}

fn late() -> Why {
    Why::new(
        Reason::Late,
        "late",
        "It did not go out in its time, and it is later than the workspace allows.",
    )
}

fn rest(_: Result<(), Lost>) -> Flow {
    Flow::Rest
}
