//! A post as a member sees it: how it looks on each network, its schedule, attempts and outcome; cancelling, and saying
//! what became of it where nothing else can.

use askama::Template;

use super::member::{member, member_with_form, not_found, refused};
use crate::{
    delivery::{Outcome, Word, confirm},
    desk::{Caller, Code, MediaId, Moment, Problem, ProfileId, Refusal, Scope, Scopes, media_address},
    http::{FormTarget, Request, Response, page},
    identity::Session,
    networks::{self, PartKind},
    platform::Platform,
    posts::{self, AttemptView, DeliveryState, GroupStatus, PostDetails},
};

#[derive(Template)]
#[template(path = "studio/templates/post.html")]
struct PostPage<'a> {
    post: &'a PostDetails,
    status: &'static str,
    problems: Vec<String>,
    previews: Vec<PreviewCard<'a>>,
    attempts: Vec<AttemptLine<'a>>,
    created: ShortTime<'a>,
    updated: ShortTime<'a>,
    zone: &'a str,
    cancel: Option<String>,
    confirm: Option<String>,
    csrf: String,
    message: Option<&'static str>,
}

struct PreviewCard<'a> {
    id: &'a ProfileId,
    handle: &'a str,
    network: &'static str,
    status: &'static str,
    url: Option<&'a str>,
    problem: Option<&'static str>,
    words: Option<&'a str>,
    is_unknown: bool,
    parts: Vec<PartCard<'a>>,
}

struct PartCard<'a> {
    mark: Option<String>,
    text: &'a str,
    length: String,
    images: Vec<(String, &'a str)>,
}

struct AttemptLine<'a> {
    profile: &'a str,
    part: Option<String>,
    step: &'static str,
    outcome: &'a str,
    code: Option<&'a str>,
    at: ShortTime<'a>,
}

/// A time without its zone, which the page names once.
struct ShortTime<'a> {
    utc: &'a str,
    short: String,
}

impl<'a> ShortTime<'a> {
    fn of(moment: &'a Moment) -> Self {
        let minute = "2026-12-01T09:00".len();
        let short = moment.local.get(..minute).unwrap_or(&moment.local).replace('T', " ");
        Self { utc: &moment.utc, short }
    }
}

/// `GET /{safename}/posts/{post_id}`.
pub async fn post_page(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    post_id: &str,
) -> Response {
    match member(platform, request, safename).await {
        Ok((session, caller)) => show(platform, &session, &caller, post_id, None).await,
        Err(response) => response,
    }
}

/// `POST /{safename}/posts/{post_id}/cancel`: makes a scheduled post a draft again.
pub async fn cancel_post(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    post_id: &str,
) -> Response {
    let (session, caller, _) = match member_with_form(platform, request, safename).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let writer = caller.needing(Scopes::of(&[Scope::PostsWrite]));
    match posts::unschedule(&writer, post_id).await {
        Ok(_) => Response::see_other(&format!("/{safename}/posts/{post_id}")),
        Err(Refusal::Problems(problems)) => {
            let not_cancelled = problems.first().map(|problem| why_not(problem.code));
            show(platform, &session, &caller, post_id, not_cancelled).await
        }
        Err(refusal) => refused(refusal),
    }
}

/// `POST /{safename}/posts/{post_id}/confirm`: settles an outcome that is unknown, by what the person saw.
pub async fn confirm_post(
    platform: &Platform<'_>,
    request: &Request,
    safename: &str,
    post_id: &str,
) -> Response {
    let (session, caller) = match member(platform, request, safename).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let form = request.form().unwrap_or_default();
    if let Err(response) = session.allows(platform.config, request, &form) {
        return response;
    }
    let (outcome, needs) = match form.get("outcome") {
        Some("live") => (Outcome::Live, Scopes::of(&[Scope::PostsWrite])),
        Some("send_again") => (Outcome::SendAgain, Scopes::of(&[Scope::PostsWrite, Scope::PostsPublish])),
        _ => return not_found(),
    };
    let (Ok(post), Some(profile)) = (post_id.parse(), form.get("profile").and_then(|id| id.parse().ok()))
    else {
        return not_found();
    };
    // Nobody takes back on a page what the person has just said, so nothing is held.
    let word = Word { profile: Some(&profile), outcome, address: None, hold_seconds: 0 };
    match confirm(&caller.needing(needs), &post, &word).await {
        Ok(_) => Response::see_other(&format!("/{safename}/posts/{post_id}")),
        Err(Refusal::Problems(problems)) => {
            let not_settled = problems.first().map(|problem| not_settled(problem.code));
            show(platform, &session, &caller, post_id, not_settled).await
        }
        Err(Refusal::Conflict) => {
            show(platform, &session, &caller, post_id, Some(not_settled(Code::Conflict))).await
        }
        Err(refusal) => refused(refusal),
    }
}

