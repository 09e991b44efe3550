//! A session that other replicas know too: catching up with what they added, and reading along with
//! what they run.

use std::{sync::Arc, time::Duration};

use super::shell::{Live, SessionActor};
use crate::session::{
    feed::{Feed, FeedEnd},
    messages::SessionError,
    open::{Absent, Refresh, Refreshed, open},
    state::Session,
};
use crate::{
    domain::{Event, Part, Running},
    journal::Opened,
    log::{TurnLog, frame::Place},
    relay::Rumour,
};
use actix::{fut::LocalBoxActorFuture, prelude::*};

/// How long a turn without a known replica is left alone before the session is read again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl Handler<Rumour> for SessionActor {
    // Atomic: what is read here must not be older than what a message adds meanwhile.
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, rumour: Rumour, ctx: &mut Self::Context) -> Self::Result {
        let nothing = || AtomicResponse::new(Box::pin(fut::ready(())));
        let Ok(live) = &self.live else { return nothing() };
        if rumour == Rumour::Erased {
            live.feed.end(FeedEnd::Erased);
            ctx.stop();
            return nothing();
        }
        if let Rumour::Typing(by) = rumour {
            live.feed.type_by(by);
            return nothing();
        }
        if self.doubt.is_some() {
            // The repeated append will find it out.
            return nothing();
        }
        if live.turn.is_some() {
            return AtomicResponse::new(self.stop_if_ended());
        }
        let known = Some(*live.session.version());
        let opened = open(self.id, known, self.shared.journal.clone()).into_actor(self);
        AtomicResponse::new(Box::pin(opened.map(|opened, actor, ctx| match opened {
            Ok(opened) => opened.into_iter().for_each(|opened| actor.catch_up(opened, ctx)),
            Err(Absent::Unavailable) => actor.look_again(ctx),
            Err(absent) => {
                if let Ok(live) = &actor.live {
                    let erased = matches!(absent, Absent::Erased { .. });
                    live.feed.end(if erased { FeedEnd::Erased } else { FeedEnd::Stopped });
                }
                ctx.stop();
            }
        })))
    }
}

impl SessionActor {
    /// Another replica writes while a turn runs here: a person took over, and ended the turn, or
    /// this replica was taken for dead. A turn that has an end says nothing more.
    fn stop_if_ended(&self) -> LocalBoxActorFuture<Self, ()> {
        let (id, journal) = (self.id, self.shared.journal.clone());
        let read = async move { journal.open(id).await }.into_actor(self);
        Box::pin(read.map(|opened, actor, ctx| {
            // Without an answer the end of the turn will find it out.
            let (Ok(Live { turn: Some(turn), .. }), Ok(opened)) = (&actor.live, opened) else {
                return;
            };
            if opened.version.open_turn != Some(turn.log.turn_id()) {
                turn.cancel.cancel();
                actor.catch_up(opened, ctx);
            }
        }))
    }

    /// Reads the session if another replica may have written to it. For a writer it is enough that
    /// this replica wrote the newest event that it knows: the append itself finds out the rest.
    pub(in crate::session) fn refresh(
        &mut self,
        purpose: Refresh,
    ) -> LocalBoxActorFuture<Self, Result<Refreshed, SessionError>> {
        let ready = |result| -> LocalBoxActorFuture<Self, _> { Box::pin(fut::ready(result)) };
        let Ok(live) = &self.live else { return ready(Ok(Refreshed::Assumed)) };
        let is_owned = live.session.is_owned();
        if is_owned && self.shared.journal.is_alone() {
            // No other process writes, so what is known here is all there is.
            return ready(Ok(Refreshed::Read));
        }
        // While a turn runs here nobody else writes, unless an append was outrun.
        let writes_alone = is_owned && (purpose == Refresh::ToWrite || live.turn.is_some());
        if writes_alone || self.doubt.is_some() {
            return ready(Ok(Refreshed::Assumed));
        }
        let known = Some(*live.session.version());
        let opened = open(self.id, known, self.shared.journal.clone()).into_actor(self);
        Box::pin(opened.map(|opened, actor, ctx| {
            match opened {
                Ok(Some(opened)) => actor.catch_up(opened, ctx),
                Ok(None) => {}
                Err(absent) => {
                    if absent != Absent::Unavailable {
                        ctx.stop();
                    }
                    return Err(absent.plainly());
                }
            }
            Ok(Refreshed::Read)
        }))
    }

    /// Takes in what another replica added and shows it to those who read here.
    pub(in crate::session) fn catch_up(&mut self, opened: Opened, ctx: &mut Context<Self>) {
        let Ok(live) = &mut self.live else { return };
        let known = live.session.meta.last_seq;
        let Opened { meta, version, events, running } = opened;
        if meta.last_seq < known {
            // It was read before the newest append of this replica.
            return;
        }
        let fresh: Vec<&Event> = events.iter().filter(|event| event.seq > known).collect();
        let gapless = fresh.first().map_or(meta.last_seq, |event| event.seq - 1) == known;
        if gapless {
            let mut of_turn = Vec::new();
            for event in fresh {
                live.feed.publish(event);
                of_turn.push(event.clone());
                if event.fact.part() == Part::Ends {
                    if let Some(relay) = self.shared.journal.relay() {
                        relay.ended(event.turn_id, &of_turn);
                    }
                    of_turn.clear();
                }
            }
        } else {
            // Too much at once: readers come again and are told from the journal.
            live.feed.end(FeedEnd::Stopped);
            let capacity = self.shared.sessions.tail_events;
            live.feed = Feed::new(self.id, meta.last_seq, capacity);
            self.shared.lookout.replace(&live.feed);
        }
        live.session = Session::new(meta, version, &events);
        live.session.elsewhere = running;
        self.follow_elsewhere(ctx);
    }

    /// Shows the turn that another replica runs, if one does.
    pub(in crate::session) fn follow_elsewhere(&mut self, ctx: &mut Context<Self>) {
        let Ok(live) = &self.live else { return };
        let Some(turn_id) = live.session.running().filter(|_| live.turn.is_none()) else { return };
        let relay = self.shared.journal.relay();
        let running = live.session.elsewhere.clone().filter(|r: &Running| r.turn_id == turn_id);
        let (Some(relay), Some(running)) = (relay, running) else { return self.look_again(ctx) };
        let is_shown = |log: &Arc<TurnLog>| log.turn_id() == turn_id && !log.is_ended();
        if live.feed.turn().as_ref().is_some_and(is_shown) {
            return;
        }
        let meta = &live.session.meta;
        let most = self.shared.max_answer_bytes;
        let (session_id, epoch, base_seq) = (self.id, meta.epoch, live.session.begun_at());
        let place = Place { session_id, turn_id, epoch, base_seq };
        live.feed.set_turn(relay.follow(&running, place, most));
    }

    /// A turn whose replica is not known, or whose end nobody told: the journal will say.
    fn look_again(&self, ctx: &mut Context<Self>) {
        ctx.run_later(LOOK_AGAIN, |_, ctx| {
            // A full mailbox is a session that is busy, and asks by itself.
            let _ = ctx.address().try_send(Rumour::Changed);
        });
    }
}
