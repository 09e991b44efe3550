//! One answer of a model, from the queue to the last piece: the one function a turn calls.

use std::{sync::Arc, time::Duration};

use actix::Recipient;
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout_at},
};

use super::{
    backend::{Backend, BackendId, ChatRequest},
    messages::{Acquire, AcquireRequest, Grant, QueuePosition, Refused},
    metrics,
    outcome::{Outcome, Stall},
    slot::SlotPass,
    stream::{Item, Piece, TokenStream},
    tokens::estimate_tokens,
};
use crate::{
    config,
    domain::{PrincipalId, SiteId},
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
}

impl From<&config::Inference> for Limits {
    fn from(config: &config::Inference) -> Self {
        Self {
            queue: config.queue_timeout,
            first_token: config.first_token_timeout,
            token_gap: config.token_gap_timeout,
            total: config.total_timeout,
            attempts: config.attempts,
        }
    }
}

/// What to ask, for whom, and until when.
#[derive(Clone, Debug)]
pub struct GenerateRequest {
    pub site: SiteId,
    pub visitor: PrincipalId,
    /// The end of the turn; no limit reaches beyond it.
    pub deadline: Instant,
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

/// One request to one backend and the clocks that run on it.
#[derive(Debug)]
struct Attempt {
    backend: Arc<Backend>,
    /// Until the outcome is known.
    pass: Option<SlotPass>,
    queue_wait: Duration,
    limits: Limits,
    began: Instant,
    /// The last token, once there was one.
    progress: Option<Instant>,
    total_deadline: Instant,
}

impl Generation {
    /// Waits for a slot, asks the backend and waits for the first piece of the answer.
    ///
    /// Tries again, elsewhere where there is an elsewhere, as long as nothing of an answer came.
    pub async fn start(
        pool: &Recipient<Acquire>,
        request: GenerateRequest,
    ) -> Result<Self, GenerateError> {
        let mut exclude = Vec::new();
        let mut waited = Duration::ZERO;
        let mut failure = None;
        for _ in 0..request.limits.attempts.max(1) {
            let grant = match acquire(pool, &request, exclude.clone()).await {
                Ok(grant) => grant,
                // The first failure says more than that nobody is left to try.
                Err(refused) => return Err(failure.map_or(refused.into(), GenerateError::from)),
            };
            if failure.is_some() {
                metrics::retried();
            }
            waited += grant.waited;
            let backend = grant.backend.id;
            match Attempt::new(grant, waited, &request).begin(&request.chat).await {
                Ok(generation) => return Ok(generation),
                Err(outcome) if outcome.retryable() => {
                    failure = Some(outcome);
                    exclude.push(backend);
                }
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

impl Attempt {
    fn new(grant: Grant, queue_wait: Duration, request: &GenerateRequest) -> Self {
        let began = Instant::now();
        Self {
            backend: grant.backend,
            pass: Some(grant.pass),
            queue_wait,
            limits: request.limits,
            began,
            progress: None,
            total_deadline: request.deadline.min(began + request.limits.total),
        }
    }

    async fn begin(mut self, chat: &ChatRequest) -> Result<Generation, Outcome> {
        match self.first_piece(chat).await {
            Ok((stream, first)) => {
                let first_token = self.began.elapsed();
                metrics::first_token(&self.backend.name, first_token);
                let (stream, first) = (Some(stream), Some(first));
                Ok(Generation { stream, attempt: self, first, first_token, failed: None })
            }
            Err(outcome) => {
                self.report(outcome);
                Err(outcome)
            }
        }
    }

    async fn first_piece(&mut self, chat: &ChatRequest) -> Result<(TokenStream, Piece), Outcome> {
        let (deadline, stall) = self.limit();
        let opened = timeout_at(deadline, self.backend.open(chat)).await;
        let mut stream = opened.map_err(|_| Outcome::Stalled(stall))??;
        match self.piece(&mut stream).await? {
            Some(piece) => Ok((stream, piece)),
            None => Err(Outcome::Empty),
        }
    }

    /// The next piece within the limits; what is no piece only moves the clock.
    async fn piece(&mut self, stream: &mut TokenStream) -> Result<Option<Piece>, Outcome> {
        loop {
            let (deadline, stall) = self.limit();
            let item = timeout_at(deadline, stream.next()).await;
            match item.map_err(|_| Outcome::Stalled(stall))?? {
                None => return Ok(None),
                Some(item) => {
                    self.progress = Some(Instant::now());
                    self.pass.iter().for_each(SlotPass::progressed);
                    if let Item::Piece(piece) = item {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    /// The limit that runs out first.
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

    fn report(&mut self, outcome: Outcome) {
        if outcome == Outcome::LeakedThought {
            self.backend.learn_to_hold_back();
        }
        if outcome != Outcome::Completed {
            let backend = &*self.backend.name;
            tracing::warn!(backend, outcome = outcome.label(), "request to a backend failed");
        }
        if let Some(pass) = self.pass.take() {
            pass.report(outcome);
        }
    }
}

async fn acquire(
    pool: &Recipient<Acquire>,
    request: &GenerateRequest,
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
            tokens: u32::try_from(prompt)
                .unwrap_or(u32::MAX)
                .saturating_add(request.chat.max_tokens),
            deadline,
            exclude,
        },
        reply,
        queued: request.queued.clone(),
    };
    let granted = async {
        pool.send(acquire).await.map_err(|_| Refused::Closing)?;
        answer.await.map_err(|_| Refused::Closing)?
    };
    timeout_at(deadline, granted).await.unwrap_or(Err(Refused::DeadlinePassed))
}
