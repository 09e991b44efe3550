//! One answer of a model, from the queue to the last piece: the one function a turn calls.

use std::time::Duration;

use actix::Recipient;
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout_at},
};
use tracing::{Instrument as _, trace_span};

use super::{
    attempt::Attempt,
    backend::{BackendId, ChatRequest},
    hedge,
    messages::{Acquire, AcquireRequest, Ask, Grant, QueuePosition, Refused},
    metrics,
    outcome::{Outcome, Stall},
    stream::{Piece, TokenStream},
    tokens::estimate_tokens,
};
use crate::{
    config::{self, Tier},
    domain::{Lane, PrincipalId, SiteId},
};

/// How long each part may take, and how often it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub queue: Duration,
    /// From the request to the first token, be it reasoning.
    pub first_token: Duration,
    pub token_gap: Duration,
    /// From the request that is answered to the end of the answer.
    pub total: Duration,
    pub attempts: u32,
    /// How often an answer that broke off after it was shown is begun again.
    pub restarts: u32,
}

impl From<&config::Inference> for Limits {
    fn from(config: &config::Inference) -> Self {
        Self {
            queue: config.queue_timeout,
            first_token: config.first_token_timeout,
            token_gap: config.token_gap_timeout,
            total: config.total_timeout,
            attempts: config.attempts,
            restarts: config.restarts,
        }
    }
}

/// What to ask, for whom, and until when.
#[derive(Clone, Debug)]
pub struct GenerateRequest {
    pub site: SiteId,
    pub visitor: PrincipalId,
    pub lane: Lane,
    pub tier: Tier,
    /// The end of the turn; no limit reaches beyond it.
    pub deadline: Instant,
    /// The longest predicted wait that is accepted; a longer one is [`Refused::TooLate`] at once.
    pub max_wait: Option<Duration>,
    /// Names what the prompt begins with; see [`AcquireRequest::affinity`].
    pub affinity: Option<u64>,
    /// Is told the position while the request waits for a slot.
    pub queued: Option<watch::Sender<Option<QueuePosition>>>,
    pub chat: ChatRequest,
    pub limits: Limits,
}

/// Why there is no answer, or no more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the model took too long ({0:?})")]
    Timeout(Stall),
    #[error(transparent)]
    Upstream(Outcome),
}

impl From<Outcome> for GenerateError {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Stalled(stall) => Self::Timeout(stall),
            other => Self::Upstream(other),
        }
    }
}

/// An answer on its way. Dropping it closes the connection to the backend and frees the slot.
#[derive(Debug)]
pub struct Generation {
    /// Before the attempt, so that the connection is gone when the slot is free.
    stream: Option<TokenStream>,
    attempt: Attempt,
    /// The first piece, which [`Generation::start`] waited for.
    first: Option<Piece>,
    first_token: Duration,
    failed: Option<Outcome>,
}

impl Generation {
    pub(super) fn new(
        stream: TokenStream,
        attempt: Attempt,
        first: Piece,
        first_token: Duration,
    ) -> Self {
        Self { stream: Some(stream), attempt, first: Some(first), first_token, failed: None }
    }

    /// Waits for a slot, asks the backend and waits for the first piece of the answer.
    ///
    /// Tries again, elsewhere where there is an elsewhere, as long as nothing of an answer came.
    pub async fn start(
        pool: &Recipient<Acquire>,
        request: GenerateRequest,
    ) -> Result<Self, GenerateError> {
        Self::start_beside(pool, request, Vec::new()).await
    }

    /// Begins anew, elsewhere where there is an elsewhere, after this one failed although a part of it was handed on. What
    /// was shown of it must be withdrawn. The shopper has begun to read and goes before those who wait.
    pub async fn restart(
        &self,
        pool: &Recipient<Acquire>,
        request: GenerateRequest,
    ) -> Result<Self, GenerateError> {
        let failed = &self.attempt.backend;
        metrics::restarted(&failed.name);
        let request = GenerateRequest { lane: Lane::Checkout, max_wait: None, ..request };
        Self::start_beside(pool, request, vec![failed.id]).await
    }

    async fn start_beside(
        pool: &Recipient<Acquire>,
        request: GenerateRequest,
        mut tried: Vec<BackendId>,
    ) -> Result<Self, GenerateError> {
        let mut waited = Duration::ZERO;
        let mut failure = None;
        for _ in 0..request.limits.attempts.max(1) {
            let ask = if tried.is_empty() { Ask::First } else { Ask::Again };
            let grant = match acquire(pool, &request, ask, tried.clone()).await {
                Ok(grant) => grant,
                // The first failure says more than that nobody is left to try.
                Err(refused) => return Err(failure.map_or(refused.into(), GenerateError::from)),
            };
            if failure.is_some() {
                metrics::retried();
            }
            waited += grant.waited;
            match hedge::begin(pool, &request, grant, waited, &mut tried).await {
                Ok(generation) => return Ok(generation),
                Err(outcome) if outcome.retryable() => failure = Some(outcome),
                Err(outcome) => return Err(outcome.into()),
            }
        }
        Err(failure.unwrap_or(Outcome::Connect).into())
    }

    /// The next piece; `None` after [`Piece::Finished`], which comes only when the answer is proven
    /// complete. After an error the same error again. Cancel safe.
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

    /// Whether it failed in a way that another start may get around.
    pub fn can_restart(&self) -> bool {
        self.failed.is_some_and(|outcome| outcome.restartable())
    }

    /// Time spent in the queue, over all attempts.
    pub fn queue_wait(&self) -> Duration {
        self.attempt.queue_wait
    }

    /// From the request to the backend to the first piece of the answer; reasoning is none.
    pub fn first_token(&self) -> Duration {
        self.first_token
    }

    /// The configured name of the backend that answers.
    pub fn backend(&self) -> &str {
        &self.attempt.backend.name
    }

    /// The model that the backend is configured with.
    pub fn model(&self) -> &str {
        &self.attempt.backend.model
    }

    fn end(&mut self, outcome: Outcome) {
        self.stream = None;
        self.attempt.report(outcome);
    }
}

pub(super) async fn acquire(
    pool: &Recipient<Acquire>,
    request: &GenerateRequest,
    ask: Ask,
    exclude: Vec<BackendId>,
) -> Result<Grant, Refused> {
    let deadline = request.deadline.min(Instant::now() + request.limits.queue);
    let (reply, answer) = oneshot::channel();
    let prompt: usize =
        request.chat.messages.iter().map(|message| estimate_tokens(&message.content)).sum();
    let acquire = Acquire {
        request: AcquireRequest {
            site: request.site.clone(),
            visitor: request.visitor,
            lane: request.lane,
            tier: request.tier,
            tokens: u32::try_from(prompt)
                .unwrap_or(u32::MAX)
                .saturating_add(request.chat.max_tokens),
            deadline,
            max_wait: request.max_wait,
            affinity: request.affinity,
            ask,
            exclude,
        },
        reply,
        queued: request.queued.clone().filter(|_| ask != Ask::Hedge),
    };
    let granted = async {
        pool.send(acquire).await.map_err(|_| Refused::Closing)?;
        answer.await.map_err(|_| Refused::Closing)?
    };
    let span = trace_span!("queue", lane = request.lane.label());
    let granted = timeout_at(deadline, granted).instrument(span);
    granted.await.unwrap_or(Err(Refused::DeadlinePassed))
}
