//! A simulated network that can stand on any step of the ladder, and keeps its own record of what is public.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use postern::{
    delivery::{Holder, Trade},
    networks::{
        Account, Connector, Count, ErrorClass, Identity, Job, Ladder, Link, Network, NetworkError, PartKind,
        PartState, Rendered, RenderedPart, Sent, Session, SignIn, Step, Unit, Verdict,
    },
    platform::{Clock, Home, Later, Sql, Statement, Timestamp},
};
use serde_json::{Value, json};

use crate::sim::{Fault, Faults, Port, Random, SimClock, yield_now};

/// A connector's time limit: what a call has not done by then it never does.
const TIME_LIMIT_MILLIS: i64 = 60_000;

/// How often the network itself refuses, in a thousand calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moods {
    pub too_many_requests: u64,
    pub session_over: u64,
    pub reauthorise: u64,
    pub fix: u64,
    pub refused: u64,
    pub still_preparing: u64,
    pub prepared_is_gone: u64,
    pub unclear: u64,
}

/// A post on the network, as the network sees it.
#[derive(Clone, Debug)]
pub struct Public {
    /// What was sent: the part's text, of which the part before the blank names post, profile and position.
    pub text: String,
    pub delivery: String,
    pub part: usize,
    pub remote_id: String,
    pub removed: bool,
}

impl Public {
    /// Which part of which post on which profile it is.
    pub fn key(&self) -> &str {
        self.text.split(' ').next().unwrap()
    }
}

pub struct SimNetwork {
    pub ladder: Cell<Ladder>,
    pub moods: Cell<Moods>,
    pub public: RefCell<Vec<Public>>,
    pub sends: Cell<u32>,
    /// How often it asked to come back later.
    pub refusals: Cell<u32>,
    /// The send that is refused, counted from one.
    refused_send: Cell<Option<u32>>,
    /// Which session it takes.
    session: Cell<u64>,
    /// Which session we hold.
    held: Cell<u64>,
    /// Idempotency keys, when each was first seen, and the post that it made.
    keys: RefCell<HashMap<String, (Timestamp, usize)>>,
    containers: Cell<i64>,
    random: Random,
    clock: Rc<SimClock>,
    faults: Rc<Faults>,
}

impl SimNetwork {
    fn new(seed: u64, clock: Rc<SimClock>, faults: Rc<Faults>) -> Self {
        Self {
            ladder: Cell::new(Ladder::Exact),
            moods: Cell::default(),
            public: RefCell::default(),
            sends: Cell::new(0),
            refusals: Cell::new(0),
            refused_send: Cell::new(None),
            session: Cell::new(0),
            held: Cell::new(0),
            keys: RefCell::default(),
            containers: Cell::new(0),
            random: Random::new(seed),
            clock,
            faults,
        }
    }

    /// What is public now.
    pub fn live(&self) -> Vec<Public> {
        self.public.borrow().iter().filter(|public| !public.removed).cloned().collect()
    }

    /// The session that was valid is valid no more.
    pub fn end_session(&self) {
        self.session.set(self.session.get() + 1);
    }

    /// The `nth` send from now on is refused for good.
    pub fn refuse_send(&self, nth: u32) {
        self.refused_send.set(Some(self.sends.get() + nth));
    }

    /// One call: it has its effect within the time limit or never, and its reply may be lost either way.
    async fn call<T>(
        &self,
        lost: ErrorClass,
        effect: impl FnOnce() -> Result<T, NetworkError>,
    ) -> Result<T, NetworkError> {
        let fault = self.faults.next(Port::Web, &[]);
        let started = self.clock.now();
        let in_time = || self.clock.now().millis_since(started) <= TIME_LIMIT_MILLIS;
        if let Some(Fault::SlowRequest(millis)) = fault {
            self.clock.advance_millis(millis);
        }
        yield_now().await;
        match fault {
            Some(Fault::NotSent) => return Err(error(ErrorClass::Retry, "not_reached")),
            Some(Fault::LostRequest) => return Err(error(lost, "timed_out")),
            _ if !in_time() => return Err(error(lost, "timed_out")),
            _ => {}
        }
        let result = effect();
        if let Some(Fault::SlowReply(millis)) = fault {
            self.clock.advance_millis(millis);
        }
        yield_now().await;
        if fault == Some(Fault::LostReply) || !in_time() {
            return Err(error(lost, "timed_out"));
        }
        result
    }

