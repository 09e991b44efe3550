//! A turn before its message is durable.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use tokio::sync::OwnedSemaphorePermit;
use tracing::{Span, field::Empty, trace_span};

use crate::session::{
    confirm::{Offer, Verdict},
    messages::StartTurn,
    shared::Shared,
    state::Session,
};
use crate::{
    archive::Action,
    assistant::actions,
    cache::Witness,
    clock,
    domain::{
        ActionOutcome, Append, Decided, ErrorCode, Fact, IdempotencyRecord, Lane, Problem, TurnId,
    },
    journal::{InDoubt, RunningTurn},
    log::{Writer, frame::Place},
    telemetry::traces,
    triage,
    turn::{
        self, act,
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
    pub work: Option<Work>,
    pub span: Span,
    pub running: RunningTurn,
    pub permit: OwnedSemaphorePermit,
}

/// What the task of a turn does.
pub enum Work {
    Answer(Box<Ask>),
    /// A confirmed change.
    CarryOut(Box<Action>),
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
    // Nothing after this knows the code: it is in no event, and so in no store and no log.
    let (own, code) = session.takes_code(&message.text, clock::now());
    let text = session.joined(&own);
    let lane = triage::lane(&text, message.asker.0.role);
    let Begun { span, running, mut append, writer } = begin(shared, session, message, own, lane);
    let meta = &append.meta;
    let input = TurnInput {
        purpose: Purpose::Conversation,
        site: meta.site_id.clone(),
        visitor: meta.owner,
        customer: message.customer.clone(),
        from: message.asked.from,
        witness: Witness::new(meta.owner, message.asked.from),
        locale: meta.locale.clone(),
        page: meta.context.clone(),
        text,
        lane,
        history: session.history(),
        duty: None,
        code,
        handoff: meta.handoff,
        made: session.made(),
    };
    // A panic ends this turn; in a handler it would end the session.
    let Ok(ask) = catch_unwind(AssertUnwindSafe(|| Ask::new(&shared.ports, input))) else {
        turn::metrics::panicked();
        let failed = Fact::failed(Problem::new(ErrorCode::Internal), String::new());
        append.answer(&failed.into());
        return Prepared {
            append,
            reply: Reply::silent(writer),
            work: None,
            span,
            running,
            permit,
        };
    };
    let mut reply = Reply::new(writer, &ask);
    // If the cache holds the answer to exactly this question, both become durable in one step.
    let fact = ask.exact().map(|hit| reply.serve(hit));
    let work = fact.is_none().then(|| Work::Answer(Box::new(ask)));
    if let Some(fact) = fact {
        append.answer(&fact.into());
    }
    Prepared { append, reply, work, span, running, permit }
}

/// Makes the turn for a decision. If the shop need not be asked, it is answered in the same step.
pub fn prepare_decision(
    shared: &Shared,
    session: &Session,
    message: &StartTurn,
    offer: Offer,
    permit: OwnedSemaphorePermit,
) -> Prepared {
    let Offer { action, decision, verdict, quotas } = offer;
    let text = match &message.wish {
        Some(_) => actions::message(decision, &action.effect, action.language),
        None => message.text.clone(),
    };
    let Begun { span, running, mut append, writer } =
        begin(shared, session, message, text, Lane::Order);
    append.decided = Some(Decided {
        action_id: action.id,
        tool: action.tool.clone(),
        decision,
        turn_id: append.events.last().map_or_else(TurnId::new, |event| event.turn_id),
        by: message.asker.0.role,
        calls: verdict == Verdict::Call,
        quotas,
    });
    let mut reply = Reply::silent(writer);
    let work = match verdict {
        Verdict::Close(status, text) => {
            let outcome = ActionOutcome::new(action.id, status, text);
            append.answer(&act::close(&mut reply, &action, outcome));
            None
        }
        Verdict::Call | Verdict::Before(_) => Some(Work::CarryOut(Box::new(action))),
    };
    Prepared { append, reply, work, span, running, permit }
}

/// What every turn begins with.
struct Begun {
    span: Span,
    running: RunningTurn,
    append: Append,
    writer: Writer,
}

fn begin(
    shared: &Shared,
    session: &Session,
    message: &StartTurn,
    text: String,
    lane: Lane,
) -> Begun {
    let turn_id = TurnId::new();
    let running = shared.journal.will_run(turn_id);
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
    let append = session.message(text, message.client_message_id.clone(), record, clock::now());
    let meta = &append.meta;
    let place = Place { session_id: meta.id, turn_id, epoch: meta.epoch, base_seq: meta.last_seq };
    let writer = Writer::new(place, shared.max_answer_bytes);
    Begun { span, running, append, writer }
}
