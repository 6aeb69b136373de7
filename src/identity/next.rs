//! Where a person goes after signing in.

use crate::{
    desk::Safename,
    http::{Origin, Query, Request, RequestMethod, Routed, reserved_names, route},
    platform::Config,
};

/// A page of this origin: its path and query. It can name no other origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextPage(String);

impl NextPage {
    /// Longest path and query kept: a cookie holds 4096 bytes with its name and attributes (RFC 6265 section 6.1).
    const LONGEST: usize = 3800;

    /// Parses a path with its query, if it is one that this origin answers with a page. It is never `//host`, holds no
    /// backslash and no control character, and is safe as a cookie's value (RFC 6265 section 4.1.1).
    pub fn parse(text: &str) -> Option<Self> {
        let visible =
            text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'#'));
        if text.len() > Self::LONGEST || !visible || !text.starts_with('/') || text.starts_with("//") {
            return None;
        }
        let path = text.split_once('?').map_or(text, |(path, _)| path);
        let answered = matches!(route(Origin::App, RequestMethod::Get, path), Routed::To(..));
        // Neither sign is used in our paths, and in a query both spellings mean the same.
        answered.then(|| Self(text.replace(';', "%3B").replace(',', "%2C")))
    }

    /// The page that a request was for, if it can be asked for with GET.
    pub fn of(request: &Request) -> Option<Self> {
        match request.query.as_str() {
            "" => Self::parse(&request.path),
            query => Self::parse(&format!("{}?{query}", request.path)),
        }
    }

    /// The name of the organisation that the page is of, by its address or by the resource that an app asks for. Whether
    /// there is such an organisation, it does not say.
    pub fn organisation(&self, config: &Config) -> Option<Safename> {
        let (path, query) = self.0.split_once('?').unwrap_or((&self.0, ""));
        let name = match path.split('/').nth(1)? {
            "authorize" => {
                let query = Query::parse(query.as_bytes());
                let resource = query.get("resource")?.strip_prefix(&config.public_origin)?;
                resource.strip_prefix('/')?.strip_suffix("/mcp")?.to_owned()
            }
            name => name.to_owned(),
        };
        name.parse().ok().filter(|_| !reserved_names().any(|reserved| reserved == name))
    }

    /// The path and query.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
