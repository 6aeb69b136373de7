//! The worker's entry points. Neither fails: what goes wrong is an answer or an event.

use std::{cell::RefCell, rc::Rc};

use worker::{
    Context, Env, MessageBatch, MessageExt, Method, Response as WorkerResponse, Result, ScheduleContext,
    ScheduledEvent, event,
};

use super::{
    blobs::R2,
    database::D1,
    events::{self, Beginning, Nobody, Sender},
    http_client::Web,
    key_value::Kv,
    limits::Limits,
    mail,
    queue::{self, Errands},
    signatures::WebCrypto,
    small::{Console, IsolateClock, IsolateEntropy},
    stream,
};
use crate::{
    edge::{Outbox, run_errands, serve, tick},
    http::{Request, RequestMethod, Response},
    platform::{
        Config, ConfigProblem, Database, Event, Events, Letter, MailSender, MailSettings, Memory, Platform,
        Queue,
    },
};

pub(super) type Settings = std::result::Result<Config, Vec<ConfigProblem>>;

thread_local! {
    /// The settings, read once per isolate.
    static SETTINGS: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
    /// What the isolate remembers between requests.
    static MEMORY: Rc<Memory> = Rc::default();
}

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: worker::Request, env: Env, context: Context) -> Result<WorkerResponse> {
    let is_head = request.method() == Method::Head;
    let settings = settings(&env);
    let (notices, mut sent) = events::channel();
    let mut answering = {
        let (env, settings) = (env.clone(), Rc::clone(&settings));
        Box::pin(async move {
            match &*settings {
                Ok(config) => answer(&env, config, request, &notices).await,
                Err(problems) => (misconfigured(problems), Vec::new()),
            }
        })
    };
    match events::beginning(&mut answering, &mut sent).await {
        Beginning::Answer((response, letters)) => {
            if !letters.is_empty() {
                context.wait_until(mail::send_all(env, settings, letters));
            }
            Ok(outgoing(response, is_head))
        }
        // What writes letters sends no messages ahead of its answer.
        Beginning::Message(message, answered) => {
            let (answer, stream) = events::stream(message, sent);
            context.wait_until(async move {
                let (response, _) = match answered {
                    Some(answered) => answered,
                    None => answering.await,
                };
                answer.send(response.body);
            });
            WorkerResponse::builder().with_headers(event_stream()?).from_stream(stream)
        }
    }
}

fn event_stream() -> Result<worker::Headers> {
    let headers = worker::Headers::new();
    for (name, value) in &Response::events([]).cors().no_store().headers {
        headers.set(name, value)?;
    }
    Ok(headers)
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    let Ok(config) = &*settings(&env) else {
        return Console.emit(Event::Fault { place: "tick", kind: "misconfigured" });
    };
    match Bindings::of(&env, config) {
        // The tick writes no letters.
        Ok(bindings) => {
            let outbox = Outbox::default();
            tick(&bindings.platform(config, &bindings.shards(), &bindings.web(), &outbox)).await;
        }
        Err(_) => Console.emit(Event::Fault { place: "tick", kind: "binding_missing" }),
    }
}

#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    let settings = settings(&env);
    let Ok(config) = &*settings else {
        batch.retry_all();
        Console.emit(Event::Fault { place: queue::PLACE, kind: "misconfigured" });
        return Ok(());
    };
    let Ok(bindings) = Bindings::of(&env, config) else {
        batch.retry_all();
        Console.emit(Event::Fault { place: queue::PLACE, kind: "binding_missing" });
        return Ok(());
    };
    // What is not even a text is nothing of ours and is let go.
    let messages: Vec<_> = batch.iter().filter_map(Result::ok).collect();
    let bodies: Vec<String> = messages.iter().map(|message| message.body().clone()).collect();
    let outbox = Outbox::default();
    let (shards, web) = (bindings.shards(), bindings.web());
    let done = run_errands(&bindings.platform(config, &shards, &web, &outbox), &bodies).await;
    for (message, done) in messages.iter().zip(done) {
        if !done {
            message.retry();
        }
    }
    Ok(())
}

/// The answer, and the letters to send once it is on its way.
async fn answer(
    env: &Env,
    config: &Config,
    request: worker::Request,
    notices: &Sender,
) -> (Response, Vec<Letter>) {
    let bindings = match Bindings::of(env, config) {
        Ok(bindings) => bindings,
        Err(missing) => return (misconfigured(&[missing]), Vec::new()),
    };
    let outbox = Outbox::default();
    let response = match incoming(request).await {
        Ok(request) => {
            let (shards, web) = (bindings.shards(), bindings.web());
            let platform = Platform { notices, ..bindings.platform(config, &shards, &web, &outbox) };
            serve(&platform, request).await
        }
        // The client went away before its body was read: nobody hears this.
        Err(_) => Response::empty(400),
    };
    (response, outbox.take())
}

fn settings(env: &Env) -> Rc<Settings> {
    SETTINGS.with_borrow_mut(|settings| {
        let read = || Rc::new(Config::read(|name| env.var(name).ok().map(|value| value.to_string())));
        Rc::clone(settings.get_or_insert_with(read))
    })
}

