//! Challenges: made without writing anything, bound to one ceremony and one browser, used once.

use data_encoding::BASE64URL_NOPAD;

use super::{session::new_secret, store, webauthn::Ceremony};
use crate::{
    desk::token_hash,
    platform::{Platform, Purpose, Statement, Timestamp},
};

/// A challenge can be answered for 15 minutes.
const LIFE_SECONDS: i64 = 900;

/// A challenge that was answered in time by whom it was given to. Whether it was answered before, using it tells.
pub(super) struct Challenge {
    hash: String,
    expires_at: Timestamp,
}

/// A new challenge in base64url, for a ceremony in what `binding` names: a session, or a signed-out browser.
pub(super) fn new_challenge(platform: &Platform<'_>, ceremony: Ceremony, binding: &str) -> String {
    let keys = &platform.config.keys;
    let expires = platform.now().plus_seconds(LIFE_SECONDS).as_millis();
    let random = new_secret(platform.entropy);
    let said = said(ceremony, binding, expires, &random);
    let tag = BASE64URL_NOPAD.encode(&keys.current(Purpose::PasskeyChallenge).hmac(said.as_bytes()));
    BASE64URL_NOPAD.encode(format!("{}.{expires}.{random}.{tag}", keys.current_id()).as_bytes())
}

/// The challenge that was answered, if it is one of ours for this ceremony and binding, and is not too old.
pub(super) fn answered(
    platform: &Platform<'_>,
    ceremony: Ceremony,
    binding: &str,
    answered: &[u8],
) -> Option<Challenge> {
    let text = std::str::from_utf8(answered).ok()?;
    let mut parts = text.split('.');
    let (id, expires, random, tag) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let expires_at = Timestamp::from_millis(expires.parse().ok()?);
    let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?;
    let key = platform.config.keys.by_id(id, Purpose::PasskeyChallenge)?;
    let said = said(ceremony, binding, expires_at.as_millis(), random);
    let good = parts.next().is_none() && key.verify(said.as_bytes(), &tag) && expires_at > platform.now();
    good.then(|| Challenge { hash: token_hash(text), expires_at })
}

fn said(ceremony: Ceremony, binding: &str, expires: i64, random: &str) -> String {
    format!("{}\n{binding}\n{expires}\n{random}", ceremony.name())
}

impl Challenge {
    /// The statement that uses it up; it aborts its batch when the challenge was used before.
    pub(super) fn use_up(&self) -> Statement {
        store::USE_CHALLENGE.with([self.hash.as_str().into(), self.expires_at.into()])
    }
}
