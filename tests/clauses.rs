//! Which clause of which standard is shown by which test: the table in `docs/authorization.md` is made of the names of the
//! tests.
//!
//! A test that shows a clause is named after it: the document, the section's numbers, then what is shown. `_and_` joins
//! further clauses, of the same document or of another:
//!
//! ```text
//! rfc7636_4_6_a_wrong_verifier_is_refused          RFC 7636 4.6: a wrong verifier is refused
//! rfc9700_4_4_and_4_12_the_answer_names_its_issuer RFC 9700 4.4, RFC 9700 4.12: the answer names its issuer
//! mcp_authorization_nothing_is_fetched             MCP authorization: nothing is fetched
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const BEGIN: &str = "<!-- The table below is made by tests/clauses.rs from the names of the tests. -->\n";

/// Documents without a number of their own, by the words with which a test's name begins.
const NAMED: [(&[&str], &str); 4] = [
    (&["mcp", "authorization"], "MCP authorization"),
    (&["mcp"], "MCP authorization"),
    (&["oidc", "core"], "OpenID Connect Core"),
    (&["known", "failure"], "Known failures of others"),
];

/// The documents of which clauses must be shown.
const WANTED: [&str; 13] = [
    "RFC 6749", "RFC 6750", "RFC 7009", "RFC 7523", "RFC 7591", "RFC 7636", "RFC 8252", "RFC 8414",
    "RFC 8707", "RFC 9068", "RFC 9207", "RFC 9700", "RFC 9728",
];

/// A clause: its document, and the numbers of its section, if it has any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Clause {
    document: String,
    section: Vec<u32>,
}

impl Clause {
    fn title(&self) -> String {
        let numbers: Vec<String> = self.section.iter().map(u32::to_string).collect();
        format!("{} {}", self.document, numbers.join(".")).trim_end().to_owned()
    }
}

/// The clauses that a test's name begins with, and what it says of them. Nothing for a name without any.
fn read_name(name: &str) -> Option<(Vec<Clause>, String)> {
    let words: Vec<&str> = name.split('_').collect();
    let mut rest = words.as_slice();
    let mut clauses = vec![take_clause(&mut rest, None)?];
    while let [and, after @ ..] = rest {
        let mut after = after;
        let before = clauses.last().map(|clause| clause.document.clone());
        let Some(clause) = (*and == "and").then(|| take_clause(&mut after, before)).flatten() else { break };
        clauses.push(clause);
        rest = after;
    }
    Some((clauses, sentence(rest)))
}

/// Takes a clause off the front of the words; a section alone is one of the document `before`.
fn take_clause(words: &mut &[&str], before: Option<String>) -> Option<Clause> {
    let is_second = before.is_some();
    let document = take_document(words).or_else(|| {
        let first = words.first().filter(|word| is_number(word));
        first.and(before)
    })?;
    let numbers = words.iter().take_while(|word| is_number(word)).count();
    let (section, rest) = words.split_at(numbers);
    let named = document.starts_with("CVE") || NAMED.iter().any(|(_, name)| *name == document);
    if section.is_empty() && !named && is_second {
        return None;
    }
    *words = rest;
    Some(Clause { document, section: section.iter().filter_map(|word| word.parse().ok()).collect() })
}

fn take_document(words: &mut &[&str]) -> Option<String> {
    let (first, rest) = words.split_first()?;
    if let Some(number) = first.strip_prefix("rfc").filter(|number| is_number(number)) {
        *words = rest;
        return Some(format!("RFC {number}"));
    }
    if let ["cve", year, number, rest @ ..] = words {
        let document = format!("CVE-{year}-{number}");
        *words = rest;
        return Some(document);
    }
    let (prefix, name) = NAMED.iter().find(|(prefix, _)| words.starts_with(prefix))?;
    *words = words.get(prefix.len()..)?;
    Some((*name).to_owned())
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Words that are not written in small letters.
const SPELT: [(&str, &str); 7] = [
    ("es256", "ES256"),
    ("s256", "S256"),
    ("ipv6", "IPv6"),
    ("json", "JSON"),
    ("kv", "KV"),
    ("pkce", "PKCE"),
    ("iss", "`iss`"),
];

/// The words as a sentence: `the_client_s_id` is the client's id.
fn sentence(words: &[&str]) -> String {
    let spelt = |word: &str| {
        SPELT
            .iter()
            .find(|(small, _)| *small == word)
            .map_or(word.to_owned(), |(_, as_is)| (*as_is).to_owned())
    };
    let mut text = String::new();
    for word in words {
        match *word {
            "s" if !text.is_empty() => text += "'s",
            word if text.is_empty() => text += &spelt(word),
            word => text += &format!(" {}", spelt(word)),
        }
    }
    text
}

/// Every test there is: its file, from the folder of the tests, and its name.
fn tests() -> BTreeSet<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut found = BTreeSet::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let file = entry.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                let text = fs::read_to_string(&entry).unwrap();
                found.extend(names(&text).into_iter().map(|name| (file.clone(), name)));
            }
        }
    }
    found
}

