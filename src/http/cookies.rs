//! The one cookie that Postern sets.

/// The session cookie's name: `__Host-` binds it to this host over https (RFC 6265bis 4.1.3.2); browsers refuse that
/// prefix on http loopback.
pub const fn session_cookie_name(local: bool) -> &'static str {
    if local { "postern_session" } else { "__Host-postern_session" }
}

/// A session cookie to set or to clear.
pub enum Cookie<'a> {
    /// Signs in with this secret for so many seconds.
    Set {
        /// The session's secret.
        secret: &'a str,
        /// Seconds until the browser forgets it.
        max_age: i64,
    },
    /// Signs out.
    Clear,
}

impl Cookie<'_> {
    /// The `Set-Cookie` value.
    pub fn header(&self, local: bool) -> String {
        let (value, max_age) = match self {
            Self::Set { secret, max_age } => (*secret, *max_age),
            Self::Clear => ("", 0),
        };
        let secure = if local { "" } else { "; Secure" };
        format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}",
            session_cookie_name(local)
        )
    }
}
