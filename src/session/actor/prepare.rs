//! A turn before its message is durable.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use tokio::sync::OwnedSemaphorePermit;
use tracing::{Span, field::Empty, trace_span};

use crate::session::{messages::StartTurn, shared::Shared, state::Session};
use crate::{
    cache::Witness,
    clock,
    domain::{Append, ErrorCode, Fact, IdempotencyRecord, Problem, TurnId},
    journal::{InDoubt, RunningTurn},
    log::{Writer, frame::Place},
    telemetry::traces,
    triage,
    turn::{
        self,
        ask::Ask,
        ports::{Purpose, TurnInput},
        reply::Reply,
    },
};

/// A turn before its message is durable.
pub struct Prepared {
    pub append: Append,
    pub reply: Reply,
    /// Absent if the message comes with its answer.
    pub ask: Option<Box<Ask>>,
    pub span: Span,
    pub running: RunningTurn,
    pub permit: OwnedSemaphorePermit,
}

/// A message that the archive may have taken without an answer. The client was told 503; the
/// message is sent again until its fate is known, and its turn then runs as usual.
pub struct Doubt {
    pub prepared: Box<Prepared>,
    /// Until it is sent again.
    pub pause: Duration,
    _counted: InDoubt,
}

impl Doubt {
    pub fn new(prepared: Box<Prepared>, pause: Duration) -> Self {
        Self { prepared, pause, _counted: InDoubt::one() }
    }
}

/// Makes the turn for a message, and the append that makes the message durable.
pub fn prepare(
    shared: &Shared,
    session: &Session,
    message: &StartTurn,
    permit: OwnedSemaphorePermit,
) -> Prepared {
    let turn_id = TurnId::new();
    let running = shared.journal.will_run(turn_id);
    let text = session.joined(&message.text);
    let lane = triage::lane(&text, message.asker.0.role);
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
        key: message.idempotency_key.clone(),
        body_hash: message.body_hash.clone(),
        turn_id,
        trace: traces::traceparent(&span),
    };
    let mut append = session.message(
        message.text.clone(),
        message.client_message_id.clone(),
        record,
        clock::now(),
    );
    let meta = &append.meta;
    let place = Place { session_id: meta.id, turn_id, epoch: meta.epoch, base_seq: meta.last_seq };
    let writer = Writer::new(place, shared.max_answer_bytes);
    let input = TurnInput {
        purpose: Purpose::Conversation,
        site: meta.site_id.clone(),
        visitor: meta.owner,
        from: message.asked.from,
        witness: Witness::new(meta.owner, message.asked.from),
        locale: meta.locale.clone(),
        page: meta.context.clone(),
        text,
        lane,
        history: session.history(),
        duty: None,
    };
    // A panic ends this turn; in a handler it would end the session.
    let Ok(ask) = catch_unwind(AssertUnwindSafe(|| Ask::new(&shared.ports, input))) else {
        turn::metrics::panicked();
        append.answer(Fact::failed(Problem::new(ErrorCode::Internal), String::new()));
        return Prepared { append, reply: Reply::silent(writer), ask: None, span, running, permit };
    };
    let mut reply = Reply::new(writer, &ask);
    // If the cache holds the answer to exactly this question, both become durable in one step.
    let fact = ask.exact().map(|hit| reply.serve(hit));
    let ask = fact.is_none().then(|| Box::new(ask));
    if let Some(fact) = fact {
        append.answer(fact);
    }
    Prepared { append, reply, ask, span, running, permit }
}
