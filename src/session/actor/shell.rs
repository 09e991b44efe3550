//! The shell of a session: translates messages to decisions of `Session` and decisions to effects.
//! A new message is taken in `start.rs`, a turn's end in `turn.rs`, a late answer in `deliver.rs`,
//! a person's command in `control.rs`, what other replicas say in `rumour.rs`.
//!
//! Must never happen: two turns of one session at once; an acknowledged message that is not in the
//! journal; a turn without exactly one terminal event.

use std::{sync::Arc, time::Duration};

use actix::prelude::*;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::prepare::Doubt;
use crate::session::{
    feed::{Feed, FeedEnd},
    messages::*,
    metrics,
    open::{Absent, Refresh, Refreshed, open},
    shared::Shared,
    state::Session,
};
use crate::{
    domain::{SessionId, SessionMeta},
    log::TurnLog,
};

pub struct SessionActor {
    pub(in crate::session) id: SessionId,
    generation: u64,
    pub(in crate::session) shared: Arc<Shared>,
    stopped: Recipient<SessionStopped>,
    pub(in crate::session) live: Result<Live, Absent>,
    /// A message that the archive may have taken without an answer.
    pub(in crate::session) doubt: Option<Doubt>,
    pub(in crate::session) last_active: Instant,
}

/// A session that could be opened.
pub(in crate::session) struct Live {
    pub session: Session,
    pub feed: Arc<Feed>,
    /// The turn that runs here; one that runs elsewhere is known to the feed alone.
    pub turn: Option<RunningHere>,
    pub is_erased: bool,
}

/// How the actor reaches the task of its turn.
pub(in crate::session) struct RunningHere {
    pub log: Arc<TurnLog>,
    pub cancel: CancellationToken,
    pub supersede: CancellationToken,
    begun: Instant,
    /// Whether it may stop in favour of a further message.
    yields: bool,
}

impl RunningHere {
    pub fn new(log: Arc<TurnLog>, yields: bool) -> Self {
        let (cancel, supersede) = (CancellationToken::new(), CancellationToken::new());
        Self { log, cancel, supersede, begun: Instant::now(), yields }
    }

    /// Tells the turn to stop in favour of a further message, if it is not too late for that.
    pub fn give_way(&self, window: Duration) -> bool {
        let is_early = self.yields && self.begun.elapsed() < window && self.log.text().is_empty();
        if is_early {
            self.supersede.cancel();
        }
        self.supersede.is_cancelled()
    }
}

impl SessionActor {
    pub fn new(
        id: SessionId,
        generation: u64,
        shared: Arc<Shared>,
        stopped: Recipient<SessionStopped>,
    ) -> Self {
        let live = Err(Absent::Unavailable);
        let last_active = Instant::now();
        Self { id, generation, shared, stopped, live, doubt: None, last_active }
    }

    /// The session, if `asker` may see it. Another person's session does not exist.
    pub(in crate::session) fn live(&mut self, asker: &Asker) -> Result<&mut Live, SessionError> {
        self.last_active = Instant::now();
        match &mut self.live {
            Ok(live) if asker.may_see(&live.session.meta) => Ok(live),
            Ok(_) => Err(SessionError::NotFound),
            Err(absent) => Err(absent.tell(asker)),
        }
    }

    /// Whether somebody reads the session, a turn runs, or the archive still has to take something.
    fn is_busy(&self) -> bool {
        let in_use = |live: &Live| live.turn.is_some() || live.feed.readers() > 0;
        self.doubt.is_some() || self.live.as_ref().is_ok_and(in_use)
    }

    /// One timer per session instead of a scan over all of them.
    fn watch_idle(&self, ctx: &mut Context<Self>) {
        let idle_timeout = self.shared.sessions.idle_timeout;
        let rest = idle_timeout.saturating_sub(self.last_active.elapsed());
        ctx.run_later(rest.max(Duration::from_millis(10)), move |actor, ctx| {
            let busy = actor.is_busy();
            if !busy && actor.last_active.elapsed() >= idle_timeout {
                metrics::passivated();
                ctx.stop();
                return;
            }
            if busy {
                actor.last_active = Instant::now();
                if let Some(relay) = actor.shared.journal.relay() {
                    relay.stay(actor.id);
                }
            }
            actor.watch_idle(ctx);
        });
    }
}

