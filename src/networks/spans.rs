//! Links, mentions and hashtags in plain text, as byte offsets. Pure; every network that marks them up reads them here.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

/// Top-level domains under which a bare `name.tld` is taken for a link. A bare name needs this list, or every
/// `file.txt` would become one; with `https://` any domain is a link.
const GENERIC_DOMAINS: &[&str] = &[
    "academy",
    "agency",
    "app",
    "art",
    "arpa",
    "asia",
    "audio",
    "band",
    "bar",
    "berlin",
    "beer",
    "bike",
    "bio",
    "biz",
    "blog",
    "blue",
    "book",
    "build",
    "business",
    "cafe",
    "camp",
    "capital",
    "care",
    "cat",
    "center",
    "chat",
    "church",
    "city",
    "click",
    "clinic",
    "cloud",
    "club",
    "coach",
    "codes",
    "coffee",
    "com",
    "community",
    "company",
    "computer",
    "consulting",
    "cool",
    "coop",
    "dance",
    "data",
    "date",
    "day",
    "deals",
    "delivery",
    "dental",
    "design",
    "dev",
    "digital",
    "direct",
    "directory",
    "dog",
    "domains",
    "earth",
    "edu",
    "education",
    "email",
    "energy",
    "engineer",
    "engineering",
    "equipment",
    "estate",
    "events",
    "exchange",
    "expert",
    "express",
    "family",
    "fans",
    "farm",
    "fashion",
    "film",
    "finance",
    "fish",
    "fit",
    "foundation",
    "fun",
    "fund",
    "fyi",
    "gallery",
    "game",
    "games",
    "garden",
    "gay",
    "gift",
    "gifts",
    "global",
    "gmbh",
    "gov",
    "green",
    "group",
    "guide",
    "guru",
    "health",
    "help",
    "homes",
    "horse",
    "hospital",
    "host",
    "hotel",
    "house",
    "ink",
    "institute",
    "int",
    "international",
    "jetzt",
    "jobs",
    "kitchen",
    "koeln",
    "land",
    "law",
    "legal",
    "life",
    "live",
    "lol",
    "london",
    "love",
    "ltd",
    "management",
    "market",
    "marketing",
    "media",
    "men",
    "menu",
    "mobi",
    "moda",
    "moe",
    "money",
    "museum",
    "music",
    "name",
    "net",
    "network",
    "news",
    "ngo",
    "ninja",
    "nyc",
    "observer",
    "one",
    "ong",
    "online",
    "org",
    "page",
    "paris",
    "partners",
    "parts",
    "party",
    "pet",
    "photo",
    "photography",
    "photos",
    "pics",
    "pictures",
    "pink",
    "pizza",
    "place",
    "plus",
    "post",
    "press",
    "pro",
    "productions",
    "pub",
    "recipes",
    "red",
    "rent",
    "report",
    "restaurant",
    "review",
    "reviews",
    "rocks",
    "run",
    "sale",
    "school",
    "science",
    "services",
    "sexy",
    "shoes",
    "shop",
    "shopping",
    "show",
    "site",
    "social",
    "software",
    "solar",
    "solutions",
    "space",
    "storage",
    "store",
    "studio",
    "style",
    "support",
    "surf",
    "systems",
    "tattoo",
    "tax",
    "team",
    "tech",
    "technology",
    "tel",
    "theater",
    "tips",
    "today",
    "tools",
    "tours",
    "town",
    "toys",
    "trade",
    "training",
    "travel",
    "tube",
    "university",
    "ventures",
    "video",
    "vip",
    "vision",
    "wang",
    "watch",
    "web",
    "website",
    "wien",
    "wiki",
    "wine",
    "work",
    "works",
    "world",
    "wtf",
    "xxx",
    "xyz",
    "yoga",
    "zone",
];

/// Country-code top-level domains (ISO 3166-1 and the others that IANA delegates), two letters each.
const COUNTRY_DOMAINS: &str = "acadaeafagaialamaoaqarasatauawaxazbabbbdbebfbgbhbibjbmbnbobrbsbtbwbybz\
cacccdcfcgchcickclcmcncocrcucvcwcxcyczdedjdkdmdodzeceeegereseteufifjfkfmfofrgagbgdgegfggghgiglgmgngpgqgrgsgtgugwgy\
hkhmhnhrhthuidieiliminioiqirisitjejmjojpkekgkhkikmknkpkrkwkykzlalblclilklrlsltlulvlymamcmdmemgmhmkmlmmmnmomp\
mqmrmsmtmumvmwmxmymznancnenfngninlnonpnrnunzompapepfpgphpkplpmpnprpsptpwpyqarerorsrurwsasbscsdsesgshsisjskslsm\
snsosrssstsusvsxsysztctdtftgthtjtktltmtntotrtttvtwtzuaugukusuyuzvavcvevgvivnvuwfwsyeytzazmzw";

/// What a span of text is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A link to this absolute address.
    Link(String),
    /// A mention of this handle, a domain name without `@`.
    Mention(String),
    /// A hashtag, without `#`.
    Tag(String),
}

/// A marked run of bytes of a text. Its ends are character boundaries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Which bytes.
    pub range: Range<usize>,
    /// What they are.
    pub mark: Mark,
}

/// The links, mentions and hashtags of `text`, in order, none overlapping.
pub fn spans(text: &str) -> Vec<Span> {
    words(text).filter_map(|(start, word)| span_in(start, word)).collect()
}

