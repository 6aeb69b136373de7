//! `list_posts` and `get_post`.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::bulk::Filter;
use crate::{
    desk::{
        Caller, Code, Fix, Hints, Moment, PostId, Problem, Problems, Refusal, Scope, Scopes, TimeZoneName,
        Tool, WorkspaceFacts, WorkspaceId, open_cursor, page_limit, resolve_bound, seal_cursor,
    },
    platform::{Statement, Timestamp, Value},
    posts::{
        GroupStatus,
        content::folded,
        details::{PostDetails, details},
        scene::Scene,
        store::{self, DeliveryRow, PostRow},
        view::{outgoing, pause_warnings},
    },
    profiles::{self, Profile},
};

/// Lists posts.
pub struct ListPosts;

/// Arguments of `list_posts`.
#[derive(Debug, Default, Deserialize, Serialize)]
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
    /// Why deliveries did not go through, or will not while publishing is paused: profile, reason and code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    /// Its revision.
    revision: i64,
}

#[derive(Serialize, Deserialize)]
struct Position {
    due_at: Option<i64>,
    post_id: String,
}

impl Tool for ListPosts {
    const NAME: &'static str = "list_posts";
    const TITLE: &'static str = "List posts";
    const DESCRIPTION: &'static str = "Lists a workspace's posts by profile, status, due time, label or text; failed ones show why. For what goes out this week give from \"now\" and to \"P7D\". Pages of at most 50; pass next_cursor as cursor for more.";
    const NEEDS: Scopes = Scopes::of(&[Scope::PostsRead]);
    const HINTS: Hints = Hints::read();
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
        let (profile, span) = picked(caller, &workspace, &profiles, &input, "", &mut problems);
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
    fn page<'a>(&self, caller: &'a Caller<'a>, input: &'a ListInput) -> Option<Page<'a>> {
        let mut problems = Problems::default();
        let span = span(caller, &self.zone, input, "", &mut problems);
        problems.is_empty().then(|| self.page_of(caller, input, span))
    }

    fn page_of<'a>(&self, caller: &'a Caller<'a>, input: &'a ListInput, span: Option<Span>) -> Page<'a> {
        Page {
            caller,
            workspace: self.workspace.to_string(),
            profile: self.profile.clone(),
            limit: page_limit(input.limit),
            span,
            input,
        }
    }
}

/// Posts read at once for a bulk change.
const BULK_PAGE: i64 = 100;
/// Where the filter stands in the arguments of a bulk change.
const FILTER: &str = "filter.";
/// Most pages read for a bulk change.
const BULK_PAGES: usize = 10;

/// What [`super::bulk`] works on: the caller, the profiles, and the posts that fit `filter`; more than `most` of them
/// when there are more, and none when anything is wrong with the call.
///
/// # Errors
/// `workspace_not_found`, `workspace_needed`, `too_many`, with the other problems.
pub(super) async fn matching(
    caller: &Caller<'_>,
    filter: &Filter,
    most: usize,
    problems: &mut Problems,
) -> Result<Scene, Refusal> {
    let mut scene = Scene::read(caller, &[], None).await?;
    let named = scene.facts.workspace(filter.workspace.as_deref());
    let named = named.map_err(|refusal| refusal.within(FILTER));
    let workspace = problems.keep_or(named, scene.facts.stand_in())?.clone();
    let profiles = scene.profiles_of(&workspace);
    let input = ListInput {
        profile: filter.profile.clone(),
        status: filter.status,
        from: filter.from.clone(),
        to: filter.to.clone(),
        label: filter.label.clone(),
        ..ListInput::default()
    };
    let (profile, span) = picked(caller, &workspace, &profiles, &input, FILTER, problems);
    if !problems.is_empty() {
        return Ok(scene);
    }
    let page =
        Page { caller, workspace: workspace.id.to_string(), profile, limit: BULK_PAGE, span, input: &input };
    let mut position = None;
    for _ in 0..BULK_PAGES {
        let rows: Vec<PostRow> = caller.read(vec![page.statement(position.as_ref())]).await?.next_as()?;
        let full = i64::try_from(rows.len()).is_ok_and(|length| length == BULK_PAGE);
        position = rows.last().map(position_after);
        scene.posts.extend(rows.into_iter().filter(|row| page.fits(row)));
        if !full || scene.posts.len() > most {
            return Ok(scene);
        }
    }
    Err(Problem::new(Code::TooMany, "filter", "Narrow it with from and to, or name the posts in post_ids.")
        .message("Too many posts would have to be looked at; nothing was changed.")
        .into())
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
    let input = ListInput::default();
    let limit = i64::try_from(CALENDAR_POSTS).unwrap_or(BULK_PAGE);
    let page = Page {
        caller,
        workspace: workspace.id.to_string(),
        profile: None,
        limit: limit + 1,
        span: Some(span),
        input: &input,
    };
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
    let rows = newest(caller, workspace, &ListInput::default()).await?.1;
    Ok(rows.iter().map(|row| row.post_id.to_string()).collect())
}

