//! The one grammar of time: what `when` may say, and the instant it means.

use jiff::{
    Span, Timestamp as Instant, Zoned,
    civil::{Date, DateTime, Time},
    tz::AmbiguousOffset,
};

use super::{Code, Fix, Problem, TimeZoneName};
use crate::platform::Timestamp;

/// What `when` may be.
const FORMS: &str = "Give 2026-12-01T09:00 (local), 2026-12-01T09:00:00+01:00, 2026-12-01T09:00[Europe/Stockholm], now, or a duration such as PT2H.";

/// The form of a date.
const DATE: &str = "2026-12-01";

/// A time that is past is moved at least so far ahead, in seconds: what nobody said goes out so that somebody can see it before.
const AHEAD_SECONDS: i64 = 3600;

/// The first year that nothing is planned for.
const END_YEAR: i64 = 2100;

/// A time that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as possible.
    Now,
    /// The workspace's next free posting time.
    NextSlot,
    /// A given time.
    At(Due),
}

/// A time as it was given, and as an instant, so that a newer time-zone table can resolve it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The instant.
    pub at: Timestamp,
    /// The local time, `YYYY-MM-DDTHH:MM:SS`.
    pub local: String,
    /// The IANA zone that the local time is in.
    pub zone: String,
}

/// A time that cannot be used.
pub type WhenFault = Problem;

impl Due {
    /// `at`, as it reads in `zone`.
    pub fn at(at: Timestamp, zone: &TimeZoneName) -> Self {
        Self::of(&zone.local(at), zone.as_str())
    }

    fn of(time: &Zoned, zone: &str) -> Self {
        Self {
            at: Timestamp::from_millis(time.timestamp().as_millisecond()),
            local: time.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            zone: zone.to_owned(),
        }
    }
}

/// Resolves `text`: RFC 3339 with an offset, RFC 9557 with a zone, a local time in `zone`, `now`, `next_slot`, or an
/// ISO 8601 duration from `now`.
///
/// # Errors
/// `invalid_schedule` for field `field`, telling the present local time: when it cannot be read, is past, or is a local
/// time that a clock change skips or repeats.
pub fn resolve_when(text: &str, zone: &TimeZoneName, now: Timestamp, field: &str) -> Result<When, WhenFault> {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "now" => return Ok(When::Now),
        "next_slot" => return Ok(When::NextSlot),
        _ => {}
    }
    let reader = Reader { zone, now, field, forms: FORMS };
    let due = match reader.duration(text, &['P', 'p', '+']) {
        Some(due) => due?,
        None => reader.time(text)?,
    };
    if due.at <= now { Err(reader.past(text, due.at)) } else { Ok(When::At(due)) }
}

/// Resolves `text` as an end of a span: what [`resolve_when`] reads, past or not, a duration back from `now` such as
/// `-P7D`, or a date, which is where it begins in `zone`.
///
/// # Errors
/// `invalid_schedule` for field `field`, telling the present local time.
pub fn resolve_bound(
    text: &str,
    zone: &TimeZoneName,
    now: Timestamp,
    field: &str,
) -> Result<Timestamp, WhenFault> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Ok(now);
    }
    let forms = "Give now, a duration from now such as P7D or -P7D, a date such as 2026-12-01, or a time such as 2026-12-01T09:00 (local) or 2026-12-01T09:00:00+01:00.";
    let reader = Reader { zone, now, field, forms };
    if let Some(due) = reader.duration(text, &['P', 'p', '+', '-']) {
        return due.map(|due| due.at);
    }
    if let Ok(date) = text.parse::<Date>()
        && text.len() == DATE.len()
    {
        let start = date.to_zoned(zone.rules().clone()).map_err(|_| reader.too_far())?;
        return Ok(Timestamp::from_millis(start.timestamp().as_millisecond()));
    }
    reader.time(text).map(|due| due.at)
}

/// Why a time cannot be reached by calendar arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// A clock change skips or repeats the local time.
    ClockChange(ClockChange),
    /// It is after, or before, all times there are.
    OutOfRange,
}

