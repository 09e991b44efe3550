//! The partition of an entry. Every look-up takes one, so no answer crosses a site, an audience or
//! a version.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::SiteId;

/// Everything that an answer depends on, apart from the question.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Partition {
    pub site: SiteId,
    /// BCP 47 language tag of the conversation.
    pub locale: Arc<str>,
    /// Who may read the documents behind the answer.
    pub audience: Arc<str>,
    /// Increases when the shop's knowledge changes.
    pub knowledge_version: u64,
    /// Which assistant (instructions and tools) answers.
    pub assistant: Arc<str>,
    /// Hash of model and prompt.
    pub fingerprint: Arc<str>,
    /// Name and quantisation of the embedder whose vectors are compared.
    pub embedder: Arc<str>,
}

impl Partition {
    /// The partition as a number: 128 bits of SHA-256.
    pub fn key(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        let version = self.knowledge_version.to_string();
        let site = self.site.as_str();
        let fields = [
            site,
            &self.locale,
            &self.audience,
            &version,
            &self.assistant,
            &self.fingerprint,
            &self.embedder,
        ];
        for field in fields {
            // The length is hashed, too, so that no two lists of fields hash the same.
            hash.update((field.len() as u64).to_le_bytes());
            hash.update(field.as_bytes());
        }
        let digest = hash.finalize();
        std::array::from_fn(|index| digest[index])
    }
}
