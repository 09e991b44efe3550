//! What a session decides, as a plain struct: may a turn begin, and what was said so far.

use std::{collections::VecDeque, time::Duration};

use crate::{
    domain::{
        ActionId, ActionOutcome, ActionStatus, Answer, Append, CancelReason, Controller, Ending,
        Event, Fact, IdempotencyRecord, MessageId, OneTimeCode, Part, People, Proposal, Running,
        SessionMeta, SessionState, Ticket, TicketState, Timestamp, TurnId, Version, Wants,
        one_time,
    },
    turn::ports::Exchange,
};

/// Exchanges kept for the prompt; the token budget cuts further.
const MAX_EXCHANGES: usize = 12;
/// Changes that were made and may still be taken back.
const MAX_MADE: usize = 8;
/// A code that is typed later is no code any more.
const CODE_WAITS: Duration = Duration::from_mins(30);

pub struct Session {
    pub meta: SessionMeta,
    version: Version,
    /// Whether this replica wrote the newest event, as far as is known here.
    is_owned: bool,
    running: Option<TurnId>,
    /// `seq` of the message that began the running turn, or the last one.
    begun_at: u64,
    /// Where the running turn runs, if that is another replica.
    pub elsewhere: Option<Running>,
    exchanges: VecDeque<Kept>,
    /// What was proposed since the newest message.
    proposed: Vec<Proposal>,
    /// Changes that were made, the newest last.
    made: VecDeque<ActionId>,
    /// When a one-time code was asked for that was not typed yet.
    code_asked: Option<Timestamp>,
    /// The newest answer asks for it.
    code_next: bool,
    /// `seq` of the shopper's newest message that is known here.
    heard: u64,
}

/// A message that is kept for the prompt.
struct Kept {
    turn: TurnId,
    exchange: Exchange,
    /// The next message is answered together with this one.
    is_open: bool,
    /// It was said to a person.
    to_person: bool,
}

/// Answer to "may a turn begin?".
#[derive(Debug, PartialEq, Eq)]
pub enum Begin {
    Yes,
    Busy,
    /// A person has control, and the assistant is silent.
    Staffed,
}

impl Session {
    /// A session as it was read, with its newest events.
    pub fn new(meta: SessionMeta, version: Version, events: &[Event]) -> Self {
        let running = version.open_turn;
        let began =
            |event: &&Event| event.fact.part() == Part::Begins && Some(event.turn_id) == running;
        let begun_at = events.iter().rev().find(began).map_or(meta.last_seq, |event| event.seq);
        let mut session = Self {
            meta,
            version,
            is_owned: false,
            running,
            begun_at,
            elsewhere: None,
            exchanges: VecDeque::new(),
            proposed: Vec::new(),
            made: VecDeque::new(),
            code_asked: None,
            code_next: false,
            heard: 0,
        };
        events.iter().for_each(|event| session.remember(event));
        session
    }

    /// As [`Session::new`], where this replica wrote the newest event.
    pub fn owned(meta: SessionMeta, version: Version, events: &[Event]) -> Self {
        Self { is_owned: true, ..Self::new(meta, version, events) }
    }

    pub fn version(&self) -> &Version {
        &self.version
    }

    pub fn is_owned(&self) -> bool {
        self.is_owned
    }

    /// Another replica may have written: the session must be read before the next append.
    pub fn disown(&mut self) {
        self.is_owned = false;
    }

    pub fn begin(&self) -> Begin {
        match (self.running, self.meta.controller) {
            (Some(_), _) => Begin::Busy,
            (None, Controller::Bot) => Begin::Yes,
            (None, Controller::Agent(_)) => Begin::Staffed,
        }
    }

    /// `seq` of the shopper's newest message.
    pub fn heard(&self) -> u64 {
        self.heard
    }

    pub fn running(&self) -> Option<TurnId> {
        self.running
    }

    pub fn begun_at(&self) -> u64 {
        self.begun_at
    }

