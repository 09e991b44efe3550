//! What the embedder counts.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use super::tokenizer::Tokens;

const TEXTS: &str = "rushdesk_embedding_texts_total";
const QUEUED: &str = "rushdesk_embedding_queued_texts";
const WAIT: &str = "rushdesk_embedding_wait_seconds";
const BATCH_SECONDS: &str = "rushdesk_embedding_batch_seconds";
const BATCH_TEXTS: &str = "rushdesk_embedding_batch_texts";
const TOKENS: &str = "rushdesk_embedding_tokens_total";
const PANICS: &str = "rushdesk_embedding_panics_total";

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

pub fn describe() {
    describe_counter!(TEXTS, "Texts sent to the embedder, by outcome");
    describe_gauge!(QUEUED, "Texts that wait for a batch");
    describe_histogram!(WAIT, Unit::Seconds, "Wait of a text for its batch");
    describe_histogram!(BATCH_SECONDS, Unit::Seconds, "Time of the model on one batch");
    describe_histogram!(BATCH_TEXTS, "Texts in one batch");
    describe_counter!(TOKENS, "Tokens computed, by kind: of texts, or padding");
    describe_counter!(PANICS, "Panics caught on the embedding threads");
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
