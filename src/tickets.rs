//! Answers tickets when there is capacity. Each gets a full answer, like any turn, delivered into
//! the session in which the question was asked.
//!
//! The worker of any replica may take any ticket; a lease keeps two from taking the same one. It
//! uses the model only in slots that nobody else waits for, and never against an operator's order.
//! If a worker dies, its lease ends and the ticket is answered again; the session accepts only the
//! first delivery. Must never happen: a ticket that is closed without its answer in the session.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info, trace_span, warn};

use crate::{
    archive::{Archive, ArchiveError, TicketRow},
    brownout::{Service, metrics},
    cache::Witness,
    clock, config,
    domain::{Answer, Controller, ErrorCode, Fact, Lane, ServiceLevel, SessionMeta, Ticket},
    journal::{Journal, JournalError},
    log::{Writer, frame::Place},
    session::{
        deliver::{self, Deliver, Delivered},
        messages::SessionError,
    },
    supervisor::door::{AskError, Sessions},
    turn::{
        ask::Ask,
        attend::{Bounds, attend},
        ports::{ModelPort, Ports, Purpose, TurnInput},
        reply::Reply,
    },
};

/// How often to look for open tickets, and how often while some are being answered.
const INTERVAL: Duration = Duration::from_secs(1);
const BUSY_INTERVAL: Duration = Duration::from_millis(200);
/// How often all open tickets are counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(10);
/// How many events are read for a ticket: its question and the conversation before it.
const CONTEXT: u64 = 24;
/// How long a delivery waits for a running turn of the session, and how often it checks.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(60);
const DELIVERY_RETRY: Duration = Duration::from_millis(500);
/// The pause after a failed attempt. It doubles with each further one up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

pub struct TicketWorker {
    archive: Archive,
    journal: Journal,
    sessions: Sessions,
    ports: Arc<Ports>,
    turn: config::Turn,
    at_once: usize,
}

/// Why a ticket has no answer yet.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("no answer: {}", .0.as_str())]
    Failed(ErrorCode),
    #[error("a turn of the session runs, or a person has control")]
    Busy,
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Session(#[from] AskError),
    #[error("the session has no such question")]
    Missing,
}

impl TicketWorker {
    pub fn new(
        archive: Archive,
        journal: Journal,
        sessions: Sessions,
        ports: Arc<Ports>,
        config: &config::Config,
    ) -> Self {
        let at_once = config.brownout.tickets_at_once;
        Self { archive, journal, sessions, ports, turn: config.turn.clone(), at_once }
    }

    /// Answers tickets until `draining`; tickets in progress are then given back.
    pub async fn run(&self, draining: CancellationToken) {
        let mut working = FuturesUnordered::new();
        let mut counted: Option<Instant> = None;
        while !draining.is_cancelled() {
            if counted.is_none_or(|at| at.elapsed() >= COUNT_INTERVAL) {
                counted = Some(Instant::now());
                if let Ok(open) = self.archive.open_tickets().await {
                    metrics::tickets_open(open);
                }
            }
            // The archive counts and logs its own failures.
            let leased = self.lease(working.len()).await.unwrap_or_default();
            working.extend(leased.into_iter().map(|ticket| self.settle(ticket, &draining)));
            let wait = if working.is_empty() { INTERVAL } else { BUSY_INTERVAL };
            tokio::select! {
                () = draining.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
                Some(()) = working.next() => {}
            }
        }
        while working.next().await.is_some() {}
    }

    /// Leases tickets for free slots, in addition to those that are `working`. Half of the free
    /// slots stay free for new turns, so that a long list of tickets does not lower the service
    /// level.
    async fn lease(&self, working: usize) -> Result<Vec<TicketRow>, ArchiveError> {
        let Some(ModelPort { pressure, .. }) = &self.ports.model else { return Ok(Vec::new()) };
        let Service { level, pinned } = self.ports.brownout.service();
        let ordered = pinned && level > ServiceLevel::SHORT;
        if ordered || !pressure.has_backend() || pressure.queued() > 0 {
            return Ok(Vec::new());
        }
        let spare = (pressure.free_slots() + working).div_ceil(2);
        let room = spare.min(self.at_once).saturating_sub(working);
        if room == 0 {
            return Ok(Vec::new());
        }
        // Longer than the answer, its delivery, and storing both in the archive take.
        let lease = self.turn.timeout + DELIVERY_PATIENCE + Duration::from_secs(30);
        let now = clock::now();
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        self.archive.lease_tickets(room, now, now.after(lease)).await
    }

