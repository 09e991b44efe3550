//! A message comes in: it becomes durable, and only then its turn begins.

use std::{rc::Rc, sync::Arc, time::Duration};

use actix::{fut::LocalBoxActorFuture, prelude::*};
use futures_util::{FutureExt, future::LocalBoxFuture};
use tracing::debug;

use super::{
    prepare::{Doubt, Prepared, prepare},
    shell::{Live, RunningHere, SessionActor},
    turn::TurnTask,
};
use crate::session::{messages::*, metrics, open::Refresh, replay::replay, state::Begin};
use crate::{
    domain::{Appended, IdempotencyRecord, SessionId, Version},
    journal::Journal,
    telemetry::actors::{self, ActorKind},
};

/// How often a message in doubt is sent again, at first and at most.
const DOUBT_RETRY: Duration = Duration::from_millis(250);
const DOUBT_RETRY_MAX: Duration = Duration::from_secs(2);

impl Handler<StartTurn> for SessionActor {
    // Atomic: two quick messages keep their order, and five equal ones become one turn.
    type Result = AtomicResponse<Self, Result<Started, SessionError>>;

    fn handle(&mut self, message: StartTurn, _: &mut Self::Context) -> Self::Result {
        actors::waited(ActorKind::Session, message.asked.at.elapsed());
        AtomicResponse::new(self.take(Rc::new(message)))
    }
}

/// What the session asks of the journal.
enum Proposal {
    Append(Box<Prepared>),
    /// A turn runs: only a repetition of a known key may be answered.
    Lookup(SessionId, String),
}

/// What the journal said, before the actor acts on it.
enum Accepted {
    New(Box<Prepared>, Version),
    Known(IdempotencyRecord),
    Doubtful(Box<Prepared>),
    /// Another replica wrote to this session.
    Outrun,
}

/// What a message is answered with.
type Outcome<T> = LocalBoxActorFuture<SessionActor, Result<T, SessionError>>;

impl SessionActor {
    /// Reads the session first if another replica may have written to it. If one was faster all the
    /// same, there is one more attempt.
    fn take(&mut self, message: Rc<StartTurn>) -> Outcome<Started> {
        let first = self.attempt(Rc::clone(&message));
        Box::pin(first.then(move |started, actor, _| match started {
            Ok(None) => {
                let second = actor.attempt(message);
                Box::pin(second.map(|started, _, _| started?.ok_or(SessionError::TurnActive)))
            }
            started => {
                Box::pin(fut::ready(started.and_then(|s| s.ok_or(SessionError::TurnActive))))
                    as Outcome<Started>
            }
        }))
    }

    /// `None` if another replica was faster.
    fn attempt(&mut self, message: Rc<StartTurn>) -> Outcome<Option<Started>> {
        let fresh = self.refresh(Refresh::ToWrite);
        let accepted = fresh.then(move |fresh, actor, _| {
            let proposal = fresh.and_then(|_| actor.propose(&message));
            let journal = actor.shared.journal.clone();
            let accepted = async move { accept(&journal, proposal?).await };
            accepted.into_actor(actor).map(move |accepted, _, _| (accepted, message))
        });
        Box::pin(accepted.then(|(accepted, message), actor, ctx| {
            actor.reply(accepted, &message, ctx).into_actor(actor)
        }))
    }

    fn propose(&mut self, message: &StartTurn) -> Result<Proposal, SessionError> {
        let shared = Arc::clone(&self.shared);
        let is_in_doubt = self.doubt.is_some();
        let live = self.live(&message.asker)?;
        if is_in_doubt {
            return Err(SessionError::StoreUnavailable);
        }
        if live.session.begin() == Begin::Busy {
            return Ok(Proposal::Lookup(live.session.meta.id, message.idempotency_key.clone()));
        }
        if shared.draining.is_cancelled() {
            return Err(SessionError::Draining);
        }
        let permit = Arc::clone(&shared.turn_permits)
            .try_acquire_owned()
            .map_err(|_| SessionError::TooManyTurns)?;
        Ok(Proposal::Append(Box::new(prepare(&shared, &live.session, message, permit))))
    }

