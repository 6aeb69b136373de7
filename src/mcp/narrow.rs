//! What a request's headers and address narrow its tools to: `Postern-Toolsets` and `Postern-Read-Only`, or `toolsets` and
//! `read_only` in the query.

use super::fault::{Fault, Kind};
use crate::desk::{Problem, Selection, Toolset};
use crate::http::Request;

const TOOLSETS: [&str; 2] = ["postern-toolsets", "toolsets"];
const READ_ONLY: [&str; 2] = ["postern-read-only", "read_only"];

/// The tools that the request leaves itself. The header and the address each narrow; neither widens the other. An empty
/// list of toolsets narrows nothing, and `read_only` without a value is meant.
///
/// # Errors
/// When a toolset or a value is not known; the message lists those that are.
pub(super) fn asked(request: &Request) -> Result<Selection, Fault> {
    let query = request.query();
    let headers =
        |name| request.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str());
    let [header, parameter] = TOOLSETS;
    let sets = [listed(headers(header))?, listed(query.all(parameter))?];
    let [header, parameter] = READ_ONLY;
    let only =
        headers(header).chain(query.all(parameter)).try_fold(false, |only, text| Ok(only | said(text)?))?;
    let [by_header, by_address] = sets.map(Selection::of_sets);
    Ok(by_header.intersection(by_address).reading(only))
}

/// Why a call of a tool outside what the request leaves itself is refused.
pub(super) fn refusal(selection: Selection) -> Problem {
    let mend = "Do it without this tool, or ask the person to change Postern-Toolsets or Postern-Read-Only, or toolsets or \
        read_only in the address, in the settings of this client.";
    selection.refusal("The settings of this client", mend)
}

fn listed<'a>(lists: impl Iterator<Item = &'a str>) -> Result<Vec<Toolset>, Fault> {
    let names = lists.flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            name.parse().map_err(|()| {
                let known = Toolset::ALL.map(Toolset::as_str).join(", ");
                unknown(format!(
                    "There is no such toolset as one of those that the request names. Known: {known}."
                ))
            })
        })
        .collect()
}

fn said(text: &str) -> Result<bool, Fault> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(unknown("Reading only is true or false.".to_owned())),
    }
}

fn unknown(message: String) -> Fault {
    Fault::new(Kind::UnknownSelection, message)
}