/// The status and the words that answer somebody whose word settled nothing.
const fn not_settled(code: Code) -> (u16, &'static str) {
    match code {
        Code::RoleNotAllowed => (
            403,
            "Your role here is to read, so nothing was changed. Ask an editor, admin or owner of the organisation to say it.",
        ),
        _ => (409, "What became of it is known by now: see below."),
    }
}

/// The status and the words that answer somebody whose post was not cancelled.
const fn why_not(code: Code) -> (u16, &'static str) {
    match code {
        Code::RoleNotAllowed => (
            403,
            "Your role here is to read, so nothing was cancelled. Ask an editor, admin or owner of the organisation to do it.",
        ),
        Code::PostBusy => {
            (409, "It is being sent right now. Load this page again in a minute to see what became of it.")
        }
        Code::NotScheduled => (409, "It is a draft already."),
        Code::PostAlreadyLive => (409, "It is public already, so there is nothing left to cancel."),
        _ => (409, "The post was changed at the same moment. Look at it again before you cancel it."),
    }
}

async fn show(
    platform: &Platform<'_>,
    session: &Session,
    caller: &Caller<'_>,
    post_id: &str,
    not_cancelled: Option<(u16, &'static str)>,
) -> Response {
    let caller = caller.needing(Scopes::of(&[Scope::PostsRead]));
    let post = match posts::details(&caller, post_id).await {
        Ok(post) => post,
        Err(Refusal::Problems(_)) => return not_found(),
        Err(refusal) => return refused(refusal),
    };
    let config = platform.config;
    let tenant = caller.tenant();
    let address = |media: &MediaId| media_address(config, &tenant.id, media);
    let zone = post.created.local.rsplit('[').next().unwrap_or_default();
    let template = PostPage {
        status: plain(post.post.status),
        problems: post.post.problems.iter().map(in_words).collect(),
        previews: cards(&post, &address),
        attempts: post.attempts.iter().map(|attempt| attempt_line(attempt, &post)).collect(),
        created: ShortTime::of(&post.created),
        updated: ShortTime::of(&post.updated),
        zone: zone.trim_end_matches(']'),
        cancel: post.can_unschedule.then(|| format!("/{}/posts/{post_id}/cancel", tenant.safename)),
        confirm: post.can_write.then(|| format!("/{}/posts/{post_id}/confirm", tenant.safename)),
        csrf: session.csrf(config),
        message: not_cancelled.map(|(_, words)| words),
        post: &post,
    };
    page(
        not_cancelled.map_or(200, |(status, _)| status),
        &template,
        FormTarget::SelfOnly,
        Some(&config.content_origin),
    )
}

fn cards<'a>(post: &'a PostDetails, address: &impl Fn(&MediaId) -> String) -> Vec<PreviewCard<'a>> {
    post.previews
        .iter()
        .map(|preview| {
            let delivery =
                post.post.deliveries.iter().find(|delivery| delivery.profile_id == preview.profile_id);
            let problem = delivery.and_then(|delivery| delivery.problem.as_ref());
            let several = preview.parts.len() > 1;
            PreviewCard {
                id: &preview.profile_id,
                handle: &preview.profile,
                network: networks::rules(preview.network).name,
                status: delivery.map_or("Draft", |delivery| plain_state(delivery.status)),
                url: delivery.and_then(|delivery| delivery.url.as_deref()),
                problem: problem.map(|problem| problem.reason.sentence()),
                words: problem.and_then(|problem| problem.provider_words.as_deref()),
                is_unknown: delivery
                    .is_some_and(|delivery| delivery.status == DeliveryState::Unknown.as_str()),
                parts: preview
                    .parts
                    .iter()
                    .enumerate()
                    .map(|(index, part)| PartCard {
                        mark: several.then(|| mark(part.kind, index)),
                        text: &part.text,
                        length: format!("{} of {} {}", part.count, part.limit, part.unit.words()),
                        images: part
                            .media
                            .iter()
                            .map(|media| (address(&media.media_id), media.alt.as_str()))
                            .collect(),
                    })
                    .collect(),
            }
        })
        .collect()
}

