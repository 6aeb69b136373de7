//! Which posts of a workspace a call is about: what its filter says, and how they are read.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    desk::{
        Caller, Code, Fix, Problem, Problems, Refusal, TimeZoneName, WorkspaceFacts, WorkspaceId,
        resolve_bound,
    },
    platform::{Statement, Timestamp, Value},
    posts::{
        GroupStatus,
        content::folded,
        scene::Scene,
        store::{self, PostRow},
    },
    profiles::{self, Profile},
};

/// Which posts of a workspace.
#[derive(Debug, Default, Deserialize, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Filter {
    /// Workspace id or name. May be left out when the grant has one.
    #[serde(default)]
    pub workspace: Option<String>,
    /// With this status.
    #[serde(default)]
    pub status: Option<GroupStatus>,
    /// Due at or after this time.
    #[serde(default)]
    pub from: Option<String>,
    /// Due before this time.
    #[serde(default)]
    pub to: Option<String>,
    /// For this profile: id, handle or network.
    #[serde(default)]
    pub profile: Option<String>,
    /// With this label.
    #[serde(default)]
    pub label: Option<String>,
}

/// Behind which post of a list the next page begins.
#[derive(Serialize, Deserialize)]
pub(super) struct Position {
    due_at: Option<i64>,
    post_id: String,
}

/// Posts read at once where all are looked through.
pub(super) const PAGE: i64 = 100;
/// Most pages read for one filter.
const PAGES: usize = 10;
/// Where the filter stands in the arguments of a bulk change.
const FILTER: &str = "filter.";

/// What a bulk change works on: the caller, the profiles, and the posts that fit `filter`; more than `most` of them when there are
/// more, and none where it is not known which fit.
///
/// # Errors
/// `workspace_not_found`, `workspace_needed`, with the other problems.
pub(super) async fn matching(
    caller: &Caller<'_>,
    filter: &Filter,
    most: usize,
    problems: &mut Problems,
) -> Result<Scene, Refusal> {
    let mut scene = Scene::read(caller, &[], None).await?;
    let named = scene.facts.workspace(filter.workspace.as_deref());
    let is_there = named.is_ok();
    let named = named.map_err(|refusal| refusal.within(FILTER));
    let workspace = problems.keep_or(named, scene.facts.stand_in())?.clone();
    let profiles = scene.profiles_of(&workspace);
    let mut of_filter = Problems::default();
    let (profile, span) = picked(caller, &workspace, &profiles, filter, FILTER, &mut of_filter);
    let is_known = is_there && of_filter.is_empty();
    problems.extend(of_filter.into_vec());
    if !is_known {
        return Ok(scene);
    }
    let Filter { status, label, .. } = filter;
    let page = Page {
        profile,
        span,
        status: *status,
        label: label.clone(),
        ..Page::of(caller, &workspace.id, PAGE)
    };
    let mut position = None;
    for _ in 0..PAGES {
        let rows: Vec<PostRow> = caller.read(vec![page.statement(position.as_ref())]).await?.next_as()?;
        let full = i64::try_from(rows.len()).is_ok_and(|length| length == PAGE);
        position = rows.last().map(position_after);
        scene.posts.extend(rows.into_iter().filter(|row| page.fits(row)));
        if !full || scene.posts.len() > most {
            return Ok(scene);
        }
    }
    problems.add(
        Problem::new(Code::TooMany, "filter", "Narrow it with from and to, or name the posts in post_ids.")
            .message("Too many posts would have to be looked at; nothing was changed."),
    );
    Ok(scene)
}

/// The place behind a post.
pub(super) fn position_after(row: &PostRow) -> Position {
    Position { due_at: row.due_at.map(Timestamp::as_millis), post_id: row.post_id.to_string() }
}

/// Due times from the first and before the second.
pub(in crate::posts) type Span = (Timestamp, Timestamp);

/// What of a workspace's posts is read at once.
pub(super) struct Page<'a> {
    pub(super) caller: &'a Caller<'a>,
    pub(super) workspace: String,
    pub(super) profile: Option<String>,
    pub(super) limit: i64,
    pub(super) span: Option<Span>,
    pub(super) status: Option<GroupStatus>,
    pub(super) label: Option<String>,
    pub(super) text: Option<String>,
}

impl<'a> Page<'a> {
    /// A workspace's newest posts, at most `limit`.
    pub(super) fn of(caller: &'a Caller<'a>, workspace: &WorkspaceId, limit: i64) -> Self {
        let workspace = workspace.to_string();
        Self { caller, workspace, profile: None, limit, span: None, status: None, label: None, text: None }
    }

    /// Whether a row that was read is of the status asked for.
    pub(super) fn fits(&self, row: &PostRow) -> bool {
        self.status.is_none_or(|status| status.covers(row.status(self.caller.now())))
    }

    /// What reads it, from behind `position`.
    pub(super) fn statement(&self, position: Option<&Position>) -> Statement {
        let (tenant, grant) = self.caller.sight();
        let states = self.status.and_then(states_of).map(|states| json!(states).to_string());
        let text = self.text.as_deref().map(folded);
        let last = position.map(|position| position.post_id.clone());
        match self.span {
            None => store::POSTS_NEWEST.with([
                tenant,
                grant,
                self.workspace.as_str().into(),
                last.into(),
                self.limit.into(),
                states.into(),
                (self.status == Some(GroupStatus::Draft)).into(),
                self.profile.clone().into(),
                self.label.clone().into(),
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
                self.label.clone().into(),
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

/// The profile and the span of due times that `filter` picks; `prefix` is where its fields stand in the arguments. What is wrong
/// with them goes to `problems`.
pub(super) fn picked(
    caller: &Caller<'_>,
    workspace: &WorkspaceFacts,
    profiles: &[Profile],
    filter: &Filter,
    prefix: &str,
    problems: &mut Problems,
) -> (Option<String>, Option<Span>) {
    let named = filter.profile.as_deref().filter(|named| !named.trim().eq_ignore_ascii_case("all"));
    let profile = named.and_then(|named| {
        let found = profiles::choose_one(profiles, &workspace.id, named, &format!("{prefix}profile"));
        problems.keep(found.map(|profile| profile.id.to_string()))
    });
    (profile, span(caller, &workspace.time_zone, filter, prefix, problems))
}

/// The span of due times that `filter` picks, of a workspace in this zone. What is wrong with them goes to `problems`.
pub(super) fn span(
    caller: &Caller<'_>,
    zone: &str,
    filter: &Filter,
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
    let (from, to) = (bound(&filter.from, "from"), bound(&filter.to, "to"));
    if let (Some(start), Some(end)) = (from, to)
        && start >= end
    {
        problems.add(turned_around(filter, prefix, start == end));
    }
    let by_due = from.is_some() || to.is_some() || filter.status == Some(GroupStatus::Scheduled);
    by_due.then(|| (from.unwrap_or(START), to.unwrap_or(END)))
}

/// A span that ends before it begins, or holds nothing: the corrected list has its ends the other way round.
fn turned_around(filter: &Filter, prefix: &str, is_empty: bool) -> Problem {
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
        ("from".to_owned(), Fix::Set(json!(filter.to))),
        ("to".to_owned(), Fix::Set(json!(filter.from))),
    ]))
}

/// Before all due times.
const START: Timestamp = Timestamp::from_millis(0);
/// After all due times.
const END: Timestamp = Timestamp::from_millis(u32::MAX as i64 * 1000);
