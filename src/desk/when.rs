//! The one grammar of time: what `when` may say, and the instant it means.

use jiff::{
    SignedDuration, Span, Timestamp as Instant, Zoned,
    civil::{Date, DateTime, Time},
    fmt::temporal::Pieces,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use super::{Code, Fix, Problem, TimeZoneName, moment::instant};
use crate::platform::Timestamp;

/// What `when` may be.
const FORMS: &str = "Give 2026-12-01T09:00 (local), 2026-12-01T09:00:00+01:00, 2026-12-01T09:00[Europe/Stockholm], now, or a duration such as PT2H or P7D.";

/// The form of a date.
const DATE: &str = "2026-12-01";

/// A time that is past is moved at least so far ahead, in seconds: what nobody said goes out so that somebody can see it before.
const AHEAD_SECONDS: i64 = 3600;

/// What is past by more has the wrong year.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(180 * 24);

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

impl Due {
    /// `at`, as it reads in `zone`.
    pub fn at(at: Timestamp, zone: &TimeZoneName) -> Self {
        let local = zone.local(at).strftime("%Y-%m-%dT%H:%M:%S").to_string();
        Self { at, local, zone: zone.as_str().to_owned() }
    }
}

/// Resolves `text`: RFC 3339 with an offset, RFC 9557 with a zone, a local time in `zone`, `now`, `next_slot`, or an
/// ISO 8601 duration from `now`.
///
/// # Errors
/// `invalid_schedule` for field `field`, telling the present local time: when it cannot be read, is past, or is a local
/// time that a clock change skips or repeats. What words say of a span is answered with the duration.
pub fn resolve_when(text: &str, zone: &TimeZoneName, now: Timestamp, field: &str) -> Result<When, Problem> {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "now" => return Ok(When::Now),
        "next_slot" => return Ok(When::NextSlot),
        _ => {}
    }
    let reader = Reader { zone, now, field, forms: FORMS };
    if let Some(span) = reader.span(text)? {
        return if span.is_negative() { Err(reader.backwards()) } else { reader.after(span).map(When::At) };
    }
    if let Some(day) = reader.day(text) {
        return Err(reader.day_alone(day));
    }
    let said = reader.time(text)?;
    let due = reader.due(&said)?;
    if due.at <= now { Err(reader.past(&said)) } else { Ok(When::At(due)) }
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
) -> Result<Timestamp, Problem> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Ok(now);
    }
    let forms = "Give now, a duration from now such as P7D or -P7D, a date such as 2026-12-01, or a time such as 2026-12-01T09:00 (local) or 2026-12-01T09:00:00+01:00.";
    let reader = Reader { zone, now, field, forms };
    if let Some(span) = reader.span(text)? {
        return reader.after(span).map(|due| due.at);
    }
    if let Some(day) = reader.day(text) {
        return reader.beginning(text, day);
    }
    reader.due(&reader.time(text)?).map(|due| due.at)
}

/// Reads by how much times are moved: an ISO 8601 duration, ahead or, with `-` before it, back.
///
/// # Errors
/// `malformed` for field `field`; what words say of it is answered with the duration.
pub fn resolve_shift(text: &str, field: &str) -> Result<Span, Problem> {
    let text = text.trim();
    let malformed = |hint: String| Problem::new(Code::Malformed, field, hint);
    let forms = "Give an ISO 8601 duration such as P7D, -P1D or PT2H.";
    match duration(text) {
        Some(span) if span.is_zero() => Err(malformed(forms.to_owned()).message(EMPTY)),
        Some(span) => Ok(span),
        None => Err(match span_in_words(text) {
            Some(span) => malformed(format!("Give it as {span}.")).fix(Fix::Set(span.to_string().into())),
            None => malformed(forms.to_owned()),
        }),
    }
}

/// What is wrong with `PT0S`.
const EMPTY: &str = "That duration is empty.";

/// An ISO 8601 duration, with or without a sign.
fn duration(text: &str) -> Option<Span> {
    let is_iso = text.strip_prefix(['+', '-']).unwrap_or(text).starts_with(['P', 'p']);
    is_iso.then(|| text.strip_prefix('+').unwrap_or(text).parse().ok())?
}

/// The span that words tell: "2 hours", "in a week", "+7 days", "an hour from now".
fn span_in_words(text: &str) -> Option<Span> {
    let text = text.to_ascii_lowercase();
    let text = text.strip_prefix("in ").or_else(|| text.strip_prefix('+')).unwrap_or(&text);
    let text = text.strip_suffix(" from now").unwrap_or(text).trim();
    let one = ["a ", "an ", "one "].iter().find_map(|one| text.strip_prefix(one));
    let span: Span = one.map_or_else(|| text.to_owned(), |unit| format!("1 {unit}")).parse().ok()?;
    (!span.is_zero() && !text.contains(':')).then_some(span)
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

/// A time as it was written.
struct Said<'t> {
    /// The instant, and how its writer tells times of day.
    time: Zoned,
    /// What tells that: an offset or a zone, as it was written; nothing for the workspace's own zone.
    suffix: &'t str,
    /// The zone that it is kept in.
    zone: TimeZoneName,
}