/// The names of the functions that stand under `#[test]`.
fn names(text: &str) -> Vec<String> {
    text.split("\n#[test]\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("fn ")?.1.split_once('(').map(|(name, _)| name.to_owned()))
        .collect()
}

/// The rows of the table, by clause: what is shown, and in which files.
fn rows() -> BTreeMap<Clause, BTreeMap<String, BTreeSet<String>>> {
    let mut rows: BTreeMap<Clause, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (file, name) in tests() {
        let Some((clauses, shown)) = read_name(&name) else { continue };
        for clause in clauses {
            rows.entry(clause).or_default().entry(shown.clone()).or_default().insert(file.clone());
        }
    }
    rows
}

fn table() -> String {
    let mut table = String::from("| clause | a test shows that | in tests/ |\n|---|---|---|\n");
    for (clause, shown) in rows() {
        for (sentence, files) in shown {
            let files: Vec<String> = files.into_iter().collect();
            table += &format!("| {} | {sentence} | {} |\n", clause.title(), files.join(", "));
        }
    }
    table
}

#[test]
fn the_table_of_clauses_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/authorization.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, written) = text.split_once(BEGIN).expect("docs/authorization.md has a place for the table");
    let table = format!("\n{}", table());
    if written != table {
        fs::write(&path, format!("{before}{BEGIN}{table}")).unwrap();
        panic!("the clauses had changed; docs/authorization.md is written anew");
    }
}

#[test]
fn every_standard_that_is_spoken_here_has_clauses_that_are_shown() {
    let documents: BTreeSet<String> = rows().into_keys().map(|clause| clause.document).collect();
    for wanted in WANTED.iter().copied().chain(["MCP authorization"]) {
        assert!(documents.contains(wanted), "no test is named after a clause of {wanted}");
    }
}

#[test]
fn names_are_read_as_clauses() {
    let read = |name| {
        read_name(name).map(|(clauses, shown)| {
            let titles: Vec<String> = clauses.iter().map(Clause::title).collect();
            (titles.join(", "), shown)
        })
    };
    let is = |clauses: &str, shown: &str| Some((clauses.to_owned(), shown.to_owned()));
    assert_eq!(read("rfc7636_4_6_a_verifier"), is("RFC 7636 4.6", "a verifier"));
    assert_eq!(read("rfc9700_4_4_and_4_12_it_is"), is("RFC 9700 4.4, RFC 9700 4.12", "it is"));
    assert_eq!(read("rfc6749_6_and_rfc9700_4_14_it_is"), is("RFC 6749 6, RFC 9700 4.14", "it is"));
    assert_eq!(read("rfc9700_4_10_and_mcp_it_is"), is("RFC 9700 4.10, MCP authorization", "it is"));
    assert_eq!(read("mcp_authorization_a_client_s_id"), is("MCP authorization", "a client's id"));
    assert_eq!(read("rfc7636_4_2_s256_is_the_client_s"), is("RFC 7636 4.2", "S256 is the client's"));
    assert_eq!(read("oidc_core_3_1_2_6_it_is"), is("OpenID Connect Core 3.1.2.6", "it is"));
    assert_eq!(read("cve_2025_4143_it_is"), is("CVE-2025-4143", "it is"));
    assert_eq!(read("rfc6749_4_1_2_a_code_and_a_token"), is("RFC 6749 4.1.2", "a code and a token"));
    assert_eq!(read("a_token_is_a_token"), None);
    let text =
        "\n#[test]\nfn one() {}\n\n/// Words.\n#[test]\n#[should_panic]\nfn two_and(\n) {}\nfn three() {}";
    assert_eq!(names(text), ["one", "two_and"]);
}
