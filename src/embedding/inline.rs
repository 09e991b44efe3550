//! An embedder on the caller's thread, for commands that measure. It has no queue.

use std::{path::Path, sync::Arc};

use super::{
    card::Card,
    error::{EmbedError, EmbedStartError},
    folder::ModelFolder,
    messages::Role,
    onnx::OnnxEncoder,
    worker::Encoder as _,
};
use crate::config;

pub struct InlineEmbedder {
    encoder: OnnxEncoder,
    id: Arc<str>,
    card: Arc<Card>,
}

impl InlineEmbedder {
    /// # Errors
    /// `Missing` with a hint if a file does not exist; other errors if a file cannot be used.
    pub fn load(config: &config::Embedding, data_dir: &Path) -> Result<Self, EmbedStartError> {
        let folder = ModelFolder::find(config, data_dir)?;
        let tokenizer = folder.tokenizer(config.max_tokens)?;
        let id = folder.embedder_id()?;
        let encoder = OnnxEncoder::load(&folder.library, &folder.model, tokenizer)?;
        Ok(Self { encoder, id, card: folder.card })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// The vector of a question.
    ///
    /// # Errors
    /// `Failed` if the text cannot be tokenised or computed.
    pub fn embed(&mut self, text: &str) -> Result<Arc<[f32]>, EmbedError> {
        let text = self.card.prefixed(Role::Question, text.to_owned());
        let tokens = self.encoder.tokenize(&text)?;
        self.encoder.embed(&[tokens])?.into_iter().next().ok_or(EmbedError::Failed)
    }
}
