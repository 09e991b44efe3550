//! Holds what was read of a conversation against what was acknowledged.

use std::fmt;

use super::talk::{Seen, Talk};

const MOST_EXAMPLES: usize = 12;

/// Zeros are good news, apart from the first two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub taken_over: u64,
    /// In the middle of an answer.
    pub cut: u64,
    /// Words of the assistant behind a take-over, live or in the journal.
    pub words: u64,
    /// Acknowledged messages that are not there, or more than once.
    pub lost: u64,
    /// Conversations that two readers saw in two ways, or with a gap.
    pub differ: u64,
    /// Conversations in which a request was refused.
    pub refused: u64,
    pub examples: Vec<String>,
}

impl Findings {
    pub fn has_failed(&self) -> bool {
        let bad = self.words + self.lost + self.differ + self.refused;
        self.taken_over == 0 || bad > 0
    }

    fn note(&mut self, text: String) {
        if self.examples.len() < MOST_EXAMPLES {
            self.examples.push(text);
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "take-overs {}, of which in the middle of an answer {}",
            self.taken_over, self.cut
        )?;
        writeln!(f, "words of the assistant after the take-over {}", self.words)?;
        writeln!(f, "lost or doubled messages {}", self.lost)?;
        writeln!(f, "conversations in another order for one side {}", self.differ)?;
        writeln!(f, "refused {}", self.refused)?;
        self.examples.iter().try_for_each(|example| writeln!(f, "    {example}"))
    }
}

/// `journals`: the conversation as each replica shows it afterwards.
pub fn judge(talk: &Talk, journals: &[Vec<Seen>], findings: &mut Findings) {
    if let Some(refused) = &talk.refused {
        findings.refused += 1;
        findings.note(format!("refused: {refused}"));
        return;
    }
    let durable = |seen: &[Seen]| -> Vec<Seen> {
        seen.iter().filter(|event| event.seq.is_some()).cloned().collect()
    };
    let live = durable(&talk.live);
    let Some(journal) = journals.first().map(|journal| durable(journal)) else { return };
    if journal.iter().any(|event| event.name == "control.changed") {
        findings.taken_over += 1;
    }
    if journal.iter().any(|event| event.name == "turn.cancelled") {
        findings.cut += 1;
    }
    for seen in journals.iter().chain([&talk.live]) {
        let words = words_behind(seen);
        if words > 0 {
            findings.words += words;
            findings.note(format!("words behind a take-over: {seen:?}"));
        }
    }
    for text in &talk.acknowledged {
        let said =
            |name: &str| matches!(name, "message.created" | "message.delivered" | "agent.message");
        let count = journal.iter().filter(|e| said(&e.name) && e.text == *text).count();
        if count != 1 {
            findings.lost += 1;
            findings.note(format!("{count} times {text:?}"));
        }
    }
    let gapless = (1..).zip(&journal).all(|(seq, event)| event.seq == Some(seq));
    if !gapless || live != journal || journals.iter().any(|other| durable(other) != journal) {
        findings.differ += 1;
        findings.note(format!("one side {live:?}, the other {journals:?}"));
    }
}

/// Words of the assistant after a person has control.
fn words_behind(seen: &[Seen]) -> u64 {
    let taken = seen.iter().position(|event| event.name == "control.changed");
    let behind = taken.map_or(&[][..], |at| &seen[at..]);
    let speaks =
        |event: &&Seen| event.name.starts_with("answer.") || event.name.starts_with("turn.");
    behind.iter().filter(speaks).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(names: &[&str]) -> Vec<Seen> {
        let event = |(seq, name): (u64, &&str)| {
            let is_durable = *name != "answer.delta";
            Seen { seq: is_durable.then_some(seq), name: (*name).to_owned(), text: String::new() }
        };
        (1..).zip(names).map(event).collect()
    }

    #[test]
    fn words_count_only_behind_the_take_over() {
        let calm = [
            "message.created",
            "answer.delta",
            "turn.cancelled",
            "control.changed",
            "agent.message",
        ];
        assert_eq!(words_behind(&seen(&calm)), 0);
        let late = ["message.created", "control.changed", "answer.delta", "turn.cancelled"];
        assert_eq!(words_behind(&seen(&late)), 2);
        assert_eq!(words_behind(&seen(&["message.created", "answer.completed"])), 0);
    }
}
