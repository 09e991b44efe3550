//! A running turn of a session: it is attended, and its end becomes durable.

use std::sync::Arc;

use actix::prelude::*;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use super::{prepare::Work, shell::SessionActor};
use crate::session::{
    ending::{Begun, Ended},
    feed::Feed,
    metrics,
    shared::Shared,
};
use crate::{
    domain::{Event, SessionMeta, Version},
    journal::RunningTurn,
    turn::{
        act::carry_out,
        attend::{Bounds, attend},
        reply::Reply,
    },
};

/// What the task of a turn holds.
pub struct TurnTask {
    pub work: Work,
    pub reply: Reply,
    pub feed: Arc<Feed>,
    pub meta: SessionMeta,
    pub version: Version,
    pub cancel: CancellationToken,
    pub supersede: CancellationToken,
    pub shared: Arc<Shared>,
    pub _running: RunningTurn,
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
            let (ended, reply, running) = Box::pin(self.run()).instrument(span).await;
            if let Some(relay) = shared.journal.relay() {
                relay.end(reply.turn_id());
            }
            let reply = Arc::new(reply);
            let notice = TurnEnded { ended: ended.clone(), reply: Arc::clone(&reply) };
            // Without its actor the turn still ends for its readers.
            if actor.send(notice).await.is_err() {
                show_end(&feed, &reply, &ended);
            }
            drop(running);
        });
    }

    /// Runs to the end and makes the end durable.
    async fn run(mut self) -> (Ended, Reply, RunningTurn) {
        let (ports, reply, stopping) = (&self.shared.ports, &mut self.reply, &self.shared.draining);
        let ending = match &self.work {
            Work::Answer(ask) => {
                let bounds = Bounds {
                    timeout: self.shared.turn_timeout,
                    cancel: self.cancel.clone(),
                    supersede: self.supersede.clone(),
                    stopping: stopping.clone(),
                    resume_grace: Some(self.shared.sessions.resume_grace),
                };
                attend(ports, ask, reply, &bounds).await
            }
            Work::CarryOut(action) => {
                // A reader who leaves, or says stop, takes back nothing that was sent.
                let interrupted = async {
                    self.cancel.cancelled().await;
                    stopping.cancelled().await;
                };
                carry_out(ports, action, reply, interrupted).await
            }
        };
        metrics::turn_ended(&ending.end);
        let begun = Begun { turn_id: self.reply.turn_id(), meta: self.meta, version: self.version };
        let withdraw = || self.reply.withdraw("control_changed");
        let ended = begun.end(&self.shared.journal, ending, withdraw).await;
        ended.count();
        (ended, self.reply, self._running)
    }
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

    fn handle(&mut self, TurnEnded { ended, reply }: TurnEnded, _: &mut Self::Context) {
        self.last_active = Instant::now();
        let Ok(live) = &mut self.live else { return };
        ended.take_in(&mut live.session);
        // A turn that a person has ended may come to its end here when the next one runs already.
        live.turn.take_if(|turn| turn.log.turn_id() == reply.turn_id());
        show_end(&live.feed, &reply, &ended);
    }
}

/// First the events, then the end of the log: a reader that comes in between must find one of them.
fn show_end(feed: &Feed, reply: &Reply, ended: &Ended) {
    let events: Vec<Event> = ended.events().cloned().collect();
    events.iter().for_each(|event| feed.publish(event));
    reply.close(&events);
}
