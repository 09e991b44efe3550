//! Checks a session against the promises of the journal: numbers without gaps, a head that fits the
//! events, one end for each turn, and a view that shows every message once.

use std::collections::HashSet;

use crate::{
    archive::{Kept, project},
    domain::{Event, Head, Part, TurnId},
};

/// What is wrong with a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("event {seq} cannot be read")]
    Unreadable { seq: u64 },
    #[error("event {expected} is missing")]
    Gap { expected: u64 },
    #[error("the head does not fit the events")]
    Head,
    #[error("turn {turn} begins twice")]
    BeginsTwice { turn: TurnId },
    #[error("turn {turn} ends twice")]
    EndsTwice { turn: TurnId },
    #[error("a turn begins at event {seq} while another one is open")]
    Interleaved { seq: u64 },
    #[error("the row names another open turn than the events")]
    OpenTurn,
    #[error("the messages are not those of the events")]
    Messages,
}

/// All faults of a session, in the order of its events.
pub fn faults(kept: &Kept) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    for (expected, (seq, payload)) in (1..).zip(&kept.payloads) {
        if *seq != expected {
            found.push(Fault::Gap { expected });
            break;
        }
        match serde_json::from_str(payload) {
            Ok(event) => events.push(event),
            Err(_) => found.push(Fault::Unreadable { seq: *seq }),
        }
    }
    let last = kept.payloads.last().map_or(0, |(seq, _)| *seq);
    if last != kept.version.seq {
        found.push(Fault::Gap { expected: last + 1 });
    }
    if !found.is_empty() {
        return found;
    }
    if !fits(kept) {
        found.push(Fault::Head);
    }
    let open = turns(&events, &mut found);
    if open != kept.version.open_turn {
        found.push(Fault::OpenTurn);
    }
    let shown = events.iter().filter_map(project).map(|message| message.id);
    if !shown.eq(kept.messages.iter().copied()) {
        found.push(Fault::Messages);
    }
    found
}

/// The head of a session from before the journal had heads begins at the event behind which it was
/// migrated.
fn fits(kept: &Kept) -> bool {
    let payloads: Vec<&str> = kept.payloads.iter().map(|(_, payload)| payload.as_str()).collect();
    let head = |from: usize| payloads[from..].iter().fold(Head::EMPTY, |head, p| head.then(p));
    (0..=payloads.len()).any(|from| head(from) == kept.version.head)
}

/// The turn that is open behind the events.
fn turns(events: &[Event], found: &mut Vec<Fault>) -> Option<TurnId> {
    let (mut begun, mut ended, mut open) = (HashSet::new(), HashSet::new(), None);
    for event in events {
        let turn = event.turn_id;
        match event.fact.part() {
            Part::Begins => {
                if !begun.insert(turn) {
                    found.push(Fault::BeginsTwice { turn });
                }
                if open.is_some() {
                    found.push(Fault::Interleaved { seq: event.seq });
                }
                open = Some(turn);
            }
            Part::Ends => {
                if !ended.insert(turn) {
                    found.push(Fault::EndsTwice { turn });
                }
                open = open.filter(|open| *open != turn);
            }
            Part::Aside => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock,
        domain::{Answer, Fact, MessageId, Route, SessionId, Version},
    };

    fn event(seq: u64, turn_id: TurnId, fact: Fact) -> Event {
        Event { v: 1, seq, session_id: SessionId::new(), turn_id, epoch: 0, at: clock::now(), fact }
    }

    fn said() -> Fact {
        let message_id = MessageId::new();
        Fact::MessageCreated { message_id, text: "hello".into(), client_message_id: None }
    }

    fn answered() -> Fact {
        Fact::AnswerCompleted(Answer::new("hi", Route::Model))
    }

    fn kept(events: &[Event], open_turn: Option<TurnId>) -> Kept {
        let payloads: Vec<(u64, String)> =
            events.iter().map(|e| (e.seq, serde_json::to_string(e).unwrap())).collect();
        let head = payloads.iter().fold(Head::EMPTY, |head, (_, payload)| head.then(payload));
        let seq = events.last().map_or(0, |event| event.seq);
        let messages = events.iter().filter_map(|event| event.fact.message_id()).collect();
        Kept { version: Version { owner_epoch: 1, seq, head, open_turn }, payloads, messages }
    }

    fn two_turns() -> (Vec<Event>, TurnId) {
        let (one, two) = (TurnId::new(), TurnId::new());
        (vec![event(1, one, said()), event(2, one, answered()), event(3, two, said())], two)
    }

    #[test]
    fn a_whole_session_has_no_fault_also_one_that_was_migrated() {
        let (events, open) = two_turns();
        let mut session = kept(&events, Some(open));
        assert_eq!(faults(&session), []);
        session.version.head = Head::EMPTY.then(&session.payloads[2].1);
        assert_eq!(faults(&session), []);
        session.version.head = Head::EMPTY;
        assert_eq!(faults(&session), []);
    }

    #[test]
    fn each_fault_is_found() {
        let (events, open) = two_turns();
        let mut gap = kept(&events, Some(open));
        gap.payloads.remove(1);
        assert_eq!(faults(&gap), [Fault::Gap { expected: 2 }]);
        let mut short = kept(&events, Some(open));
        short.version.seq = 5;
        assert_eq!(faults(&short), [Fault::Gap { expected: 4 }]);
        let mut other = kept(&events, Some(open));
        other.version.head = other.version.head.then("x");
        assert_eq!(faults(&other), [Fault::Head]);
        assert_eq!(faults(&kept(&events, None)), [Fault::OpenTurn]);
        let mut unseen = kept(&events, Some(open));
        unseen.messages.pop();
        assert_eq!(faults(&unseen), [Fault::Messages]);
        let mut broken = kept(&events, Some(open));
        broken.payloads[0].1.pop();
        assert_eq!(faults(&broken), [Fault::Unreadable { seq: 1 }]);
        let turn = TurnId::new();
        let twice =
            [event(1, turn, said()), event(2, turn, answered()), event(3, turn, answered())];
        assert_eq!(faults(&kept(&twice, None)), [Fault::EndsTwice { turn }]);
        let over = [event(1, TurnId::new(), said()), event(2, turn, said())];
        assert_eq!(faults(&kept(&over, Some(turn))), [Fault::Interleaved { seq: 2 }]);
    }
}
