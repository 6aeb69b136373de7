//! Times as people and programs read them: the instant, the local time with its zone, and words.

use jiff::{Timestamp as Instant, Zoned, tz::TimeZone};
use serde::Serialize;

use super::nearest::all_nearest;
use crate::platform::{FromValue, Timestamp, Value};

/// The longest abbreviation of a zone, in bytes.
const ABBREVIATION: usize = 4;

/// An IANA time zone that the binary knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZoneName {
    name: String,
    zone: TimeZone,
}

impl TimeZoneName {
    /// The zone of this name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        let name = zone.iana_name()?.to_owned();
        Some(Self { name, zone })
    }

    /// The names of the zones that are called so but for their region, or else are most nearly spelt so; at most three. What is
    /// short is an abbreviation, which looks like many others.
    pub fn like(name: &str) -> Vec<String> {
        let names: Vec<_> = jiff::tz::db().available().collect();
        let city = |zone: &str| {
            zone.rsplit_once('/').is_some_and(|(_, city)| city.eq_ignore_ascii_case(&name.replace(' ', "_")))
        };
        let mut like: Vec<&str> = names.iter().map(|zone| zone.as_str()).filter(|zone| city(zone)).collect();
        if like.is_empty() && name.len() > ABBREVIATION {
            like = all_nearest(name, names.iter().map(|zone| zone.as_str()));
        }
        like.into_iter().take(3).map(str::to_owned).collect()
    }

    /// The zone of this name, or UTC for one that a later time-zone table dropped.
    pub fn or_utc(name: &str) -> Self {
        Self::parse(name).unwrap_or_else(|| Self { name: "UTC".to_owned(), zone: TimeZone::UTC })
    }

    /// The names of all zones.
    pub fn every() -> impl Iterator<Item = String> {
        jiff::tz::db().available().map(|zone| zone.as_str().to_owned())
    }

    /// The zone's name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The zone's rules.
    pub const fn rules(&self) -> &TimeZone {
        &self.zone
    }

    /// `at` in this zone.
    pub fn local(&self, at: Timestamp) -> Zoned {
        instant(at).to_zoned(self.zone.clone())
    }
}

/// `at`, as the time library has it.
pub(super) fn instant(at: Timestamp) -> Instant {
    Instant::from_millisecond(at.as_millis()).unwrap_or(Instant::UNIX_EPOCH)
}

impl FromValue for TimeZoneName {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).map(|name| Self::or_utc(&name))
    }
}

/// A time, said three ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(inline))]
pub struct Moment {
    /// RFC 3339 in UTC.
    pub utc: String,
    /// RFC 9557: local time, offset and zone.
    pub local: String,
    /// In words, with how far away it is.
    pub words: String,
}

impl Moment {
    /// `at` as seen in `zone` at `now`.
    pub fn new(at: Timestamp, zone: &TimeZoneName, now: Timestamp) -> Self {
        let local = zone.local(at);
        Self {
            utc: utc(at),
            local: local.strftime("%Y-%m-%dT%H:%M:%S%:z[%Q]").to_string(),
            words: format!(
                "{} {}, {}",
                local.strftime("%A %-d %B %Y, %H:%M"),
                zone.as_str(),
                words_until(at, now)
            ),
        }
    }
}

/// A time on a page that knows no zone: how far away it is for people, UTC for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFromNow {
    /// RFC 3339 in UTC.
    pub utc: String,
    /// "3 hours ago".
    pub words: String,
}

impl TimeFromNow {
    /// `at` as seen at `now`.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        let words = if at == now { "just now".to_owned() } else { words_until(at, now) };
        Self { utc: utc(at), words }
    }
}

/// RFC 3339 in UTC.
fn utc(at: Timestamp) -> String {
    instant(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How far `at` is from `now`: "in 10 days", "now", "3 hours ago".
pub fn words_until(at: Timestamp, now: Timestamp) -> String {
    let millis = at.millis_since(now);
    if millis == 0 {
        return "now".to_owned();
    }
    let minutes = millis.unsigned_abs().div_ceil(1000) / 60;
    let amount = match minutes {
        0 => return if millis >= 0 { "in under a minute" } else { "just now" }.to_owned(),
        1..120 => plural(minutes, "minute"),
        120..2880 => plural(minutes / 60, "hour"),
        _ => plural(minutes / 1440, "day"),
    };
    if millis >= 0 { format!("in {amount}") } else { format!("{amount} ago") }
}

fn plural(count: u64, unit: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{ending}")
}
