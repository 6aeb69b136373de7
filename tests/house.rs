//! The rules of the house, read from its source: arrows point down, Cloudflare stays in `edge`, SQL stays in stores.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use postern::edge::statements;

/// The floors of `src/lib.rs`, from the top: the rooms on each.
fn floors() -> Vec<Vec<String>> {
    let map = read(&source().join("lib.rs"));
    let list = map.split("```text").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    list.lines()
        .map(|line| line.trim_start_matches("//!").trim())
        .filter(|line| !line.is_empty())
        .map(|line| names(line).map(str::to_owned).collect())
        .collect()
}

/// The names at the beginning of a line, separated by commas.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let mut more = true;
    line.split(' ').filter(|word| !word.is_empty()).map_while(move |word| {
        let is_name = more;
        more = word.ends_with(',');
        is_name.then_some(word.trim_end_matches(','))
    })
}

/// Each room's floor, 0 at the top.
fn floor_of() -> BTreeMap<String, usize> {
    floors()
        .into_iter()
        .enumerate()
        .flat_map(|(floor, rooms)| rooms.into_iter().map(move |room| (room, floor)))
        .collect()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()))
}

/// A file of `src` in a room, its comments taken out.
struct File {
    room: String,
    path: String,
    code: String,
}

fn files() -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                files.extend(in_room(&entry));
            }
        }
    }
    assert!(files.len() > 20, "the source was found");
    files
}

fn in_room(file: &Path) -> Option<File> {
    let path = file.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
    let (room, _) = path.split_once('/')?;
    Some(File { room: room.to_owned(), code: without_comments(&read(file)), path })
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms that `code` names as `crate::room` or in `use crate::{room, …}`.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => named.extend(first_names(list)),
            None => named.extend(identifier(rest)),
        }
    }
    named
}

/// The first name of each item of a braced list that has just been opened.
fn first_names(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = Vec::new();
    let mut item_begins = true;
    for (index, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => item_begins = true,
            _ if item_begins && !character.is_whitespace() => {
                names.extend(identifier(&list[index..]));
                item_begins = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> Option<String> {
    let name: String =
        text.chars().take_while(|character| character.is_ascii_alphanumeric() || *character == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// Whether `code` has `word` where no longer word goes on before it.
fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        !before.is_some_and(|character| character.is_ascii_alphanumeric() || character == '_')
    })
}

#[test]
fn every_room_is_on_the_map() {
    let floors = floor_of();
    let declared: Vec<String> = read(&source().join("lib.rs"))
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect();
    assert!(declared.len() >= 4);
    for room in declared {
        assert!(floors.contains_key(&room), "src/lib.rs declares {room} but its map does not show it");
    }
}

#[test]
fn a_room_imports_only_rooms_below_it() {
    let floors = floor_of();
    let mut wrong = Vec::new();
    for file in files() {
        let own = floors[&file.room];
        for room in rooms_named(&file.code) {
            let below = floors.get(&room).is_none_or(|floor| *floor > own);
            if room != file.room && !below {
                wrong.push(format!("{} imports {room}", file.path));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn imports_are_found_in_every_form() {
    let code =
        "use crate::{\n  desk::{Caller, Tool}, http,\n  platform::Clock};\nfn f() { crate::media::serve() }";
    let expected = ["desk", "http", "media", "platform"].map(str::to_owned);
    assert_eq!(rooms_named(code), BTreeSet::from(expected));
    assert!(has_word("x = worker::Fetch", "worker::") && !has_word("my_worker::x", "worker::"));
}

#[test]
fn only_the_edge_knows_the_worker_crate() {
    let wrong: Vec<String> = files()
        .into_iter()
        .filter(|file| file.room != "edge" && has_word(&file.code, "worker::"))
        .map(|file| file.path)
        .collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn sql_stands_in_stores_only() {
    let is_sql = |code: &str| {
        ["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE "].iter().any(|words| has_word(code, words))
            || (has_word(code, "UPDATE ") && has_word(code, "SET "))
    };
    // The contract suite is about SQL itself, and in no release.
    let is_store = |path: &str| {
        path.ends_with("/store.rs") || path.contains("/store/") || path.starts_with("platform/contract/")
    };
    let wrong: Vec<String> = files()
        .into_iter()
        .filter(|file| !is_store(&file.path) && is_sql(&file.code))
        .map(|file| file.path)
        .collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_statement_has_a_name_of_its_own_in_its_first_line() {
    let mut names = BTreeSet::new();
    for sql in statements() {
        assert_eq!(sql.text.lines().next(), Some(format!("-- {}", sql.name).as_str()));
        assert!(names.insert(sql.name), "{} is there twice", sql.name);
    }
    assert!(names.contains("gate_grant"));
}

#[test]
fn every_stores_statements_are_registered() {
    let registered: BTreeSet<&str> = statements().map(|sql| sql.name).collect();
    let mut missing = Vec::new();
    for file in files() {
        for name in statement_names(&file.code) {
            if !registered.contains(name.as_str()) {
                missing.push(format!("{name} of {}", file.path));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// The names in a file's `statements!` lists: each stands as `CONSTANT = "name", `.
fn statement_names(code: &str) -> Vec<String> {
    let Some((_, lists)) = code.split_once("statements! {") else { return Vec::new() };
    lists
        .split(" = \"")
        .skip(1)
        .filter_map(|rest| rest.split_once("\", "))
        .map(|(name, _)| name)
        .filter(|name| {
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        })
        .map(str::to_owned)
        .collect()
}
