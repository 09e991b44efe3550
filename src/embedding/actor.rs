//! The actor: moves requests from the mailbox into the queue. It never computes and never waits.

use std::sync::Arc;

use actix::{Actor, Context, Handler, MessageResult};

use super::{
    card::Card,
    messages::{Embed, EmbedderStatus, ObserveEmbedder},
    queue::Queue,
};

/// A message stays in the mailbox for microseconds; this bounds a burst from many threads.
const MAILBOX: usize = 256;

pub struct Embedder {
    queue: Arc<Queue>,
    embedder_id: Arc<str>,
    card: Arc<Card>,
}

impl Embedder {
    pub fn new(queue: Arc<Queue>, embedder_id: Arc<str>, card: Arc<Card>) -> Self {
        Self { queue, embedder_id, card }
    }
}

impl Actor for Embedder {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

/// Runs when all addresses were dropped: no request can arrive any more, so the threads may end.
impl Drop for Embedder {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Handler<Embed> for Embedder {
    type Result = ();

    fn handle(&mut self, request: Embed, _: &mut Self::Context) {
        let text = self.card.prefixed(request.role, request.text);
        self.queue.push(Embed { text, ..request });
    }
}

impl Handler<ObserveEmbedder> for Embedder {
    type Result = MessageResult<ObserveEmbedder>;

    fn handle(&mut self, _: ObserveEmbedder, _: &mut Self::Context) -> Self::Result {
        MessageResult(EmbedderStatus {
            embedder_id: Arc::clone(&self.embedder_id),
            queued: self.queue.queued(),
            max_queue: self.queue.bound(),
            batches: self.queue.batches(),
            threads_alive: self.queue.threads_alive(),
        })
    }
}