    /// Turns what the journal said into the answer. Async only if an old turn is looked up.
    fn reply(
        &mut self,
        accepted: Result<Accepted, SessionError>,
        message: &StartTurn,
        ctx: &mut Context<Self>,
    ) -> LocalBoxFuture<'static, Result<Option<Started>, SessionError>> {
        let ready = |result| std::future::ready(result).boxed_local();
        match accepted {
            Err(SessionError::TurnActive) if self.makes_way(message) => {
                ready(Err(SessionError::Joins))
            }
            Err(error) => ready(Err(error)),
            Ok(Accepted::New(prepared, version)) => {
                let started = self.begin_turn(*prepared, version, ctx);
                ready(started.map(Some).ok_or(SessionError::StoreUnavailable))
            }
            Ok(Accepted::Doubtful(prepared)) => {
                self.doubt = Some(Doubt::new(prepared, DOUBT_RETRY));
                self.resolve_later(ctx);
                ready(Err(SessionError::StoreUnavailable))
            }
            Ok(Accepted::Outrun) => {
                debug!(session_id = %self.id, "another replica wrote to this session; reading it");
                if let Ok(live) = &mut self.live {
                    live.session.disown();
                }
                ready(Ok(None))
            }
            Ok(Accepted::Known(record)) if record.body_hash != message.body_hash => {
                ready(Err(SessionError::KeyReused))
            }
            Ok(Accepted::Known(record)) => {
                let log = self.live.as_ref().ok().and_then(|live| live.feed.turn());
                let log = log.filter(|log| log.turn_id() == record.turn_id);
                let journal = self.shared.journal.clone();
                let replay = replay(journal, self.id, record.turn_id, log);
                replay.map(|started| started.map(Some)).boxed_local()
            }
        }
    }

    /// Whether the turn that runs here ends in favour of a further message.
    fn makes_way(&self, message: &StartTurn) -> bool {
        let Ok(Live { session, turn: Some(turn), .. }) = &self.live else { return false };
        let asked = session.asked().chars().count() + message.text.chars().count();
        asked < self.shared.sessions.max_message_chars
            && turn.give_way(self.shared.ports.turn.gather)
    }

    /// Sends the message in doubt again after a while. Readers are served meanwhile.
    fn resolve_later(&self, ctx: &mut Context<Self>) {
        let Some(Doubt { pause, .. }) = &self.doubt else { return };
        ctx.run_later(*pause, |actor, ctx| {
            let Some(doubt) = &actor.doubt else { return };
            let (journal, append) = (actor.shared.journal.clone(), doubt.prepared.append.clone());
            let again = async move { journal.append(&append).await };
            ctx.spawn(again.into_actor(actor).map(|appended, actor, ctx| {
                let Some(mut doubt) = actor.doubt.take() else { return };
                match appended {
                    Ok(Appended::Done(version)) => {
                        actor.begin_turn(*doubt.prepared, version, ctx);
                    }
                    Err(error) if error.is_in_doubt() => {
                        doubt.pause = (doubt.pause * 2).min(DOUBT_RETRY_MAX);
                        actor.doubt = Some(doubt);
                        actor.resolve_later(ctx);
                    }
                    // It was not taken, or another replica has ended its turn since.
                    Ok(Appended::Replayed(_) | Appended::Outrun) | Err(_) => {
                        if let Ok(live) = &mut actor.live {
                            live.session.disown();
                        }
                    }
                }
            }));
        });
    }

    /// The message is durable: shows it and has it answered.
    fn begin_turn(
        &mut self,
        prepared: Prepared,
        version: Version,
        ctx: &Context<Self>,
    ) -> Option<Started> {
        let Prepared { append, reply, ask, span, running, permit } = prepared;
        let live = self.live.as_mut().ok()?;
        live.session.accepted(&append, version);
        let message = Arc::new(append.events.first()?.clone());
        metrics::turn_started();
        live.feed.publish(&message);
        let log = Arc::clone(reply.log());
        let started =
            Started { message, turn: Progress::Running(Arc::clone(&log)), replayed: false };
        let Some(ask) = ask else {
            // Answered in the same step: the log is full, and there is nothing to run.
            let end = append.events.get(1..).unwrap_or_default();
            for event in end {
                span.in_scope(|| metrics::turn_ended(&event.fact));
                live.feed.publish(event);
            }
            reply.close(end);
            return Some(started);
        };
        let turn = RunningHere::new(Arc::clone(&log));
        let (cancel, supersede) = (turn.cancel.clone(), turn.supersede.clone());
        live.turn = Some(turn);
        live.feed.set_turn(log);
        let task = TurnTask {
            ask,
            reply,
            feed: Arc::clone(&live.feed),
            meta: append.meta,
            version,
            cancel,
            supersede,
            shared: Arc::clone(&self.shared),
            _running: running,
            _permit: permit,
        };
        task.spawn(span, ctx.address());
        Some(started)
    }
}

async fn accept(journal: &Journal, proposal: Proposal) -> Result<Accepted, SessionError> {
    let prepared = match proposal {
        Proposal::Append(prepared) => prepared,
        Proposal::Lookup(id, key) => {
            let known = journal.idempotency(id, &key).await?;
            return known.map(Accepted::Known).ok_or(SessionError::TurnActive);
        }
    };
    match journal.append(&prepared.append).await {
        Ok(Appended::Done(version)) => Ok(Accepted::New(prepared, version)),
        Ok(Appended::Replayed(record)) => Ok(Accepted::Known(record)),
        Ok(Appended::Outrun) => Ok(Accepted::Outrun),
        Err(error) if error.is_in_doubt() => Ok(Accepted::Doubtful(prepared)),
        Err(error) => Err(error.into()),
    }
}
