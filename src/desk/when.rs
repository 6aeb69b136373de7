//! The one grammar of time: what `when` may say, and the instant it means.

use jiff::{Span, Timestamp as Instant, Zoned, civil::DateTime, tz::AmbiguousOffset};

use super::{Code, Fix, Problem, TimeZoneName};
use crate::platform::Timestamp;

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
    let reader = Reader { zone, now, field };
    let due = if let Some(due) = reader.duration(text) {
        due?
    } else if text.contains('[') {
        reader.zoned(text)?
    } else if let Ok(instant) = text.parse::<Instant>() {
        Due::at(Timestamp::from_millis(instant.as_millisecond()), zone)
    } else {
        reader.local(text, zone)?
    };
    if i64::from(zone.local(due.at).year()) >= END_YEAR {
        return Err(reader.too_far());
    }
    if due.at <= now {
        return Err(reader
            .fault(
                format!("{} is past.", zone.local(due.at).strftime("%Y-%m-%d %H:%M")),
                "Give a time that is still to come.",
            )
            .fix(Fix::Set(reader.same_time_ahead(due.at).into())));
    }
    Ok(When::At(due))
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

struct Reader<'a> {
    zone: &'a TimeZoneName,
    now: Timestamp,
    field: &'a str,
}

impl Reader<'_> {
    fn duration(&self, text: &str) -> Option<Result<Due, WhenFault>> {
        if !text.starts_with(['P', 'p', '+']) {
            return None;
        }
        let span: Span = text.trim_start_matches('+').parse().ok()?;
        let later = moved_by(self.now, span, self.zone).map_err(|fault| self.unreachable(fault));
        Some(later.map(|time| Due::of(&time, self.zone.as_str())))
    }

    fn zoned(&self, text: &str) -> Result<Due, WhenFault> {
        let (time, rest) = text.split_once('[').ok_or_else(|| self.unreadable())?;
        let name = rest.strip_suffix(']').ok_or_else(|| self.unreadable())?;
        let zone = TimeZoneName::parse(name).ok_or_else(|| {
            self.fault(
                "That time zone is not known.".to_owned(),
                "Use an IANA name such as Europe/Stockholm.",
            )
        })?;
        if let Ok(zoned) = text.parse::<Zoned>()
            && time.parse::<Instant>().is_ok()
        {
            return Ok(Due::of(&zoned, zone.as_str()));
        }
        if time.parse::<Instant>().is_ok() {
            return Err(self.fault(
                "The offset is not the one that the zone has at that time.".to_owned(),
                "Leave the offset out, or the zone.",
            ));
        }
        self.local(time, &zone)
    }

    fn local(&self, text: &str, zone: &TimeZoneName) -> Result<Due, WhenFault> {
        if text.len() < "2026-12-01T09:00".len() {
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

    /// The next day on which the time of day of `past` is still to come.
    fn same_time_ahead(&self, past: Timestamp) -> String {
        let time = self.zone.local(past).time();
        let today = self.zone.local(self.now);
        let day =
            if time > today.time() { today.date() } else { today.date().tomorrow().unwrap_or(today.date()) };
        day.to_datetime(time).strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    fn unreadable(&self) -> WhenFault {
        self.fault(
            "That is not a time Postern reads.".to_owned(),
            "Give 2026-12-01T09:00 (local), 2026-12-01T09:00:00+01:00, 2026-12-01T09:00[Europe/Stockholm], now, or a duration such as PT2H.",
        )
        .fix(Fix::Set("PT1H".into()))
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
