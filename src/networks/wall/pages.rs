//! A Wall's pages.

use askama::Template;

use super::{
    answer,
    store::{self, After, EntryRow, ProfileRow},
    view::{EntryView, Place, WallView},
};
use crate::{
    desk::{EntryId, Visitor},
    http::{Request, Response},
    platform::{Config, DatabaseFault, FromRow, Rows, Statement, Timestamp, first},
};

/// Entries of a page and of a feed.
const PAGE_SIZE: u32 = 20;

#[derive(Template)]
#[template(path = "networks/wall/templates/page.html")]
struct Page<'a> {
    wall: &'a WallView,
}

#[derive(Template)]
#[template(path = "networks/wall/templates/entry.html")]
struct EntryPage<'a> {
    wall: &'a WallView,
    entry: &'a EntryView,
}

#[derive(Template)]
#[template(path = "networks/wall/templates/not_found.html")]
struct NotFound;

/// `/{safename}/{handle}`: the newest entries, or those before `?before=`.
pub async fn page(visitor: &Visitor<'_>, config: &Config, handle: &str, request: &Request) -> Response {
    match wall(visitor, config, handle, request).await {
        Ok(Some(wall)) => show(request, &wall, &Page { wall: &wall }),
        Ok(None) => not_found(),
        Err(_) => unavailable(),
    }
}

/// `/{safename}/{handle}/{entry}`: one entry with all of its parts.
pub async fn entry_page(
    visitor: &Visitor<'_>,
    config: &Config,
    handle: &str,
    entry: &str,
    request: &Request,
) -> Response {
    let Ok(id) = entry.parse() else {
        return not_found();
    };
    match one_entry(visitor, config, handle, &id).await {
        Ok(Some(wall)) => match wall.entries.first() {
            Some(entry) => show(request, &wall, &EntryPage { wall: &wall, entry }),
            None => not_found(),
        },
        Ok(None) => not_found(),
        Err(_) => unavailable(),
    }
}

/// What every address of the content origin that names nothing gets, whatever it is that is not there.
pub fn not_found() -> Response {
    answer::html(404, NotFound.render().unwrap_or_default()).no_store()
}

/// The answer while the database cannot be reached.
pub fn unavailable() -> Response {
    Response::of(503, "text/plain; charset=utf-8", "Please try again in a minute.")
        .with_header("retry-after", "60")
        .no_store()
}

fn show(request: &Request, wall: &WallView, template: &impl Template) -> Response {
    match template.render() {
        Ok(body) => answer::fresh(request, answer::html(200, body), wall.updated()),
        Err(_) => unavailable(),
    }
}

/// The Wall that `handle` names, as far as the request's page shows it.
pub async fn wall(
    visitor: &Visitor<'_>,
    config: &Config,
    handle: &str,
    request: &Request,
) -> Result<Option<WallView>, DatabaseFault> {
    let after = request.query().get("before").and_then(read_position).unwrap_or_else(After::beginning);
    let entries = store::page(&visitor.tenant().id, handle, &after, PAGE_SIZE + 1);
    let Some((profile, mut rows)) = read(visitor, handle, entries).await? else {
        return Ok(None);
    };
    let older = cut_to_page(&mut rows);
    Ok(Some(WallView::new(&place(visitor, config, &profile), profile, &rows, older)))
}

async fn one_entry(
    visitor: &Visitor<'_>,
    config: &Config,
    handle: &str,
    entry: &EntryId,
) -> Result<Option<WallView>, DatabaseFault> {
    let entries = store::entry(&visitor.tenant().id, handle, entry);
    let found = read(visitor, handle, entries).await?;
    Ok(found.map(|(profile, rows)| WallView::new(&place(visitor, config, &profile), profile, &rows, None)))
}

/// The profile and the entries, from one batch.
async fn read(
    visitor: &Visitor<'_>,
    handle: &str,
    entries: Statement,
) -> Result<Option<(ProfileRow, Vec<EntryRow>)>, DatabaseFault> {
    let batch = vec![store::profile(&visitor.tenant().id, handle), entries];
    let Some(answers) = visitor.read(batch).await? else {
        return Ok(None);
    };
    let mut answers: std::vec::IntoIter<Rows> = answers.into_iter();
    let Some(profile) = first(&answers.next().unwrap_or_default())? else {
        return Ok(None);
    };
    let rows = answers.next().unwrap_or_default();
    let rows = rows.iter().map(EntryRow::from_row).collect::<Result<_, _>>()?;
    Ok(Some((profile, rows)))
}

fn place<'a>(visitor: &'a Visitor<'_>, config: &'a Config, profile: &ProfileRow) -> Place<'a> {
    let tenant = visitor.tenant();
    let address = format!("{}/{}/{}", config.content_origin, tenant.safename, profile.handle);
    Place { config, tenant: &tenant.id, address }
}

/// Keeps a page's entries, and gives the query of the next page if there are more.
fn cut_to_page(rows: &mut Vec<EntryRow>) -> Option<String> {
    let posts = rows.iter().filter(|row| row.position == 0).count();
    if posts <= PAGE_SIZE as usize {
        return None;
    }
    let beyond = rows.iter().rposition(|row| row.position == 0)?;
    rows.truncate(beyond);
    let last = rows.iter().rfind(|row| row.position == 0)?;
    Some(format!("?before={}.{}", last.published_at.as_millis(), last.entry_id))
}

fn read_position(text: &str) -> Option<After> {
    let (millis, entry) = text.split_once('.')?;
    let millis = millis.parse().ok().filter(|millis| (0..1 << 53).contains(millis))?;
    let entry: EntryId = entry.parse().ok()?;
    Some(After { published_at: Timestamp::from_millis(millis), entry_id: entry.to_string() })
}