    /// The append that makes the user's message durable. Nothing changes here until
    /// [`Session::accepted`].
    pub fn message(
        &self,
        text: String,
        client_message_id: Option<String>,
        idempotency: IdempotencyRecord,
        now: Timestamp,
    ) -> Append {
        let fact = Fact::MessageCreated { message_id: MessageId::new(), text, client_message_id };
        // A message opens a closed session again.
        let closed = self.meta.state == SessionState::Closed;
        let reopened = closed.then_some(Fact::People(People::SessionReopened));
        let turn_id = idempotency.turn_id;
        let facts = reopened.into_iter().chain([fact]).map(|fact| (turn_id, fact));
        self.append(facts, Some(idempotency), now)
    }

    /// The append that brings the user's message to the person who has control.
    pub fn delivered(
        &self,
        text: String,
        client_message_id: Option<String>,
        idempotency: IdempotencyRecord,
        now: Timestamp,
    ) -> Append {
        let message_id = MessageId::new();
        let fact = People::MessageDelivered { message_id, text, client_message_id };
        self.aside(vec![Fact::People(fact)], Some(idempotency), now)
    }

    /// The append of what people do. A turn that runs ends with it, so that no word of the assistant
    /// comes later: what ends the turn otherwise is outrun.
    pub fn aside(
        &self,
        facts: Vec<Fact>,
        idempotency: Option<IdempotencyRecord>,
        now: Timestamp,
    ) -> Append {
        let turn_id = idempotency.as_ref().map_or_else(TurnId::new, |record| record.turn_id);
        let cut = self.running.map(|running| (running, Fact::cancelled(String::new())));
        let facts = facts.into_iter().map(|fact| (turn_id, fact));
        self.append(cut.into_iter().chain(facts), idempotency, now)
    }

    /// The append that ends a turn.
    pub fn ending(&self, turn_id: TurnId, ending: &Ending, now: Timestamp) -> Append {
        let drafts = ending.drafts.clone();
        let facts = ending.facts().map(|fact| (turn_id, fact));
        Append { drafts, ..self.append(facts, None, now) }
    }

    /// The append that brings a late answer into a session where no turn runs.
    pub fn delivery(&self, ending: &Ending, record: IdempotencyRecord, now: Timestamp) -> Append {
        let turn_id = record.turn_id;
        self.append(ending.facts().map(|fact| (turn_id, fact)), Some(record), now)
    }

    fn append(
        &self,
        facts: impl Iterator<Item = (TurnId, Fact)>,
        idempotency: Option<IdempotencyRecord>,
        now: Timestamp,
    ) -> Append {
        let session_id = self.meta.id;
        let mut meta = SessionMeta { updated_at: now, ..self.meta.clone() };
        let mut events = Vec::new();
        for (turn_id, fact) in facts {
            meta.take(&fact);
            meta.last_seq += 1;
            let (seq, epoch) = (meta.last_seq, meta.epoch);
            events.push(Event { v: 1, seq, session_id, turn_id, epoch, at: now, fact });
        }
        Append {
            meta,
            from: self.version,
            takes_over: !self.is_owned,
            events,
            idempotency,
            drafts: Vec::new(),
            decided: None,
        }
    }

    /// The append is durable, and the session stands at `version`.
    pub fn accepted(&mut self, append: &Append, version: Version) {
        self.meta = append.meta.clone();
        self.version = version;
        self.is_owned = true;
        self.take_in(&append.events);
    }

    /// What another replica appended, which then owns the session. What is known already changes
    /// nothing.
    pub fn outrun_by(&mut self, events: &[Event]) {
        let known = self.meta.last_seq;
        let fresh = events.get(events.partition_point(|event| event.seq <= known)..);
        let fresh = fresh.unwrap_or_default();
        let Some(last) = fresh.last() else { return };
        self.is_owned = false;
        self.meta.last_seq = last.seq;
        fresh.iter().for_each(|event| self.meta.take(&event.fact));
        self.take_in(fresh);
    }

    fn take_in(&mut self, events: &[Event]) {
        for event in events {
            match event.fact.part() {
                Part::Begins => {
                    self.running = Some(event.turn_id);
                    self.begun_at = event.seq;
                }
                Part::Ends => self.running = None,
                Part::Aside => {}
            }
            self.remember(event);
        }
    }

