//! The cookies that Postern sets.

use super::Request;

/// A cookie of the app's origin. Scripts cannot read it, and other sites' forms do not send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// The browser session's secret.
    Session,
    /// The page that a person wanted before signing in.
    Next,
    /// A secret by which a signed-out browser is known again: the one that asked for a link.
    Browser,
}

impl Cookie {
    /// Its name: `__Host-` binds it to this host over https (RFC 6265bis 4.1.3.2); browsers refuse that prefix on http
    /// loopback, which `local` tells.
    pub const fn name(self, local: bool) -> &'static str {
        match (self, local) {
            (Self::Session, true) => "postern_session",
            (Self::Session, false) => "__Host-postern_session",
            (Self::Next, true) => "postern_next",
            (Self::Next, false) => "__Host-postern_next",
            (Self::Browser, true) => "postern_browser",
            (Self::Browser, false) => "__Host-postern_browser",
        }
    }

    /// The value that the browser sent.
    pub fn read(self, request: &Request, local: bool) -> Option<&str> {
        request.cookie(self.name(local))
    }

    /// The `Set-Cookie` value that keeps `value` for `max_age` seconds.
    pub fn set(self, value: &str, max_age: i64, local: bool) -> String {
        let secure = if local { "" } else { "; Secure" };
        format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}", self.name(local))
    }

    /// The `Set-Cookie` value that removes it.
    pub fn clear(self, local: bool) -> String {
        self.set("", 0, local)
    }
}
