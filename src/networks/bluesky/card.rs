//! What a page says about itself for a preview card: Open Graph tags, or its title. Pure.

use super::progress::CardWords;

const MAX_TITLE: usize = 300;
const MAX_DESCRIPTION: usize = 1000;

/// A page's title, description and picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// What the card says.
    pub words: CardWords,
    /// The picture's address, as the page gives it.
    pub picture: Option<String>,
}

/// Reads the head of a page; nothing when it has no title.
pub fn preview(html: &str) -> Option<Preview> {
    let head = html.find("</head").and_then(|end| html.get(..end)).unwrap_or(html);
    let metas: Vec<(String, String)> = tags(head, "meta").filter_map(meta).collect();
    let named = |names: &[&str]| {
        names.iter().find_map(|name| {
            let found = metas.iter().find(|(key, content)| key == name && !content.is_empty());
            found.map(|(_, content)| content.clone())
        })
    };
    let title = named(&["og:title", "twitter:title"]).or_else(|| title(head))?;
    let description = named(&["og:description", "twitter:description", "description"]).unwrap_or_default();
    Some(Preview {
        words: CardWords { title: cut(&title, MAX_TITLE), description: cut(&description, MAX_DESCRIPTION) },
        picture: named(&["og:image:secure_url", "og:image:url", "og:image", "twitter:image"]),
    })
}

/// The attributes' text of each `<name …>` in `html`.
fn tags<'a>(html: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    html.split('<').filter_map(move |tag| {
        let (front, rest) = tag.split_at_checked(name.len())?;
        let starts =
            front.eq_ignore_ascii_case(name) && rest.starts_with(|c: char| c.is_whitespace() || c == '/');
        starts.then_some(rest)
    })
}

/// A meta element's name, in lower case, and content.
fn meta(attributes: &str) -> Option<(String, String)> {
    let mut name = None;
    let mut content = None;
    let mut rest = attributes;
    while let Some((key, value, after)) = attribute(rest) {
        match key.to_ascii_lowercase().as_str() {
            "property" | "name" => name = name.or(Some(value.to_ascii_lowercase())),
            "content" => content = content.or(Some(plain(value))),
            _ => {}
        }
        rest = after;
    }
    Some((name?, content?))
}

/// The first attribute of `text`: its name, its value, and what follows.
fn attribute(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>'))?;
    let (key, rest) = text.split_at_checked(end)?;
    let rest = rest.trim_start();
    let Some(rest) = rest.strip_prefix('=') else {
        return (!rest.starts_with('>') && !key.is_empty()).then_some((key, "", rest));
    };
    let rest = rest.trim_start();
    for quote in ['"', '\''] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            let (value, after) = quoted.split_once(quote)?;
            return Some((key, value, after));
        }
    }
    let end = rest.find(|c: char| c.is_whitespace() || c == '>')?;
    let (value, after) = rest.split_at_checked(end)?;
    Some((key, value, after))
}

/// The text of the title element.
fn title(head: &str) -> Option<String> {
    let lower = head.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let open = start + lower.get(start..)?.find('>')? + 1;
    let end = open + lower.get(open..)?.find('<')?;
    Some(plain(head.get(open..end)?)).filter(|title| !title.is_empty())
}

/// Text with its character references decoded and its white space collapsed.
fn plain(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let reference = after.split_once(';').and_then(|(name, after)| Some((reference(name)?, after)));
        match reference {
            Some((character, after)) => {
                decoded.push(character);
                rest = after;
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The character references that titles have; others stay as they are.
fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        _ => return None,
    })
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}
