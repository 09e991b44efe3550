//! The checks of every stream. They are pure: one [`SessionCheck`] for a conversation and one
//! [`TurnCheck`] for each of its turns.
//!
//! `seq` and deltas have no gap or repeat, also across resumes. There is exactly one terminal
//! event, and the shown deltas form the completed text.

use std::time::Duration;

use serde::Serialize;

use super::event::{Ended, Event, Frame, Problem};

/// A broken promise of the event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Violation {
    SeqGap,
    SeqRepeated,
    DeltaLost,
    DeltaRepeated,
    /// The shown pieces differ from the completed text.
    TextDiffers,
    /// A second terminal event for the turn.
    SecondTerminal,
    /// The stream of an acknowledged turn had no terminal event in time.
    NoTerminal,
    /// Another event came after the terminal event, or the response did not end.
    NoEndAfterTerminal,
    ForeignSession,
    ForeignTurn,
    /// The `id` is missing or does not match the event.
    BadId,
    /// Not JSON, no `type`, or a name that differs from the `type`.
    BadFrame,
}

/// The meaning of a frame for the caller, which drives the turn.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// No action is needed.
    Other,
    /// The user's message is durable.
    Created(Created),
    /// A piece of the answer.
    Delta,
    Terminal(Terminal),
    /// A request on a socket was refused, or the server states why the stream ends.
    Refused(Problem),
    /// The server asks to reconnect after this time.
    Draining(Duration),
    /// The requested position could not be resumed.
    Reset,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub message_id: String,
    pub turn_id: String,
    pub seq: u64,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    pub ended: Ended,
    pub turn_id: String,
    pub seq: u64,
    /// The id of the assistant's message.
    pub message_id: String,
    pub text: String,
    pub route: Option<String>,
    pub problem: Option<Problem>,
}

/// The position of a reader in a session.
#[derive(Debug)]
pub struct SessionCheck {
    session_id: String,
    last_seq: u64,
    last_id: String,
    violations: Vec<Violation>,
}

/// The observations of one turn.
#[derive(Debug, Default)]
pub struct TurnCheck {
    turn_id: Option<String>,
    next_index: u64,
    shown: String,
    has_shown: bool,
    /// Set after a reconnect until a live event comes. The turn may have ended unseen; its pieces
    /// are then gone.
    may_have_missed: bool,
    ended: Option<Ended>,
}

impl SessionCheck {
    pub fn new(session_id: &str) -> Self {
        Self {
            session_id: session_id.to_owned(),
            last_seq: 0,
            last_id: "0".to_owned(),
            violations: Vec::new(),
        }
    }

    /// The `Last-Event-ID` for a resume without loss or repeat.
    pub fn last_id(&self) -> &str {
        &self.last_id
    }

    /// The server could not resume from the reader's position, so it starts again after the last
    /// durable event.
    pub fn reset(&mut self, turn: &mut TurnCheck) {
        self.last_id = self.last_seq.to_string();
        turn.next_index = 0;
        turn.shown.clear();
        turn.has_shown = false;
        turn.may_have_missed = true;
    }

    pub fn take_violations(&mut self) -> Vec<Violation> {
        std::mem::take(&mut self.violations)
    }

