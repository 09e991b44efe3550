//! The one way to run a turn: within its limits, and always to an end.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::{ask::Ask, pipeline::run_turn, ports::Ports, reply::Reply};
use crate::{
    assistant::problems,
    domain::{Ending, ErrorCode, Fact, Problem},
};

/// What ends a turn that does not end by itself.
pub struct Bounds {
    pub timeout: Duration,
    /// Ends the turn as cancelled, or as interrupted while `stopping`.
    pub cancel: CancellationToken,
    /// Ends the turn as superseded.
    pub supersede: CancellationToken,
    pub stopping: CancellationToken,
    /// How long after its last reader left a turn is cancelled, if none has come back. `None` for a
    /// turn whose caller is its only reader.
    pub resume_grace: Option<Duration>,
}

/// Runs a turn and returns how it ended, always with a fact that ends a turn. A panic ends only this
/// turn. The caller makes the ending durable, if it has a journal, and then ends the log.
///
/// Dropping the future cancels the turn. Dropping `reply` then ends its log.
pub async fn attend(ports: &Ports, ask: &Ask, reply: &mut Reply, bounds: &Bounds) -> Ending {
    let log = reply.log().clone();
    let abandoned = async {
        match bounds.resume_grace {
            Some(grace) => log.abandoned(grace).await,
            None => std::future::pending().await,
        }
    };
    let run = AssertUnwindSafe(run_turn(ports, ask, reply)).catch_unwind();
    let answered = tokio::select! {
        biased;
        () = bounds.cancel.cancelled() => None,
        () = bounds.supersede.cancelled() => None,
        () = abandoned => None,
        answered = tokio::time::timeout(bounds.timeout, run) => Some(answered),
    };
    let told = |mut problem: Problem| {
        if let Some(language) = problems::language([ask.locale.as_str()]) {
            problems::translate(&mut problem, language);
        }
        Ending::from(Fact::failed(problem, log.text()))
    };
    let failed = |code| told(Problem::new(code));
    match answered {
        Some(Ok(Ok(Ok(ending)))) => ending,
        Some(Ok(Ok(Err(problem)))) => told(problem),
        Some(Ok(Err(_panic))) => {
            super::metrics::panicked();
            error!(turn_id = %log.turn_id(), "a turn panicked");
            failed(ErrorCode::Internal)
        }
        Some(Err(_elapsed)) => failed(ErrorCode::UpstreamTimeout),
        None if bounds.stopping.is_cancelled() => failed(ErrorCode::Interrupted),
        None if bounds.supersede.is_cancelled() => Fact::superseded(log.text()).into(),
        None => Fact::cancelled(log.text()).into(),
    }
}
