//! A message comes in: it becomes durable, and only then its turn begins.

use std::{rc::Rc, sync::Arc, time::Duration};

use actix::{fut::LocalBoxActorFuture, prelude::*};
use futures_util::{FutureExt, future::LocalBoxFuture};
use tracing::debug;

use super::{
    prepare::{Doubt, Prepared, Work, prepare, prepare_decision},
    shell::{Live, RunningHere, SessionActor},
    turn::TurnTask,
};
use crate::session::{
    confirm::{Before, Offer, Verdict, judge},
    messages::*,
    metrics,
    open::Refresh,
    replay::replay,
    shared::Shared,
    state::{Begin, Session},
};
use crate::{
    clock,
    domain::{
        Append, Appended, Decision, IdempotencyRecord, Part, Quotas, SessionId, TurnId, Version,
    },
    journal::Journal,
    telemetry::actors::{self, ActorKind},
    triage,
};

/// How often a message in doubt is sent again, at first and at most.
const DOUBT_RETRY: Duration = Duration::from_millis(250);
const DOUBT_RETRY_MAX: Duration = Duration::from_secs(2);
/// For which confirmed changes are counted.
const DAY: Duration = Duration::from_hours(24);

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
    /// To the person who has control.
    Deliver(Box<Append>),
    /// A turn runs: only a repetition of a known key may be answered.
    Lookup(SessionId, String),
    /// The message was taken before, in this turn.
    Known(TurnId),
}

