//! The audit, for owners and admins: a page with filters, and the same as a file.

use askama::Template;
use jiff::{
    ToSpan,
    civil::Date,
    tz::{Offset, TimeZone},
};

use super::member::{member, member_with_form, refused};
use crate::{
    audit::{self, App, AuditPage, Entry, Filter, Person},
    desk::{AuditId, Code, Refusal},
    http::{Form, FormTarget, Notice, Request, Response, page},
    identity::sign_in_again,
    platform::{Platform, Timestamp},
};

/// Longest text of a filter that is looked at.
const LONGEST: usize = 200;

#[derive(Template)]
#[template(path = "studio/templates/audit.html")]
struct Page<'a> {
    organisation: &'a str,
    safename: &'a str,
    csrf: String,
    wanted: Wanted,
    problem: Option<&'static str>,
    people: Vec<Choice<'a>>,
    apps: Vec<Choice<'a>>,
    lines: Vec<LineView<'a>>,
    older: Option<String>,
}

/// One of a list to choose from.
struct Choice<'a> {
    value: &'a str,
    name: String,
    chosen: bool,
}

struct LineView<'a> {
    act: &'a str,
    outcome: &'a str,
    done: bool,
    who: &'a str,
    through: Option<&'a str>,
    grant: Option<&'a str>,
    at: String,
    at_words: String,
    subjects: &'a [String],
}

/// What stands in the fields of the filter.
#[derive(Default)]
struct Wanted {
    person: String,
    app: String,
    what: String,
    from: String,
    until: String,
}

/// `GET /<safename>/audit`.
pub async fn audit_page(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    show(platform, request, safename).await.unwrap_or_else(|answer| answer)
}

/// `POST /<safename>/audit/export`: the lines that fit as a file. It needs a fresh sign-in.
pub async fn export_audit(platform: &Platform<'_>, request: &Request, safename: &str) -> Response {
    export(platform, request, safename).await.unwrap_or_else(|answer| answer)
}

async fn show(platform: &Platform<'_>, request: &Request, safename: &str) -> Result<Response, Response> {
    let (session, caller) = member(platform, request, safename).await?;
    let query = request.query();
    let wanted = Wanted::of(&query);
    let (filter, problem) = match wanted.filter() {
        Ok(filter) => (filter, None),
        Err(problem) => (Filter::default(), Some(problem)),
    };
    let before = query.get("before").and_then(|text| text.parse().ok());
    let found = audit::read(&caller, &filter, before.as_ref()).await.map_err(denied)?;
    let AuditPage { facts, entries, older, people, apps } = &found;
    let template = Page {
        organisation: &facts.tenant_name,
        safename,
        csrf: session.csrf(platform.config),
        problem,
        people: people.iter().map(|person| wanted.choice_of_person(person)).collect(),
        apps: apps.iter().map(|app| wanted.choice_of_app(app)).collect(),
        lines: entries.iter().map(LineView::of).collect(),
        older: older.as_ref().map(|older| wanted.address(safename, older)),
        wanted,
    };
    Ok(page(if problem.is_some() { 400 } else { 200 }, &template, FormTarget::SelfOnly, None))
}

async fn export(platform: &Platform<'_>, request: &Request, safename: &str) -> Result<Response, Response> {
    let (session, caller, form) = member_with_form(platform, request, safename).await?;
    if session.recent(platform.now()).is_none() {
        return Err(sign_in_again(&format!("/{safename}/audit")));
    }
    let filter = Wanted::of(&form)
        .filter()
        .map_err(|words| Notice { heading: "Nothing was exported", words }.response(400))?;
    let before = form.get("before").and_then(|text| text.parse().ok());
    let export = audit::export(&caller, &filter, before.as_ref()).await.map_err(denied)?;
    let mut lines = export.lines;
    if let Some(older) = export.older {
        lines.push_str(&format!("{}\n", serde_json::json!({ "next": older })));
    }
    let file = format!("attachment; filename=\"audit-{}.jsonl\"", caller.tenant().safename);
    Ok(Response::of(200, "application/jsonl", lines).no_store().with_header("content-disposition", file))
}

fn denied(refusal: Refusal) -> Response {
    match refusal.code() {
        Some(Code::RoleNotAllowed) => Notice {
            heading: "Only for owners and admins",
            words: "Who did what is shown to the owners and admins of the organisation. Ask one of them.",
        }
        .response(403),
        _ => refused(refusal),
    }
}

impl Wanted {
    fn of(fields: &Form) -> Self {
        let get = |name| fields.get(name).unwrap_or_default().trim().chars().take(LONGEST).collect();
        Self {
            person: get("person"),
            app: get("app"),
            what: get("what"),
            from: get("from"),
            until: get("until"),
        }
    }

    fn filter(&self) -> Result<Filter, &'static str> {
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        let person = given(&self.person).map(|text| text.parse()).transpose();
        Ok(Filter {
            person: person.map_err(|_| "Choose a person from the list.")?,
            client_id: given(&self.app),
            what: given(&self.what),
            from: day(&self.from, 0)?,
            until: day(&self.until, 1)?,
        })
    }

    fn choice_of_person<'a>(&self, person: &'a Person) -> Choice<'a> {
        let value = person.user_id.as_str();
        Choice { value, name: format!("{} ({})", person.name, person.email), chosen: value == self.person }
    }

    fn choice_of_app<'a>(&self, app: &'a App) -> Choice<'a> {
        Choice { value: &app.client_id, name: app.name.clone(), chosen: app.client_id == self.app }
    }

    /// The page of what is older than `before`.
    fn address(&self, safename: &str, before: &AuditId) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("person", self.person.as_str()),
            ("app", &self.app),
            ("what", &self.what),
            ("from", &self.from),
            ("until", &self.until),
            ("before", before.as_str()),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        format!("/{safename}/audit?{}", query.finish())
    }
}

/// Midnight in UTC of a day, so many days later.
fn day(text: &str, later: i64) -> Result<Option<Timestamp>, &'static str> {
    const WRONG: &str = "Give days as year-month-day, such as 2026-12-01.";
    if text.is_empty() {
        return Ok(None);
    }
    let date: Date = text.parse().map_err(|_| WRONG)?;
    let midnight = date
        .checked_add(later.days())
        .and_then(|date| date.to_zoned(TimeZone::fixed(Offset::UTC)))
        .map_err(|_| WRONG)?;
    Ok(Some(Timestamp::from_millis(midnight.timestamp().as_millisecond())))
}

impl<'a> LineView<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            act: &entry.act,
            outcome: &entry.outcome,
            done: entry.outcome == "done",
            who: match (&entry.person, &entry.user_id) {
                (Some(name), _) => name,
                (None, Some(id)) => id.as_str(),
                (None, None) if entry.act.starts_with("operator_") => "The operator",
                (None, None) => "Somebody unknown",
            },
            through: entry.app.as_deref().or(entry.client_id.as_deref()),
            grant: entry.grant_id.as_ref().map(|grant| grant.as_str()),
            at_words: entry.at_utc().replace('T', " ").chars().take(19).collect(),
            at: entry.at_utc(),
            subjects: &entry.subjects,
        }
    }
}