    pub fn report(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    /// Checks one frame against the session and the current turn.
    pub fn see(&mut self, turn: &mut TurnCheck, frame: Frame) -> Seen {
        let Frame { name, id, event } = frame;
        if event.kind.is_empty() || name.is_some_and(|name| name != event.kind) {
            self.report(Violation::BadFrame);
        }
        match event.kind.as_str() {
            "server.draining" => {
                let after = event.reconnect_after_ms.unwrap_or(500).min(30_000);
                return Seen::Draining(Duration::from_millis(after));
            }
            "stream.reset" => return Seen::Reset,
            "turn.failed" => {}
            _ => {
                if let Some(problem) = event.problem {
                    return Seen::Refused(problem);
                }
            }
        }
        let (Some(seq), Some(session)) = (event.seq, &event.session_id) else {
            return Seen::Other;
        };
        if *session != self.session_id {
            self.report(Violation::ForeignSession);
            return Seen::Other;
        }
        let is_durable = event.kind == "message.created"
            || Ended::of_kind(&event.kind).is_some()
            || id.as_ref().is_some_and(|id| !id.contains('.'));
        if is_durable {
            self.durable(turn, id.as_deref(), seq, event)
        } else {
            self.live(turn, id, seq, event)
        }
    }

    fn durable(&mut self, turn: &mut TurnCheck, id: Option<&str>, seq: u64, event: Event) -> Seen {
        if id.and_then(|id| id.parse().ok()) != Some(seq) {
            self.report(Violation::BadId);
        }
        if seq <= self.last_seq {
            self.report(Violation::SeqRepeated);
            return Seen::Other;
        }
        if seq > self.last_seq + 1 {
            self.report(Violation::SeqGap);
        }
        self.last_seq = seq;
        self.last_id = seq.to_string();
        let (turn_id, message_id) = (event.turn_id.clone(), event.message_id.clone());
        match (Ended::of_kind(&event.kind), turn_id, message_id) {
            (Some(ended), Some(turn_id), Some(message_id)) => {
                self.terminal(turn, ended, seq, turn_id, message_id, event)
            }
            (None, Some(turn_id), Some(message_id)) if event.kind == "message.created" => {
                turn.turn_id = Some(turn_id.clone());
                let text = event.text.unwrap_or_default();
                Seen::Created(Created { message_id, turn_id, seq, text })
            }
            (None, _, _) if event.kind != "message.created" => Seen::Other,
            _ => {
                self.report(Violation::BadFrame);
                Seen::Other
            }
        }
    }

    fn terminal(
        &mut self,
        turn: &mut TurnCheck,
        ended: Ended,
        seq: u64,
        turn_id: String,
        message_id: String,
        event: Event,
    ) -> Seen {
        if turn.turn_id.as_ref() != Some(&turn_id) {
            self.report(Violation::ForeignTurn);
            return Seen::Other;
        }
        if turn.ended.replace(ended).is_some() {
            self.report(Violation::SecondTerminal);
            return Seen::Other;
        }
        let text = event.text.unwrap_or_default();
        // An answer may come as a whole, without pieces. Pieces that were sent while the reader was
        // away are not repeated.
        let has_all = turn.has_shown && !turn.may_have_missed;
        if ended == Ended::Completed && has_all && turn.shown != text {
            self.report(Violation::TextDiffers);
        }
        let (route, problem) = (event.route, event.problem);
        Seen::Terminal(Terminal { ended, turn_id, seq, message_id, text, route, problem })
    }

    fn live(&mut self, turn: &mut TurnCheck, id: Option<String>, seq: u64, event: Event) -> Seen {
        if turn.ended.is_some() {
            self.report(Violation::NoEndAfterTerminal);
            return Seen::Other;
        }
        if turn.turn_id.is_none() || turn.turn_id != event.turn_id || seq != self.last_seq {
            self.report(Violation::ForeignTurn);
            return Seen::Other;
        }
        turn.may_have_missed = false;
        match event.kind.as_str() {
            "answer.delta" => {
                let index = event.index.unwrap_or(u64::MAX);
                let expected_id = format!("{seq}.{index}");
                if id.as_ref() != Some(&expected_id) {
                    self.report(Violation::BadId);
                }
                if index < turn.next_index {
                    self.report(Violation::DeltaRepeated);
                    return Seen::Other;
                }
                if index > turn.next_index {
                    self.report(Violation::DeltaLost);
                }
                turn.next_index = index.saturating_add(1);
                turn.shown.push_str(event.text.as_deref().unwrap_or_default());
                turn.has_shown = true;
                self.last_id = expected_id;
                Seen::Delta
            }
            "answer.replaced" => {
                turn.shown = event.text.unwrap_or_default();
                turn.has_shown = true;
                Seen::Other
            }
            _ => Seen::Other,
        }
    }
}

impl TurnCheck {
    pub fn is_acknowledged(&self) -> bool {
        self.turn_id.is_some()
    }