impl Actor for SessionActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        metrics::session_started();
        let (id, journal) = (self.id, self.shared.journal.clone());
        let rumours = ctx.address().recipient();
        let open = async move {
            // First, so that nothing is added unheard between reading and listening.
            if let Some(relay) = journal.relay() {
                relay.enter(id, rumours).await;
            }
            open(id, None, journal).await
        };
        ctx.wait(open.into_actor(self).map(|opened, actor, ctx| {
            if opened.is_err() {
                // Requests hear why for a moment; then the next one tries again.
                ctx.run_later(Duration::from_millis(200), |_, ctx| ctx.stop());
            }
            let opened = opened.and_then(|opened| opened.ok_or(Absent::Unavailable));
            actor.live = opened.map(|opened| {
                metrics::opened();
                let capacity = actor.shared.sessions.tail_events;
                let feed = Feed::new(actor.id, opened.meta.last_seq, capacity);
                let mut session = Session::new(opened.meta, opened.version, &opened.events);
                session.elsewhere = opened.running;
                Live { session, feed, turn: None, is_erased: false }
            });
            if let Ok(live) = &actor.live {
                let owner = live.session.meta.owner;
                actor.shared.lookout.enter(owner, &live.feed, ctx.address().recipient());
            }
            actor.follow_elsewhere(ctx);
            actor.watch_idle(ctx);
        }));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        metrics::session_stopped();
        if let Some(relay) = self.shared.journal.relay() {
            relay.leave(self.id);
        }
        if let Ok(live) = &self.live {
            self.shared.lookout.leave(&live.feed);
            if let Some(turn) = &live.turn {
                turn.cancel.cancel();
            }
            live.feed.end(if live.is_erased { FeedEnd::Erased } else { FeedEnd::Stopped });
        }
        let notice = SessionStopped { id: self.id, generation: self.generation };
        #[expect(clippy::disallowed_methods, reason = "a drop that reports: it must not be lost")]
        self.stopped.do_send(notice);
    }
}

impl Handler<Attach> for SessionActor {
    // Atomic: what is read here must not be older than what a message adds meanwhile.
    type Result = AtomicResponse<Self, Result<Attached, SessionError>>;

    fn handle(&mut self, Attach { asker, seen }: Attach, _: &mut Self::Context) -> Self::Result {
        let attach = self.refresh(Refresh::ToRead).map(move |fresh, actor, _| {
            let live = actor.live(&asker)?;
            // What is known here is true. Only a reader that has seen more must wait until the
            // archive was read, or it would be told that its position does not exist.
            let is_ahead = seen > live.feed.last_seq();
            match fresh {
                Ok(Refreshed::Assumed) if is_ahead => return Err(SessionError::StoreUnavailable),
                Err(SessionError::StoreUnavailable) if !is_ahead => {}
                fresh => drop(fresh?),
            }
            Ok(Attached {
                meta: live.session.meta.clone(),
                feed: Arc::clone(&live.feed),
                is_elsewhere: live.turn.is_none(),
            })
        });
        AtomicResponse::new(Box::pin(attach))
    }
}

impl Handler<CancelTurn> for SessionActor {
    type Result = Result<Cancelled, SessionError>;

    fn handle(&mut self, message: CancelTurn, _: &mut Self::Context) -> Self::Result {
        let live = self.live(&message.asker)?;
        match &live.turn {
            Some(turn) if turn.log.turn_id() == message.turn_id => {
                turn.cancel.cancel();
                Ok(Cancelled::Stopping)
            }
            _ => {
                let elsewhere = live.session.running() == Some(message.turn_id);
                let relay = self.shared.journal.relay().filter(|_| elsewhere);
                match relay.is_some_and(|relay| relay.cancel(message.turn_id)) {
                    true => Ok(Cancelled::Stopping),
                    false => Ok(Cancelled::NotRunning),
                }
            }
        }
    }
}

impl Handler<Erase> for SessionActor {
    type Result = Result<SessionMeta, SessionError>;

    fn handle(&mut self, Erase { asker }: Erase, ctx: &mut Self::Context) -> Self::Result {
        let live = self.live(&asker)?;
        live.is_erased = true;
        if let Some(turn) = &live.turn {
            turn.cancel.cancel();
        }
        let meta = live.session.meta.clone();
        ctx.stop();
        Ok(meta)
    }
}

impl Handler<Interrupt> for SessionActor {
    type Result = ();

    fn handle(&mut self, _: Interrupt, _: &mut Self::Context) {
        if let Ok(Live { turn: Some(turn), .. }) = &self.live {
            turn.cancel.cancel();
        }
    }
}

impl Handler<MakeRoom> for SessionActor {
    type Result = ();

    fn handle(&mut self, _: MakeRoom, ctx: &mut Self::Context) {
        if !self.is_busy() {
            metrics::evicted();
            ctx.stop();
        }
    }
}

impl Handler<ObserveSession> for SessionActor {
    type Result = MessageResult<ObserveSession>;

    fn handle(&mut self, _: ObserveSession, _: &mut Self::Context) -> Self::Result {
        let live = self.live.as_ref().ok();
        MessageResult(SessionStatus {
            id: self.id,
            last_seq: live.map_or(0, |live| live.session.meta.last_seq),
            running: live.and_then(|live| live.session.running()),
            readers: live.map_or(0, |live| live.feed.readers()),
        })
    }
}