/// Runs without white space, each with its offset.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(char::is_whitespace)
        .map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .filter(|(_, word)| !word.is_empty())
}

fn span_in(start: usize, word: &str) -> Option<Span> {
    if let Some(at) = scheme_in(word) {
        let (before, rest) = word.split_at(at);
        return link(start + before.len(), rest, "");
    }
    let bare = word.trim_start_matches(opens);
    let start = start + (word.len() - bare.len());
    if let Some(handle) = bare.strip_prefix(['@', '\u{ff20}']) {
        return mention(start, bare, handle);
    }
    if let Some(tag) = bare.strip_prefix(['#', '\u{ff03}']) {
        return hashtag(start, bare, tag);
    }
    let domain_end = bare.find(['/', '?', '#', ':']).unwrap_or(bare.len());
    let domain = bare.get(..domain_end)?.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    if is_known_domain(domain) { link(start, bare, "https://") } else { None }
}

/// Where `http://` or `https://` begins in a word, unless letters run into it.
fn scheme_in(word: &str) -> Option<usize> {
    let lower = word.to_ascii_lowercase();
    let at = ["https://", "http://"].iter().filter_map(|scheme| lower.find(scheme)).min()?;
    let joined = word.get(..at)?.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
    (!joined).then_some(at)
}

fn link(start: usize, rest: &str, scheme: &str) -> Option<Span> {
    let shown = trim_link(rest);
    let written = format!("{scheme}{shown}");
    let url = Url::parse(&written).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    if !host.contains('.') && !host.contains(':') && host != "localhost" {
        return None;
    }
    let uri = if written.is_ascii() { written } else { url.to_string() };
    Some(Span { range: start..start + shown.len(), mark: Mark::Link(uri) })
}

/// A link without what belongs to the sentence around it: quotes, the sentence's punctuation, and closing brackets that
/// it did not open.
fn trim_link(text: &str) -> &str {
    let end = text.find(['<', '>', '"', '“', '”', '«', '»', '「', '」', '、', '。', '，', '）', '`', '|']);
    let mut link = end.and_then(|end| text.get(..end)).unwrap_or(text);
    loop {
        let trimmed = link.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '…', '’', '*', '_']);
        let trimmed = strip_unopened(trimmed);
        if trimmed.len() == link.len() {
            return link;
        }
        link = trimmed;
    }
}

fn strip_unopened(link: &str) -> &str {
    for (open, close) in [('(', ')'), ('[', ']'), ('{', '}')] {
        if let Some(shorter) = link.strip_suffix(close)
            && link.matches(close).count() > link.matches(open).count()
        {
            return shorter;
        }
    }
    link
}

fn mention(start: usize, word: &str, handle: &str) -> Option<Span> {
    let end =
        handle.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-')).unwrap_or(handle.len());
    let handle = handle.get(..end)?.trim_end_matches(['.', '-']);
    let sign = word.len() - word.trim_start_matches(['@', '\u{ff20}']).len();
    is_handle(handle).then(|| Span {
        range: start..start + sign + handle.len(),
        mark: Mark::Mention(handle.to_ascii_lowercase()),
    })
}

/// AT Protocol handle syntax: labels of letters, digits and inner hyphens; the last does not begin with a digit.
fn is_handle(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.')
        && text.len() <= 253
        && text.split('.').all(label)
        && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn hashtag(start: usize, word: &str, tag: &str) -> Option<Span> {
    const MAX_GRAPHEMES: usize = 64;
    const MAX_BYTES: usize = 640;
    let invisible = |c: char| matches!(c, '\u{ad}' | '\u{2060}' | '\u{200a}'..='\u{200d}' | '\u{20e2}');
    let end = tag.find(|c: char| c == '#' || invisible(c)).unwrap_or(tag.len());
    let tag = tag.get(..end)?.trim_end_matches(is_punctuation);
    let speaks = tag.chars().any(|c| !c.is_numeric() && !is_punctuation(c) && c != '\u{fe0f}');
    let fits = tag.len() <= MAX_BYTES && tag.graphemes(true).count() <= MAX_GRAPHEMES;
    let sign = word.chars().next().map_or(0, char::len_utf8);
    (speaks && fits && !tag.starts_with('\u{fe0f}'))
        .then(|| Span { range: start..start + sign + tag.len(), mark: Mark::Tag(tag.to_owned()) })
}

fn opens(c: char) -> bool {
    matches!(
        c,
        '(' | '[' | '{' | '"' | '\'' | '“' | '‘' | '«' | '„' | '「' | '（' | '<' | '¿' | '¡' | '*' | '_'
    )
}

/// Punctuation of ASCII and of the blocks where text has it.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
        || matches!(c, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}')
        || matches!(c, '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' | '・')
        || matches!(c, '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff1f}' | '\u{ff3b}'..='\u{ff3d}' | '\u{ff5b}' | '\u{ff5d}' | '\u{ff5f}'..='\u{ff65}')
}

/// Whether `name` is a host name under a top-level domain that exists.
fn is_known_domain(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let Some((front, last)) = name.rsplit_once('.') else {
        return false;
    };
    let country = || {
        let pairs = COUNTRY_DOMAINS.as_bytes().chunks(2);
        last.len() == 2 && pairs.into_iter().any(|pair| pair == last.as_bytes())
    };
    is_handle(&name)
        && front.starts_with(|c: char| c.is_ascii_alphabetic())
        && (GENERIC_DOMAINS.contains(&last) || country())
}
