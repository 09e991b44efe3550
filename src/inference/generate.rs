//! One answer of a model, from the queue to the last piece: the only part that a turn calls.

use std::time::Duration;

use super::{
    acquire::acquire,
    attempt::{Attempt, Begun},
    backend::{BackendId, TokenStream},
    hedge,
    messages::{AcquirePort, Ask},
    metrics,
    outcome::Outcome,
    request::{GenerateError, GenerateRequest},
    stream::Piece,
};
use crate::domain::Lane;

/// An answer on its way. Dropping it closes the connection to the backend and frees the slot.
#[derive(Debug)]
pub struct Generation {
    /// Declared before the attempt, so that the connection closes before the slot is free.
    stream: Option<TokenStream>,
    attempt: Attempt,
    /// The first piece, which [`Generation::start`] waited for.
    first: Option<Piece>,
    first_token: Duration,
    failed: Option<Outcome>,
}

impl Generation {
    fn new(begun: Begun) -> Self {
        let Begun { stream, attempt, first, first_token } = begun;
        Self { stream: Some(stream), attempt, first: Some(first), first_token, failed: None }
    }

    /// Waits for a slot, asks the backend and waits for the first piece of the answer.
    ///
    /// Tries again, on another backend if possible, as long as no part of an answer came.
    pub async fn start(
        pool: &AcquirePort,
        request: GenerateRequest,
    ) -> Result<Self, GenerateError> {
        Self::start_beside(pool, request, Vec::new()).await
    }

    /// Starts again, on another backend if possible, after this answer failed although a part of it
    /// was handed on. The caller must withdraw what was shown. The shopper has begun to read, so
    /// this request goes before those that wait.
    pub async fn restart(
        &self,
        pool: &AcquirePort,
        request: GenerateRequest,
    ) -> Result<Self, GenerateError> {
        let failed = &self.attempt.backend;
        metrics::restarted(failed.name());
        let request = GenerateRequest { lane: Lane::Checkout, max_wait: None, ..request };
        Self::start_beside(pool, request, vec![failed.id()]).await
    }

    async fn start_beside(
        pool: &AcquirePort,
        request: GenerateRequest,
        mut tried: Vec<BackendId>,
    ) -> Result<Self, GenerateError> {
        let mut waited = Duration::ZERO;
        let mut failure = None;
        for _ in 0..request.limits.attempts.max(1) {
            let ask = if tried.is_empty() { Ask::First } else { Ask::Again };
            let grant = match acquire(pool, &request, ask, tried.clone()).await {
                Ok(grant) => grant,
                // The first failure says more than "no backend is left".
                Err(refused) => return Err(failure.map_or(refused.into(), GenerateError::from)),
            };
            if failure.is_some() {
                metrics::retried();
            }
            waited += grant.waited;
            match hedge::begin(pool, &request, grant, waited, &mut tried).await {
                Ok(begun) => return Ok(Self::new(begun)),
                Err(outcome) if outcome.retryable() => failure = Some(outcome),
                Err(outcome) => return Err(outcome.into()),
            }
        }
        Err(failure.unwrap_or(Outcome::Connect).into())
    }

    /// The next piece. Returns `None` after [`Piece::Finished`], which comes only when the answer
    /// is proven complete. After an error it returns the same error again. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Piece>, GenerateError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if let Some(outcome) = self.failed {
            return Err(outcome.into());
        }
        let Some(stream) = &mut self.stream else { return Ok(None) };
        match self.attempt.piece(stream).await {
            Ok(piece) => {
                if matches!(piece, Some(Piece::Finished(_)) | None) {
                    self.end(Outcome::Completed);
                }
                Ok(piece)
            }
            Err(outcome) => {
                self.end(outcome);
                self.failed = Some(outcome);
                Err(outcome.into())
            }
        }
    }

    /// Whether it failed in a way that another start may avoid.
    pub fn can_restart(&self) -> bool {
        self.failed.is_some_and(|outcome| outcome.restartable())
    }

    /// Time spent in the queue, summed over all attempts.
    pub fn queue_wait(&self) -> Duration {
        self.attempt.queue_wait
    }

    /// Time from the request to the first piece of the answer, not counting reasoning as a piece.
    pub fn first_token(&self) -> Duration {
        self.first_token
    }

    /// The configured name of the backend that answers.
    pub fn backend(&self) -> &str {
        self.attempt.backend.name()
    }

    /// The model that the backend is configured with.
    pub fn model(&self) -> &str {
        self.attempt.backend.model()
    }

    fn end(&mut self, outcome: Outcome) {
        self.stream = None;
        self.attempt.report(outcome);
    }
}
