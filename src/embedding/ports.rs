//! The interface of a running embedder, and how to start one.

use std::{path::Path, sync::Arc};

use actix::{Actor as _, ArbiterHandle, Recipient};
use tokio_util::task::TaskTracker;

use super::{
    actor::Embedder,
    card::Card,
    error::EmbedStartError,
    folder::ModelFolder,
    messages::{Embed, ObserveEmbedder},
    onnx::OnnxEncoder,
    queue::Queue,
    worker,
};
use crate::config;

/// A running embedder. Its ports may be cloned freely.
pub struct EmbedderHandle {
    pub embed: Recipient<Embed>,
    pub observe: Recipient<ObserveEmbedder>,
    /// Identifies model, quantisation and file. Vectors of two ids must never be compared.
    pub embedder_id: Arc<str>,
    pub dim: usize,
    pub card: Arc<Card>,
    queue: Arc<Queue>,
    threads: TaskTracker,
}

impl EmbedderHandle {
    /// Refuses new texts, answers the waiting ones with `Closed` and waits for running batches,
    /// about ten milliseconds each. Must be called before the process exits, because the native
    /// library must not be unloaded under a running batch.
    pub async fn stop(&self) {
        self.queue.close();
        self.threads.close();
        self.threads.wait().await;
    }
}

/// Loads library, model and tokenizer, runs the model once in each thread's session and starts the
/// threads. The actor runs on `arbiter`.
///
/// Blocks for a second or so: call it before the server starts, or in `spawn_blocking`. Each of
/// `config.threads` holds its own copy of the model (about 25 MB for the int8 model).
///
/// # Errors
/// `Missing` with a hint if a file does not exist; other errors if a file cannot be used.
pub fn start(
    config: &config::Embedding,
    data_dir: &Path,
    arbiter: &ArbiterHandle,
) -> Result<EmbedderHandle, EmbedStartError> {
    let folder = ModelFolder::find(config, data_dir)?;
    let tokenizer = folder.tokenizer(config.max_tokens)?;
    let embedder_id = folder.embedder_id()?;
    let encoders = (0..config.threads)
        .map(|_| OnnxEncoder::load(&folder.library, &folder.model, tokenizer.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    let dim = encoders.first().map_or(0, OnnxEncoder::dim);

    let queue = Arc::new(Queue::new(config.max_queue, config.batch_tokens));
    let threads = TaskTracker::new();
    for (number, encoder) in encoders.into_iter().enumerate() {
        worker::spawn(number, Arc::clone(&queue), encoder, &threads)
            .inspect_err(|_| queue.close())?;
    }
    tracing::info!(%embedder_id, dim, threads = config.threads, "embedder ready");
    Ok(handle(queue, threads, embedder_id, dim, folder.card, arbiter))
}

pub(super) fn handle(
    queue: Arc<Queue>,
    threads: TaskTracker,
    embedder_id: Arc<str>,
    dim: usize,
    card: Arc<Card>,
    arbiter: &ArbiterHandle,
) -> EmbedderHandle {
    let embedder = Embedder::new(Arc::clone(&queue), Arc::clone(&embedder_id), Arc::clone(&card));
    let address = Embedder::start_in_arbiter(arbiter, |_| embedder);
    EmbedderHandle {
        embed: address.clone().recipient(),
        observe: address.recipient(),
        embedder_id,
        dim,
        card,
        queue,
        threads,
    }
}
