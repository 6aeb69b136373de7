//! `list_posts` and `get_post`.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::select::{Filter, PAGE, Page, Position, Span, picked, position_after, span};
use crate::{
    desk::{
        Caller, Hints, Moment, PostId, Problems, Refusal, Scope, Scopes, TimeZoneName, Tool, WorkspaceFacts,
        WorkspaceId, open_cursor, page_limit, seal_cursor,
    },
    platform::Timestamp,
    posts::{
        GroupStatus,
        details::{PostDetails, details},
        scene::Scene,
        store::{DeliveryRow, PostRow},
        views,
    },
    profiles::{self, Profile},
};

/// Lists posts.
pub struct ListPosts;

/// Arguments of `list_posts`.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ListInput {
    /// Workspace id or name. May be left out when the grant has one.
    #[serde(default)]
    workspace: Option<String>,
    /// Only posts for this profile: id, handle or network.
    #[serde(default)]
    profile: Option<String>,
    /// Only posts with this status; needs_attention finds failed, missed and partly published ones too.
    #[serde(default)]
    status: Option<GroupStatus>,
    /// Only posts due at or after this time.
    #[serde(default)]
    from: Option<String>,
    /// Only posts due before this time.
    #[serde(default)]
    to: Option<String>,
    /// Only posts with this label.
    #[serde(default)]
    label: Option<String>,
    /// Only posts that contain this text, in any case.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(length(max = 200)))]
    text: Option<String>,
    /// How many, 1 to 50; 20 when left out.
    #[serde(default)]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(range(min = 1, max = 50)))]
    limit: Option<u32>,
    /// next_cursor of the page before.
    #[serde(default, skip_serializing)]
    cursor: Option<String>,
}

/// A page of posts.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PostPage {
    /// The posts: soonest first when from, to or a schedule is asked for, else newest first.
    posts: Vec<PostSummary>,
    /// Pass it as cursor for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A post in a list.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PostSummary {
    /// The post.
    post_id: PostId,
    /// What became of it as a whole.
    status: GroupStatus,
    /// When it goes out or was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<Moment>,
    /// The beginning of its text.
    text: String,
    /// The handles it is for.
    profiles: Vec<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    /// Public addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    urls: Vec<String>,
    /// Why deliveries did not go through: profile, reason and code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    /// Its revision.
    revision: i64,
}

impl ListInput {
    fn filter(&self) -> Filter {
        Filter {
            workspace: self.workspace.clone(),
            status: self.status,
            from: self.from.clone(),
            to: self.to.clone(),
            profile: self.profile.clone(),
            label: self.label.clone(),
        }
    }
}

impl Tool for ListPosts {
    const NAME: &'static str = "list_posts";
    const TITLE: &'static str = "List posts";
    const DESCRIPTION: &'static str = "Lists a workspace's posts by profile, status, due time, label or text; failed ones show why. For what goes out this week give from \"now\" and to \"P7D\". Pages of at most 50; pass next_cursor as cursor for more.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsRead]);
    const HINTS: Hints = Hints::read();
    const VIEW: Option<&'static str> = Some(views::CALENDAR);
    type Input = ListInput;
    type Output = PostPage;

