//! One request to one backend, and the clocks that run on it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, timeout_at};
use tracing::{Span, field::Empty, trace_span};

use super::{
    backend::{Backend, TokenStream},
    chat::ChatRequest,
    messages::Grant,
    metrics,
    outcome::{Outcome, Stall},
    request::{GenerateRequest, Limits},
    slot::SlotPass,
    stream::{Item, Piece},
};
use crate::telemetry::traces;

#[derive(Debug)]
pub struct Attempt {
    pub backend: Arc<Backend>,
    /// `None` once the outcome was reported.
    pass: Option<SlotPass>,
    pub queue_wait: Duration,
    limits: Limits,
    began: Instant,
    /// When the last token came, once there was one.
    progress: Option<Instant>,
    total_deadline: Instant,
    alive: Arc<AtomicBool>,
    gaps: ::metrics::Histogram,
    span: Span,
}

/// A request whose answer has begun.
pub struct Begun {
    pub stream: TokenStream,
    pub attempt: Attempt,
    pub first: Piece,
    /// Time from the request to the first piece.
    pub first_token: Duration,
}

impl Attempt {
    pub fn new(grant: Grant, queue_wait: Duration, request: &GenerateRequest) -> Self {
        let began = Instant::now();
        let backend = Arc::clone(grant.pass.backend());
        Self {
            gaps: metrics::token_gaps(backend.name()),
            span: trace_span!("generate", backend = &**backend.name(), outcome = Empty),
            backend,
            pass: Some(grant.pass),
            queue_wait,
            limits: request.limits,
            began,
            progress: None,
            total_deadline: request.deadline.min(began + request.limits.total),
            alive: Arc::default(),
        }
    }

    /// Becomes true with the first token, even if it is reasoning.
    pub fn sign_of_life(&self) -> Arc<AtomicBool> {
        self.alive.clone()
    }

    /// Sends the request and waits for the first piece of the answer.
    ///
    /// Dropping the future closes the connection first and frees the slot after that.
    pub async fn begin(mut self, chat: &ChatRequest) -> Result<Begun, Outcome> {
        match self.first_piece(chat).await {
            Ok((stream, first)) => {
                let first_token = self.began.elapsed();
                metrics::first_answer_token(self.backend.name(), first_token);
                Ok(Begun { stream, attempt: self, first, first_token })
            }
            Err(outcome) => {
                self.report(outcome);
                Err(outcome)
            }
        }
    }

    async fn first_piece(&mut self, chat: &ChatRequest) -> Result<(TokenStream, Piece), Outcome> {
        let (deadline, stall) = self.limit();
        let traceparent = traces::traceparent(&self.span);
        let opened = self.backend.open(chat, traceparent.as_deref());
        let opened = timeout_at(deadline, opened).await;
        let mut stream = opened.map_err(|_| Outcome::Stalled(stall))??;
        match self.piece(&mut stream).await? {
            Some(piece) => Ok((stream, piece)),
            None => Err(Outcome::Empty),
        }
    }

    /// The next piece within the time limits. Items that are not pieces only reset the clock.
    pub async fn piece(&mut self, stream: &mut TokenStream) -> Result<Option<Piece>, Outcome> {
        loop {
            let (deadline, stall) = self.limit();
            let item = timeout_at(deadline, stream.next()).await;
            match item.map_err(|_| Outcome::Stalled(stall))?? {
                None => return Ok(None),
                Some(item) => {
                    self.progressed(stream, &item);
                    if let Item::Piece(piece) = item {
                        if let Piece::Usage(usage) = piece {
                            metrics::tokens(self.backend.name(), usage);
                        }
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    fn progressed(&mut self, stream: &TokenStream, item: &Item) {
        let now = Instant::now();
        let before = self.progress.replace(now);
        self.alive.store(true, Ordering::Relaxed);
        let Some(pass) = &self.pass else { return };
        pass.progressed();
        if let Some(before) = before {
            // Usage and the finish reason follow the last token at once and say nothing about the
            // pace.
            if !matches!(item, Item::Piece(Piece::Usage(_) | Piece::Finished(_))) {
                self.gaps.record(now.saturating_duration_since(before));
            }
        } else {
            let after = now.saturating_duration_since(self.began);
            metrics::first_token(self.backend.name(), after);
            pass.first_token(after);
        }
        if stream.has_reasoned() {
            self.backend.about().learn_that_it_thinks();
        }
    }

    /// The time limit that runs out first.
    fn limit(&self) -> (Instant, Stall) {
        let (deadline, stall) = match self.progress {
            None => (self.began + self.limits.first_token, Stall::FirstToken),
            Some(last) => (last + self.limits.token_gap, Stall::Gap),
        };
        if deadline < self.total_deadline {
            (deadline, stall)
        } else {
            (self.total_deadline, Stall::Total)
        }
    }

    pub fn report(&mut self, outcome: Outcome) {
        if outcome == Outcome::LeakedThought {
            self.backend.about().learn_to_hold_back();
        }
        if outcome != Outcome::Completed {
            let backend = &**self.backend.name();
            tracing::warn!(backend, outcome = outcome.label(), "request to a backend failed");
        }
        self.span.record("outcome", outcome.label());
        if let Some(pass) = self.pass.take() {
            pass.report(outcome);
        }
    }
}
