//! Whether a document is well-formed XML: enough of XML 1.0 for feeds.

/// The names of all elements in order, or what is wrong.
pub fn elements(document: &str) -> Result<Vec<String>, String> {
    if let Some(bad) = document.chars().find(|c| !is_char(*c)) {
        return Err(format!("the character {bad:?}"));
    }
    let document = document.strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>").unwrap_or(document);
    let mut names = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = document.trim_start();
    while let Some((text, tag)) = rest.split_once('<') {
        check_text(text)?;
        let (tag, after) = tag.split_once('>').ok_or("a tag without an end")?;
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open.pop();
            if opened.as_deref() != Some(name) {
                return Err(format!("{name} closes {opened:?}"));
            }
        } else {
            let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
            let name = check_tag(tag)?;
            names.push(name.clone());
            if !empty {
                open.push(name);
            }
        }
        rest = after;
        if open.is_empty() && !rest.trim().is_empty() {
            return Err("more than one root".to_owned());
        }
    }
    check_text(rest)?;
    if open.is_empty() { Ok(names) } else { Err(format!("{open:?} stay open")) }
}

fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn check_tag(tag: &str) -> Result<String, String> {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_')) {
        return Err(format!("the element name {name:?}"));
    }
    while !rest.trim().is_empty() {
        let (key, after) = rest.trim_start().split_once("=\"").ok_or(format!("the attributes {rest:?}"))?;
        let (value, after) = after.split_once('"').ok_or("an attribute without an end")?;
        if !key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-')) {
            return Err(format!("the attribute name {key:?}"));
        }
        check_text(value)?;
        rest = after;
    }
    Ok(name.to_owned())
}

fn check_text(text: &str) -> Result<(), String> {
    for reference in text.split('&').skip(1) {
        let (name, _) = reference.split_once(';').ok_or(format!("a bare ampersand before {reference:?}"))?;
        let known = matches!(name, "amp" | "lt" | "gt" | "quot" | "apos")
            || name.strip_prefix('#').is_some_and(|number| number.parse::<u32>().is_ok());
        if !known {
            return Err(format!("the reference {name:?}"));
        }
    }
    if text.contains("]]>") { Err("]]> in text".to_owned()) } else { Ok(()) }
}
