//! The grammar of time is the same everywhere: what is almost in it is answered with what is in it, and with nothing else.

use postern::desk::{Fix, Problem, TimeZoneName, resolve_bound, resolve_shift, resolve_when};

use super::{not_a_time, stockholm};
use crate::sim::BEGIN;

fn refused(text: &str) -> Problem {
    resolve_when(text, &stockholm(), BEGIN, "when").unwrap_err()
}

/// What mends a field, if it is another value.
fn set(problem: Problem) -> Option<String> {
    match problem.fix {
        Some(Fix::Set(value)) => value.as_str().map(str::to_owned),
        _ => None,
    }
}

#[test]
fn a_past_time_is_mended_in_the_zone_or_offset_that_it_was_given_in() {
    // It is ten in Stockholm, four in New York, half past two in Calcutta.
    for (past, ahead) in [
        ("2026-11-01T09:30", "2026-11-21T09:30:00"),
        ("2026-11-01T09:30[Europe/Stockholm]", "2026-11-21T09:30:00[Europe/Stockholm]"),
        ("2026-11-01T09:30[America/New_York]", "2026-11-20T09:30:00[America/New_York]"),
        ("2026-11-01T09:30:00-05:00[America/New_York]", "2026-11-20T09:30:00[America/New_York]"),
        ("2026-11-01T09:30:00-05:00", "2026-11-20T09:30:00-05:00"),
        ("2026-11-01T09:30:00+05:30", "2026-11-21T09:30:00+05:30"),
        ("2026-11-01T16:15:00+0530", "2026-11-20T16:15:00+0530"),
        ("2026-11-01T09:30:00Z", "2026-11-21T09:30:00Z"),
        ("2026-11-01T11:30:00z", "2026-11-20T11:30:00z"),
        ("2025-12-24T18:00", "2026-12-24T18:00:00"),
        ("2025-11-20T09:30", "2027-11-20T09:30:00"),
        ("2025-02-03T09:30:00-05:00[America/New_York]", "2027-02-03T09:30:00[America/New_York]"),
    ] {
        let problem = refused(past);
        assert!(problem.message.ends_with(" is past."), "{past}: {}", problem.message);
        assert_eq!(set(problem).as_deref(), Some(ahead), "{past}");
        assert!(resolve_when(ahead, &stockholm(), BEGIN, "when").is_ok(), "{ahead}");
    }
    assert!(refused("2026-11-01T09:30-05:00").message.starts_with("2026-11-01 09:30-05:00 is past"));
}

#[test]
fn midnight_is_a_date_in_anybodys_zone_and_gets_no_time() {
    for past in ["2026-11-01T00:00[America/New_York]", "2026-11-01T00:00:00Z", "2026-11-01T23:00:00Z"] {
        assert_eq!(set(refused(past)), None, "{past}");
    }
}

#[test]
fn an_unknown_zone_is_answered_with_the_names_that_are_like_it_and_never_becomes_the_workspaces() {
    for (said, hint, mended) in [
        (
            "2026-12-01T09:00[Europe/Stokholm]",
            "Did you mean Europe/Stockholm?",
            Some("2026-12-01T09:00[Europe/Stockholm]"),
        ),
        (
            "2026-12-01T09:00[New York]",
            "Did you mean America/New_York?",
            Some("2026-12-01T09:00[America/New_York]"),
        ),
        ("2026-12-01T09:00:00Z[Mars/Base]", "or an offset.", Some("2026-12-01T09:00:00Z")),
        ("2026-12-01T09:00[Istanbul]", "Did you mean Asia/Istanbul or Europe/Istanbul?", None),
        ("2026-12-01T09:00[Mars/Base]", "Use an IANA name such as Europe/Stockholm, or an offset.", None),
        // One letter from EST, MST and others.
        ("2026-12-01T09:00[PST]", "Use an IANA name such as Europe/Stockholm, or an offset.", None),
    ] {
        let problem = refused(said);
        assert!(problem.message.contains("is not known"), "{said}: {}", problem.message);
        assert!(problem.hint.contains(hint), "{said}: {}", problem.hint);
        assert_eq!(set(problem).as_deref(), mended, "{said}");
    }
    assert_eq!(TimeZoneName::like("PST"), [""; 0]);
    assert_eq!(TimeZoneName::like("oslo"), ["Europe/Oslo"]);
}

