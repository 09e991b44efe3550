//! Properties of every parser of external bytes, for any input. There is one function for each
//! parser, and none may panic.
//!
//! `tests/it/hostile.rs` runs them with corrupted seeds in each test run. `fuzz_targets/` lets
//! libFuzzer search for inputs that reach new code. The seeds of the function `json` are in
//! `tests/corpus/json`.

use std::{collections::VecDeque, fmt::Debug, sync::LazyLock, time::Duration};

use actix_http::ws::{Codec, Frame};
use bytes::BytesMut;
use rushdesk::{
    archive::RecordId,
    auth::{ApiKey, Email, OpaqueToken, Tokens, oidc, verify_identity},
    cache,
    config::{Config, Secret, Sources},
    domain::{Event, IdempotencyRecord, Running, SessionId, SessionMeta, Timestamp},
    guard::{OutputFilter, Vault, mask},
    http::{
        extract::{IdempotencyKey, parse, parse_query},
        frames::Heads,
        turns::HistoryQuery,
    },
    inference::{
        Outcome,
        backend::vllm,
        stream::{Decoder, Item, OllamaDecoder, OpenAiDecoder, Opening, Piece},
    },
    knowledge::import,
    log::frame::Position,
    rehearse, secrets,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio_util::codec::Decoder as _;

/// The stream of a model server. It reads the same however the network cuts it, and only a proven
/// end finishes it.
pub fn wire(bytes: &[u8]) {
    for opening in [Opening::Answer, Opening::Uncertain] {
        for decoder in [
            Decoder::OpenAi(OpenAiDecoder::new(opening)),
            Decoder::Ollama(OllamaDecoder::new(opening)),
        ] {
            let (items, end) = answer(decoder.clone(), [bytes]);
            let finished = |item: &Item| matches!(item, Item::Piece(Piece::Finished(_)));
            assert_eq!(
                items.iter().filter(|item| finished(item)).count(),
                usize::from(end.is_ok())
            );
            assert_eq!(items.back().is_some_and(finished), end.is_ok());
            assert_eq!(answer(decoder, bytes.chunks(7)), (items, end));
        }
    }
}

fn answer<'a>(
    mut decoder: Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (VecDeque<Item>, Result<(), Outcome>) {
    let mut items = VecDeque::new();
    for piece in pieces {
        if let Err(outcome) = decoder.push(piece, &mut items) {
            return (items, Err(outcome));
        }
        if decoder.is_complete() {
            return (items, Ok(()));
        }
    }
    let end = decoder.end(&mut items);
    (items, end)
}

/// The load that a vLLM reports.
pub fn metrics(bytes: &[u8]) {
    if let Some(load) = vllm::load(&String::from_utf8_lossy(bytes)) {
        assert!(load.cache_usage.is_finite() && load.cache_usage >= 0.0, "{load:?}");
    }
}

/// Bodies of requests, and stored data. What is parsed can be written and read again unchanged.
pub fn json(bytes: &[u8]) {
    if let Err(error) = parse::<Value>(true, bytes) {
        assert!((400..500).contains(&error.0.status), "{error:?}");
    }
    survives::<Event>(bytes);
    survives::<SessionMeta>(bytes);
    survives::<IdempotencyRecord>(bytes);
    survives::<Running>(bytes);
}

fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(bytes) {
        let written = serde_json::to_vec(&value).unwrap();
        assert_eq!(serde_json::from_slice::<T>(&written).unwrap(), value);
    }
}

/// A configuration file, and its lines as flags. Each refusal has a reason.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let flags = text.lines().filter_map(|line| line.split_once('='));
    let flags = flags.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
    let flags = Sources { flags: flags.collect(), ..Sources::default() };
    let file = Sources { file: Some(("file".to_owned(), text)), ..Sources::default() };
    for sources in [file, flags] {
        if let Err(faults) = Config::load(&sources) {
            assert!(!faults.0.is_empty());
        }
    }
}

/// A shopper's text on its way to the model, and a model's text on its way to the shopper.
pub fn text(bytes: &[u8]) {
    const MOST: usize = 4_096;
    let text = String::from_utf8_lossy(bytes);
    let masked = mask(&text);
    // Masking is complete: a second pass finds nothing.
    assert_eq!(mask(&masked.text).text, masked.text);
    // How an answer is cut never changes what is shown.
    let whole = filtered(&masked.vault, [&*masked.text], MOST);
    assert!(whole.len() <= MOST, "{} bytes", whole.len());
    let words = masked.text.split_inclusive(|c: char| !c.is_alphanumeric());
    assert_eq!(filtered(&masked.vault, words, MOST), whole);
}

fn filtered<'a>(vault: &Vault, pieces: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let mut filter = OutputFilter::new(vault, most);
    let mut shown: String = pieces.into_iter().map(|piece| filter.push(piece)).collect();
    shown.push_str(&filter.finish().text);
    shown
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOW: Timestamp = Timestamp::from_millis(1_793_000_000_000);
const PROVIDER: &str = include_str!("../../tests/corpus/config/small.toml");
const KEYS: &[u8] = include_bytes!("../../tests/corpus/tokens/keys.json");

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let file = Some(("small.toml".to_owned(), PROVIDER.to_owned()));
    Config::load(&Sources { file, ..Sources::default() }).unwrap()
});
static TOKENS: LazyLock<Tokens> =
    LazyLock::new(|| Tokens::new(&CONFIG.auth, &[Secret::new(SECRET)]));
