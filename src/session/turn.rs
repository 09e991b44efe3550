//! A running turn: the function, its bounds, and its end.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use actix::prelude::*;
use futures_util::FutureExt;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span, error, warn};

use super::{
    actor::{SessionActor, Shared},
    feed::Feed,
    metrics,
    state::Session,
};
use crate::{
    clock,
    domain::{Append, Appended, ErrorCode, Event, Fact, MessageId, Problem, SessionMeta},
    journal::JournalError,
    log::TurnLog,
    turn::pipeline::{Turn, run_turn},
};

/// Events read at once in search of an end that somebody else gave a turn.
const PAGE: u32 = 64;
/// Waits between attempts to make the end of a turn durable.
const ENDING_RETRY: Duration = Duration::from_millis(250);
/// After this long the end of a turn is shown without being durable; a later open repairs the journal.
const ENDING_PATIENCE: Duration = Duration::from_secs(60);

/// What the task of a turn holds.
pub struct TurnTask {
    pub log: Arc<TurnLog>,
    pub feed: Arc<Feed>,
    pub meta: SessionMeta,
    pub cancel: CancellationToken,
    pub shared: Arc<Shared>,
    pub _permit: OwnedSemaphorePermit,
}

impl TurnTask {
    /// Runs beside the actor, which hears of the end.
    pub fn spawn(self, turn: Box<Turn>, span: Span, actor: Addr<SessionActor>) {
        let shared = Arc::clone(&self.shared);
        if let Some(relay) = shared.journal.relay() {
            relay.begin(&self.log, &self.cancel);
        }
        let turns = shared.turns.clone();
        // Not `ctx.spawn`: a handler that waits for the store would hold up the stream of the running turn.
        turns.spawn_local(async move {
            let (log, feed) = (Arc::clone(&self.log), Arc::clone(&self.feed));
            let append = Box::pin(self.run(*turn)).instrument(span).await;
            if let Some(relay) = shared.journal.relay() {
                relay.end(log.turn_id());
            }
            let notice = TurnEnded { append: append.clone(), log: Arc::clone(&log) };
            // Without its actor the turn still ends for its readers.
            if actor.send(notice).await.is_err() {
                show_end(&feed, &log, &append);
            }
        });
    }

    /// Runs to the end and makes the end durable. A panic ends this turn and nothing else.
    async fn run(self, turn: Turn) -> Append {
        let fact = self.answer(turn).await;
        metrics::turn_ended(&fact);
        let turn_id = self.log.turn_id();
        let session = Session::new(self.meta.clone(), &[], Some(turn_id));
        let mut append = session.ending(turn_id, fact, clock::now());
        self.make_durable(&mut append).await;
        append
    }

    async fn answer(&self, turn: Turn) -> Fact {
        let run = AssertUnwindSafe(run_turn(turn)).catch_unwind();
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => self.cancelled(),
            () = self.log.abandoned(self.shared.sessions.resume_grace) => self.cancelled(),
            answered = tokio::time::timeout(self.shared.turn_timeout, run) => match answered {
                Ok(Ok(Ok(fact))) => fact,
                Ok(Ok(Err(problem))) => Fact::TurnFailed {
                    message_id: MessageId::new(),
                    text: self.log.text(),
                    problem,
                },
                Ok(Err(_panic)) => {
                    metrics::turn_panicked();
                    error!(turn_id = %self.log.turn_id(), "a turn panicked");
                    failure(ErrorCode::Internal, self.log.text())
                }
                Err(_elapsed) => failure(ErrorCode::UpstreamTimeout, self.log.text()),
            },
        }
    }

    fn cancelled(&self) -> Fact {
        if self.shared.draining.is_cancelled() {
            return failure(ErrorCode::Interrupted, self.log.text());
        }
        Fact::TurnCancelled { message_id: MessageId::new(), text: self.log.text() }
    }

    async fn make_durable(&self, append: &mut Append) {
        let begun = Instant::now();
        loop {
            // Boxed: the way through the stores is long, and a turn carries it while it runs.
            match Box::pin(self.shared.journal.append(append)).await {
                Ok(Appended::Done | Appended::Replayed(_)) => return,
                Ok(Appended::Conflict { .. } | Appended::Missing) => {
                    if self.adopt(append).await {
                        warn!(turn_id = %self.log.turn_id(), "a turn was ended by another replica");
                        return;
                    }
                    // The session went on elsewhere without this turn: its end comes behind that.
                    if begun.elapsed() > ENDING_PATIENCE {
                        error!(turn_id = %self.log.turn_id(), "the end of a turn is not durable");
                        return;
                    }
                    tokio::time::sleep(ENDING_RETRY).await;
                }
                Err(JournalError::Erased { .. } | JournalError::NotFound) => return,
                Err(error) if begun.elapsed() > ENDING_PATIENCE => {
                    error!(%error, turn_id = %self.log.turn_id(), "the end of a turn is not durable");
                    return;
                }
                Err(_) => tokio::time::sleep(ENDING_RETRY).await,
            }
        }
    }

    /// Takes the end that somebody else gave this turn, and says whether there is one. Otherwise `append` is made to
    /// follow what is there now.
    async fn adopt(&self, append: &mut Append) -> bool {
        let turn_id = self.log.turn_id();
        let mut after = append.expected_seq;
        loop {
            let Ok(events) = self.shared.journal.events(self.meta.id, after, PAGE).await else {
                return false;
            };
            let Some(last) = events.last() else { break };
            after = last.seq;
            let ended = |event: &Event| event.turn_id == turn_id && event.fact.is_terminal();
            if let Some(event) = events.into_iter().find(ended) {
                append.meta.last_seq = event.seq;
                append.events = vec![event];
                return true;
            }
        }
        append.expected_seq = after;
        append.meta.last_seq = after + 1;
        for event in &mut append.events {
            event.seq = after + 1;
        }
        false
    }
}

/// A turn's task has made its end durable; the session takes it in and shows it, in one step: whoever sees the end
/// may begin the next turn.
#[derive(Message)]
#[rtype(result = "()")]
struct TurnEnded {
    append: Append,
    log: Arc<TurnLog>,
}

impl Handler<TurnEnded> for SessionActor {
    type Result = ();

    fn handle(&mut self, TurnEnded { append, log }: TurnEnded, ctx: &mut Self::Context) {
        self.last_active = Instant::now();
        if let Ok(live) = &mut self.live {
            if append.expected_seq != live.session.meta.last_seq {
                // Something came in between that is not known here: whoever asks next opens the session anew.
                ctx.stop();
            }
            live.session.accepted(&append);
            live.turn = None;
            show_end(&live.feed, &log, &append);
        }
    }
}

/// First the event, then the end of the log: a reader that comes in between must find one of them.
fn show_end(feed: &Feed, log: &TurnLog, append: &Append) {
    if let Some(event) = append.events.first() {
        feed.publish(event);
        feed.set_turn(None);
        log.close(Arc::new(event.clone()));
    }
}

pub fn failure(code: ErrorCode, text: String) -> Fact {
    Fact::TurnFailed { message_id: MessageId::new(), text, problem: Problem::new(code) }
}
