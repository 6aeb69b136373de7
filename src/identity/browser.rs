//! Browsers: what a person recognises one by, and what a signed-out one is known again by.

use data_encoding::BASE64URL_NOPAD;

use super::session::new_secret;
use crate::{
    desk::token_hash,
    http::{Cookie, Request, Response},
    platform::Platform,
};

/// A browser that began to sign in is known again for a day.
const BROWSER_SECONDS: i64 = 86_400;

/// Names that browsers send in `User-Agent`, the more particular first: most also carry the names of others.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

/// Names of systems in `User-Agent`, the more particular first.
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
];

/// "Firefox on Linux", as far as `user_agent` tells. Nothing of what was sent is repeated.
pub(super) fn describe(user_agent: Option<&str>) -> String {
    let user_agent = user_agent.unwrap_or_default();
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "A browser".to_owned(),
    }
}

/// A signed-out browser, by the secret that it is known again by: a new one where it has none.
pub(super) struct KnownBrowser(String);

impl KnownBrowser {
    pub(super) fn of(platform: &Platform<'_>, request: &Request) -> Self {
        let sent = Cookie::Browser.read(request, platform.config.is_local());
        let own = sent.filter(|text| text.len() == 43 && BASE64URL_NOPAD.decode(text.as_bytes()).is_ok());
        Self(own.map_or_else(|| new_secret(platform.entropy), str::to_owned))
    }

    pub(super) fn hash(&self) -> String {
        token_hash(&self.0)
    }

    /// The answer, after which the browser keeps the secret.
    pub(super) fn keep(&self, platform: &Platform<'_>, response: Response) -> Response {
        let cookie = Cookie::Browser.set(&self.0, BROWSER_SECONDS, platform.config.is_local());
        response.with_header("set-cookie", cookie)
    }
}

/// The hash of the secret that a browser sent, if it sent one.
pub(super) fn known_hash(platform: &Platform<'_>, request: &Request) -> Option<String> {
    Cookie::Browser.read(request, platform.config.is_local()).map(token_hash)
}
