//! A post as a member sees it: how it looks on each network, its schedule, attempts and outcome, and cancelling.

use askama::Template;

use super::member::{member, not_found, refused};
use crate::{
    desk::{Caller, Code, MediaId, Refusal, Scope, Scopes, media_address},
    http::{FormTarget, Request, Response, page},
    identity::Session,
    platform::Platform,
    posts::{self, GroupStatus, PostDetails},
};

#[derive(Template)]
#[template(path = "studio/templates/post.html")]
struct PostPage<'a> {
    post: &'a PostDetails,
    status: &'static str,
    previews: Vec<PreviewCard<'a>>,
    cancel: Option<String>,
    csrf: String,
    message: Option<&'static str>,
}

struct PreviewCard<'a> {
    handle: &'a str,
    network: &'static str,
    status: &'static str,
    url: Option<&'a str>,
    problem: Option<&'a str>,
    words: Option<&'a str>,
    parts: Vec<PartCard<'a>>,
}

struct PartCard<'a> {
    text: &'a str,
    length: String,
    images: Vec<(String, &'a str)>,
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
    let (session, caller) = match member(platform, request, safename).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    let form = request.form().unwrap_or_default();
    if let Err(response) = session.allows(platform.config, request, &form) {
        return response;
    }
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
    let template = PostPage {
        status: plain(post.post.status),
        previews: cards(&post, &address),
        cancel: post.can_unschedule.then(|| format!("/{}/posts/{post_id}/cancel", tenant.safename)),
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
            PreviewCard {
                handle: &preview.profile,
                network: preview.network.as_str(),
                status: delivery.map_or("draft", |delivery| delivery.status),
                url: delivery.and_then(|delivery| delivery.url.as_deref()),
                problem: problem.map(|problem| problem.hint.as_str()),
                words: problem.and_then(|problem| problem.provider_words.as_deref()),
                parts: preview
                    .parts
                    .iter()
                    .map(|part| PartCard {
                        text: &part.text,
                        length: format!("{} of {}", part.count, part.limit),
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
