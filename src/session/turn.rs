//! A running turn of a session: it is attended, and its end becomes durable.

use std::{sync::Arc, time::Duration};

use actix::prelude::*;
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
    domain::{Append, Appended, Event, Fact, Part, SessionMeta},
    journal::JournalError,
    turn::{
        ask::Ask,
        attend::{Bounds, attend},
        reply::Reply,
    },
};

/// Events read at once in search of an end that somebody else gave a turn.
const PAGE: u32 = 64;
/// Waits between attempts to make the end of a turn durable.
const ENDING_RETRY: Duration = Duration::from_millis(250);
/// After this long the end of a turn is shown without being durable; a later open repairs the journal.
const ENDING_PATIENCE: Duration = Duration::from_secs(60);

/// What the task of a turn holds.
pub struct TurnTask {
    pub ask: Box<Ask>,
    pub reply: Reply,
    pub feed: Arc<Feed>,
    pub meta: SessionMeta,
    pub cancel: CancellationToken,
    pub shared: Arc<Shared>,
    pub _permit: OwnedSemaphorePermit,
}

impl TurnTask {
    /// Runs next to the actor, which hears of the end.
    pub fn spawn(self, span: Span, actor: Addr<SessionActor>) {
        let shared = Arc::clone(&self.shared);
        if let Some(relay) = shared.journal.relay() {
            relay.begin(self.reply.log(), &self.cancel);
        }
        let turns = shared.turns.clone();
        // Not `ctx.spawn`: a handler that waits for the store would hold up the stream of the running
        // turn.
        turns.spawn_local(async move {
            let feed = Arc::clone(&self.feed);
            let (append, reply) = Box::pin(self.run()).instrument(span).await;
            if let Some(relay) = shared.journal.relay() {
                relay.end(reply.turn_id());
            }
            let reply = Arc::new(reply);
            let notice = TurnEnded { append: append.clone(), reply: Arc::clone(&reply) };
            // Without its actor the turn still ends for its readers.
            if actor.send(notice).await.is_err() {
                show_end(&feed, &reply, &append);
            }
        });
    }

    /// Runs to the end and makes the end durable.
    async fn run(mut self) -> (Append, Reply) {
        let bounds = Bounds {
            timeout: self.shared.turn_timeout,
            cancel: self.cancel.clone(),
            stopping: self.shared.draining.clone(),
            resume_grace: Some(self.shared.sessions.resume_grace),
        };
        let fact = attend(&self.shared.ports, &self.ask, &mut self.reply, &bounds).await;
        metrics::turn_ended(&fact);
        let turn_id = self.reply.turn_id();
        let session = Session::new(self.meta.clone(), &[], Some(turn_id));
        let mut append = session.ending(turn_id, fact, clock::now());
        self.make_durable(&mut append).await;
        (append, self.reply)
    }

    async fn make_durable(&self, append: &mut Append) {
        let begun = Instant::now();
        loop {
            // Boxed: the way through the stores is long, and a turn carries it while it runs.
            match Box::pin(self.shared.journal.append(append)).await {
                Ok(Appended::Done | Appended::Replayed(_)) => return,
                Ok(Appended::Conflict { .. } | Appended::Missing) => {
                    if self.adopt(append).await {
                        warn!(turn_id = %self.reply.turn_id(), "a turn was ended by another replica");
                        return;
                    }
                    // The session went on elsewhere without this turn: its end comes behind that.
                    if begun.elapsed() > ENDING_PATIENCE {
                        error!(turn_id = %self.reply.turn_id(), "the end of a turn is not durable");
                        return;
                    }
                    tokio::time::sleep(ENDING_RETRY).await;
                }
                Err(JournalError::Erased { .. } | JournalError::NotFound) => return,
                Err(error) if begun.elapsed() > ENDING_PATIENCE => {
                    error!(%error, turn_id = %self.reply.turn_id(), "the end of a turn is not durable");
                    return;
                }
                Err(_) => tokio::time::sleep(ENDING_RETRY).await,
            }
        }
    }

    /// Takes the end that another replica gave this turn, and says whether there is one. Otherwise
    /// `append` is made to follow what is there now. If another person may speak by now, the turn's
    /// text comes too late and it ends as cancelled.
    async fn adopt(&self, append: &mut Append) -> bool {
        let turn_id = self.reply.turn_id();
        let mut after = append.expected_seq;
        loop {
            let Ok(events) = self.shared.journal.events(self.meta.id, after, PAGE).await else {
                return false;
            };
            let Some(last) = events.last() else { break };
            after = last.seq;
            let ended = |event: &Event| event.turn_id == turn_id && event.fact.part() == Part::Ends;
            if let Some(event) = events.into_iter().find(ended) {
                append.meta.last_seq = event.seq;
                append.events = vec![event];
                return true;
            }
        }
        let Ok(now) = self.shared.journal.open(self.meta.id).await else { return false };
        if now.meta.last_seq != after {
            return false;
        }
        let control = self.meta.epoch;
        let session = Session::new(now.meta, &now.events, Some(turn_id));
        let epoch = session.meta.epoch;
        let Some(end) = append.events.pop() else { return false };
        let fact = if epoch > control {
            self.reply.withdraw("control_changed");
            Fact::cancelled(String::new())
        } else {
            end.fact
        };
        *append = session.ending(turn_id, fact, clock::now());
        false
    }
}

/// A turn's task has made its end durable; the session takes it in and shows it, in one step: a client
/// that sees the end may begin the next turn.
#[derive(Message)]
#[rtype(result = "()")]
struct TurnEnded {
    append: Append,
    reply: Arc<Reply>,
}

impl Handler<TurnEnded> for SessionActor {
    type Result = ();

    fn handle(&mut self, TurnEnded { append, reply }: TurnEnded, ctx: &mut Self::Context) {
        self.last_active = Instant::now();
        if let Ok(live) = &mut self.live {
            if append.expected_seq != live.session.meta.last_seq {
                // Something came in between that is not known here: the next request opens the session
                // again.
                ctx.stop();
            }
            live.session.accepted(&append);
            live.turn = None;
            show_end(&live.feed, &reply, &append);
        }
    }
}

/// First the events, then the end of the log: a reader that comes in between must find one of them.
fn show_end(feed: &Feed, reply: &Reply, append: &Append) {
    append.events.iter().for_each(|event| feed.publish(event));
    reply.close(&append.events);
}
