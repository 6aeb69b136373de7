//! A Wall's feeds: Atom (RFC 4287, with paging of RFC 5005) and JSON Feed 1.1.

use askama::Template;
use serde_json::{Value, json};

use super::{
    answer, pages,
    view::{EntryView, WallView, utc},
};
use crate::{
    desk::Visitor,
    http::{Request, Response},
    platform::Config,
};

#[derive(Template)]
#[template(path = "networks/wall/templates/feed.xml")]
struct Atom<'a> {
    wall: &'a WallView,
    updated: String,
}

/// `/{safename}/{handle}/feed.atom`.
pub async fn atom(visitor: &Visitor<'_>, config: &Config, handle: &str, request: &Request) -> Response {
    feed(visitor, config, handle, request, "application/atom+xml; charset=utf-8", atom_document).await
}

/// `/{safename}/{handle}/feed.json`.
pub async fn json_feed(visitor: &Visitor<'_>, config: &Config, handle: &str, request: &Request) -> Response {
    feed(visitor, config, handle, request, "application/feed+json; charset=utf-8", json_document).await
}

async fn feed(
    visitor: &Visitor<'_>,
    config: &Config,
    handle: &str,
    request: &Request,
    content_type: &str,
    document: fn(&WallView) -> String,
) -> Response {
    match pages::wall(visitor, config, handle, request).await {
        Ok(Some(wall)) => answer::fresh(request, answer::feed(content_type, document(&wall)), wall.updated()),
        Ok(None) => pages::not_found(),
        Err(_) => pages::unavailable(),
    }
}

fn atom_document(wall: &WallView) -> String {
    let mut document = Atom { wall, updated: utc(wall.updated()) }.render().unwrap_or_default();
    document.retain(is_xml);
    document
}

/// What an XML 1.0 document may hold (production 2, `Char`).
const fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn json_document(wall: &WallView) -> String {
    let items: Vec<Value> = wall.entries.iter().map(item).collect();
    let mut feed = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": wall.name,
        "home_page_url": wall.address,
        "feed_url": format!("{}/feed.json", wall.address),
        "authors": [{ "name": wall.name, "url": wall.address }],
        "items": items,
    });
    if let (Some(older), Some(fields)) = (&wall.older, feed.as_object_mut()) {
        fields.insert("next_url".to_owned(), json!(format!("{}/feed.json{older}", wall.address)));
    }
    feed.to_string()
}

fn item(entry: &EntryView) -> Value {
    let mut item = json!({
        "id": entry.address,
        "url": entry.address,
        "title": entry.title,
        "content_html": entry.html(),
        "content_text": entry.text,
        "date_published": entry.utc,
    });
    if let (Some(picture), Some(fields)) = (&entry.picture, item.as_object_mut()) {
        fields.insert("image".to_owned(), json!(picture));
    }
    item
}
