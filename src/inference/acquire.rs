//! Asks the pool for a slot and waits at most as long as the request allows.

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};
use tracing::{Instrument as _, trace_span};

use super::{
    backend::BackendId,
    messages::{Acquire, AcquirePort, AcquireRequest, Ask, Grant, Refused},
    request::GenerateRequest,
};

/// A slot of a backend that is not in `exclude`, as long as another backend is in service.
pub async fn acquire(
    pool: &AcquirePort,
    request: &GenerateRequest,
    ask: Ask,
    exclude: Vec<BackendId>,
) -> Result<Grant, Refused> {
    let deadline = request.deadline.min(Instant::now() + request.limits.queue);
    let (reply, answer) = oneshot::channel();
    let prompt = request.chat.prompt_tokens();
    let acquire = Acquire {
        request: AcquireRequest {
            site: request.site.clone(),
            visitor: request.visitor,
            from: request.from,
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
