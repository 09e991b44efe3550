//! Finds the files of a model and its identity.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{card::Card, error::EmbedStartError, tokenizer::TextTokenizer};
use crate::config;

const HINT: &str = "run `make model`";
/// In order of preference: the quantised model is a quarter of the size and nearly twice as fast.
const MODELS: [&str; 2] = ["model_int8.onnx", "model.onnx"];

/// Metadata that `make model` writes next to the model. Other exports have none.
#[derive(Deserialize)]
struct Meta {
    max_tokens: usize,
    models: BTreeMap<String, MetaModel>,
}

#[derive(Deserialize)]
struct MetaModel {
    embedder_id: String,
    bytes: u64,
}

pub struct ModelFolder {
    pub library: PathBuf,
    pub model: PathBuf,
    pub card: Arc<Card>,
    tokenizer: PathBuf,
    meta: Option<Meta>,
}

impl ModelFolder {
    /// # Errors
    /// `Missing` names the first file that does not exist.
    pub fn find(config: &config::Embedding, data_dir: &Path) -> Result<Self, EmbedStartError> {
        let folder = &config.model_dir;
        let model = MODELS
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| path.is_file())
            .ok_or_else(|| missing(&folder.join(MODELS[1])))?;
        let library = if config.library.as_os_str().is_empty() {
            data_dir.join("model").join("libonnxruntime.so")
        } else {
            config.library.clone()
        };
        let tokenizer = folder.join("tokenizer.json");
        for path in [&library, &tokenizer] {
            if !path.is_file() {
                return Err(missing(path));
            }
        }
        let meta = meta(&folder.join("meta.json"))?;
        let card = Arc::new(Card::read(folder)?);
        Ok(Self { library, model, card, tokenizer, meta })
    }

    /// Cuts at `max_tokens`, or earlier if the model reads less.
    ///
    /// # Errors
    /// When the file is not a tokenizer.
    pub fn tokenizer(&self, max_tokens: usize) -> Result<TextTokenizer, EmbedStartError> {
        let model_tokens = self.meta.as_ref().map(|meta| meta.max_tokens);
        TextTokenizer::load(&self.tokenizer, max_tokens, model_tokens)
    }

    /// From meta.json, or from the model's checksum if the model was replaced; and from what the
    /// card puts before texts.
    ///
    /// # Errors
    /// When the model cannot be read.
    pub fn embedder_id(&self) -> Result<Arc<str>, EmbedStartError> {
        let unread = |source| EmbedStartError::Read { path: self.model.clone(), source };
        let name = self.model.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let size = fs::metadata(&self.model).map_err(unread)?.len();
        let known = self.meta.as_ref().and_then(|meta| meta.models.get(name));
        if let Some(known) = known.filter(|known| known.bytes == size) {
            return Ok(format!("{}{}", known.embedder_id, self.card.mark()).into());
        }
        let digest = hex::encode(Sha256::digest(fs::read(&self.model).map_err(unread)?));
        let name = name.trim_end_matches(".onnx");
        Ok(format!("{name}-{}{}", &digest[..12], self.card.mark()).into())
    }
}

fn missing(what: &Path) -> EmbedStartError {
    EmbedStartError::Missing { what: what.to_owned(), hint: HINT }
}

fn meta(path: &Path) -> Result<Option<Meta>, EmbedStartError> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes =
        fs::read(path).map_err(|source| EmbedStartError::Read { path: path.to_owned(), source })?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| EmbedStartError::Broken {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}