    /// Must be called whenever the connection was closed and will be opened again.
    pub fn resumed(&mut self) {
        self.may_have_missed = true;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn frame(id: Option<&str>, mut event: Value) -> Frame {
        let name = event["type"].as_str().map(str::to_owned);
        let object = event.as_object_mut().unwrap();
        object.entry("session_id").or_insert(json!("s"));
        object.entry("turn_id").or_insert(json!("t"));
        Frame { name, id: id.map(Into::into), event: serde_json::from_value(event).unwrap() }
    }

    fn created() -> Frame {
        frame(
            Some("1"),
            json!({"type": "message.created", "seq": 1, "message_id": "m", "text": "q"}),
        )
    }

    fn delta(index: u64, text: &str) -> Frame {
        let id = format!("1.{index}");
        frame(Some(&id), json!({"type": "answer.delta", "seq": 1, "index": index, "text": text}))
    }

    fn completed(seq: u64, text: &str) -> Frame {
        let id = seq.to_string();
        frame(
            Some(&id),
            json!({"type": "answer.completed", "seq": seq, "message_id": "a", "text": text, "route": "model"}),
        )
    }

    fn violations(frames: impl IntoIterator<Item = Frame>) -> Vec<Violation> {
        let (mut session, mut turn) = (SessionCheck::new("s"), TurnCheck::default());
        for frame in frames {
            session.see(&mut turn, frame);
        }
        session.take_violations()
    }

    #[test]
    fn a_good_turn_has_no_violation_and_moves_the_place_to_resume_from() {
        let (mut session, mut turn) = (SessionCheck::new("s"), TurnCheck::default());
        assert!(matches!(session.see(&mut turn, created()), Seen::Created(_)));
        assert_eq!(session.see(&mut turn, delta(0, "a")), Seen::Delta);
        assert_eq!(session.last_id(), "1.0");
        assert_eq!(session.see(&mut turn, delta(1, "b")), Seen::Delta);
        assert!(matches!(session.see(&mut turn, completed(2, "ab")), Seen::Terminal(_)));
        assert_eq!(session.last_id(), "2");
        assert_eq!(session.take_violations(), []);
    }

    #[test]
    fn a_lost_and_a_repeated_delta_are_seen() {
        let lost = [created(), delta(0, "a"), delta(2, "c"), completed(2, "abc")];
        assert_eq!(violations(lost), [Violation::DeltaLost, Violation::TextDiffers]);
        let repeated = [created(), delta(0, "a"), delta(0, "a"), completed(2, "a")];
        assert_eq!(violations(repeated), [Violation::DeltaRepeated]);
        let last = [created(), delta(0, "a"), completed(2, "ab")];
        assert_eq!(violations(last), [Violation::TextDiffers]);
    }

    #[test]
    fn a_gap_and_a_repeat_of_seq_are_seen() {
        assert_eq!(violations([created(), completed(3, "x")]), [Violation::SeqGap]);
        assert_eq!(violations([created(), created()]), [Violation::SeqRepeated]);
        let twice = [created(), completed(2, "x"), completed(2, "x")];
        assert_eq!(violations(twice), [Violation::SeqRepeated]);
    }

    #[test]
    fn a_second_terminal_event_is_seen() {
        let twice = [created(), completed(2, "x"), completed(3, "x")];
        assert_eq!(violations(twice), [Violation::SecondTerminal]);
        let late = [created(), completed(2, ""), delta(0, "x")];
        assert_eq!(violations(late), [Violation::NoEndAfterTerminal]);
    }

    #[test]
    fn events_of_another_session_or_turn_are_seen() {
        let foreign = frame(
            Some("1"),
            json!({"type": "message.created", "seq": 1, "session_id": "other", "message_id": "m"}),
        );
        assert_eq!(violations([foreign]), [Violation::ForeignSession]);
        let stray = frame(
            Some("1.0"),
            json!({"type": "answer.delta", "seq": 1, "turn_id": "u", "index": 0, "text": "x"}),
        );
        assert_eq!(violations([created(), stray]), [Violation::ForeignTurn]);
    }

    #[test]
    fn wrong_ids_and_names_are_seen() {
        let mut wrong = delta(0, "a");
        wrong.id = Some("1.7".into());
        assert_eq!(violations([created(), wrong]), [Violation::BadId]);
        let mut wrong = created();
        wrong.name = Some("answer.delta".into());
        assert_eq!(violations([wrong]), [Violation::BadFrame]);
        let mut wrong = completed(2, "");
        wrong.id = None;
        assert_eq!(violations([created(), wrong]), [Violation::BadId]);
    }

    #[test]
    fn replaced_text_counts_instead_of_what_was_shown() {
        let replaced = frame(
            None,
            json!({"type": "answer.replaced", "seq": 1, "reason": "failover", "text": "new"}),
        );
        assert_eq!(
            violations([
                created(),
                delta(0, "old"),
                replaced,
                delta(1, "er"),
                completed(2, "newer")
            ]),
            []
        );
    }

    #[test]
    fn pieces_missed_while_away_are_forgiven_only_if_the_turn_ended_meanwhile() {
        let run = |after: Vec<Frame>| {
            let (mut session, mut turn) = (SessionCheck::new("s"), TurnCheck::default());
            session.see(&mut turn, created());
            session.see(&mut turn, delta(0, "a"));
            turn.resumed();
            after.into_iter().for_each(|frame| drop(session.see(&mut turn, frame)));
            session.take_violations()
        };
        assert_eq!(run(vec![completed(2, "abc")]), []);
        assert_eq!(run(vec![delta(1, "b"), completed(2, "ab")]), []);
        assert_eq!(
            run(vec![delta(2, "c"), completed(2, "abc")]),
            [Violation::DeltaLost, Violation::TextDiffers]
        );
    }

    #[test]
    fn after_a_reset_the_pieces_are_told_again_from_the_first() {
        let (mut session, mut turn) = (SessionCheck::new("s"), TurnCheck::default());
        for frame in [created(), delta(0, "a"), delta(1, "b")] {
            session.see(&mut turn, frame);
        }
        session.reset(&mut turn);
        assert_eq!(session.last_id(), "1");
        for frame in [delta(0, "x"), delta(1, "y"), completed(2, "xy")] {
            session.see(&mut turn, frame);
        }
        assert_eq!(session.take_violations(), []);
    }

    #[test]
    fn a_refusal_on_a_socket_is_no_event_of_the_turn() {
        let text = r#"{"type":"error","code":"rate_limited","retry_after_ms":250}"#;
        let (mut session, mut turn) = (SessionCheck::new("s"), TurnCheck::default());
        let Seen::Refused(problem) = session.see(&mut turn, Frame::of_socket(text).unwrap()) else {
            panic!()
        };
        assert!(problem.may_pass());
        assert_eq!(problem.wait(), Duration::from_millis(250));
    }
}
