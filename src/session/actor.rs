//! The shell of a session: translates messages to decisions of `Session` and decisions to effects.
//!
//! Must never happen: two turns of one session at once; an acknowledged message that is not in the journal; a turn
//! without exactly one terminal event.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use actix::prelude::*;
use futures_util::FutureExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, Span, field::Empty, info, trace_span};

use super::{
    feed::{Feed, FeedEnd},
    journal::{Journal, Opened},
    messages::*,
    metrics,
    open::{Absent, open, refused, replay},
    state::{Begin, Session, unfinished},
    turn::{TurnTask, failure},
};
use crate::{
    agent::need,
    clock, config,
    domain::{ErrorCode, IdempotencyRecord, Lane, SessionId, SessionMeta, TurnId},
    hot::{Append, Appended},
    telemetry::{
        actors::{self, ActorKind},
        traces,
    },
    turn::{
        frame::Place,
        log::TurnLog,
        pipeline::Turn,
        ports::{Ports, Purpose, TurnInput},
    },
};

/// What all session actors of a process share.
pub struct Shared {
    pub journal: Journal,
    pub sessions: config::Sessions,
    pub turn_timeout: Duration,
    pub max_answer_bytes: usize,
    pub ports: Arc<Ports>,
    /// `name/boot` of this process.
    pub replica: Arc<str>,
    pub turn_permits: Arc<Semaphore>,
    /// Cancelled when no new turn may begin.
    pub draining: CancellationToken,
    pub turns: TaskTracker,
}

pub struct SessionActor {
    pub(super) id: SessionId,
    generation: u64,
    pub(super) shared: Arc<Shared>,
    stopped: Recipient<SessionStopped>,
    pub(super) live: Result<Live, Absent>,
    pub(super) last_active: Instant,
}

/// A session that could be opened.
pub(super) struct Live {
    pub session: Session,
    pub feed: Arc<Feed>,
    was_cold: bool,
    /// The turn that runs here; one that runs elsewhere is known to the feed alone.
    pub turn: Option<(Arc<TurnLog>, CancellationToken)>,
}

/// A turn's task has made its end durable; the session takes it in and shows it, in one step: whoever sees the end
/// may begin the next turn.
#[derive(Message)]
#[rtype(result = "()")]
struct TurnEnded {
    append: Append,
    log: Arc<TurnLog>,
}

impl SessionActor {
    pub fn new(
        id: SessionId,
        generation: u64,
        shared: Arc<Shared>,
        stopped: Recipient<SessionStopped>,
    ) -> Self {
        let live = Err(Absent::Unavailable);
        Self { id, generation, shared, stopped, live, last_active: Instant::now() }
    }

    /// The session, if `asker` may see it. Another person's session does not exist.
    fn live(&mut self, asker: &Asker) -> Result<&mut Live, SessionError> {
        self.last_active = Instant::now();
        match &mut self.live {
            Ok(live) if asker.may_see(&live.session.meta) => Ok(live),
            Ok(_) => Err(SessionError::NotFound),
            Err(absent) => Err(absent.tell(asker)),
        }
    }

