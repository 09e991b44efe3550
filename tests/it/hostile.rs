//! Every parser of bytes from outside, fed with the seeds of `tests/corpus`, recorded wire traffic, and both after they
//! were cut, spliced and flipped. None may panic; what it promises of its result is checked on the way.
//!
//! The same inputs each time; `HOSTILE_CASES` makes more of them (`make fuzz`).

use std::{collections::VecDeque, fs, path::Path};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rushdesk::{
    auth::{ApiKey, Email, RefreshToken, Tokens, oidc, verify_identity},
    config::{self, Sources},
    domain::{Event, SessionMeta, Timestamp},
    guard::{OutputFilter, Vault, mask},
    http::extract::{IdempotencyKey, parse},
    inference::stream::{Decoder, OllamaDecoder, OpenAiDecoder, Opening},
    knowledge::import,
    secrets,
    turn::frame::Position,
};
use serde_json::Value;

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

fn files(folder: &str, ending: &str, found: &mut Vec<Vec<u8>>) {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.to_string_lossy();
        if path.is_dir() {
            files(&name, ending, found);
        } else if name.ends_with(ending) {
            found.push(fs::read(&path).unwrap());
        }
    }
}

fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    files(&root.join(folder).to_string_lossy(), "", &mut found);
    assert!(!found.is_empty(), "{folder} is empty");
    found
}

/// Each seed as it is, then so many spoilt ones; every `costs`-th of them where a parser is slow.
fn feed(folder: &str, costs: u32, parser: impl Fn(&[u8])) {
    let seeds = corpus(folder);
    for seed in &seeds {
        parser(seed);
    }
    let cases = std::env::var("HOSTILE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(512_u32);
    let config = Config { cases: cases / costs, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let inputs = (select(seeds), vec(change(), 1..8));
    TestRunner::new_with_rng(config, random)
        .run(&inputs, |(seed, changes)| {
            parser(&spoil(seed, &changes));
            Ok(())
        })
        .unwrap();
}

fn decoders() -> [Decoder; 4] {
    let open = [Opening::Answer, Opening::Uncertain];
    let [a, b] = open.map(|opening| Decoder::OpenAi(OpenAiDecoder::new(opening)));
    let [c, d] = open.map(|opening| Decoder::Ollama(OllamaDecoder::new(opening)));
    [a, b, c, d]
}

#[test]
fn answers_of_model_servers() {
    feed("fixtures/wire", 1, |bytes| {
        for mut decoder in decoders() {
            let mut out = VecDeque::new();
            // In pieces, as a network brings them; after an error the answer is over.
            for piece in bytes.chunks(97) {
                if decoder.push(piece, &mut out).is_err() {
                    break;
                }
            }
            let _ = decoder.end();
        }
    });
}

#[test]
fn bodies_and_stored_events() {
    feed("corpus/json", 1, |bytes| {
        let _ = parse::<Value>(true, bytes);
        let _ = serde_json::from_slice::<SessionMeta>(bytes);
        // What is read can be written and read again, the same.
        if let Ok(event) = serde_json::from_slice::<Event>(bytes) {
            let written = serde_json::to_vec(&event).unwrap();
            assert_eq!(serde_json::from_slice::<Event>(&written).unwrap(), event);
        }
    });
}

#[test]
fn configurations() {
    feed("corpus/config", 16, |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let file = Some(("fuzz.toml".to_owned(), text.clone()));
        if let Err(faults) = config::Config::load(&Sources { file, ..Sources::default() }) {
            assert!(!faults.0.is_empty());
        }
        let flags = text.lines().filter_map(|line| line.split_once('='));
        let flags = flags.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
        let _ = config::Config::load(&Sources { flags: flags.collect(), ..Sources::default() });
    });
}

#[test]
fn texts_of_shoppers_and_of_models() {
    feed("corpus/text", 1, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let masked = mask(&text);
        // Masked once is masked: nothing is found in what is left.
        assert_eq!(mask(&masked.text).text, masked.text);
        let mut filter = OutputFilter::new(&Vault::new(), 4_096);
        let mut shown = String::new();
        for piece in text.split_inclusive(' ') {
            shown.push_str(&filter.push(piece));
        }
        shown.push_str(&filter.finish().text);
        assert!(shown.len() <= 4_096 + 64, "{} bytes", shown.len());
    });
}

#[test]
fn tokens_keys_and_addresses() {
    let secret = "0123456789abcdef0123456789abcdef";
    let config = config::Config::load(&Sources::default()).unwrap();
    let tokens = Tokens::new(&config.auth, &[config::Secret::new(secret)]);
    let now = Timestamp::from_millis(1_793_000_000_000);
    feed("corpus/tokens", 1, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        for line in text.lines() {
            // Nobody has signed these.
            assert!(tokens.verify(line, now).is_err());
            assert!(verify_identity(secret.as_bytes(), line, now).is_err());
            let _ = (oidc::Claimed::of(line), ApiKey::parse(line), Email::parse(line));
            let _ = RefreshToken::hash(line);
        }
        let _ = (oidc::KeySet::parse(bytes), secrets::parse(bytes));
    });
}

#[test]
fn positions_and_idempotency_keys() {
    feed("corpus/positions", 1, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        for line in text.lines() {
            let _ = Position::parse(line);
            if let Some(key) = IdempotencyKey::parse(line) {
                assert!((1..=255).contains(&key.0.len()) && key.0.is_ascii());
            }
        }
    });
}

#[test]
fn documents() {
    feed("corpus/documents", 1, |bytes| {
        for name in ["a.md", "a.txt", "a.html", "a.csv", "a.json"] {
            let _ = import::read_file(name, bytes);
        }
    });
}
