//! One answer of the model on its way to the shopper: what the guard lets through, and the tools
//! that it calls.

use tokio::{sync::watch, time::Instant};

use super::grounding::Ground;
use crate::{
    domain::{FinishReason, Route, Stage, Usage},
    guard::{Checked, OutputFilter, Vault},
    inference::{GenerateError, GenerateRequest, Generation, Piece, QueuePosition, ToolCall},
    turn::{
        ports::{ModelPort, Ports},
        reply::{Reply, millis},
    },
};

/// A model may write so many times what is shown at most, since the guard leaves sentences out.
const MOST_LIMITS: usize = 2;

/// What came, after all of it was shown.
pub struct Streamed {
    /// What the model wrote, as it wrote it.
    pub spoken: String,
    pub calls: Vec<ToolCall>,
    pub usage: Option<Usage>,
    pub finish_reason: FinishReason,
    /// `None` if nothing was checked.
    pub checked: Option<Checked>,
}

/// Asks the model and shows its answer.
///
/// # Errors
/// The text shown before the failure stays in `reply`.
pub async fn stream(
    ports: &Ports,
    reply: &mut Reply,
    model: &ModelPort,
    request: &GenerateRequest,
    ground: &Ground,
    vault: &Vault,
) -> Result<Streamed, GenerateError> {
    let (sender, mut queued) = watch::channel(None);
    let request = GenerateRequest { queued: Some(sender), ..request.clone() };
    let begun = Instant::now();
    let started = Generation::start(&model.acquire, request.clone());
    let mut generation = wait_for_start(reply, started, &mut queued).await?;
    let waited = generation.queue_wait().as_millis().try_into().unwrap_or(0);
    reply.timings.queue_ms = Some(reply.timings.queue_ms.unwrap_or(0) + waited);
    reply.start(Route::Model);
    reply.stage(Stage::Writing);
    tracing::debug!(backend = generation.backend(), waited_ms = millis(begun), "generation began");

    let limit = ports.turn.max_answer_bytes;
    let filter = || OutputFilter::new(vault, limit);
    let (mut claims, mut safe) = (ground.filter(vault), filter());
    let mut spoken = String::new();
    let mut received = 0;
    let mut calls = Vec::new();
    let mut usage = None;
    let mut finish_reason = FinishReason::Stop;
    let mut restarts = request.limits.restarts;
    loop {
        let piece = match generation.next().await {
            Ok(piece) => piece,
            Err(error) if generation.can_restart() && restarts > 0 => {
                restarts -= 1;
                let restarted = generation.restart(&model.acquire, request.clone());
                // The first failure is more useful, and the shown text stays.
                generation =
                    wait_for_start(reply, restarted, &mut queued).await.map_err(|_| error)?;
                reply.withdraw("restarted");
                (claims, safe) = (ground.filter(vault), filter());
                spoken.clear();
                calls.clear();
                continue;
            }
            Err(error) => return Err(error),
        };
        match piece {
            Some(Piece::Text(piece)) => {
                received += piece.len();
                if received > MOST_LIMITS * limit {
                    finish_reason = FinishReason::Length;
                    break;
                }
                if spoken.len() < limit {
                    spoken.push_str(&piece);
                }
                let piece = claims.push(piece);
                if !reply.add(&safe.push(&piece)) || safe.is_truncated() {
                    finish_reason = FinishReason::Length;
                    break;
                }
                if claims.is_blocked() {
                    break;
                }
            }
            Some(Piece::Usage(counted)) => usage = Some(counted),
            Some(Piece::Finished(reason)) => finish_reason = reason,
            Some(Piece::ToolCall(call)) => calls.push(call),
            None => break,
        }
    }
    let checked = claims.finish();
    let rest = checked.as_ref().map_or("", |checked| checked.text.as_str());
    let shown = reply.add(&safe.push(rest));
    let tail = safe.finish();
    if !shown || !reply.add(&tail.text) || tail.truncated {
        finish_reason = FinishReason::Length;
    }
    Ok(Streamed { spoken, calls, usage, finish_reason, checked })
}

/// Waits until the answer begins; meanwhile reports the turn's position in the queue.
async fn wait_for_start(
    reply: &Reply,
    started: impl Future<Output = Result<Generation, GenerateError>>,
    queued: &mut watch::Receiver<Option<QueuePosition>>,
) -> Result<Generation, GenerateError> {
    let mut started = Box::pin(started);
    loop {
        tokio::select! {
            biased;
            generation = &mut started => return generation,
            Ok(()) = queued.changed() => {
                let place = *queued.borrow_and_update();
                if let Some(place) = place {
                    reply.queued(place);
                }
            }
        }
    }
}
