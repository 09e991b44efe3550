//! Tests with the files from `make model`. Without those files they print a line and return.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use actix::Arbiter;
use base64::{Engine, prelude::BASE64_STANDARD};

use super::super::{EmbedStartError, embed, folder::ModelFolder, onnx::OnnxEncoder, start};
use crate::{
    config::{self, Config, Sources},
    embedding::worker::Encoder,
};

const MODEL: &str = "all-MiniLM-L6-v2";

/// Each pair asks the same thing in two ways.
const PAIRS: [[&str; 2]; 20] = [
    ["Where is my order?", "I would like to track the package you sent me"],
    ["How do I cancel my order?", "please stop my purchase, I don't want it any more"],
    ["Can I change the delivery address?", "I need the parcel sent to a different street"],
    ["I was charged twice for one item", "There are two payments on my card for the same thing"],
    ["How long do refunds take?", "When will I get my money back?"],
    ["What is your return policy?", "Under which conditions can I send goods back?"],
    ["I forgot my password", "I cannot log in and need to reset my login secret"],
    ["Do you ship to Canada?", "Is delivery to Toronto possible?"],
    ["My discount code does not work", "The voucher is refused at checkout"],
    ["The item arrived broken", "What I received was damaged in transport"],
    ["I want to talk to a human", "Please connect me with a real person"],
    ["Which payment methods do you accept?", "Can I pay with PayPal or a credit card?"],
    ["How do I delete my account?", "Remove my profile and all my data"],
    ["I need an invoice for my company", "Send me a bill with the VAT number please"],
    ["Is the blue jacket back in stock soon?", "When will the sold out coat be available again?"],
    ["Which shoe size should I take?", "Do your sneakers run small or large?"],
    ["How do I stop the newsletter?", "Unsubscribe me from your marketing mails"],
    ["What are your opening hours?", "Until when is the shop open on Saturdays?"],
    ["Does the phone have a warranty?", "How many years of guarantee come with the device?"],
    ["I got the wrong product", "You delivered something I have not ordered"],
];

fn test_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("RUSHDESK_TEST_MODEL_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("data/model"), PathBuf::from);
    if folder.join("libonnxruntime.so").is_file() {
        return Some(folder.canonicalize().unwrap());
    }
    assert!(std::env::var_os("CI").is_none(), "no model in {}", folder.display());
    println!("skipped: no model in {}; `make model` makes it", folder.display());
    None
}

fn settings(model_dir: PathBuf, library: PathBuf) -> config::Embedding {
    let mut embedding = Config::load(&Sources::default()).unwrap().embedding;
    embedding.model_dir = model_dir;
    embedding.library = library;
    embedding
}

/// A model folder that has only `model` of the real one, under its own name.
fn folder_with(real: &Path, model: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in [model, "tokenizer.json"] {
        symlink(real.join(MODEL).join(file), folder.path().join(file)).unwrap();
    }
    folder
}

fn encoder(config: &config::Embedding) -> OnnxEncoder {
    let folder = ModelFolder::find(config, Path::new("nowhere")).unwrap();
    let tokenizer = folder.tokenizer(config.max_tokens).unwrap();
    OnnxEncoder::load(&folder.library, &folder.model, tokenizer).unwrap()
}