    /// Answers one ticket, or gives it back for later.
    async fn settle(&self, ticket: TicketRow, draining: &CancellationToken) {
        let answered = AssertUnwindSafe(Box::pin(self.answer(&ticket, draining))).catch_unwind();
        let pause = match draining.run_until_cancelled(answered).await {
            Some(Ok(Ok(delivered))) => {
                if delivered == Delivered::Now {
                    metrics::ticket_answered();
                    info!(ticket_id = %ticket.id, "a ticket was answered");
                }
                // The event closes the row; it is on its way to the archive.
                return;
            }
            // The row is deleted with the session.
            Some(Ok(Err(
                Unanswered::Journal(JournalError::NotFound | JournalError::Erased { .. })
                | Unanswered::Session(AskError::Session(
                    SessionError::NotFound | SessionError::Erased,
                )),
            ))) => return,
            Some(Ok(Err(Unanswered::Busy))) => pause_after(ticket.attempts.into()),
            Some(Ok(Err(
                error @ (Unanswered::Failed(_)
                | Unanswered::Journal(_)
                | Unanswered::Session(_)
                | Unanswered::Missing),
            ))) => {
                metrics::ticket_failed();
                warn!(%error, ticket_id = %ticket.id, attempts = u64::from(ticket.attempts), "a ticket was not answered; retrying later");
                pause_after(ticket.attempts.into())
            }
            Some(Err(_panic)) => {
                metrics::ticket_failed();
                warn!(ticket_id = %ticket.id, attempts = u64::from(ticket.attempts), "a ticket panicked");
                pause_after(ticket.attempts.into())
            }
            None => Duration::ZERO,
        };
        // If this fails, the lease ends by itself.
        let _ = self.archive.release_ticket(&ticket, clock::now().after(pause)).await;
    }

    async fn answer(
        &self,
        ticket: &TicketRow,
        draining: &CancellationToken,
    ) -> Result<Delivered, Unanswered> {
        let key = deliver::key(ticket.id);
        if self.journal.idempotency(ticket.session_id, &key).await?.is_some() {
            return Ok(Delivered::Before);
        }
        let meta = self.journal.open(ticket.session_id).await?.meta;
        // The assistant is silent while a person has control.
        if meta.controller != Controller::Bot {
            return Err(Unanswered::Busy);
        }
        let answer = self.ask(&meta, ticket, draining).await?;
        self.deliver(ticket, answer).await
    }

    /// Generates the answer like any turn, in a log without readers.
    async fn ask(
        &self,
        meta: &SessionMeta,
        ticket: &TicketRow,
        draining: &CancellationToken,
    ) -> Result<Fact, Unanswered> {
        let seq = u64::from(ticket.seq);
        let before = seq.saturating_sub(CONTEXT);
        let limit = u32::try_from(seq - before).unwrap_or(u32::MAX);
        let events = self.journal.events(meta.id, before, limit).await?;
        let (text, history) =
            deliver::question(meta, &events, ticket.id).ok_or(Unanswered::Missing)?;
        let input = TurnInput {
            purpose: Purpose::Ticket,
            site: meta.site_id.clone(),
            visitor: meta.owner,
            from: None,
            // The address of the shopper is not stored.
            witness: Witness::new(meta.owner, None),
            locale: meta.locale.clone(),
            page: meta.context.clone(),
            customer: None,
            text,
            lane: Lane::Background,
            history,
            duty: None,
            code: None,
            handoff: None,
            made: Vec::new(),
        };
        let max_bytes = self.turn.max_answer_bytes;
        let (session_id, turn_id, epoch) = (meta.id, ticket.id.turn(), meta.epoch);
        let place = Place { session_id, turn_id, epoch, base_seq: seq };
        let ask = Ask::new(&self.ports, input);
        let mut reply = Reply::new(Writer::new(place, max_bytes), &ask);
        let span = trace_span!("ticket", session_id = %meta.id, ticket_id = %ticket.id);
        let bounds = Bounds {
            timeout: self.turn.timeout,
            cancel: CancellationToken::new(),
            supersede: CancellationToken::new(),
            stopping: draining.clone(),
            resume_grace: None,
        };
        let fact = attend(&self.ports, &ask, &mut reply, &bounds).instrument(span).await.end;
        reply.end(fact.clone());
        match fact {
            Fact::AnswerCompleted(answer) => {
                let ticket = Some(Ticket::answered(ticket.id));
                Ok(Fact::AnswerCompleted(Answer { ticket, ..answer }))
            }
            Fact::TurnFailed { problem, .. } => Err(Unanswered::Failed(problem.code)),
            Fact::MessageCreated { .. }
            | Fact::TurnCancelled { .. }
            | Fact::ActionProposed(_)
            | Fact::ActionResult(_)
            | Fact::People(_)
            | Fact::Unknown(_) => Err(Unanswered::Failed(ErrorCode::Interrupted)),
        }
    }

    /// Waits for the end of a running turn, up to a limit.
    async fn deliver(&self, ticket: &TicketRow, answer: Fact) -> Result<Delivered, Unanswered> {
        let begun = Instant::now();
        loop {
            let key = deliver::key(ticket.id);
            let message = || Deliver { key: key.clone(), ending: answer.clone().into() };
            match self.sessions.ask(ticket.session_id, message).await? {
                Delivered::Busy if begun.elapsed() >= DELIVERY_PATIENCE => {
                    return Err(Unanswered::Busy);
                }
                Delivered::Busy => tokio::time::sleep(DELIVERY_RETRY).await,
                delivered @ (Delivered::Now | Delivered::Before) => return Ok(delivered),
            }
        }
    }
}

fn pause_after(attempts: u64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}