    async fn call(caller: &Caller<'_>, input: ListInput) -> Result<PostPage, Refusal> {
        let mut problems = Problems::default();
        let list = format!("list_posts {}", serde_json::to_string(&input).unwrap_or_default());
        let opened = input.cursor.as_deref().map(|cursor| open_cursor::<Position>(caller, &list, cursor));
        let position = opened.as_ref().and_then(|opened| opened.as_ref().ok());
        let meant = Meant::recall(caller, &input);
        let guess = meant.as_ref().and_then(|meant| Some((meant, meant.page(caller, &input)?)));
        let mut batch = vec![profiles::in_sight(caller)];
        batch.extend(guess.as_ref().map(|(_, page)| page.statement(position)));
        let mut answer = caller.read(batch).await?;
        let profiles: Vec<Profile> = answer.next_as()?;
        let named = answer.facts.workspace(input.workspace.as_deref());
        let workspace = problems.keep_or(named, answer.facts.stand_in())?.clone();
        let zone = TimeZoneName::or_utc(&workspace.time_zone);
        let profiles: Vec<Profile> =
            profiles.into_iter().filter(|profile| profile.workspace_id == workspace.id).collect();
        let (profile, span) = picked(caller, &workspace, &profiles, &input.filter(), "", &mut problems);
        if let Some(Err(fault)) = &opened {
            problems.add(fault.clone());
        }
        problems.refuse_if_any()?;
        let now_meant = Meant { workspace: workspace.id, zone: workspace.time_zone, profile };
        let (page, rows): (Page<'_>, Vec<PostRow>) = match guess {
            Some((meant, page)) if *meant == now_meant => (page, answer.next_as()?),
            _ => {
                now_meant.remember(caller, &input);
                let page = now_meant.page_of(caller, &input, span);
                let rows = caller.read(vec![page.statement(position)]).await?.next_as()?;
                (page, rows)
            }
        };
        let full = i64::try_from(rows.len()).unwrap_or(0) == page.limit;
        let next_cursor = rows
            .last()
            .filter(|_| full)
            .and_then(|row| seal_cursor(caller, &list, &position_after(row)).ok());
        let posts = rows
            .iter()
            .filter(|row| page.fits(row))
            .map(|row| summary(row, &profiles, &zone, caller.now()))
            .collect();
        Ok(PostPage { posts, next_cursor })
    }
}

/// What the names in a call meant when it was made last in this isolate. With it the posts are asked for in the batch that
/// says whether they still mean that.
#[derive(PartialEq, Serialize, Deserialize)]
struct Meant {
    workspace: WorkspaceId,
    zone: String,
    profile: Option<String>,
}

impl Meant {
    const KEPT_SECONDS: i64 = 600;

    fn key(caller: &Caller<'_>, input: &ListInput) -> String {
        let names = json!([input.workspace, input.profile]);
        format!("meant/{}/{}/{names}", caller.tenant().id, caller.holder())
    }

    fn recall(caller: &Caller<'_>, input: &ListInput) -> Option<Self> {
        let text = caller.platform().memory.recall(&Self::key(caller, input), caller.now())?;
        serde_json::from_str(&text).ok()
    }

    fn remember(&self, caller: &Caller<'_>, input: &ListInput) {
        if let Ok(text) = serde_json::to_string(self) {
            let key = Self::key(caller, input);
            caller.platform().memory.keep(key, text, caller.now(), Self::KEPT_SECONDS);
        }
    }

    /// The page that is asked for, if its times can be read.
    fn page<'a>(&self, caller: &'a Caller<'a>, input: &ListInput) -> Option<Page<'a>> {
        let mut problems = Problems::default();
        let span = span(caller, &self.zone, &input.filter(), "", &mut problems);
        problems.is_empty().then(|| self.page_of(caller, input, span))
    }

    fn page_of<'a>(&self, caller: &'a Caller<'a>, input: &ListInput, span: Option<Span>) -> Page<'a> {
        Page {
            profile: self.profile.clone(),
            span,
            status: input.status,
            label: input.label.clone(),
            text: input.text.clone(),
            ..Page::of(caller, &self.workspace, page_limit(input.limit))
        }
    }
}

/// Most posts of a calendar.
const CALENDAR_POSTS: usize = 200;

/// A workspace's posts that are due in a span of time, soonest first, each with its due time as seen in `zone`; and whether
/// there are more.
pub(in crate::posts) async fn due_within(
    caller: &Caller<'_>,
    workspace: &WorkspaceFacts,
    span: Span,
    zone: &TimeZoneName,
) -> Result<(Vec<(Timestamp, PostSummary)>, bool), Refusal> {
    let limit = i64::try_from(CALENDAR_POSTS).unwrap_or(PAGE);
    let page = Page { span: Some(span), ..Page::of(caller, &workspace.id, limit + 1) };
    let mut answer = caller.read(vec![profiles::in_sight(caller), page.statement(None)]).await?;
    let profiles: Vec<Profile> = answer.next_as()?;
    let rows: Vec<PostRow> = answer.next_as()?;
    let summaries = rows
        .iter()
        .take(CALENDAR_POSTS)
        .filter_map(|row| Some((row.due_at?, summary(row, &profiles, zone, caller.now()))));
    Ok((summaries.collect(), rows.len() > CALENDAR_POSTS))
}

