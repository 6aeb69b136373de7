//! Rate limits: how often a door may be knocked at.
//!
//! They hold back load. They are counted in each location of the platform by itself, nearly but not exactly; what must be
//! counted exactly is counted in a database.

use super::Later;

/// A door whose visitors are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The token and revocation endpoints, by address.
    Token,
    /// Registration of clients, by address.
    Register,
    /// Authorization and consent, by address.
    Authorize,
    /// Signing in, by address.
    SignIn,
    /// The MCP endpoints: by grant, and by address where a token must be looked up to know the grant.
    Mcp,
}

impl Door {
    /// Every door.
    pub const ALL: [Self; 5] = [Self::Token, Self::Register, Self::Authorize, Self::SignIn, Self::Mcp];

    /// The name of the binding that counts its visitors.
    pub const fn binding(self) -> &'static str {
        match self {
            Self::Token => "LIMIT_TOKEN",
            Self::Register => "LIMIT_REGISTER",
            Self::Authorize => "LIMIT_AUTHORIZE",
            Self::SignIn => "LIMIT_SIGN_IN",
            Self::Mcp => "LIMIT_MCP",
        }
    }

    /// Whether it lets visitors in when they cannot be counted. What stands behind most doors cannot be guessed and is
    /// worth nothing without a secret; registration writes a row for any stranger.
    pub const fn opens_uncounted(self) -> bool {
        match self {
            Self::Token | Self::Authorize | Self::SignIn | Self::Mcp => true,
            Self::Register => false,
        }
    }
}

/// How long whoever came too often is told to wait, in seconds: the period in which visitors are counted.
pub const RETRY_AFTER_SECONDS: u32 = 60;

/// Visitors could not be counted; the text is for tests only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitFault(pub String);

/// Counts visitors.
pub trait RateLimits {
    /// Counts one visit of `visitor` to `door`; whether it may come in.
    fn count<'a>(&'a self, door: Door, visitor: &'a str) -> Later<'a, Result<bool, LimitFault>>;
}

/// Why a visitor is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnedAway {
    /// Too many visits in a short time.
    TooOften,
    /// Visits cannot be counted, and this door stays shut then.
    Uncounted,
}
