//! A message comes in: it becomes durable, and only then its turn begins.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use actix::prelude::*;
use futures_util::{FutureExt, future::LocalBoxFuture};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tracing::{Span, field::Empty, info, trace_span};

use super::{shell::SessionActor, turn::TurnTask};
use crate::session::{
    messages::*,
    metrics,
    replay::replay,
    shared::Shared,
    state::{Begin, Session},
};
use crate::{
    assistant::need,
    clock,
    domain::{Append, Appended, ErrorCode, Fact, IdempotencyRecord, Problem, SessionId, TurnId},
    journal::{Journal, Opened},
    log::{Writer, frame::Place},
    telemetry::{
        actors::{self, ActorKind},
        traces,
    },
    turn::{
        self,
        ask::Ask,
        ports::{Purpose, TurnInput},
        reply::Reply,
    },
};

impl Handler<StartTurn> for SessionActor {
    // Atomic: two quick messages keep their order, and five equal ones become one turn.
    type Result = AtomicResponse<Self, Result<Started, SessionError>>;

    fn handle(&mut self, message: StartTurn, _: &mut Self::Context) -> Self::Result {
        actors::waited(ActorKind::Session, message.asked.at.elapsed());
        let body_hash = message.body_hash.clone();
        let proposal = self.propose(message);
        let shared = Arc::clone(&self.shared);
        let accept = async move { accept(&shared.journal, proposal?).await };
        let reply = accept.into_actor(self).then(move |accepted, actor, ctx| {
            actor.reply(accepted, body_hash, ctx).into_actor(actor)
        });
        AtomicResponse::new(Box::pin(reply))
    }
}

/// What the session asks of the store.
enum Proposal {
    Append {
        prepared: Box<Prepared>,
        was_cold: bool,
    },
    /// A turn runs: only a repetition of a known key may be answered.
    Lookup {
        id: SessionId,
        key: String,
        was_cold: bool,
    },
}

/// A turn before its message is durable.
struct Prepared {
    append: Append,
    reply: Reply,
    /// Absent if the message comes with its answer.
    ask: Option<Box<Ask>>,
    span: Span,
    permit: OwnedSemaphorePermit,
}

/// What the store said, before the actor acts on it.
enum Accepted {
    New(Box<Prepared>),
    Known(IdempotencyRecord),
    /// Another replica wrote to this session.
    Outrun(Opened),
}

impl SessionActor {
    fn propose(&mut self, message: StartTurn) -> Result<Proposal, SessionError> {
        let shared = Arc::clone(&self.shared);
        let live = self.live(&message.asker)?;
        let was_cold = live.was_cold;
        if live.session.begin() == Begin::Busy {
            let id = live.session.meta.id;
            return Ok(Proposal::Lookup { id, key: message.idempotency_key, was_cold });
        }
        if shared.draining.is_cancelled() {
            return Err(SessionError::Draining);
        }
        let permit = Arc::clone(&shared.turn_permits)
            .try_acquire_owned()
            .map_err(|_| SessionError::TooManyTurns)?;
        let prepared = Box::new(prepare(&shared, &live.session, message, permit));
        Ok(Proposal::Append { prepared, was_cold })
    }