    fn remember(&mut self, event: &Event) {
        match &event.fact {
            Fact::MessageCreated { text, .. } => {
                self.heard = event.seq;
                self.proposed.clear();
                let user = self.joined(text);
                if self.begun_text().is_some() {
                    self.exchanges.pop_back();
                }
                self.keep(event.turn_id, user, false);
            }
            // That a question was kept is no answer to it.
            Fact::AnswerCompleted(Answer {
                ticket: Some(Ticket { state: TicketState::Open, .. }),
                ..
            }) => {}
            Fact::AnswerCompleted(Answer { text, ticket, wants, .. }) => {
                self.code_next = *wants == Some(Wants::Code);
                if self.code_next {
                    self.code_asked = Some(event.at);
                } else if self.asked().contains(one_time::HIDDEN) {
                    self.code_asked = None;
                }
                // An answer that comes later belongs to the question of its ticket.
                let asked = ticket.map_or(event.turn_id, |ticket| ticket.id.turn());
                let mut known = self.exchanges.iter_mut().rev();
                if let Some(kept) = known.find(|kept| kept.turn == asked) {
                    kept.exchange.answer = Some(text.clone());
                }
            }
            Fact::TurnCancelled { reason: Some(CancelReason::Superseded), .. } => {
                let last = self.exchanges.back_mut().filter(|kept| kept.turn == event.turn_id);
                if let Some(kept) = last {
                    kept.is_open = true;
                }
            }
            // What failed or was stopped is not something the assistant said.
            Fact::TurnFailed { .. } | Fact::TurnCancelled { .. } | Fact::Unknown(_) => {}
            Fact::ActionResult(outcome) => self.remember_outcome(outcome),
            Fact::ActionProposed(proposal) => self.proposed.push(proposal.clone()),
            Fact::People(people) => self.remember_people(event, people),
        }
    }

    fn remember_outcome(&mut self, outcome: &ActionOutcome) {
        if outcome.status != ActionStatus::Done {
            return;
        }
        if self.made.len() == MAX_MADE {
            self.made.pop_front();
        }
        self.made.push_back(outcome.action_id);
    }

    /// What was said between the shopper and a person is read by the assistant later.
    fn remember_people(&mut self, event: &Event, people: &People) {
        match people {
            People::MessageDelivered { text, .. } => {
                self.heard = event.seq;
                self.proposed.clear();
                let last = self.exchanges.back_mut();
                match last.filter(|kept| kept.to_person && kept.exchange.answer.is_none()) {
                    Some(kept) => kept.exchange.user = format!("{}\n{text}", kept.exchange.user),
                    None => self.keep(event.turn_id, text.clone(), true),
                }
            }
            People::AgentMessage { text, .. } => {
                let Some(kept) = self.exchanges.back_mut() else { return };
                let answer = kept.exchange.answer.take();
                let answer = answer.map_or_else(|| text.clone(), |said| format!("{said}\n{text}"));
                kept.exchange.answer = Some(answer);
            }
            // A yes is not about what was proposed before a person came.
            People::ControlChanged { .. } => {
                self.proposed.clear();
                if let Some(kept) = self.exchanges.back_mut() {
                    kept.is_open = false;
                }
            }
            People::HandoffRequested { .. }
            | People::HandoffQueued { .. }
            | People::HandoffAccepted { .. }
            | People::HandoffEnded { .. }
            | People::SessionClosed { .. }
            | People::SessionReopened
            | People::SessionRated { .. } => {}
        }
    }

    fn keep(&mut self, turn: TurnId, user: String, to_person: bool) {
        if self.exchanges.len() == MAX_EXCHANGES {
            self.exchanges.pop_front();
        }
        let exchange = Exchange { user, answer: None };
        self.exchanges.push_back(Kept { turn, exchange, is_open: false, to_person });
    }

    /// What the newest answer proposes, if that is one thing: "yes" and "no" are about it.
    pub fn proposed(&self) -> Option<&Proposal> {
        match self.proposed.as_slice() {
            [proposal] => Some(proposal),
            _ => None,
        }
    }

    /// Changes that were made here, the newest last: "undo that" is about one of them.
    pub fn made(&self) -> Vec<ActionId> {
        self.made.iter().copied().collect()
    }