static PROVIDER_KEYS: LazyLock<oidc::KeySet> = LazyLock::new(|| oidc::KeySet::parse(KEYS).unwrap());

/// Credentials, one per line, and files of keys and secrets. These tokens have no valid signature,
/// so none is accepted.
pub fn tokens(bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines() {
        assert!(TOKENS.verify(line, NOW).is_err());
        assert!(verify_identity(SECRET.as_bytes(), "rushdesk", line, NOW).is_err());
        if let Some(key) = oidc::Claimed::of(line).and_then(|claimed| PROVIDER_KEYS.find(&claimed))
        {
            assert!(oidc::verify(&CONFIG.auth.oidc[0], key, line, NOW).is_err());
        }
        if let Some(key) = ApiKey::parse(line) {
            assert_eq!(key.expose(), line);
        }
        if let Some(email) = Email::parse(line) {
            assert_eq!(Email::parse(email.as_str()).as_ref(), Some(&email));
        }
        let _ = OpaqueToken::hash(line);
        assert!(TOKENS.solved(&CONFIG.auth.oidc[0].site, line, line, NOW).is_err());
    }
    let _ = oidc::KeySet::parse(bytes);
    if let Ok(secrets) = secrets::parse(bytes) {
        assert!(secrets.iter().all(|secret| secret.expose().len() >= 32));
    }
}

/// The positions that a client sends to resume, one per line.
pub fn positions(bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Some(position) = Position::parse(line) {
            assert_eq!(Position::parse(&position.to_string()), Some(position));
        }
        if let Some(key) = IdempotencyKey::parse(line) {
            assert!((1..=255).contains(&key.0.len()) && key.0.is_ascii());
        }
    }
}

/// The queries of list addresses, one per line, and the cursors in them.
pub fn cursors(bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Err(error) = parse_query::<HistoryQuery>(line) {
            assert_eq!(error.0.status, 400, "{error:?}");
        }
        if let Ok(id) = line.parse::<SessionId>() {
            assert_eq!(id.to_string().parse::<SessionId>().ok(), Some(id));
        }
        if let Ok(id) = line.parse::<RecordId>() {
            assert_eq!(id.to_string().parse::<RecordId>().ok(), Some(id));
        }
    }
}

/// The frames of a WebSocket client. Where the network cuts them changes nothing, and no frame that
/// is admitted is larger than it may be.
pub fn frames(bytes: &[u8]) {
    const MOST: usize = 1_000;
    let mut whole = Heads::new(MOST as u64);
    let admitted = whole.admit(bytes);
    let mut pieces = Heads::new(MOST as u64);
    assert_eq!(bytes.chunks(7).all(|piece| pieces.admit(piece)), admitted);
    // The framework waits for the rest of a frame only if that is not too large.
    if admitted {
        let mut buffer = BytesMut::from(bytes);
        let mut codec = Codec::new().max_size(usize::MAX);
        while let Ok(Some(frame)) = codec.decode(&mut buffer) {
            let payload = match frame {
                Frame::Text(bytes)
                | Frame::Binary(bytes)
                | Frame::Ping(bytes)
                | Frame::Pong(bytes) => bytes.len(),
                Frame::Continuation(_) | Frame::Close(_) => 0,
            };
            assert!(payload <= MOST, "{payload} bytes");
        }
    }
}

/// A cache entry in Redis, where other versions and other programs may write. What is read can be
/// written and read again unchanged.
pub fn entries(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(written) = cache::rewritten(&text) {
        assert_eq!(cache::rewritten(&written).as_ref(), Some(&written));
    }
}

/// A file of a shop's knowledge in each format. Its passages are bounded, and so are the headings
/// that they repeat.
pub fn documents(bytes: &[u8]) {
    const MAX_CHARS: usize = 80;
    for ending in ["md", "txt", "html", "csv", "json"] {
        let Ok(document) = import::read_file(&format!("a.{ending}"), bytes) else { continue };
        let Ok(passages) = document.passages(bytes.len(), MAX_CHARS) else { continue };
        assert!(passages.len() <= 4 * document.bytes(), "{} passages", passages.len());
        for passage in passages {
            let (heading, length) = (passage.heading.chars().count(), passage.text.chars().count());
            // Six levels of 200 characters, or one question.
            assert!(heading <= 1_215, "a heading of {heading} characters");
            let most = if matches!(ending, "csv" | "json") { 8_000 } else { MAX_CHARS };
            assert!((1..=most).contains(&length), "a passage of {length} characters");
        }
    }
}

/// Traffic for a rehearsal: an access log, or an export of Prometheus. What is parsed can be
/// planned.
pub fn logs(bytes: &[u8]) {
    const WITHIN: Duration = Duration::from_secs(60);
    const ROUNDING: Duration = Duration::from_micros(1);
    let Ok(curve) = rehearse::traffic(bytes).and_then(|curve| curve.of_chats(Some(1.0))) else {
        return;
    };
    assert!(curve.length() >= 1);
    // More messages would only take longer.
    if curve.total().messages < 1_000.0
        && let Ok(plan) = curve.plan(1.0, WITHIN, 1)
    {
        assert!(plan.messages.is_sorted() && plan.messages.last() <= Some(&(WITHIN + ROUNDING)));
        assert!((0.0..=1.0).contains(&plan.new_sessions) && plan.reads >= 0.0, "{plan}");
    }
}
