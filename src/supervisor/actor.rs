//! The registry of live sessions.
//!
//! Must never happen: two live actors for one session in this process; an entry without an actor
//! that stays.

use std::sync::Arc;

use actix::prelude::*;
use lru::LruCache;

use super::messages::{InterruptAll, ObserveSupervisor, OpenError, SupervisorStatus};
use crate::{
    domain::SessionId,
    session::{
        actor::SessionActor,
        messages::{Interrupt, MakeRoom, SessionStopped},
        shared::Shared,
    },
    telemetry::actors::{self, ActorKind},
};

/// Finds or starts the actor of a session. The actor checks whether the session exists. Only `door`
/// sends this, since the reply names an actor.
#[derive(Debug, Message)]
#[rtype(result = "Result<Addr<SessionActor>, OpenError>")]
pub(super) struct OpenSession {
    pub id: SessionId,
    /// The thread of a new actor. It is the thread of the first request, so that the pieces of an
    /// answer do not change threads on their way to the connection.
    pub home: Option<ArbiterHandle>,
}

/// How many of the sessions that were asked for longest ago are asked to leave, if all places are
/// taken. Some of them may be busy.
const LEAVERS: usize = 4;

pub struct Supervisor {
    shared: Arc<Shared>,
    /// Bounded by `sessions.max_sessions`.
    registry: LruCache<SessionId, Entry>,
    next_generation: u64,
}

struct Entry {
    address: Addr<SessionActor>,
    generation: u64,
}

impl Supervisor {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, registry: LruCache::unbounded(), next_generation: 0 }
    }
}

impl Supervisor {
    /// Asks the sessions that were asked for longest ago to leave if they are idle. They are asked
    /// again only after all others.
    fn make_room(&mut self) {
        let oldest: Vec<SessionId> =
            self.registry.iter().rev().take(LEAVERS).map(|e| *e.0).collect();
        for id in oldest {
            if let Some(entry) = self.registry.get(&id) {
                // A session whose mailbox is full is busy, and a closed one has left.
                let _ = entry.address.try_send(MakeRoom);
            }
        }
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1024);
    }
}

impl Handler<OpenSession> for Supervisor {
    type Result = Result<Addr<SessionActor>, OpenError>;

    fn handle(&mut self, open: OpenSession, ctx: &mut Self::Context) -> Self::Result {
        let OpenSession { id, home } = open;
        if let Some(entry) = self.registry.get(&id)
            && entry.address.connected()
        {
            return Ok(entry.address.clone());
        }
        // Replace an actor that has stopped and was not reported yet.
        let has_stopped = self.registry.pop(&id).is_some();
        if self.registry.len() >= self.shared.sessions.max_sessions {
            self.make_room();
            return Err(OpenError::Full);
        }
        if has_stopped {
            actors::restarted(ActorKind::Session);
        }
        let arbiter = home.unwrap_or_else(Arbiter::current);
        self.next_generation += 1;
        let generation = self.next_generation;
        let shared = Arc::clone(&self.shared);
        let stopped = ctx.address().recipient();
        let address = SessionActor::start_in_arbiter(&arbiter, move |_| {
            SessionActor::new(id, generation, shared, stopped)
        });
        self.registry.put(id, Entry { address: address.clone(), generation });
        Ok(address)
    }
}

impl Handler<SessionStopped> for Supervisor {
    type Result = ();

    fn handle(&mut self, stopped: SessionStopped, _: &mut Self::Context) {
        // A later actor of the same session keeps its entry.
        if self.registry.peek(&stopped.id).is_some_and(|e| e.generation == stopped.generation) {
            self.registry.pop(&stopped.id);
        }
    }
}

impl Handler<InterruptAll> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: InterruptAll, _: &mut Self::Context) {
        for (_, entry) in &self.registry {
            // A session whose mailbox is full or closed is already ending.
            let _ = entry.address.try_send(Interrupt);
        }
    }
}

impl Handler<ObserveSupervisor> for Supervisor {
    type Result = MessageResult<ObserveSupervisor>;

    fn handle(&mut self, _: ObserveSupervisor, _: &mut Self::Context) -> Self::Result {
        MessageResult(SupervisorStatus {
            sessions: self.registry.len(),
            max_sessions: self.shared.sessions.max_sessions,
        })
    }
}
