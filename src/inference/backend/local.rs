//! A model in this process: an engine takes jobs from a bounded channel and sends the pieces of
//! each answer.
//!
//! The engine runs on its own threads and knows nothing about slots, thoughts or completeness. It
//! sends texts as they are generated, then calls, usage, and [`Piece::Finished`] at the end. An
//! answer that is dropped without `Finished` counts as truncated. Once the caller is gone, sending
//! fails and the engine takes its next job.

use std::collections::VecDeque;

use serde_json::Value;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::about::About;
use crate::inference::{
    chat::ChatRequest,
    outcome::Outcome,
    stream::{Answer, Fragment, Item, Piece},
};

/// How many pieces an engine may be ahead of the reader.
const AHEAD: usize = 32;

/// One request to the engine.
#[derive(Debug)]
pub struct Job {
    pub chat: ChatRequest,
    /// Takes the pieces of the answer. Closed when nobody reads it any longer.
    pub answer: mpsc::Sender<Piece>,
}

/// The engine's end of the channel: jobs in the order of their requests.
pub type Jobs = mpsc::Receiver<Job>;

/// A model whose engine runs in this process.
#[derive(Debug)]
pub struct Local {
    pub about: About,
    jobs: mpsc::Sender<Job>,
}

impl Local {
    pub fn new(about: About, jobs: mpsc::Sender<Job>) -> Self {
        Self { about, jobs }
    }

    /// Hands the request to the engine.
    pub fn open(&self, chat: &ChatRequest) -> Result<LocalStream, Outcome> {
        let (answer, pieces) = mpsc::channel(AHEAD);
        self.jobs.try_send(Job { chat: chat.clone(), answer }).map_err(|error| match error {
            TrySendError::Full(_) => Outcome::Overloaded(503),
            TrySendError::Closed(_) => Outcome::Connect,
        })?;
        let answer = Answer::new(self.about.opening());
        Ok(LocalStream { pieces, answer, ready: VecDeque::new(), failed: None })
    }

    /// Whether the engine still takes jobs.
    pub fn is_there(&self) -> bool {
        !self.jobs.is_closed()
    }
}

/// One answer on its way from the engine. Dropping it tells the engine to stop.
#[derive(Debug)]
pub struct LocalStream {
    pieces: mpsc::Receiver<Piece>,
    answer: Answer,
    ready: VecDeque<Item>,
    failed: Option<Outcome>,
}

impl LocalStream {
    /// The next item; `None` once the answer was proven complete and handed on whole. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Item>, Outcome> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            if let Some(outcome) = self.failed {
                return Err(outcome);
            }
            if self.answer.is_complete() {
                return Ok(None);
            }
            let piece = self.pieces.recv().await;
            self.failed = self.take(piece).err();
        }
    }

    fn take(&mut self, piece: Option<Piece>) -> Result<(), Outcome> {
        self.answer.begin();
        match piece {
            Some(Piece::Text(text)) => self.answer.text(&text, &mut self.ready),
            Some(Piece::ToolCall(call)) => {
                let fragment = Fragment {
                    index: None,
                    id: Some(call.id),
                    name: Some(call.name),
                    arguments: Some(Value::Object(call.arguments)),
                };
                self.answer.call(fragment, &mut self.ready)
            }
            Some(Piece::Usage(usage)) => {
                self.answer.usage(usage);
                Ok(())
            }
            Some(Piece::Finished(reason)) => {
                self.answer.finish_as(reason);
                self.answer.complete(&mut self.ready)
            }
            None => self.answer.end(&mut self.ready),
        }
    }
}