/// A local time that a clock change skips or repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockChange {
    /// What is wrong with it, as a sentence.
    pub words: String,
    /// The first instant that it could mean, RFC 3339.
    pub earlier: String,
    /// The second instant that it could mean, RFC 3339.
    pub later: String,
}

/// `from` moved by `span`: its years, months, weeks and days on the calendar of `zone`, which keeps the local time, and then its
/// hours and less as time that passes.
///
/// # Errors
/// When the calendar leads to a local time that is skipped or repeated, or out of all times.
pub fn moved_by(from: Timestamp, span: Span, zone: &TimeZoneName) -> Result<Zoned, Unreachable> {
    let days = span.hours(0).minutes(0).seconds(0).milliseconds(0).microseconds(0).nanoseconds(0);
    let hours = span.years(0).months(0).weeks(0).days(0);
    let start = zone.local(from);
    let day = if days.is_zero() {
        start
    } else {
        let civil = start.datetime().checked_add(days).map_err(|_| Unreachable::OutOfRange)?;
        only_instant(civil, zone)?
    };
    day.checked_add(hours).map_err(|_| Unreachable::OutOfRange)
}

/// The one instant that a local time means.
fn only_instant(civil: DateTime, zone: &TimeZoneName) -> Result<Zoned, Unreachable> {
    let ambiguous = zone.rules().to_ambiguous_zoned(civil);
    let what = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => {
            return ambiguous.compatible().map_err(|_| Unreachable::OutOfRange);
        }
        AmbiguousOffset::Gap { .. } => "does not exist",
        AmbiguousOffset::Fold { .. } => "comes twice",
    };
    let said = |time: Result<Zoned, jiff::Error>| {
        time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()).unwrap_or_default()
    };
    Err(Unreachable::ClockChange(ClockChange {
        words: format!(
            "{} {what} in {}, because the clocks change then.",
            civil.strftime("%Y-%m-%d %H:%M"),
            zone.as_str()
        ),
        earlier: said(ambiguous.clone().earlier()),
        later: said(ambiguous.later()),
    }))
}

/// A time of RFC 3339 less its offset.
fn without_offset(time: &str) -> &str {
    let start = DATE.len();
    let end = time.get(start..).and_then(|rest| rest.find(['Z', 'z', '+', '-'])).map(|end| start + end);
    end.and_then(|end| time.get(..end)).unwrap_or(time)
}

struct Reader<'a> {
    zone: &'a TimeZoneName,
    now: Timestamp,
    field: &'a str,
    /// What can be given, as a sentence.
    forms: &'static str,
}