fn alone(encoder: &mut OnnxEncoder, text: &str) -> Vec<f32> {
    let tokens = encoder.tokenize(text).unwrap();
    encoder.embed(&[tokens]).unwrap()[0].to_vec()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn nearest(vector: &[f32], others: &[Vec<f32>]) -> usize {
    let by_cosine =
        |a: &usize, b: &usize| cosine(vector, &others[*a]).total_cmp(&cosine(vector, &others[*b]));
    (0..others.len()).max_by(by_cosine).unwrap()
}

#[test]
fn the_quantised_model_ranks_like_the_exact_one() {
    let Some(real) = test_folder() else { return };
    let [exact, quantised] = ["model.onnx", "model_int8.onnx"].map(|model| {
        let folder = folder_with(&real, model);
        let config = settings(folder.path().to_owned(), real.join("libonnxruntime.so"));
        let mut encoder = encoder(&config);
        [0, 1].map(|side| PAIRS.map(|pair| alone(&mut encoder, pair[side])).to_vec())
    });
    let cosines: Vec<f32> = (0..2)
        .flat_map(|side| exact[side].iter().zip(&quantised[side]).map(|(a, b)| cosine(a, b)))
        .collect();
    let mean = cosines.iter().sum::<f32>() / cosines.len() as f32;
    assert!(mean > 0.99, "mean cosine {mean}");
    assert!(cosines.iter().all(|&cosine| cosine > 0.98), "{cosines:?}");

    for (row, pair) in PAIRS.iter().enumerate() {
        let found = [&exact, &quantised].map(|[asked, kept]| nearest(&asked[row], kept));
        assert_eq!(found[0], found[1], "{pair:?}");
    }
}

#[test]
fn a_text_has_one_vector_alone_and_in_a_padded_batch() {
    let Some(real) = test_folder() else { return };
    let mut encoder = encoder(&settings(real.join(MODEL), real.join("libonnxruntime.so")));
    let texts: Vec<&str> = PAIRS.iter().flatten().copied().chain(["hi"]).collect();
    let tokens: Vec<_> = texts.iter().map(|text| encoder.tokenize(text).unwrap()).collect();
    let together = encoder.embed(&tokens).unwrap();
    for (text, vector) in texts.iter().zip(together) {
        let cosine = cosine(&vector, &alone(&mut encoder, text));
        assert!(cosine > 0.999, "{text}: {cosine}");
        let length = self::cosine(&vector, &vector);
        assert!((length - 1.0).abs() < 1e-4, "{text}: {length}");
    }
}

#[actix::test]
async fn the_embedder_starts_with_the_files_of_make_model() {
    let Some(real) = test_folder() else { return };
    let config = settings(real.join(MODEL), real.join("libonnxruntime.so"));
    let embedder = start(&config, Path::new("nowhere"), &Arbiter::current()).unwrap();
    assert_eq!(embedder.dim, 384);
    assert!(embedder.embedder_id.starts_with("all-MiniLM-L6-v2-int8-"), "{}", embedder.embedder_id);

    let wait = Duration::from_secs(20);
    let short = embed(&embedder.embed, "Where is my order?".to_owned(), wait).await.unwrap();
    assert!(!short.truncated);
    let long = embed(&embedder.embed, "word ".repeat(config.max_tokens), wait).await.unwrap();
    assert!(long.truncated);
    embedder.stop().await;
}

#[test]
fn a_model_without_meta_is_named_by_its_checksum() {
    let Some(real) = test_folder() else { return };
    let library = real.join("libonnxruntime.so");
    let folder = folder_with(&real, "model_int8.onnx");
    let config = settings(folder.path().to_owned(), library);
    let id = || ModelFolder::find(&config, Path::new("nowhere")).unwrap().embedder_id().unwrap();
    let named = id();
    assert!(named.starts_with("model_int8-") && named.len() == 23, "{named}");

    let stale = r#"{"max_tokens": 256, "models": {"model_int8.onnx": {"embedder_id": "other", "bytes": 7}}}"#;
    fs::write(folder.path().join("meta.json"), stale).unwrap();
    assert_eq!(id(), named, "a meta.json of another file does not name this one");
}

/// Inputs with token types, output [batch, seq, 4]. Token 0 is (0, 0, 0, 1), 1 is (3, 0, 0, 0) and
/// 2 is (0, 4, 0, 0). Made with onnx.helper from an Add of ids and types, and a Gather.
const TOKEN_LEVEL: &str = concat!(
    "CAg6mgIKIwoJaW5wdXRfaWRzCg50b2tlbl90eXBlX2lkcxIBaSIDQWRkCiEKAXQKAWkSEWxhc3RfaGlkZGVuX3N0",
    "YXRlIgZHYXRoZXISAWcqOwgDCAQQAUIBdEowAAAAAAAAAAAAAAAAAACAPwAAQEAAAAAAAAAAAAAAAAAAAAAAAACA",
    "QAAAAAAAAAAAWh0KCWlucHV0X2lkcxIQCg4IBxIKCgMSAWIKAxIBc1oiCg5hdHRlbnRpb25fbWFzaxIQCg4IBxIK",
    "CgMSAWIKAxIBc1oiCg50b2tlbl90eXBlX2lkcxIQCg4IBxIKCgMSAWIKAxIBc2IpChFsYXN0X2hpZGRlbl9zdGF0",
    "ZRIUChIIARIOCgMSAWIKAxIBcwoCCARCBAoAEBE=",
);
const WORDS: &str = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
    "pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
    "model":{"type":"WordLevel","vocab":{"[UNK]":0,"red":1,"blue":2},"unk_token":"[UNK]"}}"#;

#[test]
fn an_export_with_one_vector_per_token_is_averaged_over_its_text() {
    let Some(real) = test_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.onnx"), BASE64_STANDARD.decode(TOKEN_LEVEL).unwrap())
        .unwrap();
    fs::write(folder.path().join("tokenizer.json"), WORDS).unwrap();
    let mut encoder = encoder(&settings(folder.path().to_owned(), real.join("libonnxruntime.so")));
    let tokens = ["red blue", "red"].map(|text| encoder.tokenize(text).unwrap());
    let vectors = encoder.embed(&tokens).unwrap();
    let near = |a: &[f32], b: [f32; 4]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(near(&vectors[0], [0.6, 0.8, 0.0, 0.0]), "{:?}", vectors[0]);
    assert!(near(&vectors[1], [1.0, 0.0, 0.0, 0.0]), "padding has no part: {:?}", vectors[1]);
}

#[test]
fn a_missing_model_says_how_to_get_it() {
    let config = settings(PathBuf::from("no/such/model"), PathBuf::new());
    let error = ModelFolder::find(&config, Path::new("data")).err().unwrap();
    assert!(matches!(error, EmbedStartError::Missing { .. }));
    assert_eq!(error.to_string(), "no/such/model/model.onnx is missing: run `make model`");
}

#[test]
fn the_library_is_looked_for_in_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.onnx"), "").unwrap();
    let config = settings(folder.path().to_owned(), PathBuf::new());
    let error = ModelFolder::find(&config, Path::new("no/such/data")).err().unwrap();
    let missing = "no/such/data/model/libonnxruntime.so is missing: run `make model`";
    assert_eq!(error.to_string(), missing);
}