    /// Turns what the store said into the answer. Async only where an old turn is looked up.
    fn reply(
        &mut self,
        accepted: Result<Accepted, SessionError>,
        body_hash: String,
        ctx: &mut Context<Self>,
    ) -> LocalBoxFuture<'static, Result<Started, SessionError>> {
        let ready = |result| std::future::ready(result).boxed_local();
        match accepted {
            Err(SessionError::StoreUnavailable) => {
                // Whether the message was kept is unknown. Whoever asks next opens the session
                // anew, from what is there.
                ctx.stop();
                ready(Err(SessionError::StoreUnavailable))
            }
            Err(error) => ready(Err(error)),
            Ok(Accepted::New(prepared)) => {
                let started = self.begin_turn(*prepared, ctx);
                ready(started.ok_or(SessionError::StoreUnavailable))
            }
            Ok(Accepted::Outrun(opened)) => {
                info!(session_id = %self.id, "another replica wrote to this session; reloading");
                self.catch_up(opened, ctx);
                ready(Err(SessionError::TurnActive))
            }
            Ok(Accepted::Known(record)) if record.body_hash != body_hash => {
                ready(Err(SessionError::KeyReused))
            }
            Ok(Accepted::Known(record)) => {
                let log = self.live.as_ref().ok().and_then(|live| live.feed.turn());
                let log = log.filter(|log| log.turn_id() == record.turn_id);
                let journal = self.shared.journal.clone();
                replay(journal, self.id, record.turn_id, log).boxed_local()
            }
        }
    }

    /// The message is durable: shows it and has it answered.
    fn begin_turn(&mut self, prepared: Prepared, ctx: &Context<Self>) -> Option<Started> {
        let Prepared { append, reply, ask, span, permit } = prepared;
        let live = self.live.as_mut().ok()?;
        live.session.accepted(&append);
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
        let cancel = CancellationToken::new();
        live.turn = Some((Arc::clone(&log), cancel.clone()));
        live.feed.set_turn(log);
        let task = TurnTask {
            ask,
            reply,
            feed: Arc::clone(&live.feed),
            meta: append.meta,
            cancel,
            shared: Arc::clone(&self.shared),
            _permit: permit,
        };
        task.spawn(span, ctx.address());
        Some(started)
    }
}

/// Makes the turn for a message, and the append that makes the message durable.
fn prepare(
    shared: &Shared,
    session: &Session,
    message: StartTurn,
    permit: OwnedSemaphorePermit,
) -> Prepared {
    let turn_id = TurnId::new();
    let lane = need::lane(&message.text, message.asker.0.role);
    let span = trace_span!(
        parent: &message.asked.span,
        "turn",
        session_id = %session.meta.id,
        %turn_id,
        lane = lane.label(),
        outcome = Empty,
        route = Empty
    );
    let record = IdempotencyRecord {
        key: message.idempotency_key,
        body_hash: message.body_hash,
        turn_id,
        trace: traces::traceparent(&span),
    };
    let mut append = session.message(
        message.text.clone(),
        message.client_message_id,
        record,
        &shared.replica,
        clock::now(),
    );
    let meta = &append.meta;
    let place = Place { session_id: meta.id, turn_id, epoch: meta.epoch, base_seq: meta.last_seq };
    let writer = Writer::new(place, shared.max_answer_bytes);
    let input = TurnInput {
        purpose: Purpose::Conversation,
        site: meta.site_id.clone(),
        visitor: meta.owner,
        locale: meta.locale.clone(),
        text: message.text,
        lane,
        history: session.history(),
    };
    // A panic ends this turn; in a handler it would end the session.
    let Ok(ask) = catch_unwind(AssertUnwindSafe(|| Ask::new(&shared.ports, input))) else {
        turn::metrics::panicked();
        append.answer(Fact::failed(Problem::new(ErrorCode::Internal), String::new()));
        return Prepared { append, reply: Reply::silent(writer), ask: None, span, permit };
    };
    let mut reply = Reply::new(writer, &ask);
    // If the cache holds the answer to exactly this question, both become durable in one step.
    let fact = ask.exact().map(|hit| reply.serve(hit));
    let ask = fact.is_none().then(|| Box::new(ask));
    if let Some(fact) = fact {
        append.answer(fact);
    }
    Prepared { append, reply, ask, span, permit }
}

async fn accept(journal: &Journal, proposal: Proposal) -> Result<Accepted, SessionError> {
    let (prepared, was_cold) = match proposal {
        Proposal::Append { prepared, was_cold } => (prepared, was_cold),
        Proposal::Lookup { id, key, was_cold } => {
            let known = journal.idempotency(id, &key, was_cold).await?;
            return known.map(Accepted::Known).ok_or(SessionError::TurnActive);
        }
    };
    let append = &prepared.append;
    let appended = match was_cold {
        true => journal.append_if_new(append).await?,
        false => journal.append(append).await?,
    };
    match appended {
        Appended::Done => Ok(Accepted::New(prepared)),
        Appended::Replayed(record) => Ok(Accepted::Known(record)),
        Appended::Conflict { .. } | Appended::Missing => {
            Ok(Accepted::Outrun(journal.open(append.meta.id).await?))
        }
    }
}