    /// What any call may be refused for before it does anything.
    fn admit(&self, session: Option<&str>) -> Result<(), NetworkError> {
        let moods = self.moods.get();
        if self.random.happens(moods.too_many_requests) {
            self.refusals.set(self.refusals.get() + 1);
            let wait = 60 + i64::try_from(self.random.below(7200)).unwrap();
            let retry_at = Some(self.clock.now().plus_seconds(wait));
            return Err(NetworkError { retry_at, ..error(ErrorClass::Retry, "too_many_requests") });
        }
        if self.random.happens(moods.session_over) {
            self.end_session();
        }
        if session != Some(self.session.get().to_string().as_str()) {
            return Err(error(ErrorClass::SessionOver, "session_over"));
        }
        for (odds, class) in [
            (moods.reauthorise, ErrorClass::Reauthorise),
            (moods.fix, ErrorClass::Fix),
            (moods.refused, ErrorClass::Refused),
        ] {
            if self.random.happens(odds) {
                return Err(error(class, "said_so"));
            }
        }
        Ok(())
    }

    fn publish(&self, job: &Job, part: usize) -> Result<Sent, NetworkError> {
        self.sends.set(self.sends.get() + 1);
        if self.refused_send.get() == Some(self.sends.get()) {
            return Err(error(ErrorClass::Refused, "not_here"));
        }
        let handle = job.parts[part].handle.clone().expect("an armed part has a handle");
        let key = handle["key"].as_str().unwrap().to_owned();
        if self.ladder.get() == Ladder::TwoPhase && self.random.happens(self.moods.get().prepared_is_gone) {
            return Err(error(ErrorClass::PrepareAgain, "container_expired"));
        }
        let known = self.keys.borrow().get(&key).copied();
        let repeated = known.filter(|(first, _)| match self.ladder.get() {
            Ladder::Exact => true,
            Ladder::Window(seconds) => self.clock.now() < first.plus_seconds(seconds),
            Ladder::TwoPhase | Ladder::Lookup | Ladder::Blind => false,
        });
        let index = match repeated {
            Some((_, index)) => index,
            None => {
                let mut public = self.public.borrow_mut();
                let index = public.len();
                public.push(Public {
                    text: job.parts[part].text.clone(),
                    delivery: job.delivery_id.to_string(),
                    part,
                    remote_id: format!("r{index}"),
                    removed: false,
                });
                self.keys.borrow_mut().insert(key, (self.clock.now(), index));
                index
            }
        };
        Ok(self.sent(index, handle))
    }

    fn sent(&self, index: usize, handle: Value) -> Sent {
        let remote_id = self.public.borrow()[index].remote_id.clone();
        Sent {
            url: Some(format!("https://network.example/{remote_id}")),
            remote_id,
            handle,
            statements: Vec::new(),
        }
    }

    fn find(&self, job: &Job, part: usize) -> Option<usize> {
        self.public
            .borrow()
            .iter()
            .position(|public| public.delivery == job.delivery_id.as_str() && public.part == part)
    }
}

fn error(class: ErrorClass, code: &str) -> NetworkError {
    NetworkError { class, code: code.to_owned(), words: format!("The network says {code}."), retry_at: None }
}

fn first_open(job: &Job) -> Option<usize> {
    job.parts.iter().position(|part| matches!(part.state, PartState::Pending | PartState::Armed))
}

impl Connector for SimNetwork {
    fn ladder(&self) -> Ladder {
        self.ladder.get()
    }

    fn next(&self, job: &Job) -> Step {
        match first_open(job) {
            None => Step::Done,
            Some(part) if self.ladder.get() == Ladder::TwoPhase && job.progress["part"] != json!(part) => {
                Step::Prepare
            }
            Some(part) => Step::Send(part),
        }
    }

    fn handle(&self, job: &Job, part: usize) -> Value {
        json!({ "key": format!("{}/{part}", job.delivery_id) })
    }

