//! Sign-in attempts, counted exactly: one conditional write decides whether there may be another.

use std::net::{IpAddr, Ipv6Addr};

use data_encoding::BASE64URL_NOPAD;

use super::{EmailAddress, store};
use crate::{
    http::Request,
    platform::{DatabaseFault, Platform, Purpose, Timestamp, Value},
};

/// Attempts are counted by the hour.
const HOUR_MILLIS: i64 = 3_600_000;

/// What attempts are counted by, and how many an hour has.
pub(super) enum Subject<'a> {
    /// Letters to one address: 5.
    MailTo(&'a EmailAddress),
    /// Letters that one network asked for: 30, since an office shares one.
    MailFrom(&'a Request),
}

impl Subject<'_> {
    const fn most(&self) -> i64 {
        match self {
            Self::MailTo(_) => 5,
            Self::MailFrom(_) => 30,
        }
    }

    /// A keyed hash: the table tells nobody who tried to sign in.
    fn hash(&self, platform: &Platform<'_>) -> String {
        let text = match self {
            Self::MailTo(email) => format!("mail to {}", email.as_str().to_ascii_lowercase()),
            Self::MailFrom(request) => format!("mail from {}", network(&request.peer)),
        };
        BASE64URL_NOPAD.encode(&platform.config.keys.current(Purpose::SignInAttempt).hmac(text.as_bytes()))
    }
}

/// There were enough of them.
pub(super) struct TooMany {
    /// How many seconds later there may be more.
    pub(super) retry_after: i64,
}

/// Counts an attempt by both subjects. The second is not counted where the first had enough, so that nobody uses up
/// what belongs to somebody else's address.
///
/// # Errors
/// When the directory fails.
pub(super) async fn count(
    platform: &Platform<'_>,
    first: &Subject<'_>,
    then: &Subject<'_>,
) -> Result<Result<(), TooMany>, DatabaseFault> {
    let now = platform.now();
    let began = Timestamp::from_millis(now.as_millis() - now.as_millis().rem_euclid(HOUR_MILLIS));
    let values =
        |subject: &Subject<'_>| [Value::from(subject.hash(platform)), began.into(), subject.most().into()];
    let batch = vec![store::COUNT_ATTEMPT.with(values(first)), store::COUNT_ATTEMPT_TOO.with(values(then))];
    let answers = platform.directory.batch(batch).await?;
    if answers.iter().all(|rows| !rows.is_empty()) {
        return Ok(Ok(()));
    }
    let left = HOUR_MILLIS - now.millis_since(began);
    Ok(Err(TooMany { retry_after: left.unsigned_abs().div_ceil(1000).try_into().unwrap_or(3600) }))
}

/// What one customer of a provider has: an IPv4 address, or the first 64 bits of IPv6.
fn network(peer: &str) -> String {
    match peer.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => "unknown".to_owned(),
    }
}
