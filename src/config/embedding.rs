//! `[embedding]`: the model that turns text into vectors.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{
    check::{Check, Section},
    spans::millis,
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    pub model_dir: PathBuf,
    pub library: PathBuf,
    pub threads: usize,
    pub max_queue: usize,
    pub batch_tokens: usize,
    pub max_tokens: usize,
    #[serde(rename = "timeout_ms", deserialize_with = "millis")]
    pub timeout: Duration,
}

impl Section for Embedding {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("threads", self.threads);
        check.not_zero("max_queue", self.max_queue);
        check.not_zero("batch_tokens", self.batch_tokens);
        check.not_zero("max_tokens", self.max_tokens);
    }
}
