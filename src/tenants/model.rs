//! What a tenant is called, what state it is in, and what may be set on a workspace.

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::{
    desk::{Code, Problem, Problems, Safename, Tenant, TimeZoneName},
    http::{Form, reserved_names},
    platform::{FromValue, Timestamp, Value},
};

/// Why a name cannot be a new tenant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// It is not 3 to 40 of `a-z0-9-`, or begins or ends with a hyphen.
    Malformed,
    /// It begins a path of ours, or of the platform.
    Reserved,
}

/// Parses the name of a tenant to be made. Whether it is free, only making it tells.
///
/// # Errors
/// When no tenant can be called so.
pub fn new_safename(text: &str) -> Result<Safename, NameFault> {
    let safename: Safename = text.parse().map_err(|_| NameFault::Malformed)?;
    if reserved_names().any(|name| name == text) { Err(NameFault::Reserved) } else { Ok(safename) }
}

/// What the directory says of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its name is taken; its shard may know nothing of it yet.
    Creating,
    /// It can be used.
    Active,
    /// It is closed, and is erased when its grace is over.
    Deleting,
    /// It is being erased.
    Erasing,
    /// Only its name is left.
    Deleted,
}

impl State {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Creating, "creating"),
        (Self::Active, "active"),
        (Self::Deleting, "deleting"),
        (Self::Erasing, "erasing"),
        (Self::Deleted, "deleted"),
    ];
}

impl FromValue for State {
    fn from_value(value: &Value) -> Option<Self> {
        let text = String::from_value(value)?;
        Self::ALL.into_iter().find(|(_, name)| *name == text).map(|(state, _)| state)
    }
}

/// A tenant as the directory has it, whatever its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its id, name and shard.
    pub tenant: Tenant,
    /// Its state.
    pub state: State,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its grace is over, if it is being deleted.
    pub delete_after: Option<Timestamp>,
    /// How many changes of state were decided.
    pub(super) step: i64,
}

/// What a workspace's managers set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceSettings {
    /// The zone that local times are read in.
    pub time_zone: TimeZoneName,
    /// How late a post may still go out, in seconds: whole minutes up to a week.
    pub grace_seconds: i64,
    /// A time nearer than this needs the capability to publish, in seconds: whole minutes up to a day.
    pub notice_seconds: i64,
    /// How long publishing that an assistant asked for is held, in seconds: up to ten minutes.
    pub hold_seconds: i64,
}

/// Ticks are a minute apart and may be late themselves: a shorter grace would call every post missed.
const LEAST_GRACE: i64 = 5;

impl WorkspaceSettings {
    /// Reads a form's `time_zone`, `grace_minutes`, `notice_minutes` and `hold_seconds`.
    ///
    /// # Errors
    /// Every problem, each with its field.
    pub fn parse(form: &Form) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let time_zone = problems.keep(zone(form));
        let grace = problems.keep(number(form, "grace_minutes", "minutes", LEAST_GRACE..=7 * 1440));
        let notice = problems.keep(number(form, "notice_minutes", "minutes", 0..=1440));
        let hold = problems.keep(number(form, "hold_seconds", "seconds", 0..=600));
        match (time_zone, grace, notice, hold) {
            (Some(time_zone), Some(grace), Some(notice), Some(hold_seconds)) => {
                Ok(Self { time_zone, grace_seconds: grace * 60, notice_seconds: notice * 60, hold_seconds })
            }
            _ => Err(problems.into_vec()),
        }
    }
}

fn zone(form: &Form) -> Result<TimeZoneName, Problem> {
    let name = form.get("time_zone").unwrap_or_default().trim();
    TimeZoneName::parse(name).ok_or_else(|| {
        Problem::new(Code::NotInList, "time_zone", "Give an IANA name such as Europe/Stockholm.")
            .message("This time zone is not known.")
    })
}

fn number(form: &Form, field: &'static str, unit: &str, range: RangeInclusive<i64>) -> Result<i64, Problem> {
    let text = form.get(field).unwrap_or_default().trim();
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let wanted = format!("a whole number of {unit} from {} to {}.", range.start(), range.end());
        Problem::new(Code::OutOfRange, field, format!("Give {wanted}"))
            .message(format!("This is not {wanted}"))
    })
}

/// A handle made of a name: at most 40 of `a-z0-9-`; "wall" when nothing is left.
pub(super) fn handle_of(name: &str) -> String {
    let mut handle = String::new();
    for letter in name.to_lowercase().chars() {
        if handle.len() == 40 {
            break;
        }
        match letter {
            'a'..='z' | '0'..='9' => handle.push(letter),
            _ if handle.is_empty() || handle.ends_with('-') => {}
            _ => handle.push('-'),
        }
    }
    let handle = handle.trim_end_matches('-');
    if handle.is_empty() { "wall".to_owned() } else { handle.to_owned() }
}