    /// One timer per session instead of a scan over all of them.
    fn watch_idle(&self, ctx: &mut Context<Self>) {
        let idle_timeout = self.shared.sessions.idle_timeout;
        let rest = idle_timeout.saturating_sub(self.last_active.elapsed());
        ctx.run_later(rest.max(Duration::from_millis(10)), move |actor, ctx| {
            let busy = actor
                .live
                .as_ref()
                .is_ok_and(|live| live.turn.is_some() || live.feed.readers() > 0);
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

    /// The message is durable: shows it and has it answered.
    fn begin_turn(
        &mut self,
        Prepared { log, turn, span }: Prepared,
        append: &Append,
        permit: OwnedSemaphorePermit,
        ctx: &Context<Self>,
    ) -> Option<Started> {
        let shared = Arc::clone(&self.shared);
        let live = self.live.as_mut().ok()?;
        live.session.accepted(append);
        let message = Arc::new(append.events.first()?.clone());
        metrics::turn_started();
        live.feed.publish(&message);
        let started = Started {
            message: Arc::clone(&message),
            turn: Progress::Running(Arc::clone(&log)),
            replayed: false,
        };
        if let Some(end) = append.events.get(1) {
            // Answered in the same step: the log is full, and there is nothing to run.
            span.in_scope(|| metrics::turn_ended(&end.fact));
            live.feed.publish(end);
            log.close(Arc::new(end.clone()));
            return Some(started);
        }
        let turn = turn?;
        let cancel = CancellationToken::new();
        live.turn = Some((Arc::clone(&log), cancel.clone()));
        live.feed.set_turn(Some(Arc::clone(&log)));
        if let Some(relay) = shared.journal.relay() {
            relay.begin(&log, &cancel);
        }
        let task = TurnTask {
            log,
            feed: Arc::clone(&live.feed),
            meta: append.meta.clone(),
            turn_id: message.turn_id,
            cancel,
            shared: Arc::clone(&shared),
            _permit: permit,
        };
        let address = ctx.address();
        let ending = Arc::clone(&shared);
        // Not `ctx.spawn`: a handler that waits for the store would hold up the stream of the running turn.
        shared.turns.spawn_local(async move {
            let (log, feed) = (Arc::clone(&task.log), Arc::clone(&task.feed));
            let append = Box::pin(task.run(*turn)).instrument(span).await;
            if let Some(relay) = ending.journal.relay() {
                relay.end(log.turn_id());
            }
            let notice = TurnEnded { append: append.clone(), log: Arc::clone(&log) };
            // Without its actor the turn still ends for its readers.
            if address.send(notice).await.is_err() {
                show_end(&feed, &log, &append);
            }
        });
        Some(started)
    }
}

impl Actor for SessionActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        metrics::session_started();
        let (id, shared) = (self.id, Arc::clone(&self.shared));
        let rumours = ctx.address().recipient();
        let open = async move {
            // First, so that nothing is added unheard between reading and listening.
            if let Some(relay) = shared.journal.relay() {
                relay.enter(id, rumours).await;
            }
            open(id, shared).await
        };
        ctx.wait(open.into_actor(self).map(|opened, actor, ctx| {
            if opened.is_err() {
                // Whoever asked hears why; the next one to ask tries again.
                ctx.run_later(Duration::from_millis(200), |_, ctx| ctx.stop());
            }
            actor.live = opened.map(|opened| {
                metrics::opened(opened.was_cold);
                let capacity = actor.shared.sessions.tail_events;
                let feed = Feed::new(actor.id, opened.meta.last_seq, capacity);
                let running = unfinished(&opened.events);
                let mut session = Session::new(opened.meta, &opened.events, running);
                session.elsewhere = opened.running;
                Live { session, feed, was_cold: opened.was_cold, turn: None }
            });
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
            if let Some((_, cancel)) = &live.turn {
                cancel.cancel();
            }
            let erased = live.session.meta.state == crate::domain::SessionState::Closed;
            live.feed.end(if erased { FeedEnd::Erased } else { FeedEnd::Stopped });
        }
        let notice = SessionStopped { id: self.id, generation: self.generation };
        #[expect(clippy::disallowed_methods, reason = "a drop that reports: it must not be lost")]
        self.stopped.do_send(notice);
    }
}

impl Handler<TurnEnded> for SessionActor {
    type Result = ();

    fn handle(&mut self, TurnEnded { append, log }: TurnEnded, ctx: &mut Self::Context) {
        self.last_active = Instant::now();
        if let Ok(live) = &mut self.live {
            if append.expected_seq != live.session.meta.last_seq {
                // Something came in between that is not known here: whoever asks next opens the session anew.
                ctx.stop();
            }
            live.session.accepted(&append);
            live.turn = None;
            show_end(&live.feed, &log, &append);
        }
    }
}

/// First the event, then the end of the log: a reader that comes in between must find one of them.
fn show_end(feed: &Feed, log: &TurnLog, append: &Append) {
    if let Some(event) = append.events.first() {
        feed.publish(event);
        feed.set_turn(None);
        log.close(Arc::new(event.clone()));
    }
}

impl Handler<Attach> for SessionActor {
    type Result = Result<Attached, SessionError>;

    fn handle(&mut self, Attach { asker }: Attach, _: &mut Self::Context) -> Self::Result {
        let live = self.live(&asker)?;
        Ok(Attached {
            meta: live.session.meta.clone(),
            feed: Arc::clone(&live.feed),
            is_elsewhere: live.turn.is_none(),
        })
    }
}

impl Handler<CancelTurn> for SessionActor {
    type Result = Result<Cancelled, SessionError>;

    fn handle(&mut self, message: CancelTurn, _: &mut Self::Context) -> Self::Result {
        let live = self.live(&message.asker)?;
        match &live.turn {
            Some((log, cancel)) if log.turn_id() == message.turn_id => {
                cancel.cancel();
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
        live.session.meta.state = crate::domain::SessionState::Closed;
        if let Some((_, cancel)) = &live.turn {
            cancel.cancel();
        }
        let meta = live.session.meta.clone();
        ctx.stop();
        Ok(meta)
    }
}

impl Handler<Interrupt> for SessionActor {
    type Result = ();

    fn handle(&mut self, _: Interrupt, _: &mut Self::Context) {
        if let Ok(Live { turn: Some((_, cancel)), .. }) = &self.live {
            cancel.cancel();
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

/// What the store said to a new message, before the actor acts on it.
enum Accepted {
    New(Append, Prepared, OwnedSemaphorePermit),
    Known(IdempotencyRecord),
    /// Another replica wrote to this session.
    Outrun(Opened),
}

impl Handler<StartTurn> for SessionActor {
    // Atomic: two quick messages keep their order, and five equal ones become one turn.
    type Result = AtomicResponse<Self, Result<Started, SessionError>>;

    fn handle(&mut self, message: StartTurn, _: &mut Self::Context) -> Self::Result {
        actors::waited(ActorKind::Session, message.asked.at.elapsed());
        let body_hash = message.body_hash.clone();
        let append = self.propose(message);
        let shared = Arc::clone(&self.shared);
        let accept = async move {
            match append? {
                Proposal::Lookup { id, key, cold } => {
                    let known = shared.journal.idempotency(id, &key, cold).await;
                    known
                        .map_err(|e| refused(&e))?
                        .map(Accepted::Known)
                        .ok_or(SessionError::TurnActive)
                }
                Proposal::Append { append, prepared, cold, permit } => {
                    accept(&shared.journal, *append, prepared, cold, permit).await
                }
            }
        };
        let reply = accept.into_actor(self).then(move |accepted, actor, ctx| {
            actor.reply(accepted, body_hash, ctx).into_actor(actor)
        });
        AtomicResponse::new(Box::pin(reply))
    }
}

/// A turn before its message is durable.
struct Prepared {
    log: Arc<TurnLog>,
    /// Absent where the message comes with its answer.
    turn: Option<Box<Turn>>,
    span: Span,
}

/// Makes a turn for the message in `append`. Where the cache holds the answer to exactly this question, question and
/// answer become durable in one step.
fn prepare(
    shared: &Shared,
    live: &Live,
    append: &mut Append,
    (turn_id, text, lane): (TurnId, String, Lane),
    span: Span,
) -> Prepared {
    let meta = &append.meta;
    let place = Place { session_id: meta.id, turn_id, epoch: meta.epoch, base_seq: meta.last_seq };
    let log = TurnLog::new(place, shared.max_answer_bytes);
    let input = TurnInput {
        purpose: Purpose::Conversation,
        site: meta.site_id.clone(),
        visitor: meta.owner,
        locale: meta.locale.clone(),
        text,
        lane,
        history: live.session.history(),
    };
    let look = || {
        let mut turn = Turn::new(Arc::clone(&shared.ports), input, Arc::clone(&log));
        let fact = turn.exact();
        (Box::new(turn), fact)
    };
    // A panic ends this turn; in a handler it would end the session.
    let turn = match catch_unwind(AssertUnwindSafe(look)) {
        Ok((turn, None)) => Some(turn),
        Ok((_, Some(fact))) => {
            append.answer(fact);
            None
        }
        Err(_panic) => {
            metrics::turn_panicked();
            append.answer(failure(ErrorCode::Internal, log.text()));
            None
        }
    };
    Prepared { log, turn, span }
}

enum Proposal {
    Append {
        append: Box<Append>,
        prepared: Prepared,
        cold: bool,
        permit: OwnedSemaphorePermit,
    },
    /// A turn runs: only a repetition of a known key may be answered.
    Lookup {
        id: SessionId,
        key: String,
        cold: bool,
    },
}

async fn accept(
    journal: &Journal,
    append: Append,
    prepared: Prepared,
    cold: bool,
    permit: OwnedSemaphorePermit,
) -> Result<Accepted, SessionError> {
    let id = append.meta.id;
    if let (true, Some(record)) = (cold, &append.idempotency)
        && let Some(known) =
            journal.idempotency(id, &record.key, true).await.map_err(|error| refused(&error))?
    {
        return Ok(Accepted::Known(known));
    }
    match journal.append(&append).await.map_err(|error| refused(&error))? {
        Appended::Done => Ok(Accepted::New(append, prepared, permit)),
        Appended::Replayed(record) => Ok(Accepted::Known(record)),
        Appended::Conflict { .. } | Appended::Missing => {
            journal.open(id).await.map(Accepted::Outrun).map_err(|error| refused(&error))
        }
    }
}

impl SessionActor {
    fn propose(&mut self, message: StartTurn) -> Result<Proposal, SessionError> {
        let replica = Arc::clone(&self.shared.replica);
        let draining = self.shared.draining.is_cancelled();
        let permits = Arc::clone(&self.shared.turn_permits);
        let shared = Arc::clone(&self.shared);
        let lane = need::lane(&message.text, message.asker.0.role);
        let live = self.live(&message.asker)?;
        let cold = live.was_cold;
        if live.session.begin() == Begin::Busy {
            let id = live.session.meta.id;
            return Ok(Proposal::Lookup { id, key: message.idempotency_key, cold });
        }
        if draining {
            return Err(SessionError::Draining);
        }
        let permit = permits.try_acquire_owned().map_err(|_| SessionError::TooManyTurns)?;
        let (turn_id, text) = (TurnId::new(), message.text);
        let id = live.session.meta.id;
        let span = trace_span!(
            parent: &message.asked.span,
            "turn",
            session_id = %id,
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
        let mut append = live.session.message(
            text.clone(),
            message.client_message_id,
            record,
            &replica,
            clock::now(),
        );
        let prepared = prepare(&shared, live, &mut append, (turn_id, text, lane), span);
        Ok(Proposal::Append { append: Box::new(append), prepared, cold, permit })
    }

    /// Turns what the store said into the answer. Async only where an old turn is looked up.
    fn reply(
        &mut self,
        accepted: Result<Accepted, SessionError>,
        body_hash: String,
        ctx: &mut Context<Self>,
    ) -> futures_util::future::LocalBoxFuture<'static, Result<Started, SessionError>> {
        let ready = |result| std::future::ready(result).boxed_local();
        match accepted {
            Err(SessionError::StoreUnavailable) => {
                // Whether the message was kept is unknown. Whoever asks next opens the session anew, from what is there.
                ctx.stop();
                ready(Err(SessionError::StoreUnavailable))
            }
            Err(error) => ready(Err(error)),
            Ok(Accepted::New(append, prepared, permit)) => {
                let started = self.begin_turn(prepared, &append, permit, ctx);
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
}