/// What a part is called whose post has several.
fn mark(kind: PartKind, index: usize) -> String {
    match kind {
        PartKind::Post => "Post".to_owned(),
        PartKind::Reply => format!("Thread, part {}", index + 1),
        PartKind::FirstComment => "First comment".to_owned(),
    }
}

/// A problem for people: its message, but for settings, whose messages are about arguments.
fn in_words(problem: &Problem) -> String {
    match problem.code {
        Code::ContentEmpty | Code::ContentTooLong | Code::ContentNotSupported | Code::NoProfiles => {
            problem.message.clone()
        }
        _ => {
            let profile = problem.message.split(": ").next().unwrap_or_default();
            format!("{profile}: what was set for this network is not right.")
        }
    }
}

/// What the part is called that an attempt was about, if its post has several.
fn part_of(attempt: &AttemptView, post: &PostDetails) -> Option<String> {
    let index = usize::try_from(attempt.part?).ok()?;
    let preview = post.previews.iter().find(|preview| preview.profile_id == attempt.profile_id)?;
    let part = preview.parts.get(index).filter(|_| preview.parts.len() > 1)?;
    Some(mark(part.kind, index))
}

fn attempt_line<'a>(attempt: &'a AttemptView, post: &PostDetails) -> AttemptLine<'a> {
    let step = match attempt.step.as_str() {
        "sign_in" => "signing in",
        "send" => "sending",
        "verify" => "looking it up",
        "confirm" => "a person's word",
        _ => "preparing",
    };
    let outcome = match attempt.outcome.as_deref() {
        None => "under way",
        Some("live" | "present") => "public",
        Some("absent") => "not there",
        Some("fix") => "must be changed",
        Some("reauthorise") => "the account must be connected again",
        Some("not known" | "unclear" | "unknown") => "not confirmed",
        Some("retry" | "prepare again" | "session over") => "to be tried again",
        Some(outcome) => outcome,
    };
    AttemptLine {
        profile: &attempt.profile,
        part: part_of(attempt, post),
        step,
        outcome,
        code: attempt.code.as_deref(),
        at: ShortTime::of(&attempt.at),
    }
}

/// A delivery's state for people.
fn plain_state(state: &str) -> &'static str {
    match DeliveryState::parse(state) {
        DeliveryState::Waiting => "Scheduled",
        DeliveryState::Retrying => "Trying again",
        DeliveryState::Paused => "On hold",
        DeliveryState::Published => "Published",
        DeliveryState::Failed => "Failed",
        DeliveryState::Missed => "Missed",
        DeliveryState::Cancelled => "Cancelled",
        DeliveryState::Unknown => "Not confirmed",
        DeliveryState::Unrecognised if state == "draft" => "Draft",
        _ => "Going out",
    }
}

const fn plain(status: GroupStatus) -> &'static str {
    match status {
        GroupStatus::Draft => "Draft",
        GroupStatus::Scheduled => "Scheduled",
        GroupStatus::Publishing => "Going out",
        GroupStatus::Published => "Published",
        GroupStatus::PartlyPublished => "Partly published",
        GroupStatus::NeedsAttention => "Needs attention",
        GroupStatus::Failed => "Failed",
        GroupStatus::Missed => "Missed",
        GroupStatus::Cancelled => "Cancelled",
    }
}
