//! Challenges: made without writing anything, bound to one use and one browser, used once. Authenticators answer them, and
//! OpenID providers give them back as states.

use data_encoding::BASE64URL_NOPAD;

use super::{session::new_secret, store, webauthn::Ceremony};
use crate::{
    desk::token_hash,
    platform::{Platform, Purpose, Statement, Timestamp},
};

/// What a challenge is for. One that was made for something else is never taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// A passkey's ceremony, for 15 minutes.
    Passkey(Ceremony),
    /// Signing in through a provider, for 10 minutes.
    SignInUpstream,
    /// Linking what a person is at a provider, for 10 minutes.
    LinkUpstream,
}

impl Use {
    const fn purpose(self) -> Purpose {
        match self {
            Self::Passkey(_) => Purpose::PasskeyChallenge,
            Self::SignInUpstream | Self::LinkUpstream => Purpose::UpstreamState,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Passkey(ceremony) => ceremony.name(),
            Self::SignInUpstream => "upstream.sign_in",
            Self::LinkUpstream => "upstream.link",
        }
    }

    const fn seconds(self) -> i64 {
        match self {
            Self::Passkey(_) => 900,
            Self::SignInUpstream | Self::LinkUpstream => 600,
        }
    }
}

/// A challenge that was answered in time by whom it was given to. Whether it was answered before, using it tells.
pub(super) struct Challenge {
    hash: String,
    expires_at: Timestamp,
}

/// A new challenge in base64url, for use in what `binding` names: a session, or a signed-out browser.
pub(super) fn new_challenge(platform: &Platform<'_>, usage: Use, binding: &str) -> String {
    let keys = &platform.config.keys;
    let expires = platform.now().plus_seconds(usage.seconds()).as_millis();
    let random = new_secret(platform.entropy);
    let said = said(usage, binding, expires, &random);
    let tag = BASE64URL_NOPAD.encode(&keys.current(usage.purpose()).hmac(said.as_bytes()));
    BASE64URL_NOPAD.encode(format!("{}.{expires}.{random}.{tag}", keys.current_id()).as_bytes())
}

/// The challenge that was answered, if it is one of ours for this use and binding, and is not too old.
pub(super) fn answered(
    platform: &Platform<'_>,
    usage: Use,
    binding: &str,
    answered: &[u8],
) -> Option<Challenge> {
    let text = std::str::from_utf8(answered).ok()?;
    let mut parts = text.split('.');
    let (id, expires, random, tag) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let expires_at = Timestamp::from_millis(expires.parse().ok()?);
    let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?;
    let key = platform.config.keys.by_id(id, usage.purpose())?;
    let said = said(usage, binding, expires_at.as_millis(), random);
    let good = parts.next().is_none() && key.verify(said.as_bytes(), &tag) && expires_at > platform.now();
    good.then(|| Challenge { hash: token_hash(text), expires_at })
}

fn said(usage: Use, binding: &str, expires: i64, random: &str) -> String {
    format!("{}\n{binding}\n{expires}\n{random}", usage.name())
}

impl Challenge {
    /// The statement that uses it up; it aborts its batch when the challenge was used before.
    pub(super) fn use_up(&self) -> Statement {
        store::USE_CHALLENGE.with([self.hash.as_str().into(), self.expires_at.into()])
    }
}