struct Reader<'a> {
    zone: &'a TimeZoneName,
    now: Timestamp,
    field: &'a str,
    /// What can be given, as a sentence.
    forms: &'static str,
}

impl Reader<'_> {
    /// The duration that `text` is, if it is one.
    fn span(&self, text: &str) -> Result<Option<Span>, Problem> {
        match duration(text) {
            Some(span) if span.is_zero() => Err(self.fault(EMPTY.to_owned(), self.forms)),
            Some(span) => Ok(Some(span)),
            None => match span_in_words(text) {
                Some(span) => Err(self
                    .fault("A duration is written as ISO 8601 says.".to_owned(), &format!("Give {span}."))
                    .fix(Fix::Set(span.to_string().into()))),
                None => Ok(None),
            },
        }
    }

    fn after(&self, span: Span) -> Result<Due, Problem> {
        let time = moved_by(self.now, span, self.zone).map_err(|fault| self.unreachable(fault))?;
        self.due(&Said { time, suffix: "", zone: self.zone.clone() })
    }

    /// The day that `text` is: a date, or a word.
    fn day(&self, text: &str) -> Option<Date> {
        let today = self.zone.local(self.now).date();
        match text.to_ascii_lowercase().as_str() {
            "today" => Some(today),
            "tomorrow" => today.tomorrow().ok(),
            "yesterday" => today.yesterday().ok(),
            _ => text.parse().ok().filter(|_| text.len() == DATE.len()),
        }
    }

    fn day_alone(&self, day: Date) -> Problem {
        if day < self.zone.local(self.now).date() {
            return self.fault(format!("{day} is past."), "Give a time that is still to come.");
        }
        self.fault("A day tells no time of day.".to_owned(), &format!("Add one: {day}T09:00 is at nine."))
    }

    /// Where a day begins. A word for it is answered with its date.
    fn beginning(&self, text: &str, day: Date) -> Result<Timestamp, Problem> {
        if text != day.to_string() {
            let fault = self.fault("A day is given by its date.".to_owned(), &format!("Give {day}."));
            return Err(fault.fix(Fix::Set(day.to_string().into())));
        }
        let start = day.to_zoned(self.zone.rules().clone()).map_err(|_| self.too_far())?;
        Ok(Timestamp::from_millis(start.timestamp().as_millisecond()))
    }

    fn time<'t>(&self, text: &'t str) -> Result<Said<'t>, Problem> {
        self.check_sixty(text)?;
        if let Some(at) = text.find('[') {
            let (time, suffix) = text.split_at(at);
            return self.zoned(text, time, suffix);
        }
        match text.parse::<Instant>() {
            Ok(instant) => {
                let (_, suffix) = text.split_at(without_offset(text).len());
                let offset = Pieces::parse(text).ok().and_then(|pieces| pieces.to_numeric_offset());
                let time = instant.to_zoned(TimeZone::fixed(offset.unwrap_or(Offset::UTC)));
                Ok(Said { time, suffix, zone: self.zone.clone() })
            }
            Err(_) => Ok(Said { time: self.local(text, self.zone)?, suffix: "", zone: self.zone.clone() }),
        }
    }

    /// A minute 60 is none; a second 60 is one that clocks here do not have.
    fn check_sixty(&self, text: &str) -> Result<(), Problem> {
        let clock = without_offset(text).split('[').next().unwrap_or_default();
        let words = match clock.split(':').skip(1).position(|part| part.starts_with("60")) {
            Some(0) => "An hour ends with its minute 59.",
            Some(1) => "A minute ends with its second 59.",
            _ => return Ok(()),
        };
        Err(self.fault(words.to_owned(), self.forms))
    }

    fn zoned<'t>(&self, text: &str, time: &str, suffix: &'t str) -> Result<Said<'t>, Problem> {
        let name = suffix.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let name = name.ok_or_else(|| self.unreadable())?;
        let zone = TimeZoneName::parse(name).ok_or_else(|| self.unknown_zone(time, name))?;
        if time.parse::<Instant>().is_err() {
            return Ok(Said { time: self.local(time, &zone)?, suffix, zone });
        }
        match text.parse::<Zoned>() {
            Ok(time) => Ok(Said { time, suffix, zone }),
            Err(_) => Err(self
                .fault(
                    "The offset is not the one that the zone has at that time.".to_owned(),
                    "Leave the offset out, or the zone.",
                )
                .fix(Fix::Set(format!("{}[{}]", without_offset(time), zone.as_str()).into()))),
        }
    }

    /// The corrected time is in the one zone whose name is most like it; else at the instant that its offset tells.
    fn unknown_zone(&self, time: &str, name: &str) -> Problem {
        let like = TimeZoneName::like(name);
        let meant = match like.as_slice() {
            [] => String::new(),
            names => format!(" Did you mean {}?", names.join(" or ")),
        };
        let corrected = match like.as_slice() {
            [only] => Some(format!("{}[{only}]", without_offset(time))),
            [] => time.parse::<Instant>().is_ok().then(|| time.to_owned()),
            _ => None,
        };
        let hint = format!("Use an IANA name such as {}, or an offset.{meant}", self.zone.as_str());
        let fault = self.fault(format!("The time zone \"{name}\" is not known."), &hint);
        Problem { fix: corrected.map(|time| Fix::Set(time.into())), ..fault }
    }

    fn local(&self, text: &str, zone: &TimeZoneName) -> Result<Zoned, Problem> {
        if text.len() < DATE.len() + "T09:00".len() {
            return Err(self.unreadable());
        }
        let civil: DateTime = text.parse().map_err(|_| {
            let year = text.split('-').next().and_then(|year| year.parse::<i64>().ok());
            if year.is_some_and(|year| year >= END_YEAR) { self.too_far() } else { self.unreadable() }
        })?;
        only_instant(civil, zone).map_err(|fault| self.unreachable(fault))
    }

    fn due(&self, said: &Said<'_>) -> Result<Due, Problem> {
        let Said { time, zone, .. } = said;
        if i64::from(time.year()) >= END_YEAR {
            return Err(self.too_far());
        }
        Ok(Due::at(Timestamp::from_millis(time.timestamp().as_millisecond()), zone))
    }

    fn unreachable(&self, fault: Unreachable) -> Problem {
        match fault {
            Unreachable::OutOfRange => self.too_far(),
            Unreachable::ClockChange(ClockChange { words, earlier, later }) => {
                self.fault(words, &format!("Say {earlier} or {later}.")).fix(Fix::Set(later.into()))
            }
        }
    }

    fn too_far(&self) -> Problem {
        self.fault("That is too far ahead.".to_owned(), &format!("Give a time before the year {END_YEAR}."))
    }

    fn backwards(&self) -> Problem {
        self.fault("That duration leads into the past.".to_owned(), "Give one ahead, such as PT2H.")
    }

    /// The corrected time keeps the time of day, and the offset or zone. Midnight is how a date alone is written, which tells no
    /// time of day.
    fn past(&self, Said { time, suffix, .. }: &Said<'_>) -> Problem {
        let fault = self.fault(
            format!("{}{suffix} is past.", time.strftime("%Y-%m-%d %H:%M")),
            "Give a time that is still to come.",
        );
        let is_midnight = |time: &Zoned| time.time() == Time::midnight();
        if is_midnight(time) || is_midnight(&time.with_time_zone(self.zone.rules().clone())) {
            return fault;
        }
        let ahead = instant(self.now.plus_seconds(AHEAD_SECONDS)).to_zoned(time.time_zone().clone());
        let is_long_ago = ahead.duration_since(time) > LONG_AGO;
        let day = if is_long_ago { in_a_year(time, &ahead) } else { next_day(time, &ahead) };
        let corrected = day.map(|day| {
            let local = day.to_datetime(time.time());
            format!("{}{suffix}", local.strftime("%Y-%m-%dT%H:%M:%S"))
        });
        Problem { fix: corrected.map(|time| Fix::Set(time.into())), ..fault }
    }

    fn unreadable(&self) -> Problem {
        self.fault("That is not a time Postern reads.".to_owned(), self.forms)
    }

    fn fault(&self, message: String, hint: &str) -> Problem {
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

/// The next day with this time of day after `ahead`.
fn next_day(time: &Zoned, ahead: &Zoned) -> Option<Date> {
    if time.time() > ahead.time() { Some(ahead.date()) } else { ahead.date().tomorrow().ok() }
}

/// The same day of a year, the first after `ahead`.
fn in_a_year(time: &Zoned, ahead: &Zoned) -> Option<Date> {
    let this = ahead.date().year();
    let of_year = |year: i16| Date::new(year, time.month(), time.day()).ok();
    [this, this.saturating_add(1)].into_iter().filter_map(of_year).find(|day| *day > ahead.date())
}
