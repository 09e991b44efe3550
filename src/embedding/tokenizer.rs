//! Text to token ids, cut at the length that the model reads.

use std::path::Path;

use tokenizers::{Tokenizer, TruncationParams};

use super::error::{EmbedError, EmbedStartError};

/// The ids of one text, special tokens included.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    pub ids: Vec<u32>,
    pub truncated: bool,
}

/// Cheap to clone into each thread, next to the model.
#[derive(Clone)]
pub struct TextTokenizer {
    inner: Tokenizer,
}

impl TextTokenizer {
    /// Reads tokenizer.json and cuts at `max_tokens` (special tokens included), or at a shorter
    /// limit: `model_tokens` if the model states it, otherwise the limit in the file. Padding
    /// settings of the file are dropped; batches are padded to their longest text.
    ///
    /// # Errors
    /// If the file is not a tokenizer.
    pub fn load(
        path: &Path,
        max_tokens: usize,
        model_tokens: Option<usize>,
    ) -> Result<Self, EmbedStartError> {
        let broken = |reason: tokenizers::Error| EmbedStartError::Broken {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let mut inner = Tokenizer::from_file(path).map_err(broken)?;
        let own = inner.get_truncation().map(|cut| cut.max_length);
        let limit = model_tokens.or(own).unwrap_or(max_tokens).min(max_tokens);
        inner.with_padding(None);
        inner
            .with_truncation(Some(TruncationParams { max_length: limit, ..Default::default() }))
            .map_err(broken)?;
        Ok(Self { inner })
    }

    /// # Errors
    /// `Failed` if the tokenizer refuses the text.
    pub fn tokens(&self, text: &str) -> Result<Tokens, EmbedError> {
        let encoding = self.inner.encode_fast(text, true).map_err(|_| EmbedError::Failed)?;
        Ok(Tokens {
            ids: encoding.get_ids().to_vec(),
            truncated: !encoding.get_overflowing().is_empty(),
        })
    }
}
