//! An answer of the model, piece by piece.

use tokio::{sync::watch, time::Instant};

use super::{citations::cited, failure::Failure, grounding::Ground, request::request};
use crate::{
    domain::{Answer, FinishReason, Route, ServiceLevel, Stage},
    guard::OutputFilter,
    inference::{GenerateError, Generation, Piece, QueuePosition},
    knowledge::Passage,
    turn::{
        ask::Ask,
        ports::{ModelPort, Ports},
        reply::{Reply, millis},
        understand::Understanding,
    },
};

/// Sends the question to the model at `level` of service, and shows what the guard lets through.
/// Also returns whether that was all of it.
///
/// # Errors
/// The text shown before the failure stays in `reply`.
pub async fn generate(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    model: &ModelPort,
    level: ServiceLevel,
    understood: &Understanding,
    passages: &[Passage],
) -> Result<(Answer, bool), Failure> {
    let (sender, mut queued) = watch::channel(None);
    let told = ask.said.told();
    let mut request = request(ports, ask, model, level, &told, understood, passages);
    request.queued = Some(sender);
    let ground = Ground::new(ports, ask, &told, passages, &request.chat);
    let begun = Instant::now();
    let started = Generation::start(&model.acquire, request.clone());
    let mut generation = wait_for_start(reply, started, &mut queued).await?;
    reply.timings.queue_ms = Some(generation.queue_wait().as_millis().try_into().unwrap_or(0));
    reply.start(Route::Model);
    reply.stage(Stage::Writing);
    tracing::debug!(backend = generation.backend(), waited_ms = millis(begun), "generation began");

    let filter = || OutputFilter::new(&told.vault, ports.turn.max_answer_bytes);
    let (mut claims, mut safe) = (ground.filter(&told), filter());
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
                (claims, safe) = (ground.filter(&told), filter());
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        match piece {
            Some(Piece::Text(piece)) => {
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
            // No tool was offered, so no call is run.
            Some(Piece::ToolCall(_)) => {}
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
    let text = reply.text();
    if text.trim().is_empty() {
        return Err(Failure::Empty);
    }
    let sources = checked.as_ref().map(|checked| checked.sources.as_slice());
    let citations = cited(&text, passages, sources, ports.turn.answer_confidence);
    reply.cite(&citations);
    let decisions = checked.map(|checked| checked.decisions).unwrap_or_default();
    let is_supported = decisions.is_empty();
    let session = reply.log().session_id();
    ports.decisions.note(&ask.site, session, reply.turn_id(), decisions);
    let answer = Answer { citations, usage, finish_reason, ..Answer::new(text, Route::Model) };
    Ok((answer, is_supported))
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