/// What the worker is bound to.
pub(super) struct Bindings {
    directory: D1,
    shards: Vec<D1>,
    key_value: Kv,
    media: R2,
    memory: Rc<Memory>,
    limits: Limits,
    queue: Option<Errands>,
}

impl Bindings {
    /// Every binding: the shards are `SHARD_0`, `SHARD_1`, … as far as they are bound.
    pub(super) fn of(env: &Env, config: &Config) -> std::result::Result<Self, ConfigProblem> {
        let missing =
            |setting| move |_: worker::Error| ConfigProblem { setting, problem: "is not bound".to_owned() };
        let first = env.d1("SHARD_0").map(D1).map_err(missing("SHARD_0"))?;
        let mailed = matches!(&config.mail, Some(MailSettings { sender: MailSender::Binding, .. }));
        if mailed {
            env.send_email(mail::BINDING).map_err(missing(mail::BINDING))?;
        }
        let others = (1..).map_while(|number| env.d1(&format!("SHARD_{number}")).ok()).map(D1);
        Ok(Self {
            directory: env.d1("DIRECTORY").map(D1).map_err(missing("DIRECTORY"))?,
            shards: std::iter::once(first).chain(others).collect(),
            key_value: env.kv("KV").map(Kv).map_err(missing("KV"))?,
            media: env.bucket("MEDIA").map(R2).map_err(missing("MEDIA"))?,
            memory: MEMORY.with(Rc::clone),
            limits: Limits(env.clone()),
            queue: env.queue(queue::BINDING).ok().map(Errands),
        })
    }

    fn shards(&self) -> Vec<&dyn Database> {
        self.shards.iter().map(|shard| shard as &dyn Database).collect()
    }

    pub(super) const fn web(&self) -> Web<'_> {
        Web { blobs: &self.media }
    }

    fn platform<'a>(
        &'a self,
        config: &'a Config,
        shards: &'a [&'a dyn Database],
        http: &'a Web<'a>,
        mail: &'a Outbox,
    ) -> Platform<'a> {
        Platform {
            directory: &self.directory,
            shards,
            key_value: &self.key_value,
            memory: &self.memory,
            http,
            signatures: &WebCrypto,
            blobs: &self.media,
            clock: &IsolateClock,
            entropy: &IsolateEntropy,
            mail,
            notices: &Nobody,
            queue: self.queue.as_ref().map(|queue| queue as &dyn Queue),
            limits: &self.limits,
            events: &Console,
            config,
        }
    }
}

/// Tells the operator every problem with the settings; they name no values.
fn misconfigured(problems: &[ConfigProblem]) -> Response {
    let problems: Vec<serde_json::Value> = problems
        .iter()
        .map(|problem| serde_json::json!({ "setting": problem.setting, "problem": problem.problem }))
        .collect();
    let body = serde_json::json!({
        "status": 503,
        "code": "misconfigured",
        "message": "This deployment's settings have problems.",
        "hint": "The operator mends each of them; docs/configuration.md tells what they mean.",
        "problems": problems,
    });
    Console.emit(Event::Fault { place: "settings", kind: "misconfigured" });
    Response::json(503, &body).no_store()
}

async fn incoming(mut request: worker::Request) -> Result<Request> {
    let headers: Vec<(String, String)> =
        request.headers().entries().map(|(name, value)| (name.to_lowercase(), value)).collect();
    let header = |name: &str| {
        headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let url = request.inner().url();
    let url = url.split('#').next().unwrap_or_default();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    // What says how long it is, and is short, comes in one piece.
    let is_short = header("content-length").parse().is_ok_and(|length: usize| length <= Request::MAX_BODY);
    let body = match request.method() {
        Method::Get | Method::Head => Vec::new(),
        _ if is_short => request.bytes().await?,
        _ => match request.stream() {
            Ok(body) => stream::read(body, Request::MAX_BODY).await?,
            Err(_) => Vec::new(),
        },
    };
    Ok(Request {
        method: method(&request.method()),
        host: header("host").to_lowercase(),
        path: request.path(),
        query: query.to_owned(),
        peer: header("cf-connecting-ip"),
        headers,
        body,
    })
}

const fn method(method: &Method) -> RequestMethod {
    match method {
        Method::Get | Method::Head => RequestMethod::Get,
        Method::Post => RequestMethod::Post,
        Method::Options => RequestMethod::Options,
        Method::Delete => RequestMethod::Delete,
        _ => RequestMethod::Other,
    }
}

fn outgoing(response: Response, is_head: bool) -> WorkerResponse {
    let mut builder = WorkerResponse::builder().with_status(response.status);
    let headers = worker::Headers::new();
    for (name, value) in &response.headers {
        // A value that is no header's is left out rather than failing the whole answer.
        let _ = headers.append(name, value);
    }
    builder = builder.with_headers(headers);
    // Statuses without a body may not even have an empty one.
    if is_head || matches!(response.status, 204 | 304) || response.body.is_empty() {
        builder.empty()
    } else {
        builder.fixed(response.body)
    }
}
