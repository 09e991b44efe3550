//! A running turn of a session: it is attended, and its end becomes durable.

use std::{sync::Arc, time::Duration};

use actix::prelude::*;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span, error, warn};

use super::shell::SessionActor;
use crate::session::{feed::Feed, metrics, shared::Shared, state::Session};
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
/// After this long the end of a turn is shown without being durable; a later open repairs the
/// journal.
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
        // Not `ctx.spawn`: a handler that waits for the store would hold up the stream of the
        // running turn.
        turns.spawn_local(async move {
            let feed = Arc::clone(&self.feed);
            let (ended, reply) = Box::pin(self.run()).instrument(span).await;
            if let Some(relay) = shared.journal.relay() {
                relay.end(reply.turn_id());
            }
            let reply = Arc::new(reply);
            let notice = TurnEnded { ended: ended.clone(), reply: Arc::clone(&reply) };
            // Without its actor the turn still ends for its readers.
            if actor.send(notice).await.is_err() {
                show_end(&feed, &reply, &ended);
            }
        });
    }

    /// Runs to the end and makes the end durable.
    async fn run(mut self) -> (Ended, Reply) {
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
        let append = session.ending(turn_id, fact, clock::now());
        let mut ended = Ended { append, before: Vec::new() };
        self.make_durable(&mut ended).await;
        (ended, self.reply)
    }

    async fn make_durable(&self, ended: &mut Ended) {
        let begun = Instant::now();
        loop {
            // Boxed: the way through the stores is long, and a turn carries it while it runs.
            match Box::pin(self.shared.journal.append(&ended.append)).await {
                Ok(Appended::Done | Appended::Replayed(_)) => return,
                Ok(Appended::Conflict { .. } | Appended::Missing) => {
                    if self.adopt(ended).await {
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
    async fn adopt(&self, ended: &mut Ended) -> bool {
        let turn_id = self.reply.turn_id();
        let mut after = ended.append.expected_seq;
        let mut before = Vec::new();
        loop {
            let Ok(events) = self.shared.journal.events(self.meta.id, after, PAGE).await else {
                return false;
            };
            let Some(last) = events.last() else { break };
            after = last.seq;
            for event in events {
                if event.turn_id == turn_id && event.fact.part() == Part::Ends {
                    ended.append.meta.last_seq = event.seq;
                    ended.append.events = vec![event];
                    ended.before.append(&mut before);
                    return true;
                }
                before.push(event);
            }
        }
        let Ok(now) = self.shared.journal.open(self.meta.id).await else { return false };
        if now.meta.last_seq != after {
            return false;
        }
        let session = Session::new(now.meta, &now.events, Some(turn_id));
        let Some(end) = ended.append.events.pop() else { return false };
        let fact = if session.meta.epoch > self.meta.epoch {
            self.reply.withdraw("control_changed");
            Fact::cancelled(String::new())
        } else {
            end.fact
        };
        ended.append = session.ending(turn_id, fact, clock::now());
        ended.before.append(&mut before);
        false
    }
}

/// How a turn ended.
#[derive(Clone)]
struct Ended {
    append: Append,
    /// What other replicas appended while the turn ran.
    before: Vec<Event>,
}

/// A turn's task has made its end durable; the session takes it in and shows it, in one step: a
/// client that sees the end may begin the next turn.
#[derive(Message)]
#[rtype(result = "()")]
struct TurnEnded {
    ended: Ended,
    reply: Arc<Reply>,
}

impl Handler<TurnEnded> for SessionActor {
    type Result = ();

    fn handle(&mut self, TurnEnded { ended, reply }: TurnEnded, ctx: &mut Self::Context) {
        self.last_active = Instant::now();
        if let Ok(live) = &mut self.live {
            if ended.append.expected_seq != live.session.meta.last_seq {
                // Something came in between: the next request opens the session again.
                ctx.stop();
            }
            live.session.accepted(&ended.append);
            live.turn = None;
            show_end(&live.feed, &reply, &ended);
        }
    }
}

/// First the events, then the end of the log: a reader that comes in between must find one of them.
fn show_end(feed: &Feed, reply: &Reply, Ended { append, before }: &Ended) {
    let events: Vec<Event> = before.iter().chain(&append.events).cloned().collect();
    events.iter().for_each(|event| feed.publish(event));
    reply.close(&events);
}
