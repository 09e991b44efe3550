//! One thread: takes work from the queue, tokenises or computes, and answers. A panic fails only
//! the texts in work; the thread continues.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::{
    error::{EmbedError, EmbedStartError},
    messages::Embedding,
    metrics,
    queue::{Job, Queue, Ready, Work},
    tokenizer::Tokens,
};

/// The model of a thread; each thread has its own.
pub trait Encoder: Send + 'static {
    /// # Errors
    /// `Failed` if the text cannot be tokenised.
    fn tokenize(&self, text: &str) -> Result<Tokens, EmbedError>;

    /// One unit vector for each text, in order.
    ///
    /// # Errors
    /// `Failed` if the model cannot compute the batch.
    fn embed(&mut self, batch: &[Tokens]) -> Result<Vec<Arc<[f32]>>, EmbedError>;
}

/// Starts the thread `embed-<number>`. It ends once the queue is closed; `tracker` waits for that.
///
/// # Errors
/// If the system cannot start a thread.
pub fn spawn(
    number: usize,
    queue: Arc<Queue>,
    encoder: impl Encoder,
    tracker: &TaskTracker,
) -> Result<(), EmbedStartError> {
    let tracked = tracker.token();
    thread::Builder::new()
        .name(format!("embed-{number}"))
        .spawn(move || {
            run(&queue, encoder);
            drop(tracked);
        })
        .map(drop)
        .map_err(EmbedStartError::Thread)
}

fn run(queue: &Queue, mut encoder: impl Encoder) {
    let _alive = queue.thread();
    while let Some(work) = queue.take() {
        match work {
            Work::Tokenize(jobs) => queue.push_ready(tokenize(&encoder, jobs)),
            Work::Batch(texts) => compute(&mut encoder, texts),
        }
        metrics::queued(queue.queued());
    }
}

fn tokenize(encoder: &impl Encoder, jobs: Vec<Job>) -> Vec<Ready> {
    let now = Instant::now();
    let mut ready = Vec::with_capacity(jobs.len());
    for job in jobs.into_iter().filter_map(|job| job.alive(now)) {
        match guarded(|| encoder.tokenize(&job.text)) {
            Ok(tokens) => ready.push(Ready { job, tokens }),
            Err(error) => job.finish(Err(error)),
        }
    }
    ready
}

fn compute(encoder: &mut impl Encoder, texts: Vec<Ready>) {
    let (jobs, tokens): (Vec<Job>, Vec<Tokens>) =
        texts.into_iter().map(|text| (text.job, text.tokens)).unzip();
    let started = Instant::now();
    let result = guarded(|| encoder.embed(&tokens));
    metrics::batch(&tokens, started.elapsed());
    match result {
        Ok(vectors) if vectors.len() == jobs.len() => {
            for ((job, tokens), vector) in jobs.into_iter().zip(tokens).zip(vectors) {
                job.finish(Ok(Embedding { vector, truncated: tokens.truncated }));
            }
        }
        Ok(_) => fail(jobs, EmbedError::Failed),
        Err(error) => fail(jobs, error),
    }
}

fn fail(jobs: Vec<Job>, error: EmbedError) {
    for job in jobs {
        job.finish(Err(error));
    }
}

/// The panic's own message goes to the panic hook. It may quote the text, so it is not logged here.
fn guarded<T>(step: impl FnOnce() -> Result<T, EmbedError>) -> Result<T, EmbedError> {
    // A panic can only leave the encoder's scratch buffer incomplete, and each call overwrites it.
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| {
        metrics::panicked();
        tracing::error!("the embedding model panicked; its batch has failed");
        Err(EmbedError::Failed)
    })
}
