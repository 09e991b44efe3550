//! Every parser of bytes from outside, fed with the seeds of `tests/corpus`, recorded wire traffic, and both after they
//! were cut, spliced and flipped: the same inputs each time. `make fuzz` looks for others.

#[path = "../../fuzz/src/lib.rs"]
mod checks;

use std::{collections::BTreeSet, fs, path::Path};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// How an input is spoilt.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index, Index),
    Repeat(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    // What parsers stumble over: ends, quotes, nesting, NUL, half of a character, numbers without end.
    let token = select(vec![
        &b"\n"[..],
        b"\r\n\r\n",
        b"\"",
        b"\\u",
        b"\\ud800",
        b"{",
        b"[[[[[[[[",
        b"}",
        b":",
        b",",
        b"\0",
        b"\xff",
        b"\xc3",
        b"\xe2\x80",
        b"data: ",
        b"data:[DONE]\n\n",
        b"<think>",
        b"</think>",
        b"null",
        b"-1",
        b"1e999",
        b"99999999999999999999",
        b"<script>",
        b"[[",
        b"---\n",
        b"=",
        b"\"\"\"",
        b".",
    ]);
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), token).prop_map(|(at, token)| Change::Insert(at, token.to_vec())),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Cut(from, to)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ]
}

fn spoil(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = bytes.len() + 1;
        let range = |from: &Index, to: &Index| {
            let (from, to) = (from.index(length), to.index(length));
            from.min(to)..from.max(to)
        };
        match change {
            Change::Set(at, byte) => {
                if let Some(old) = bytes.get_mut(at.index(length)) {
                    *old = *byte;
                }
            }
            Change::Insert(at, piece) => {
                let at = at.index(length);
                bytes.splice(at..at, piece.iter().copied());
            }
            Change::Cut(from, to) => drop(bytes.drain(range(from, to))),
            Change::Repeat(from, to) => {
                let range = range(from, to);
                let piece: Vec<u8> = bytes[range.clone()].iter().copied().take(4_096).collect();
                bytes.splice(range.end..range.end, piece);
            }
        }
    }
    bytes
}

fn files(folder: &Path, found: &mut Vec<Vec<u8>>) {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(fs::read(&path).unwrap());
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each seed as it is, then so many spoilt ones.
fn feed(folders: &[&str], cases: u32, check: fn(&[u8])) {
    let mut seeds = Vec::new();
    folders.iter().for_each(|folder| files(&root().join("tests").join(folder), &mut seeds));
    seeds.iter().for_each(|seed| check(seed));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let inputs = (select(seeds), vec(change(), 1..8));
    TestRunner::new_with_rng(config, random)
        .run(&inputs, |(seed, changes)| {
            check(&spoil(seed, &changes));
            Ok(())
        })
        .unwrap();
}

#[test]
fn answers_of_model_servers() {
    feed(&["corpus/wire", "fixtures/wire"], 512, checks::wire);
}

#[test]
fn loads_of_model_servers() {
    feed(&["corpus/metrics"], 512, checks::metrics);
}

#[test]
fn bodies_and_stored_events() {
    feed(&["corpus/json"], 512, checks::json);
}

#[test]
fn configurations() {
    // Each is read twice, with all its defaults.
    feed(&["corpus/config"], 32, checks::config);
}

#[test]
fn texts_of_shoppers_and_of_models() {
    feed(&["corpus/text"], 512, checks::text);
}

#[test]
fn tokens_keys_and_addresses() {
    feed(&["corpus/tokens"], 512, checks::tokens);
}

#[test]
fn positions_and_idempotency_keys() {
    feed(&["corpus/positions"], 512, checks::positions);
}

#[test]
fn queries_and_cursors() {
    feed(&["corpus/cursors"], 512, checks::cursors);
}

#[test]
fn frames_of_sockets() {
    feed(&["corpus/frames"], 512, checks::frames);
}

#[test]
fn cache_entries_in_redis() {
    feed(&["corpus/entries"], 512, checks::entries);
}

#[test]
fn documents() {
    feed(&["corpus/documents"], 512, checks::documents);
}

#[test]
fn access_logs_and_exports() {
    feed(&["corpus/logs"], 512, checks::logs);
}

/// The tests above, the targets of libFuzzer and the seeds are of the same parsers.
#[test]
fn every_parser_is_fuzzed_from_seeds() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        entries.map(|entry| name(&entry.unwrap().path())).collect()
    };
    let mentioned = |file: &str, before: &str, after: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(root().join(file)).unwrap();
        text.split(before)
            .skip(1)
            .filter_map(|rest| Some(rest.split_once(after)?.0.to_owned()))
            .collect()
    };
    let seeds = names("tests/corpus");
    assert_eq!(names("fuzz/fuzz_targets"), seeds);
    assert_eq!(mentioned("fuzz/Cargo.toml", "[[bin]]\nname = \"", "\""), seeds);
    assert_eq!(mentioned("fuzz/src/lib.rs", "\npub fn ", "("), seeds);
    assert_eq!(mentioned("tests/it/hostile.rs", concat!(", ", "checks::"), ")"), seeds);
}
