//! What the documents list is what the code has.

use std::{collections::BTreeSet, fs, path::Path};

use postern::{
    desk::{Code, Scope, Scopes, TimeZoneName, Toolset, resolve_when},
    mcp,
    operator::RULES,
    platform::Config,
};

use crate::sim::BEGIN;

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// The rows of the table whose head begins with these cells: its cells, without those of the head.
fn table(document: &str, head: &[&str]) -> Vec<Vec<String>> {
    let mut rows = document.lines().map(cells).skip_while(|row| !row.starts_with(&owned(head)));
    assert!(rows.next().is_some(), "no table begins with {head:?}");
    rows.skip(1).take_while(|row| !row.is_empty()).collect()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The cells of a table's row; none of any other line.
fn cells(line: &str) -> Vec<String> {
    line.strip_prefix('|')
        .and_then(|rest| rest.trim_end().strip_suffix('|'))
        .map(|row| row.split('|').map(|cell| cell.trim().to_owned()).collect())
        .unwrap_or_default()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_setting_is_documented_with_its_default() {
    let written = table(&document("docs/configuration.md"), &["setting", "default", "meaning"]);
    let settings: Vec<Vec<String>> = Config::SETTINGS
        .iter()
        .map(|setting| {
            let default = match setting.default {
                None => "must be set".to_owned(),
                Some("") => "empty".to_owned(),
                Some(value) => format!("`{value}`"),
            };
            vec![format!("`{}`", setting.name), default, setting.meaning.to_owned()]
        })
        .collect();
    assert_eq!(written, settings);
}

#[test]
fn the_readme_names_exactly_the_tools_there_are() {
    let rows = table(&document("README.md"), &["area", "tools"]);
    let written: Vec<&str> = rows.iter().flat_map(|row| quoted(&row[1])).collect();
    let tools: BTreeSet<&str> = mcp::tools().map(|tool| tool.name).collect();
    assert_eq!(written.iter().copied().collect::<BTreeSet<_>>(), tools);
    assert_eq!(written.len(), tools.len(), "no tool is named twice");
}

#[test]
fn the_documented_toolsets_hold_the_tools_that_they_have() {
    let rows = table(&document("docs/integrating.md"), &["toolset", "tools"]);
    let written: Vec<(String, BTreeSet<String>)> =
        rows.iter().map(|row| (row[0].clone(), quoted(&row[1]).map(str::to_owned).collect())).collect();
    let sets = Toolset::ALL.map(|set| {
        let tools = mcp::tools().map(|tool| tool.name).filter(|name| mcp::toolset(name) == Some(set));
        (format!("`{}`", set.as_str()), tools.map(str::to_owned).collect())
    });
    assert_eq!(written, sets);
}

#[test]
fn every_error_code_is_documented_with_its_sentence() {
    let written = table(&document("docs/integrating.md"), &["code", "meaning"]);
    let codes: Vec<Vec<String>> = Code::ALL
        .iter()
        .map(|code| vec![format!("`{}`", code.as_str()), code.sentence().to_owned()])
        .collect();
    assert_eq!(written, codes);
}

#[test]
fn every_documented_form_of_a_time_is_read() {
    let rows = table(&document("docs/integrating.md"), &["form", "example", "read as"]);
    let zone = TimeZoneName::parse("Europe/Stockholm").unwrap();
    for text in rows.iter().flat_map(|row| quoted(&row[1])) {
        assert!(resolve_when(text, &zone, BEGIN, "when").is_ok(), "{text}");
    }
    assert_eq!(rows.len(), 5);
}

#[test]
fn the_documented_capabilities_are_those_that_tools_need() {
    let rows = table(&document("docs/integrating.md"), &["scope", "lets an app"]);
    let needed = mcp::tools().fold(Scopes::of(&[Scope::OfflineAccess]), |all, tool| all.union(tool.needs));
    let capabilities: Vec<Vec<String>> = needed
        .iter()
        .map(|scope| vec![format!("`{}`", scope.as_str()), scope.plain_words().to_owned()])
        .collect();
    assert_eq!(rows, capabilities);
}

#[test]
fn the_documented_retention_is_the_one_applied() {
    let rows = table(&document("docs/operations.md"), &["table", "kept", "after"]);
    let written: Vec<[&str; 2]> = rows.iter().map(|row| [row[0].as_str(), row[1].as_str()]).collect();
    let rules: Vec<[String; 2]> = RULES
        .iter()
        .map(|rule| {
            let days = rule.seconds / 86_400;
            [format!("`{}`", rule.table), format!("{days} day{}", if days == 1 { "" } else { "s" })]
        })
        .collect();
    assert_eq!(written, rules);
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    for (folder, name) in [
        ("", "README.md"),
        ("docs", "authorization.md"),
        ("docs", "configuration.md"),
        ("docs", "operations.md"),
        ("docs", "integrating.md"),
        ("docs", "cookbook.md"),
    ] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let text = fs::read_to_string(from.join(name)).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let own = links.filter(|link| !link.contains("://"));
        for (file, place) in own.map(|link| link.split_once('#').unwrap_or((link, ""))) {
            let target = if file.is_empty() { from.join(name) } else { from.join(file) };
            assert!(target.exists(), "{name} links to {file}");
            let headings = || fs::read_to_string(&target).unwrap();
            assert!(place.is_empty() || has_heading(&headings(), place), "{name} links to {file}#{place}");
        }
    }
}

/// Whether a document has a heading that is linked to by this name.
fn has_heading(text: &str, place: &str) -> bool {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-") == place)
}