    /// `text` without the one-time code that is waited for, and the code. Right behind the answer
    /// that asks for it, each number that may be one is hidden; later, a message that is nothing
    /// else.
    pub fn takes_code(&self, text: &str, now: Timestamp) -> (String, Option<OneTimeCode>) {
        let waits = self.code_asked.is_some_and(|at| now.since(at) < CODE_WAITS);
        match waits && (self.code_next || one_time::is_bare(text)) {
            true => one_time::hide(text),
            false => (text.to_owned(), None),
        }
    }

    /// What a turn is asked that `text` begins: the messages before it that no turn has answered
    /// because a further one came at once, and `text`.
    pub fn joined(&self, text: &str) -> String {
        self.begun_text().map_or_else(|| text.to_owned(), |begun| format!("{begun}\n{text}"))
    }

    /// What the running or last turn was asked.
    pub fn asked(&self) -> &str {
        self.exchanges.back().map_or("", |kept| &kept.exchange.user)
    }

    fn begun_text(&self) -> Option<&str> {
        let last = self.exchanges.back().filter(|kept| kept.is_open)?;
        Some(&last.exchange.user)
    }

    /// Earlier exchanges, oldest first, without the message that is being answered and those that
    /// are answered together with it.
    pub fn history(&self) -> Vec<Exchange> {
        let answering = usize::from(self.running.is_some() || self.begun_text().is_some());
        let earlier = self.exchanges.len().saturating_sub(answering);
        self.exchanges.iter().take(earlier).map(|kept| kept.exchange.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, domain::Problem, journal::tests::meta};

    fn session() -> Session {
        Session::new(meta(), Version::NEW, &[])
    }

    /// As the archive does.
    fn take(session: &mut Session, append: &Append) {
        let version = append.to(append.events.iter().map(|_| "stored"));
        session.accepted(append, version);
    }

    fn say(session: &mut Session, text: &str) -> TurnId {
        let turn_id = TurnId::new();
        let record =
            IdempotencyRecord { key: text.into(), body_hash: String::new(), turn_id, trace: None };
        let append = session.message(text.into(), None, record, clock::now());
        take(session, &append);
        turn_id
    }

    fn fail(session: &mut Session, turn_id: TurnId) {
        let problem = Problem::new(crate::domain::ErrorCode::Interrupted);
        let fact = Fact::failed(problem, String::new());
        let append = session.ending(turn_id, &fact.into(), clock::now());
        take(session, &append);
    }

    #[test]
    fn a_second_turn_is_refused_while_one_is_answering() {
        let mut session = session();
        assert_eq!(session.begin(), Begin::Yes);
        let turn = say(&mut session, "one");
        assert_eq!(session.begin(), Begin::Busy);
        fail(&mut session, turn);
        assert_eq!(session.begin(), Begin::Yes);
    }

    #[test]
    fn what_people_do_ends_the_turn_that_runs_and_a_late_end_of_it_changes_nothing() {
        let mut session = session();
        let turn = say(&mut session, "hello");
        let late = session.ending(turn, &Fact::cancelled("Hel".into()).into(), clock::now());
        let facts = vec![Fact::People(People::SessionClosed { by: crate::domain::Party::Agent })];
        let append = session.aside(facts, None, clock::now());
        let names: Vec<_> = append.events.iter().map(|event| event.fact.name()).collect();
        assert_eq!(names, ["turn.cancelled", "session.closed"]);
        assert_eq!(append.events[0].turn_id, turn);
        take(&mut session, &append);
        assert_eq!((session.running(), session.meta.last_seq), (None, 3));
        session.outrun_by(&late.events);
        assert_eq!((session.meta.last_seq, session.is_owned()), (3, true));
        let append = session.aside(vec![Fact::People(People::SessionReopened)], None, clock::now());
        assert_eq!(append.events.len(), 1, "no turn runs");
    }

    #[test]
    fn seq_counts_every_event_once() {
        let mut session = session();
        for expected in [2, 4, 6] {
            let turn = say(&mut session, "hello");
            fail(&mut session, turn);
            assert_eq!(session.meta.last_seq, expected);
        }
    }

    #[test]
    fn the_first_append_takes_a_session_over_and_the_next_ones_do_not() {
        let mut session = session();
        let end = |session: &Session| {
            session.ending(TurnId::new(), &Fact::cancelled(String::new()).into(), clock::now())
        };
        assert!(end(&session).takes_over);
        say(&mut session, "one");
        assert_eq!((end(&session).takes_over, session.version().owner_epoch), (false, 1));
        session.disown();
        assert!(end(&session).takes_over);
        say(&mut session, "two");
        assert_eq!(session.version().owner_epoch, 2);
    }

    #[test]
    fn the_message_being_answered_is_not_its_own_history() {
        let mut session = session();
        let turn = say(&mut session, "one");
        assert!(session.history().is_empty());
        fail(&mut session, turn);
        say(&mut session, "two");
        let history = session.history();
        assert_eq!(history.len(), 1);
        assert_eq!((history[0].user.as_str(), &history[0].answer), ("one", &None));
    }

    #[test]
    fn a_message_that_came_at_once_is_answered_together_with_the_one_before() {
        let mut session = session();
        say(&mut session, "before");
        let turn = session.running().unwrap();
        fail(&mut session, turn);
        for text in ["do you ship", "to Norway", "and how much"] {
            let turn = say(&mut session, text);
            let fact = Fact::superseded(String::new());
            let append = session.ending(turn, &fact.into(), clock::now());
            take(&mut session, &append);
        }
        assert_eq!(session.joined("is it?"), "do you ship\nto Norway\nand how much\nis it?");
        assert_eq!(session.history().len(), 1);
        let turn = say(&mut session, "is it?");
        assert_eq!(session.history().len(), 1);
        fail(&mut session, turn);
        let history = session.history();
        assert_eq!(history.len(), 2);
        assert_eq!(history[1].user, "do you ship\nto Norway\nand how much\nis it?");
        assert_eq!(session.joined("next"), "next");
    }

    #[test]
    fn a_late_answer_belongs_to_its_own_question() {
        use crate::domain::Route;
        let answer = |text: &str, ticket| {
            Fact::AnswerCompleted(Answer { ticket, ..Answer::new(text, Route::Model) })
        };
        let mut session = session();
        let first = say(&mut session, "one");
        let kept = Ticket::opened_by(first);
        let append = session.ending(first, &answer("later", Some(kept)).into(), clock::now());
        take(&mut session, &append);
        let second = say(&mut session, "two");
        let append = session.ending(second, &answer("two!", None).into(), clock::now());
        take(&mut session, &append);
        let late = answer("one!", Some(Ticket::answered(kept.id)));
        let record = IdempotencyRecord {
            key: "ticket".into(),
            body_hash: String::new(),
            turn_id: TurnId::new(),
            trace: None,
        };
        let append = session.delivery(&late.into(), record, clock::now());
        take(&mut session, &append);
        assert_eq!(session.begin(), Begin::Yes);
        let answers: Vec<_> = session.history().into_iter().map(|known| known.answer).collect();
        assert_eq!(answers, [Some("one!".to_owned()), Some("two!".to_owned())]);
    }

    #[test]
    fn yes_and_no_are_about_the_one_proposal_of_the_newest_answer() {
        use crate::domain::{Draft, Ending, Language, Route};
        let draft = |order: &str| {
            let arguments = serde_json::json!({ "order_number": order });
            let effect = (format!("Cancel {order}"), Vec::new());
            let valid_for = std::time::Duration::from_secs(60);
            Draft::new("order_cancel", arguments, effect, Language::En, clock::now(), valid_for)
        };
        let propose = |session: &mut Session, orders: &[&str]| {
            let turn = say(session, "cancel it");
            let end = Fact::AnswerCompleted(Answer::new("Shall I?", Route::Tool));
            let drafts: Vec<Draft> = orders.iter().map(|order| draft(order)).collect();
            let append = session.ending(turn, &Ending { drafts, ..end.into() }, clock::now());
            assert_eq!(append.drafts.len(), orders.len());
            take(session, &append);
            append.drafts
        };
        let mut session = session();
        let drafts = propose(&mut session, &["FJ-1"]);
        assert_eq!(session.proposed(), Some(&drafts[0].proposal));
        propose(&mut session, &["FJ-2", "FJ-3"]);
        assert_eq!(session.proposed(), None, "it is not said which");
        propose(&mut session, &["FJ-4"]);
        say(&mut session, "something else");
        assert_eq!(session.proposed(), None);
    }
}
