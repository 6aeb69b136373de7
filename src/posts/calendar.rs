//! The calendar of a week: a workspace's posts by day, as structure and as text.

use jiff::{
    ToSpan,
    civil::{Date, ISOWeekDate, Weekday},
};
use serde::Serialize;

use super::tools::{PostSummary, due_within};
use crate::{
    desk::{Caller, Code, Problem, Refusal, TimeZoneName},
    platform::Timestamp,
};

/// A week of a workspace, from Monday to Sunday.
#[derive(Debug, Serialize)]
pub struct Calendar {
    /// The workspace's name.
    workspace: String,
    /// ISO 8601: `2026-W48`.
    week: String,
    /// The zone in which the days begin.
    time_zone: String,
    /// The seven days.
    days: Vec<Day>,
    /// Whether there are more posts than are shown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
}

/// A day with its posts.
#[derive(Debug, Serialize)]
struct Day {
    /// `2026-11-23`.
    date: String,
    /// `Monday`.
    weekday: String,
    /// Its posts, soonest first.
    posts: Vec<PostSummary>,
}

/// Reads a week: `this`, `next`, or ISO 8601 such as `2026-W48`; the days are those of the workspace's zone, or of `zone`.
///
/// # Errors
/// When there is no such workspace, week or zone, or those of the gate.
pub async fn calendar(
    caller: &Caller<'_>,
    workspace: Option<&str>,
    week: &str,
    zone: Option<&str>,
) -> Result<Calendar, Refusal> {
    let facts = caller.facts().await?;
    let workspace = facts.workspace(workspace)?;
    let zone = match zone {
        None => TimeZoneName::or_utc(&workspace.time_zone),
        Some(name) => TimeZoneName::parse(name).ok_or_else(|| unknown_zone(name))?,
    };
    let monday = monday(week, &zone, caller.now())?;
    let dates: Vec<Date> = (0..=7).filter_map(|day| monday.checked_add(day.days()).ok()).collect();
    let bounds: Vec<Timestamp> = dates.iter().filter_map(|date| begin(*date, &zone)).collect();
    let (Some(first), Some(end)) = (bounds.first(), bounds.last()) else {
        return Err(unknown_week().into());
    };
    let (posts, more) = due_within(caller, workspace, (*first, *end), &zone).await?;
    let mut days: Vec<Day> = dates.iter().take(7).map(|date| Day::of(*date)).collect();
    for (due, post) in posts {
        let day = bounds.iter().filter(|begin| **begin <= due).count();
        if let Some(day) = day.checked_sub(1).and_then(|index| days.get_mut(index)) {
            day.posts.push(post);
        }
    }
    let workspace = workspace.name.clone();
    Ok(Calendar { workspace, week: name_of(monday), time_zone: zone.as_str().to_owned(), days, more })
}

impl Day {
    fn of(date: Date) -> Self {
        Self { date: date.to_string(), weekday: date.strftime("%A").to_string(), posts: Vec::new() }
    }
}

impl Calendar {
    /// The week as it is read aloud: a line for each day, and one for each post under it.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}, week {} ({})\n", self.workspace, self.week, self.time_zone);
        for day in &self.days {
            text.push_str(&format!("\n{} {}\n", day.weekday, day.date));
            if day.posts.is_empty() {
                text.push_str("  nothing\n");
            }
            for post in &day.posts {
                text.push_str(&format!("  {}\n", post.line()));
            }
        }
        if self.more {
            text.push_str("\nThere are more; list_posts with from and to shows them all.\n");
        }
        text
    }
}

/// The weeks that somebody may mean at `now`: the two by name, then this and those around it.
pub fn weeks(zone: &TimeZoneName, now: Timestamp) -> Vec<String> {
    let today = zone.local(now).date();
    let named = ["this", "next"].map(str::to_owned);
    let around = (-4_i64..=12).filter_map(|weeks| today.checked_add(weeks.weeks()).ok()).map(name_of);
    named.into_iter().chain(around).collect()
}

/// `2026-W48`.
fn name_of(date: Date) -> String {
    let week = date.iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

fn monday(week: &str, zone: &TimeZoneName, now: Timestamp) -> Result<Date, Problem> {
    let today = zone.local(now).date();
    let monday_of = |date: Date| {
        let week = date.iso_week_date();
        ISOWeekDate::new(week.year(), week.week(), Weekday::Monday).ok()
    };
    let monday = match week {
        "this" => monday_of(today),
        "next" => today.checked_add(1.week()).ok().and_then(monday_of),
        named => named.split_once("-W").and_then(|(year, week)| {
            ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday).ok()
        }),
    };
    monday.map(ISOWeekDate::date).ok_or_else(unknown_week)
}

fn begin(date: Date, zone: &TimeZoneName) -> Option<Timestamp> {
    let begin = date.to_zoned(zone.rules().clone()).ok()?;
    Some(Timestamp::from_millis(begin.timestamp().as_millisecond()))
}

fn unknown_week() -> Problem {
    Problem::new(Code::Malformed, "week", "Give this, next, or an ISO 8601 week such as 2026-W48.")
}

fn unknown_zone(name: &str) -> Problem {
    let hint = match TimeZoneName::like(name).as_slice() {
        [] => "Give an IANA time zone such as Europe/Stockholm.".to_owned(),
        meant => format!("Did you mean {}?", meant.join(" or ")),
    };
    Problem::new(Code::NotInList, "time_zone", hint)
}