#[test]
fn a_sixty_is_told_by_its_place() {
    for (text, words) in [
        ("2026-12-01T09:60", "An hour ends with its minute 59."),
        ("2026-12-01T09:60[Europe/Stockholm]", "An hour ends with its minute 59."),
        ("2026-12-01T09:00:60", "A minute ends with its second 59."),
        ("2026-12-01T09:00:60.5Z", "A minute ends with its second 59."),
        ("2026-12-01T09:00:00+01:60", "That is not a time Postern reads."),
    ] {
        assert_eq!(not_a_time(text).0, words, "{text}");
    }
}

#[test]
fn a_span_is_written_as_iso_8601_says_and_words_for_it_are_answered_with_that() {
    for (said, meant) in [
        ("+2 hours", "PT2H"),
        ("2 hours", "PT2H"),
        ("in 2 hours", "PT2H"),
        ("2h", "PT2H"),
        ("In 90 minutes", "PT90M"),
        ("an hour from now", "PT1H"),
        ("7 days", "P7D"),
        ("a week", "P1W"),
        ("in one week", "P1W"),
    ] {
        let problem = refused(said);
        assert!(problem.hint.starts_with(&format!("Give {meant}.")), "{said}: {}", problem.hint);
        assert_eq!(set(problem).as_deref(), Some(meant), "{said}");
        let bound = resolve_bound(said, &stockholm(), BEGIN, "from").unwrap_err();
        assert_eq!(set(bound).as_deref(), Some(meant), "{said} as a bound");
        assert_eq!(
            set(resolve_shift(said, "shift").unwrap_err()).as_deref(),
            Some(meant),
            "{said} as a shift"
        );
        assert!(resolve_when(meant, &stockholm(), BEGIN, "when").is_ok(), "{meant}");
        assert!(resolve_shift(meant, "shift").is_ok(), "{meant}");
    }
    let back = resolve_bound("2 days ago", &stockholm(), BEGIN, "from").unwrap_err();
    assert_eq!(set(back).as_deref(), Some("-P2D"));
    assert!(
        resolve_bound("-P2D", &stockholm(), BEGIN, "from").is_ok() && resolve_shift("-P2D", "shift").is_ok()
    );
    for no_span in ["09:00:00", "soonish", "in a moment", "2026-12-01 or so"] {
        assert_eq!(set(refused(no_span)), None, "{no_span}");
    }
}

#[test]
fn an_empty_span_and_one_that_leads_back_are_told_as_such() {
    for empty in ["PT0S", "P0D", "-PT0S", "+P0W"] {
        assert_eq!(not_a_time(empty).0, "That duration is empty.", "{empty}");
        let bound = resolve_bound(empty, &stockholm(), BEGIN, "from").unwrap_err();
        assert_eq!(bound.message, "That duration is empty.", "{empty} as a bound");
        assert_eq!(resolve_shift(empty, "shift").unwrap_err().message, "That duration is empty.");
    }
    assert_eq!(not_a_time("-PT2H").0, "That duration leads into the past.");
}

#[test]
fn a_day_alone_is_asked_for_its_time_of_day() {
    for (said, day) in [("today", "2026-11-20"), ("Tomorrow", "2026-11-21"), ("2026-12-01", "2026-12-01")] {
        let problem = refused(said);
        assert_eq!(
            (problem.message.as_str(), problem.fix.as_ref()),
            ("A day tells no time of day.", None),
            "{said}"
        );
        assert!(problem.hint.starts_with(&format!("Add one: {day}T09:00 ")), "{said}: {}", problem.hint);
    }
    for past in ["yesterday", "2020-01-01"] {
        assert!(refused(past).message.ends_with(" is past."), "{past}");
    }
    let bound = resolve_bound("tomorrow", &stockholm(), BEGIN, "to").unwrap_err();
    assert_eq!(set(bound).as_deref(), Some("2026-11-21"));
    assert!(resolve_bound("2026-11-21", &stockholm(), BEGIN, "to").is_ok());
}
