//! What a session decides, as a plain struct: may a turn begin, and what was said so far.

use std::collections::VecDeque;

use crate::{
    domain::{
        Answer, Append, Event, Fact, IdempotencyRecord, MessageId, Part, Running, RunningChange,
        SessionMeta, SessionState, Ticket, TicketState, Timestamp, TurnId,
    },
    turn::ports::Exchange,
};

/// Exchanges kept for the prompt; the token budget cuts further.
const MAX_EXCHANGES: usize = 12;

pub struct Session {
    pub meta: SessionMeta,
    running: Option<TurnId>,
    /// `seq` of the message that began the running turn, or the last one.
    begun_at: u64,
    /// Where the running turn runs, if that is another replica.
    pub elsewhere: Option<Running>,
    exchanges: VecDeque<(TurnId, Exchange)>,
}

/// Answer to "may a turn begin?".
#[derive(Debug, PartialEq, Eq)]
pub enum Begin {
    Yes,
    Busy,
}

impl Session {
    pub fn new(meta: SessionMeta, events: &[Event], running: Option<TurnId>) -> Self {
        let began =
            |event: &&Event| event.fact.part() == Part::Begins && Some(event.turn_id) == running;
        let begun_at = events.iter().rev().find(began).map_or(meta.last_seq, |event| event.seq);
        let exchanges = VecDeque::new();
        let mut session = Self { meta, running, begun_at, elsewhere: None, exchanges };
        events.iter().for_each(|event| session.remember(event));
        session
    }

    pub fn begin(&self) -> Begin {
        match (self.running, self.meta.state) {
            (None, SessionState::Open) => Begin::Yes,
            _ => Begin::Busy,
        }
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
        replica: &str,
        now: Timestamp,
    ) -> Append {
        let running = Running { turn_id: idempotency.turn_id, replica: replica.to_owned() };
        let fact = Fact::MessageCreated { message_id: MessageId::new(), text, client_message_id };
        self.append(
            idempotency.turn_id,
            fact,
            Some(idempotency),
            RunningChange::Start(running),
            now,
        )
    }

    /// The append that ends a turn.
    pub fn ending(&self, turn_id: TurnId, fact: Fact, now: Timestamp) -> Append {
        self.append(turn_id, fact, None, RunningChange::Clear, now)
    }

    /// The append that brings a late answer into a session where no turn runs.
    pub fn delivery(&self, fact: Fact, record: IdempotencyRecord, now: Timestamp) -> Append {
        self.append(record.turn_id, fact, Some(record), RunningChange::Keep, now)
    }

    fn append(
        &self,
        turn_id: TurnId,
        fact: Fact,
        idempotency: Option<IdempotencyRecord>,
        running: RunningChange,
        now: Timestamp,
    ) -> Append {
        let seq = self.meta.last_seq + 1;
        let event = Event {
            v: 1,
            seq,
            session_id: self.meta.id,
            turn_id,
            epoch: self.meta.epoch,
            at: now,
            fact,
        };
        let meta = SessionMeta { last_seq: seq, updated_at: now, ..self.meta.clone() };
        Append { meta, expected_seq: self.meta.last_seq, events: vec![event], idempotency, running }
    }

    /// The append is durable.
    pub fn accepted(&mut self, append: &Append) {
        self.meta = append.meta.clone();
        for event in &append.events {
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
                if self.exchanges.len() == MAX_EXCHANGES {
                    self.exchanges.pop_front();
                }
                let exchange = Exchange { user: text.clone(), answer: None };
                self.exchanges.push_back((event.turn_id, exchange));
            }
            // That a question was kept is no answer to it.
            Fact::AnswerCompleted(Answer {
                ticket: Some(Ticket { state: TicketState::Open, .. }),
                ..
            }) => {}
            Fact::AnswerCompleted(Answer { text, ticket, .. }) => {
                // An answer that comes later belongs to the question of its ticket.
                let asked = ticket.map_or(event.turn_id, |ticket| ticket.id.turn());
                let mut known = self.exchanges.iter_mut().rev();
                if let Some((_, exchange)) = known.find(|(turn, _)| *turn == asked) {
                    exchange.answer = Some(text.clone());
                }
            }
            // What failed or was stopped is not something the assistant said.
            Fact::TurnFailed { .. } | Fact::TurnCancelled { .. } | Fact::Unknown(_) => {}
        }
    }

    /// Earlier exchanges, oldest first, without the message that is being answered.
    pub fn history(&self) -> Vec<Exchange> {
        let answering = usize::from(self.running.is_some());
        let earlier = self.exchanges.len().saturating_sub(answering);
        self.exchanges.iter().take(earlier).map(|(_, exchange)| exchange.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, domain::Problem, journal::tests::meta};

    fn session() -> Session {
        Session::new(meta(), &[], None)
    }

    fn say(session: &mut Session, text: &str) -> TurnId {
        let turn_id = TurnId::new();
        let record =
            IdempotencyRecord { key: text.into(), body_hash: String::new(), turn_id, trace: None };
        let append = session.message(text.into(), None, record, "r/1", clock::now());
        session.accepted(&append);
        turn_id
    }

    fn fail(session: &mut Session, turn_id: TurnId) {
        let problem = Problem::new(crate::domain::ErrorCode::Interrupted);
        let fact = Fact::failed(problem, String::new());
        let append = session.ending(turn_id, fact, clock::now());
        session.accepted(&append);
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
    fn seq_counts_every_event_once() {
        let mut session = session();
        for expected in [2, 4, 6] {
            let turn = say(&mut session, "hello");
            fail(&mut session, turn);
            assert_eq!(session.meta.last_seq, expected);
        }
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
    fn a_late_answer_belongs_to_its_own_question() {
        use crate::domain::Route;
        let answer = |text: &str, ticket| {
            Fact::AnswerCompleted(Answer { ticket, ..Answer::new(text, Route::Model) })
        };
        let mut session = session();
        let first = say(&mut session, "one");
        let kept = Ticket::opened_by(first);
        let append = session.ending(first, answer("later", Some(kept)), clock::now());
        session.accepted(&append);
        let second = say(&mut session, "two");
        let append = session.ending(second, answer("two!", None), clock::now());
        session.accepted(&append);
        let late = answer("one!", Some(Ticket::answered(kept.id)));
        let record = IdempotencyRecord {
            key: "ticket".into(),
            body_hash: String::new(),
            turn_id: TurnId::new(),
            trace: None,
        };
        let append = session.delivery(late, record, clock::now());
        session.accepted(&append);
        assert_eq!(session.begin(), Begin::Yes);
        let answers: Vec<_> = session.history().into_iter().map(|known| known.answer).collect();
        assert_eq!(answers, [Some("one!".to_owned()), Some("two!".to_owned())]);
    }
}