impl Reader<'_> {
    fn duration(&self, text: &str, starts: &[char]) -> Option<Result<Due, WhenFault>> {
        if !text.starts_with(starts) {
            return None;
        }
        let span: Span = text.trim_start_matches('+').parse().ok()?;
        let later = moved_by(self.now, span, self.zone).map_err(|fault| self.unreachable(fault));
        Some(later.and_then(|time| {
            let is_far = i64::from(time.year()) >= END_YEAR;
            if is_far { Err(self.too_far()) } else { Ok(Due::of(&time, self.zone.as_str())) }
        }))
    }

    fn time(&self, text: &str) -> Result<Due, WhenFault> {
        let due = if text.contains(":60") {
            return Err(self.fault("A minute ends with its second 59.".to_owned(), self.forms));
        } else if text.contains('[') {
            self.zoned(text)?
        } else if let Ok(instant) = text.parse::<Instant>() {
            Due::at(Timestamp::from_millis(instant.as_millisecond()), self.zone)
        } else {
            self.local(text, self.zone)?
        };
        if i64::from(self.zone.local(due.at).year()) >= END_YEAR { Err(self.too_far()) } else { Ok(due) }
    }

    fn zoned(&self, text: &str) -> Result<Due, WhenFault> {
        let (time, rest) = text.split_once('[').ok_or_else(|| self.unreadable())?;
        let name = rest.strip_suffix(']').ok_or_else(|| self.unreadable())?;
        let zone = TimeZoneName::parse(name).ok_or_else(|| self.unknown_zone(time, name))?;
        if let Ok(zoned) = text.parse::<Zoned>()
            && time.parse::<Instant>().is_ok()
        {
            return Ok(Due::of(&zoned, zone.as_str()));
        }
        if time.parse::<Instant>().is_ok() {
            return Err(self
                .fault(
                    "The offset is not the one that the zone has at that time.".to_owned(),
                    "Leave the offset out, or the zone.",
                )
                .fix(Fix::Set(format!("{}[{}]", without_offset(time), zone.as_str()).into())));
        }
        self.local(time, &zone)
    }

    /// The corrected time is in the zone whose name is like it; else at the instant that its offset tells, or in the workspace's own
    /// zone, if somebody chose one.
    fn unknown_zone(&self, time: &str, name: &str) -> WhenFault {
        let forms = "Use an IANA name such as Europe/Stockholm.";
        let like = TimeZoneName::like(name);
        let own = Some(self.zone.as_str()).filter(|zone| *zone != "UTC");
        let (hint, corrected) = match (like.as_deref(), own) {
            (Some(zone), _) => {
                (format!("{forms} Did you mean {zone}?"), Some(format!("{}[{zone}]", without_offset(time))))
            }
            (None, _) if time.parse::<Instant>().is_ok() => (
                format!("{forms} Without it the time is the one that its offset tells."),
                Some(time.to_owned()),
            ),
            (None, Some(zone)) => {
                let hint = format!("{forms} The corrected time is in the workspace's zone, {zone}.");
                (hint, Some(format!("{time}[{zone}]")))
            }
            (None, None) => (forms.to_owned(), None),
        };
        let fault = self.fault("That time zone is not known.".to_owned(), &hint);
        Problem { fix: corrected.map(|time| Fix::Set(time.into())), ..fault }
    }

    fn local(&self, text: &str, zone: &TimeZoneName) -> Result<Due, WhenFault> {
        if text.len() < DATE.len() + "T09:00".len() {
            return Err(self.unreadable());
        }
        let civil: DateTime = text.parse().map_err(|_| {
            let year = text.split('-').next().and_then(|year| year.parse::<i64>().ok());
            if year.is_some_and(|year| year >= END_YEAR) { self.too_far() } else { self.unreadable() }
        })?;
        let time = only_instant(civil, zone).map_err(|fault| self.unreachable(fault))?;
        Ok(Due::of(&time, zone.as_str()))
    }

    fn unreachable(&self, fault: Unreachable) -> WhenFault {
        match fault {
            Unreachable::OutOfRange => self.too_far(),
            Unreachable::ClockChange(ClockChange { words, earlier, later }) => {
                self.fault(words, &format!("Say {earlier} or {later}.")).fix(Fix::Set(later.into()))
            }
        }
    }

    fn too_far(&self) -> WhenFault {
        self.fault("That is too far ahead.".to_owned(), &format!("Give a time before the year {END_YEAR}."))
    }

    /// The corrected time keeps the time of day. Midnight is how a date alone is written, which tells no time of day.
    fn past(&self, text: &str, past: Timestamp) -> WhenFault {
        let local = self.zone.local(past);
        let fault = self.fault(
            format!("{} is past.", local.strftime("%Y-%m-%d %H:%M")),
            "Give a time that is still to come.",
        );
        if local.time() == Time::midnight() || text.contains("T00:00") {
            return fault;
        }
        let ahead = self.zone.local(self.now.plus_seconds(AHEAD_SECONDS));
        let day = if local.time() > ahead.time() { Some(ahead.date()) } else { ahead.date().tomorrow().ok() };
        let time = day.map(|day| day.to_datetime(local.time()).strftime("%Y-%m-%dT%H:%M:%S").to_string());
        Problem { fix: time.map(|time| Fix::Set(time.into())), ..fault }
    }

    fn unreadable(&self) -> WhenFault {
        self.fault("That is not a time Postern reads.".to_owned(), self.forms)
    }

    fn fault(&self, message: String, hint: &str) -> WhenFault {
        let present = self.zone.local(self.now);
        Problem::new(
            Code::InvalidSchedule,
            self.field,
            format!(
                "{hint} It is now {} in {}.",
                present.strftime("%Y-%m-%dT%H:%M:%S%:z"),
                self.zone.as_str()
            ),
        )
        .message(message)
    }
}
