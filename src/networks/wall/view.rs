//! What visitors see of a Wall: rows made into addresses, words and HTML. Pure.

use askama::Template;
use jiff::Timestamp as Instant;
use unicode_segmentation::UnicodeSegmentation;

use super::store::{Content, EntryRow, ProfileRow};
use crate::{
    desk::{TenantId, TimeZoneName, media_address},
    networks::{
        PartKind,
        spans::{Mark, spans},
    },
    platform::{Config, Timestamp},
};

const MAX_TITLE: usize = 80;

/// Where a Wall is: whose it is, and its address.
pub struct Place<'a> {
    /// The settings, for origins and media addresses.
    pub config: &'a Config,
    /// The tenant.
    pub tenant: &'a TenantId,
    /// `{content origin}/{safename}/{handle}`.
    pub address: String,
}

/// A Wall, or a page of it.
pub struct WallView {
    /// The profile's name.
    pub name: String,
    /// The tenant's name, unless it is the same.
    pub organisation: Option<String>,
    /// A letter to stand for the profile.
    pub initial: String,
    /// The Wall's address.
    pub address: String,
    /// When the profile was made, for feeds that have no entry yet.
    pub since: Timestamp,
    /// The entries, newest first.
    pub entries: Vec<EntryView>,
    /// The query that gives the next, older page.
    pub older: Option<String>,
}

/// An entry with all of its parts.
pub struct EntryView {
    /// Its permalink.
    pub address: String,
    /// Its first words.
    pub title: String,
    /// Its text without marks.
    pub text: String,
    /// The time that it carries.
    pub at: Timestamp,
    /// That time in RFC 3339, in UTC.
    pub utc: String,
    /// That time in words, in the workspace's zone.
    pub words: String,
    /// The address of its first picture.
    pub picture: Option<String>,
    /// Its parts in order.
    pub parts: Vec<PartView>,
}

/// A part of an entry.
pub struct PartView {
    /// Its id, which is its anchor.
    pub anchor: String,
    /// Whether it is a comment under the post.
    pub comment: bool,
    /// Text and pictures as HTML that is safe.
    pub html: String,
}

impl EntryView {
    /// All parts as one piece of HTML, for feeds.
    pub fn html(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.html.as_str()).collect();
        parts.join("\n<hr>\n")
    }
}

impl WallView {
    /// The Wall of `profile` with the entries that `rows` hold, parts of an entry next to each other.
    pub fn new(place: &Place<'_>, profile: ProfileRow, rows: &[EntryRow], older: Option<String>) -> Self {
        let entries = rows
            .chunk_by(|one, next| one.delivery_id == next.delivery_id)
            .filter_map(|rows| entry(place, &profile.time_zone, rows))
            .collect();
        Self {
            organisation: Some(profile.organisation).filter(|organisation| *organisation != profile.name),
            initial: profile.name.graphemes(true).next().unwrap_or_default().to_uppercase(),
            name: profile.name,
            address: place.address.clone(),
            since: profile.created_at,
            entries,
            older,
        }
    }

    /// When the newest entry was published, or the profile made.
    pub fn updated(&self) -> Timestamp {
        self.entries.iter().map(|entry| entry.at).max().unwrap_or(self.since)
    }
}

fn entry(place: &Place<'_>, zone: &TimeZoneName, rows: &[EntryRow]) -> Option<EntryView> {
    let post = rows.first()?;
    let words = zone.local(post.published_at).strftime("%-d %B %Y, %H:%M").to_string();
    let texts: Vec<&str> =
        rows.iter().map(|row| row.content.text.as_str()).filter(|text| !text.is_empty()).collect();
    let first_media = rows.iter().flat_map(|row| &row.content.media).next();
    Some(EntryView {
        address: format!("{}/{}", place.address, post.entry_id),
        title: title(&post.content.text).unwrap_or_else(|| words.clone()),
        text: texts.join("\n\n"),
        at: post.published_at,
        utc: utc(post.published_at),
        words,
        picture: first_media.map(|media| media_address(place.config, place.tenant, &media.media_id)),
        parts: rows.iter().map(|row| part(place, row)).collect(),
    })
}

fn part(place: &Place<'_>, row: &EntryRow) -> PartView {
    PartView {
        anchor: row.entry_id.to_string(),
        comment: row.content.kind == PartKind::FirstComment,
        html: Body::of(place, &row.content).render().unwrap_or_default(),
    }
}

/// The first line, cut at a word.
fn title(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    if line.graphemes(true).count() <= MAX_TITLE {
        return Some(line.to_owned());
    }
    let cut: String = line.graphemes(true).take(MAX_TITLE).collect();
    let whole_words = cut.rsplit_once(char::is_whitespace).map_or(cut.as_str(), |(front, _)| front);
    Some(format!("{}…", whole_words.trim_end()))
}

/// RFC 3339 in UTC.
pub fn utc(at: Timestamp) -> String {
    instant(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The instant as the time library has it.
pub fn instant(at: Timestamp) -> Instant {
    Instant::from_millisecond(at.as_millis()).unwrap_or(Instant::UNIX_EPOCH)
}

/// Text and pictures of a part, for pages and feeds alike.
#[derive(Template)]
#[template(path = "networks/wall/templates/body.html")]
struct Body<'a> {
    paragraphs: Vec<Vec<Piece<'a>>>,
    pictures: Vec<Picture<'a>>,
}

/// A piece of a paragraph.
enum Piece<'a> {
    Text(&'a str),
    Break,
    Link { href: String, shown: &'a str },
}

struct Picture<'a> {
    source: String,
    alt: &'a str,
    size: Option<(u32, u32)>,
}

impl<'a> Body<'a> {
    fn of(place: &Place<'_>, content: &'a Content) -> Self {
        let pictures = content
            .media
            .iter()
            .map(|media| Picture {
                source: media_address(place.config, place.tenant, &media.media_id),
                alt: &media.alt,
                size: media.width.zip(media.height),
            })
            .collect();
        Self { paragraphs: paragraphs(&content.text), pictures }
    }
}

/// Empty lines part paragraphs, other line ends break lines.
fn paragraphs(text: &str) -> Vec<Vec<Piece<'_>>> {
    text.split("\n\n")
        .map(|paragraph| paragraph.trim_matches('\n'))
        .filter(|p| !p.is_empty())
        .map(pieces)
        .collect()
}

fn pieces(paragraph: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for (index, line) in paragraph.split('\n').enumerate() {
        if index > 0 {
            pieces.push(Piece::Break);
        }
        linked(line, &mut pieces);
    }
    pieces
}

fn linked<'a>(line: &'a str, pieces: &mut Vec<Piece<'a>>) {
    let mut plain_from = 0;
    for span in spans(line) {
        if let (Mark::Link(href), Some(before), Some(shown)) =
            (span.mark, line.get(plain_from..span.range.start), line.get(span.range.clone()))
        {
            pieces.push(Piece::Text(before));
            pieces.push(Piece::Link { href, shown });
            plain_from = span.range.end;
        }
    }
    pieces.push(Piece::Text(line.get(plain_from..).unwrap_or_default()));
}
