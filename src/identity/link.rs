//! One-time sign-in links.

use super::{
    Person,
    session::{NewSession, new_secret},
    store,
};
use crate::{
    desk::{UserId, token_hash},
    platform::{DatabaseFault, Platform, Timestamp, first, only},
};

/// A link works for 15 minutes.
const LINK_SECONDS: i64 = 900;

/// A link that signs one person in, once. Its address is a secret.
pub struct SignInLink {
    /// The address to open in a browser.
    pub url: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Makes a link for a person.
///
/// # Errors
/// When the directory fails; a link that was made all the same is never known to anybody.
pub async fn make_link(platform: &Platform<'_>, person: &UserId) -> Result<SignInLink, DatabaseFault> {
    let secret = new_secret(platform.entropy);
    let now = platform.now();
    let expires_at = now.plus_seconds(LINK_SECONDS);
    let add =
        store::ADD_LINK.with([token_hash(&secret).into(), person.into(), now.into(), expires_at.into()]);
    only(platform.directory, add).await?;
    Ok(SignInLink { url: format!("{}/sign-in/link/{secret}", platform.config.public_origin), expires_at })
}

/// Whom a link would sign in, if it still works. Nothing is used up.
pub(super) async fn bearer(platform: &Platform<'_>, secret: &str) -> Result<Option<Person>, DatabaseFault> {
    let find = store::FIND_LINK.with([token_hash(secret).into(), platform.now().into()]);
    first(&only(platform.directory, find).await?)
}

/// Uses a link up and begins a session in the same transaction; the browser's former session ends. Whether it did: not
/// when the link does not work.
pub(super) async fn redeem(
    platform: &Platform<'_>,
    secret: &str,
    new: &NewSession,
) -> Result<bool, DatabaseFault> {
    let link = token_hash(secret);
    let [hash, id, browser, now, expires_at] = new.values();
    let batch = vec![
        store::USE_LINK.with([link.as_str().into(), platform.now().into()]),
        store::BEGIN_SESSION_BY_LINK.with([link.into(), hash, id, browser, now, expires_at]),
        new.end_former(),
    ];
    let answers = platform.directory.batch(batch).await?;
    Ok(answers.get(1).is_some_and(|rows| !rows.is_empty()))
}