/// A line for each of a workspace's newest posts that needs attention.
pub(in crate::posts) async fn needing_attention(
    caller: &Caller<'_>,
    workspace: Option<&str>,
) -> Result<Vec<String>, Refusal> {
    let input = ListInput { status: Some(GroupStatus::NeedsAttention), ..ListInput::default() };
    let (profiles, rows, zone) = newest(caller, workspace, &input).await?;
    Ok(rows.iter().map(|row| summary(row, &profiles, &zone, caller.now()).line()).collect())
}

/// A workspace's profiles, its newest posts that fit `input`, at most 100, and its zone.
async fn newest(
    caller: &Caller<'_>,
    workspace: Option<&str>,
    input: &ListInput,
) -> Result<(Vec<Profile>, Vec<PostRow>, TimeZoneName), Refusal> {
    let scene = Scene::read(caller, &[], None).await?;
    let workspace = scene.facts.workspace(workspace)?;
    let page = Page {
        caller,
        workspace: workspace.id.to_string(),
        profile: None,
        limit: BULK_PAGE,
        span: None,
        input,
    };
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

fn position_after(row: &PostRow) -> Position {
    Position { due_at: row.due_at.map(Timestamp::as_millis), post_id: row.post_id.to_string() }
}

/// Due times from the first and before the second.
type Span = (Timestamp, Timestamp);

struct Page<'a> {
    caller: &'a Caller<'a>,
    workspace: String,
    profile: Option<String>,
    limit: i64,
    span: Option<Span>,
    input: &'a ListInput,
}

impl Page<'_> {
    /// Whether a row that was read is of the status asked for.
    fn fits(&self, row: &PostRow) -> bool {
        self.input.status.is_none_or(|status| status.covers(row.status(self.caller.now())))
    }

    fn statement(&self, position: Option<&Position>) -> Statement {
        let (tenant, grant) = self.caller.sight();
        let states = self.input.status.and_then(states_of).map(|states| json!(states).to_string());
        let text = self.input.text.as_deref().map(folded);
        let last = position.map(|position| position.post_id.clone());
        match self.span {
            None => store::POSTS_NEWEST.with([
                tenant,
                grant,
                self.workspace.as_str().into(),
                last.into(),
                self.limit.into(),
                states.into(),
                (self.input.status == Some(GroupStatus::Draft)).into(),
                self.profile.clone().into(),
                self.input.label.clone().into(),
                text.into(),
            ]),
            Some((from, to)) => store::POSTS_BY_DUE.with([
                tenant,
                grant,
                self.workspace.as_str().into(),
                last.unwrap_or_default().into(),
                self.limit.into(),
                states.into(),
                from.into(),
                self.profile.clone().into(),
                self.input.label.clone().into(),
                text.into(),
                to.into(),
                position.and_then(|position| position.due_at).map_or(Value::Int(-1), Value::Int),
            ]),
        }
    }
}

