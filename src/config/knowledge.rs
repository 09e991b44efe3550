//! `[knowledge]`: how much of a shop's documents is stored.

use serde::Deserialize;

use super::check::{Check, Section};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knowledge {
    pub max_document_bytes: usize,
    pub max_documents: usize,
    pub max_passages: usize,
    pub passage_chars: usize,
}

impl Section for Knowledge {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("max_document_bytes", self.max_document_bytes);
        check.not_zero("max_documents", self.max_documents);
        check.not_zero("max_passages", self.max_passages);
        check.not_zero("passage_chars", self.passage_chars);
    }
}