    fn prepare<'a>(&'a self, job: &'a Job, link: Link<'a>) -> Later<'a, Result<Value, NetworkError>> {
        Box::pin(async move {
            let session = link.session.map(Session::expose);
            self.call(ErrorClass::Retry, || {
                self.admit(session)?;
                if self.random.happens(self.moods.get().still_preparing) {
                    return Ok(job.progress.clone());
                }
                self.containers.set(self.containers.get() + 1);
                Ok(json!({ "part": first_open(job), "container": self.containers.get() }))
            })
            .await
        })
    }

    fn send<'a>(
        &'a self,
        job: &'a Job,
        part: usize,
        link: Link<'a>,
    ) -> Later<'a, Result<Sent, NetworkError>> {
        Box::pin(async move {
            let session = link.session.map(Session::expose);
            self.call(ErrorClass::Verify, || {
                self.admit(session)?;
                self.publish(job, part)
            })
            .await
        })
    }

    fn verify<'a>(
        &'a self,
        job: &'a Job,
        part: usize,
        _link: Link<'a>,
    ) -> Later<'a, Result<Verdict, NetworkError>> {
        Box::pin(async move {
            self.call(ErrorClass::Retry, || {
                if self.ladder.get() == Ladder::Blind || self.random.happens(self.moods.get().unclear) {
                    return Ok(Verdict::Unclear);
                }
                let handle = job.parts[part].handle.clone().expect("what is looked for has a handle");
                Ok(self
                    .find(job, part)
                    .map_or(Verdict::Absent, |index| Verdict::Present(self.sent(index, handle))))
            })
            .await
        })
    }

    fn remove<'a>(
        &'a self,
        job: &'a Job,
        part: usize,
        link: Link<'a>,
    ) -> Later<'a, Result<Vec<Statement>, NetworkError>> {
        Box::pin(async move {
            let session = link.session.map(Session::expose);
            self.call(ErrorClass::Retry, || {
                self.admit(session)?;
                if let Some(index) = self.find(job, part) {
                    self.public.borrow_mut()[index].removed = true;
                }
                Ok(Vec::new())
            })
            .await
        })
    }

    fn needs_session(&self) -> bool {
        true
    }

    fn identity(&self, _session: &Session) -> Option<Identity> {
        None
    }

    fn sign_in<'a>(&'a self, _: SignIn<'a>, _: Link<'a>) -> Later<'a, Result<Session, NetworkError>> {
        Box::pin(async { Ok(Session::new(self.session.get().to_string(), None)) })
    }

    fn renew<'a>(
        &'a self,
        _: &'a str,
        _: &'a Session,
        _: Link<'a>,
    ) -> Later<'a, Result<Session, NetworkError>> {
        Box::pin(async { Ok(Session::new(self.session.get().to_string(), None)) })
    }
}

/// Two simulated networks in the places of the real ones.
pub struct SimTrade {
    pub wall: SimNetwork,
    pub bluesky: SimNetwork,
}

impl SimTrade {
    pub fn new(seed: u64, clock: &Rc<SimClock>, faults: &Rc<Faults>) -> Self {
        let network = |salt: u64| SimNetwork::new(seed ^ salt, Rc::clone(clock), Rc::clone(faults));
        Self { wall: network(0x5157), bluesky: network(0xb1e5) }
    }

    pub fn network(&self, network: Network) -> &SimNetwork {
        match network {
            Network::Wall => &self.wall,
            Network::Bluesky => &self.bluesky,
        }
    }

    pub fn both(&self) -> [&SimNetwork; 2] {
        [&self.wall, &self.bluesky]
    }
}

/// The content of a post in these tests: one line per part; a line with `!` must be mended.
pub fn content(lines: &[String]) -> String {
    json!({ "v": 1, "lines": lines }).to_string()
}

const MARK: Sql = Sql {
    name: "test_mark",
    text: "-- test_mark\nUPDATE profile SET state = 'reauthorise', state_why = ?3 WHERE tenant_id = ?1 AND profile_id = ?2",
    home: Home::Shard,
};

impl Trade for SimTrade {
    fn connector(&self, network: Network) -> &dyn Connector {
        self.network(network)
    }

    fn render(&self, content: &str, account: &Account) -> Option<(Rendered, Value)> {
        let content: Value = serde_json::from_str(content).ok()?;
        let lines = content["lines"].as_array()?;
        let mut rendered = Rendered::default();
        for (position, line) in lines.iter().enumerate() {
            let line = line.as_str()?;
            if line.contains('!') {
                rendered.problems.push(postern::desk::Problem::new(
                    postern::desk::Code::ContentTooLong,
                    "text",
                    "Shorten it.",
                ));
            }
            let (post, words) = line.split_once(' ')?;
            rendered.parts.push(RenderedPart {
                kind: if position == 0 { PartKind::Post } else { PartKind::Reply },
                text: format!("{post}/{}/{position} {words}", account.profile_id),
                length: Count { count: 1, limit: 300, unit: Unit::Graphemes },
                media: Vec::new(),
                wire: Value::Null,
            });
        }
        Some((rendered, Value::Null))
    }

    fn session<'a>(&'a self, holder: Holder<'a>) -> Later<'a, Result<Option<Session>, NetworkError>> {
        Box::pin(async move {
            yield_now().await;
            let network = self.network(holder.profile.account.network);
            Ok(Some(Session::new(network.held.get().to_string(), None)))
        })
    }

    fn renew<'a>(
        &'a self,
        holder: Holder<'a>,
        _over: &'a Session,
    ) -> Later<'a, Result<Option<Session>, NetworkError>> {
        Box::pin(async move {
            yield_now().await;
            let network = self.network(holder.profile.account.network);
            network.held.set(network.session.get());
            Ok(Some(Session::new(network.held.get().to_string(), None)))
        })
    }

    fn mark_reauthorise<'a>(&'a self, holder: Holder<'a>, why: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            let mark = MARK.with([holder.tenant_id.into(), (&holder.profile.id).into(), why.into()]);
            let _ = holder.database.batch(vec![mark]).await;
        })
    }
}
