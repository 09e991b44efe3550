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
    domain::{Append, Appended, Event, Fact, Part, SessionMeta, Version},
    journal::{JournalError, RunningTurn},
    turn::{
        ask::Ask,
        attend::{Bounds, attend},
        reply::Reply,
    },
};

/// Events read at once in search of an end that somebody else gave a turn.
const PAGE: u32 = 64;
/// Waits between attempts to make the end of a turn durable, at first and at most.
const ENDING_RETRY: Duration = Duration::from_millis(250);
const ENDING_RETRY_MAX: Duration = Duration::from_secs(2);

/// What the task of a turn holds.
pub struct TurnTask {
    pub ask: Box<Ask>,
    pub reply: Reply,
    pub feed: Arc<Feed>,
    pub meta: SessionMeta,
    pub version: Version,
    pub cancel: CancellationToken,
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
        let bounds = Bounds {
            timeout: self.shared.turn_timeout,
            cancel: self.cancel.clone(),
            stopping: self.shared.draining.clone(),
            resume_grace: Some(self.shared.sessions.resume_grace),
        };
        let fact = attend(&self.shared.ports, &self.ask, &mut self.reply, &bounds).await;
        metrics::turn_ended(&fact);
        let session = Session::owned(self.meta.clone(), self.version, &[]);
        let append = session.ending(self.reply.turn_id(), fact, clock::now());
        let mut ended = Ended { append, version: None, before: Vec::new() };
        ended.version = self.make_durable(&mut ended).await;
        (ended, self.reply, self._running)
    }

    /// Where the session stands afterwards; `None` if another replica ended the turn, or the
    /// session is gone.
    ///
    /// There is no limit: what may have been written is never taken back. The same bytes are sent
    /// until the archive has them, or has another end.
    async fn make_durable(&self, ended: &mut Ended) -> Option<Version> {
        let mut pause = ENDING_RETRY;
        loop {
            // Boxed: the way through the stores is long, and a turn carries it while it runs.
            match Box::pin(self.shared.journal.append(&ended.append)).await {
                Ok(Appended::Done(version)) => return Some(version),
                Ok(Appended::Replayed(_)) => return None,
                Ok(Appended::Outrun) => match self.adopt(ended).await {
                    Ok(Adopted::Ended) => {
                        warn!(turn_id = %self.reply.turn_id(), "a turn was ended by another replica");
                        return None;
                    }
                    Ok(Adopted::Behind) => {}
                    Ok(Adopted::Lost) => {
                        error!(turn_id = %self.reply.turn_id(), "a turn has no end in the journal");
                        return None;
                    }
                    Err(JournalError::Erased { .. } | JournalError::NotFound) => return None,
                    Err(JournalError::Archive(_)) => tokio::time::sleep(pause).await,
                },
                Err(JournalError::Erased { .. } | JournalError::NotFound) => return None,
                Err(error) => {
                    if !error.is_in_doubt() {
                        error!(%error, turn_id = %self.reply.turn_id(), "the end of a turn was refused");
                    }
                    tokio::time::sleep(pause).await;
                }
            }
            pause = (pause * 2).min(ENDING_RETRY_MAX);
        }
    }

    /// Finds out what was appended since this turn began. If the session still belongs to this
    /// replica, `append` is made to follow it. If another person may speak by now, the turn's text
    /// comes too late and it ends as cancelled.
    async fn adopt(&self, ended: &mut Ended) -> Result<Adopted, JournalError> {
        let journal = &self.shared.journal;
        let turn_id = self.reply.turn_id();
        let mut after = ended.append.from.seq;
        let mut before = Vec::new();
        loop {
            let events = journal.events(self.meta.id, after, PAGE).await?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            for event in events {
                if event.turn_id == turn_id && event.fact.part() == Part::Ends {
                    ended.append.meta.last_seq = event.seq;
                    ended.append.events = vec![event];
                    ended.before.append(&mut before);
                    return Ok(Adopted::Ended);
                }
                before.push(event);
            }
        }
        let now = journal.open(self.meta.id).await?;
        if now.version.seq != after {
            // Something was appended in between; the next attempt finds it.
            return Ok(Adopted::Behind);
        }
        if now.version.owner_epoch != self.version.owner_epoch {
            return Ok(Adopted::Lost);
        }
        let session = Session::owned(now.meta, now.version, &now.events);
        let Some(end) = ended.append.events.pop() else { return Ok(Adopted::Lost) };
        let fact = if session.meta.epoch > self.meta.epoch {
            self.reply.withdraw("control_changed");
            Fact::cancelled(String::new())
        } else {
            end.fact
        };
        ended.append = session.ending(turn_id, fact, clock::now());
        ended.before.append(&mut before);
        Ok(Adopted::Behind)
    }
}

/// What a turn found that could not append its end.
enum Adopted {
    /// Another replica has ended the turn.
    Ended,
    /// The end comes behind what was appended.
    Behind,
    /// The session went on elsewhere, and the turn has no end there.
    Lost,
}

/// How a turn ended.
#[derive(Clone)]
struct Ended {
    append: Append,
    /// Where the session stands if this replica appended the end.
    version: Option<Version>,
    /// What was appended while the turn ran.
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

    fn handle(&mut self, TurnEnded { ended, reply }: TurnEnded, _: &mut Self::Context) {
        self.last_active = Instant::now();
        if let Ok(live) = &mut self.live {
            match ended.version {
                Some(version) if ended.append.from == *live.session.version() => {
                    live.session.accepted(&ended.append, version);
                }
                // The next message reads the session first.
                _ => {
                    live.session.outrun_by(&ended.before);
                    live.session.outrun_by(&ended.append.events);
                }
            }
            live.turn = None;
            show_end(&live.feed, &reply, &ended);
        }
    }
}

/// First the events, then the end of the log: a reader that comes in between must find one of them.
fn show_end(feed: &Feed, reply: &Reply, Ended { append, before, .. }: &Ended) {
    let events: Vec<Event> = before.iter().chain(&append.events).cloned().collect();
    events.iter().for_each(|event| feed.publish(event));
    reply.close(&events);
}