/// What the journal said, before the actor acts on it.
enum Accepted {
    New(Box<Prepared>, Version),
    Delivered(Box<Append>, Version),
    Known(IdempotencyRecord),
    /// It was decided before, in this turn.
    Decided(TurnId),
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
        let offer = fresh.then(move |fresh, actor, _| {
            let wish = fresh.map(|_| actor.wish(&message));
            let shared = Arc::clone(&actor.shared);
            let id = actor.id;
            let offer = async move {
                let offer = match wish? {
                    Some(wish) => offer(&shared, &message, wish, id).await?,
                    None => None,
                };
                Ok((offer, message))
            };
            offer.into_actor(actor)
        });
        let accepted = offer.then(move |offer, actor, _| {
            let (offer, message) = match offer {
                Ok(offer) => offer,
                Err(error) => return Box::pin(fut::ready(Err(error))) as Outcome<_>,
            };
            let proposal = actor.propose(&message, offer);
            let journal = actor.shared.journal.clone();
            let accepted = async move { accept(&journal, proposal?).await };
            Box::pin(accepted.into_actor(actor).map(move |accepted, _, _| Ok((accepted, message))))
        });
        Box::pin(accepted.then(|accepted, actor, ctx| match accepted {
            Ok((accepted, message)) => actor.reply(accepted, &message, ctx).into_actor(actor),
            Err(error) => std::future::ready(Err(error)).boxed_local().into_actor(actor),
        }))
    }

    /// What the message wants to become of a proposal: by its button, or as a yes or no right after
    /// the answer that proposes it.
    fn wish(&self, message: &StartTurn) -> Option<Wish> {
        if message.wish.is_some() {
            return message.wish.clone();
        }
        let live = self.live.as_ref().ok()?;
        if live.session.begin() == Begin::Staffed {
            return None;
        }
        let proposal = live.session.proposed()?;
        // The first field of a change to an order is its number.
        let order = proposal.fields.first().map(|field| field.value.as_str());
        let decision = match triage::consent(&message.text, Some((&proposal.tool, order)))? {
            true => Decision::Confirmed,
            false => Decision::Declined,
        };
        Some(Wish { action: proposal.action_id, decision, hash: Some(proposal.hash.clone()) })
    }

    fn propose(
        &mut self,
        message: &StartTurn,
        offer: Option<Offer>,
    ) -> Result<Proposal, SessionError> {
        let shared = Arc::clone(&self.shared);
        let is_in_doubt = self.doubt.is_some();
        let live = self.live(&message.asker)?;
        if is_in_doubt {
            return Err(SessionError::StoreUnavailable);
        }
        if let Some(Offer { verdict: Verdict::Before(turn_id), .. }) = &offer {
            return Ok(Proposal::Known(*turn_id));
        }
        let begin = live.session.begin();
        if begin == Begin::Busy {
            return Ok(Proposal::Lookup(live.session.meta.id, message.idempotency_key.clone()));
        }
        if shared.draining.is_cancelled() {
            return Err(SessionError::Draining);
        }
        if begin == Begin::Staffed {
            let meta = &live.session.meta;
            // A button of the assistant has no answer while it is silent.
            if message.wish.is_some() {
                let (controller, epoch) = (meta.controller, meta.epoch);
                return Err(SessionError::Conflict { controller, epoch });
            }
            return Ok(Proposal::Deliver(Box::new(delivery(&live.session, message))));
        }
        let permit = Arc::clone(&shared.turn_permits)
            .try_acquire_owned()
            .map_err(|_| SessionError::TooManyTurns)?;
        let session = &live.session;
        Ok(Proposal::Append(Box::new(match offer {
            Some(offer) => prepare_decision(&shared, session, message, offer, permit),
            None => prepare(&shared, session, message, permit),
        })))
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
            Ok(Accepted::Delivered(append, version)) => ready(self.delivered(&append, version)),
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
            Ok(Accepted::Known(IdempotencyRecord { turn_id, .. }) | Accepted::Decided(turn_id)) => {
                let log = self.live.as_ref().ok().and_then(|live| live.feed.turn());
                let log = log.filter(|log| log.turn_id() == turn_id);
                let journal = self.shared.journal.clone();
                let replay = replay(journal, self.id, turn_id, log);
                replay.map(|started| started.map(Some)).boxed_local()
            }
        }
    }

    /// Whether the turn that runs here ends in favour of a further message.
    fn makes_way(&self, message: &StartTurn) -> bool {
        let Ok(Live { session, turn: Some(turn), .. }) = &self.live else { return false };
        let asked = session.asked().chars().count() + message.text.chars().count();
        message.wish.is_none()
            && asked < self.shared.sessions.max_message_chars
            && turn.give_way(self.shared.ports.turn.gather)
    }

    /// A message to a person is durable: shows it.
    fn delivered(
        &mut self,
        append: &Append,
        version: Version,
    ) -> Result<Option<Started>, SessionError> {
        let Ok(live) = &mut self.live else { return Err(SessionError::NotFound) };
        live.session.accepted(append, version);
        append.events.iter().for_each(|event| live.feed.publish(event));
        metrics::acted(append);
        let message = append.events.last().cloned().map(Arc::new);
        let started = |message| Started { message, turn: Progress::Delivered, replayed: false };
        Ok(message.map(started))
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
        let Prepared { append, reply, work, span, running, permit } = prepared;
        let live = self.live.as_mut().ok()?;
        live.session.accepted(&append, version);
        let at = append.events.iter().position(|event| event.fact.part() == Part::Begins)?;
        let message = Arc::new(append.events.get(at)?.clone());
        metrics::turn_started();
        metrics::acted(&append);
        append.events.iter().take(at + 1).for_each(|event| live.feed.publish(event));
        let log = Arc::clone(reply.log());
        let started =
            Started { message, turn: Progress::Running(Arc::clone(&log)), replayed: false };
        let Some(work) = work else {
            // Answered in the same step: the log is full, and there is nothing to run.
            let end = append.events.get(at + 1..).unwrap_or_default();
            for event in end {
                if event.fact.part() == Part::Ends {
                    span.in_scope(|| metrics::turn_ended(&event.fact));
                }
                live.feed.publish(event);
            }
            reply.close(end);
            return Some(started);
        };
        // What the shop was asked for goes on, and no other message is answered with it.
        let yields = matches!(work, Work::Answer(_));
        let turn = RunningHere::new(Arc::clone(&log), yields);
        let (cancel, supersede) = (turn.cancel.clone(), turn.supersede.clone());
        live.turn = Some(turn);
        live.feed.set_turn(log);
        let task = TurnTask {
            work,
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

/// Reads the proposal that a wish is about, and judges. `None` if the message is to be answered like
/// any other: words are a decision only if they lead to something.
async fn offer(
    shared: &Shared,
    message: &StartTurn,
    wish: Wish,
    session: SessionId,
) -> Result<Option<Offer>, SessionError> {
    let by_button = message.wish.is_some();
    let refused = |error| if by_button { Err(error) } else { Ok(None) };
    let Some(action) = shared.journal.action(wish.action).await? else {
        return refused(SessionError::NotFound);
    };
    let now = clock::now();
    let (per_shopper, per_site) = (shared.actions.per_shopper_a_day, shared.actions.per_site_a_day);
    let quotas = Quotas { per_shopper, per_site, since: now.before(DAY) };
    let mut before = Before { of_shopper: 0, of_site: 0, quotas, is_undone: false };
    if wish.decision == Decision::Confirmed && action.decision.is_none() {
        let (site, owner) = (&action.site_id, action.owner_id);
        let counted = shared.journal.carried_out_since(site, owner, quotas.since);
        (before.of_shopper, before.of_site) = counted.await?;
        if let Some(change) = &action.undoes {
            before.is_undone = shared.journal.undone_in(session).await?.contains(change);
        }
    }
    let decision = wish.decision;
    match judge(&action, &wish, (&message.asker.0, session), &before, now) {
        Ok(Verdict::Before(_)) if !by_button => Ok(None),
        Ok(verdict) => {
            let counts = verdict == Verdict::Call && action.undoes.is_none() && quotas.are_limits();
            let quotas = counts.then_some(quotas);
            Ok(Some(Offer { action, decision, verdict, quotas }))
        }
        Err(error) => refused(error),
    }
}

/// The append that brings a message to the person who has control.
fn delivery(session: &Session, message: &StartTurn) -> Append {
    let record = IdempotencyRecord {
        key: message.idempotency_key.clone(),
        body_hash: message.body_hash.clone(),
        turn_id: TurnId::new(),
        trace: None,
    };
    let (text, id) = (message.text.clone(), message.client_message_id.clone());
    session.delivered(text, id, record, clock::now())
}

async fn accept(journal: &Journal, proposal: Proposal) -> Result<Accepted, SessionError> {
    let prepared = match proposal {
        Proposal::Append(prepared) => prepared,
        Proposal::Lookup(id, key) => {
            let known = journal.idempotency(id, &key).await?;
            return known.map(Accepted::Known).ok_or(SessionError::TurnActive);
        }
        Proposal::Known(turn_id) => return Ok(Accepted::Decided(turn_id)),
        Proposal::Deliver(append) => {
            return Ok(match journal.append(&append).await? {
                Appended::Done(version) => Accepted::Delivered(append, version),
                Appended::Replayed(record) => Accepted::Known(record),
                Appended::Outrun => Accepted::Outrun,
            });
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