/// The ids of a workspace's newest posts, at most 100.
pub(in crate::posts) async fn newest_ids(
    caller: &Caller<'_>,
    workspace: Option<&str>,
) -> Result<Vec<String>, Refusal> {
    let rows = newest(caller, workspace, None).await?.1;
    Ok(rows.iter().map(|row| row.post_id.to_string()).collect())
}

/// A line for each of a workspace's newest posts that needs attention.
pub(in crate::posts) async fn needing_attention(
    caller: &Caller<'_>,
    workspace: Option<&str>,
) -> Result<Vec<String>, Refusal> {
    let (profiles, rows, zone) = newest(caller, workspace, Some(GroupStatus::NeedsAttention)).await?;
    Ok(rows.iter().map(|row| summary(row, &profiles, &zone, caller.now()).line()).collect())
}

/// A workspace's profiles, its newest posts of a status, at most 100, and its zone.
async fn newest(
    caller: &Caller<'_>,
    workspace: Option<&str>,
    status: Option<GroupStatus>,
) -> Result<(Vec<Profile>, Vec<PostRow>, TimeZoneName), Refusal> {
    let scene = Scene::read(caller, &[], None).await?;
    let workspace = scene.facts.workspace(workspace)?;
    let page = Page { status, ..Page::of(caller, &workspace.id, PAGE) };
    let mut rows: Vec<PostRow> = caller.read(vec![page.statement(None)]).await?.next_as()?;
    rows.retain(|row| page.fits(row));
    Ok((scene.profiles_of(workspace), rows, TimeZoneName::or_utc(&workspace.time_zone)))
}

impl PostSummary {
    /// The post in one line: when, what became of it, where, what it says, and why it failed.
    pub(in crate::posts) fn line(&self) -> String {
        let when = self.when.as_ref().map_or("without a time", |when| when.words.as_str());
        let why: String = self.reasons.iter().map(|reason| format!(" [{reason}]")).collect();
        let text = self.text.replace('\n', " ");
        format!(
            "{when}: {} on {}: {text} ({}){why}",
            self.status.words(),
            self.profiles.join(", "),
            self.post_id
        )
    }
}

fn summary(row: &PostRow, profiles: &[Profile], zone: &TimeZoneName, now: Timestamp) -> PostSummary {
    let handle =
        |id| profiles.iter().find(|profile| profile.id == id).map(|profile| profile.account.handle.clone());
    PostSummary {
        post_id: row.post_id.clone(),
        status: row.status(now),
        when: row.due_moment(zone, now),
        text: row.content.text.chars().take(160).collect(),
        profiles: row.content.profiles.iter().filter_map(|id| handle(id.clone())).collect(),
        labels: row.content.labels.clone(),
        urls: row.deliveries.iter().filter_map(|delivery| delivery.url.clone()).collect(),
        reasons: row.deliveries.iter().filter_map(|delivery| why(delivery, profiles)).collect(),
        revision: row.revision,
    }
}

/// Why a delivery did not go out, in words: its profile, the reason, and the network's code.
fn why(delivery: &DeliveryRow, profiles: &[Profile]) -> Option<String> {
    let reason = delivery.reason?;
    let profile = profiles.iter().find(|profile| profile.id == delivery.profile_id)?;
    let code = delivery.reason_code.as_deref().filter(|code| *code != reason.as_str());
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    Some(format!("{}: {}{code}", profile.label(), reason.sentence()))
}

/// Shows one post whole.
pub struct GetPost;

/// Arguments of `get_post`.
#[derive(Debug, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct GetInput {
    /// The post.
    post_id: String,
}

impl Tool for GetPost {
    const NAME: &'static str = "get_post";
    const TITLE: &'static str = "Get a post";
    const DESCRIPTION: &'static str = "Shows one post whole: what it says, its schedule, where it stands on each profile with its public address, why something failed and every attempt. Use it after publishing to see what became of a post.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsRead]);
    const HINTS: Hints = Hints::read();
    const VIEW: Option<&'static str> = Some(views::POST);
    type Input = GetInput;
    type Output = PostDetails;

    async fn call(caller: &Caller<'_>, input: GetInput) -> Result<PostDetails, Refusal> {
        details(caller, &input.post_id).await
    }
}
