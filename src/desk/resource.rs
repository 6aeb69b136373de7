//! What a resource is: data that a client reads by its address, behind the same gate as tools.

use url::form_urlencoded;

use super::{Caller, Complete, Facts, Refusal, Scopes};
use crate::platform::Later;

/// Reads the resource of these variables.
pub type Read = for<'a> fn(&'a Caller<'a>, Arguments) -> Later<'a, Result<Vec<Contents>, Refusal>>;

/// A resource, or all of one kind.
#[derive(Clone, Copy)]
pub struct ResourceEntry {
    /// Snake case.
    pub name: &'static str,
    /// A name for people.
    pub title: &'static str,
    /// What it holds and when to read it.
    pub description: &'static str,
    /// The media type of its first contents.
    pub mime_type: &'static str,
    /// Its address (RFC 6570, level 1): each variable is one whole segment of the path.
    pub template: &'static str,
    /// The capabilities that every reading needs.
    pub needs: Scopes,
    /// Those of its kind that are always there, for a caller of these facts.
    pub list: fn(&Facts) -> Vec<ListedResource>,
    /// Reads the one whose variables these are. It refuses what is elsewhere as what is nowhere.
    pub read: Read,
    /// What may be the value of a variable.
    pub completes: &'static [(&'static str, Complete)],
}

/// One resource in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedResource {
    /// Its address.
    pub uri: String,
    /// A name for people that tells it from others of its kind.
    pub title: String,
}

/// The media type of a view (MCP Apps 2026-01-26, "UI Resource Format").
pub const VIEW: &str = "text/html;profile=mcp-app";

/// What was read, in one of its forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The media type.
    pub mime_type: &'static str,
    /// The text, or the bytes in base64 where `is_binary`.
    pub data: String,
    /// Whether `data` is base64.
    pub is_binary: bool,
}

impl Contents {
    /// A text.
    pub const fn text(mime_type: &'static str, text: String) -> Self {
        Self { mime_type, data: text, is_binary: false }
    }

    /// What a host shows of a tool's result.
    pub fn view(document: &str) -> Self {
        Self::text(VIEW, document.to_owned())
    }

    /// A structure as JSON text.
    pub fn json(value: &impl serde::Serialize) -> Self {
        Self::text("application/json", serde_json::to_string(value).unwrap_or_default())
    }
}

/// Named words: the variables of an address, or the arguments of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments(Vec<(String, String)>);

impl Arguments {
    /// The value of this name, if it was given and says anything.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim()).filter(|v| !v.is_empty())
    }

    /// The names, as they were given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl FromIterator<(String, String)> for Arguments {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl ResourceEntry {
    /// Whether its address has variables.
    pub fn is_template(&self) -> bool {
        self.template.contains('{')
    }

    /// The values of the variables, if `uri` is one of its addresses.
    pub fn variables(&self, uri: &str) -> Option<Arguments> {
        let mut found = Vec::new();
        let (mut known, mut given) = (self.template.split('/'), uri.split('/'));
        loop {
            match (known.next(), given.next()) {
                (None, None) => return Some(Arguments(found)),
                (Some(known), Some(given)) => match variable(known) {
                    Some(name) if !given.is_empty() => found.push((name.to_owned(), decoded(given))),
                    None if known == given => {}
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    /// Reads one behind the gate.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn read(&self, caller: &Caller<'_>, variables: Arguments) -> Result<Vec<Contents>, Refusal> {
        (self.read)(&caller.needing(self.needs), variables).await
    }
}

fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Undoes percent-encoding; a plus is a plus in a path.
fn decoded(segment: &str) -> String {
    let pair = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(pair.as_bytes()).next().map_or_else(String::new, |(text, _)| text.into_owned())
}