/// The delivery states, one of which a post of this status must have; the exact status is derived from all of them.
fn states_of(status: GroupStatus) -> Option<&'static [&'static str]> {
    match status {
        GroupStatus::Draft => None,
        GroupStatus::Scheduled => Some(&["waiting", "retrying"]),
        GroupStatus::Publishing => Some(&["claimed", "preparing", "armed", "sent", "retrying"]),
        GroupStatus::Published => Some(&["published"]),
        GroupStatus::PartlyPublished => Some(&["published", "failed"]),
        GroupStatus::NeedsAttention => Some(&["unknown", "paused", "failed", "missed"]),
        GroupStatus::Failed => Some(&["failed"]),
        GroupStatus::Missed => Some(&["missed"]),
        GroupStatus::Cancelled => Some(&["cancelled"]),
    }
}

/// The profile and the span of due times that `input` picks; `prefix` is where its fields stand in the arguments. What is wrong
/// with them goes to `problems`.
fn picked(
    caller: &Caller<'_>,
    workspace: &WorkspaceFacts,
    profiles: &[Profile],
    input: &ListInput,
    prefix: &str,
    problems: &mut Problems,
) -> (Option<String>, Option<Span>) {
    let named = input.profile.as_deref().filter(|named| !named.trim().eq_ignore_ascii_case("all"));
    let profile = named.and_then(|named| {
        let found = profiles::choose_one(profiles, &workspace.id, named, &format!("{prefix}profile"));
        problems.keep(found.map(|profile| profile.id.to_string()))
    });
    (profile, span(caller, &workspace.time_zone, input, prefix, problems))
}

/// The span of due times that `input` picks, of a workspace in this zone. What is wrong with them goes to `problems`.
fn span(
    caller: &Caller<'_>,
    zone: &str,
    input: &ListInput,
    prefix: &str,
    problems: &mut Problems,
) -> Option<Span> {
    let zone = TimeZoneName::or_utc(zone);
    let mut bound = |text: &Option<String>, name: &str| {
        let text = text.as_deref()?;
        let bound = resolve_bound(text, &zone, caller.now(), &format!("{prefix}{name}"));
        problems.keep(bound.map_err(|problem| match problem.fix {
            // Of a bulk change it would reach more posts.
            None if prefix.is_empty() => problem.fix(Fix::Remove),
            _ => problem,
        }))
    };
    let (from, to) = (bound(&input.from, "from"), bound(&input.to, "to"));
    if let (Some(start), Some(end)) = (from, to)
        && start >= end
    {
        problems.add(turned_around(input, prefix, start == end));
    }
    let by_due = from.is_some() || to.is_some() || input.status == Some(GroupStatus::Scheduled);
    by_due.then(|| (from.unwrap_or(START), to.unwrap_or(END)))
}

/// A span that ends before it begins, or holds nothing: the corrected list has its ends the other way round.
fn turned_around(input: &ListInput, prefix: &str, is_empty: bool) -> Problem {
    let problem = Problem::new(
        Code::Conflicting,
        format!("{prefix}to"),
        "Give a to that is later than from; posts are listed that are due at or after from and before to.",
    )
    .message("No time is at or after from and before to.");
    if is_empty || !prefix.is_empty() {
        return problem;
    }
    problem.fix(Fix::Elsewhere(vec![
        ("from".to_owned(), Fix::Set(json!(input.to))),
        ("to".to_owned(), Fix::Set(json!(input.from))),
    ]))
}

/// Before all due times.
const START: Timestamp = Timestamp::from_millis(0);
/// After all due times.
const END: Timestamp = Timestamp::from_millis(u32::MAX as i64 * 1000);

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
        reasons: row
            .deliveries
            .iter()
            .filter_map(|delivery| why(delivery, profiles))
            .chain(pause_warnings(outgoing(row, profiles, now), zone, now))
            .collect(),
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
    type Input = GetInput;
    type Output = PostDetails;

    async fn call(caller: &Caller<'_>, input: GetInput) -> Result<PostDetails, Refusal> {
        details(caller, &input.post_id).await
    }
}
