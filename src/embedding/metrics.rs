//! Metrics of the embedder.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use super::tokenizer::Tokens;
use crate::telemetry::declare;

declare! {
    TEXTS: counter "rushdesk_embedding_texts_total" ["outcome"]
        "Texts sent to the embedder, by outcome" when "with an embedding model";
    QUEUED: gauge "rushdesk_embedding_queued_texts" [] "Texts that wait for a batch"
        when "with an embedding model";
    WAIT: histogram(QUICK) "rushdesk_embedding_wait_seconds" [] "Time that a text waits for its batch"
        when "with an embedding model";
    BATCH_SECONDS: histogram(QUICK) "rushdesk_embedding_batch_seconds" []
        "Time that the model takes for one batch" when "with an embedding model";
    BATCH_TEXTS: histogram(COUNTS) "rushdesk_embedding_batch_texts" [] "Texts in one batch"
        when "with an embedding model";
    TOKENS: counter "rushdesk_embedding_tokens_total" ["kind"]
        "Tokens that the model computed, of `text` or `padding`" when "with an embedding model";
    PANICS: counter "rushdesk_embedding_panics_total" []
        "Panics caught on the embedding threads";
}

/// How a text ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Done,
    Failed,
    /// The queue was full.
    Refused,
    /// Its deadline passed in the queue.
    Expired,
    /// Its caller left while it was in the queue.
    Abandoned,
}

impl Outcome {
    const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Abandoned => "abandoned",
        }
    }
}

pub(super) fn text(outcome: Outcome) {
    counter!(TEXTS, "outcome" => outcome.label()).increment(1);
}

pub(super) fn queued(texts: usize) {
    gauge!(QUEUED).set(texts as f64);
}

pub(super) fn waited(waits: impl Iterator<Item = Duration>) {
    let histogram = histogram!(WAIT);
    waits.for_each(|wait| histogram.record(wait));
}

pub(super) fn batch(batch: &[Tokens], time: Duration) {
    let text: usize = batch.iter().map(|tokens| tokens.ids.len()).sum();
    let longest = batch.iter().map(|tokens| tokens.ids.len()).max().unwrap_or(0);
    histogram!(BATCH_SECONDS).record(time);
    histogram!(BATCH_TEXTS).record(batch.len() as f64);
    counter!(TOKENS, "kind" => "text").increment(text as u64);
    counter!(TOKENS, "kind" => "padding").increment((longest * batch.len() - text) as u64);
}

pub(super) fn panicked() {
    counter!(PANICS).increment(1);
}
