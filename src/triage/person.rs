//! Whether the shopper wants to talk to a person. A person and a word for talking to one must stand
//! close together, in one clause and in one language, and nothing may deny it.

use std::{ops::Range, sync::LazyLock};

use super::{
    phrases::{Hit, Phrases},
    text::Message,
};
use crate::words::{self, Person};

/// How many words may stand between two that belong together.
const NEAR: usize = 8;
/// And between a denial and what it denies: before it, or behind it.
const DENIES_BEFORE: usize = 7;
const DENIES_BEHIND: usize = 4;
/// In Japanese, whose verbs stand at the end, a character is a word.
const DENIES_BEHIND_JAPANESE: usize = 12;
/// How many words may stand between "are you" and what is asked for.
const ASKED_BEFORE: usize = 3;
/// Longer clauses are no bare call for an agent.
const ALONE: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    No,
    /// A department was asked for: its address may be an answer, too.
    Desk,
    Clear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Talk,
    Contact,
    Want,
    Agent,
    Someone,
    Desk,
    Direct,
    Alone,
    Filler,
    Unwanted,
    Negation,
    Weary,
    Machine,
    Asking,
    Thing,
}

/// What can be wanted or denied.
const TARGETS: [Role; 5] = [Role::Agent, Role::Someone, Role::Desk, Role::Direct, Role::Machine];

/// The phrases of all languages, with the place of their language.
static PHRASES: LazyLock<Phrases<(u8, Role)>> = LazyLock::new(|| {
    let lists = (0_u8..).zip(words::languages::<Person>()).flat_map(|(language, code)| {
        let person: Person = words::of(code);
        let lists = [
            (person.talk, Role::Talk),
            (person.contact, Role::Contact),
            (person.want, Role::Want),
            (person.agents, Role::Agent),
            (person.someone, Role::Someone),
            (person.desk, Role::Desk),
            (person.direct, Role::Direct),
            (person.alone, Role::Alone),
            (person.fillers, Role::Filler),
            (person.unwanted, Role::Unwanted),
            (person.negations, Role::Negation),
            (person.weary, Role::Weary),
            (person.machines, Role::Machine),
            (person.asking, Role::Asking),
            (person.things, Role::Thing),
        ];
        lists.map(|(list, role)| (list, (language, role)))
    });
    lists.flat_map(|(list, tag)| list.lines().map(move |line| (line, tag))).collect()
});

static JAPANESE: LazyLock<Option<u8>> = LazyLock::new(|| {
    (0_u8..).zip(words::languages::<Person>()).find(|(_, code)| *code == "ja").map(|(at, _)| at)
});

pub fn wish(message: &Message) -> Wish {
    let hits = PHRASES.find(message);
    let mut wish = Wish::No;
    for clause in message.clauses() {
        let inside: Vec<&Hit<_>> = hits
            .iter()
            .filter(|hit| clause.start <= hit.words.start && hit.words.end <= clause.end)
            .collect();
        for (language, _) in (0_u8..).zip(words::languages::<Person>()) {
            let said: Vec<(Role, Range<usize>)> = inside
                .iter()
                .filter(|hit| hit.tag.0 == language)
                .map(|hit| (hit.tag.1, hit.words.clone()))
                .collect();
            match Clause::new(clause.clone(), said, Some(language) == *JAPANESE).wish() {
                Wish::Clear => return Wish::Clear,
                Wish::Desk => wish = Wish::Desk,
                Wish::No => {}
            }
        }
    }
    wish
}

/// What one clause says in one language.
struct Clause {
    words: Range<usize>,
    said: Vec<(Role, Range<usize>)>,
    verbs_last: bool,
}

impl Clause {
    fn new(words: Range<usize>, mut said: Vec<(Role, Range<usize>)>, verbs_last: bool) -> Self {
        let things: Vec<Range<usize>> = ranges(&said, Role::Thing).cloned().collect();
        said.retain(|(_, words)| !things.iter().any(|thing| overlap(thing, words)));
        let asking: Vec<Range<usize>> = ranges(&said, Role::Asking).cloned().collect();
        said.retain(|(role, words)| {
            !TARGETS.contains(role)
                || !asking.iter().any(|asking| {
                    asking.end <= words.start && words.start - asking.end <= ASKED_BEFORE
                })
        });
        Self { words, said, verbs_last }
    }

    fn wish(&self) -> Wish {
        if self.said.is_empty() {
            return Wish::No;
        }
        let denied: Vec<Range<usize>> =
            self.of(Role::Unwanted).flat_map(|word| self.denied_by(word)).collect();
        let refuses_machine = self.of(Role::Machine).any(|machine| denied.contains(machine))
            || self
                .of(Role::Weary)
                .any(|weary| self.of(Role::Machine).any(|machine| gap(weary, machine) <= NEAR));
        if refuses_machine {
            return Wish::Clear;
        }
        let asked = |person: &Range<usize>, role: Role| {
            !denied.iter().any(|words| overlap(words, person))
                && self
                    .of(role)
                    .any(|word| !overlap(word, person) && self.belongs(role, word, person))
        };
        let negated = |direct: &Range<usize>| {
            self.of(Role::Negation).any(|word| {
                gap(word, direct) <= usize::from(word.end <= direct.start) && !overlap(word, direct)
            })
        };
        let clear = self
            .of(Role::Direct)
            .any(|direct| !negated(direct) && !denied.iter().any(|d| overlap(d, direct)))
            || self.of(Role::Agent).any(|agent| {
                [Role::Talk, Role::Contact, Role::Want].into_iter().any(|role| asked(agent, role))
            })
            || self
                .of(Role::Someone)
                .any(|someone| asked(someone, Role::Talk) || asked(someone, Role::Contact))
            || self.is_bare_call();
        if clear {
            return Wish::Clear;
        }
        if self.of(Role::Desk).any(|desk| asked(desk, Role::Talk)) { Wish::Desk } else { Wish::No }
    }

    /// A wish is said before the person, but in Japanese.
    fn belongs(&self, role: Role, word: &Range<usize>, person: &Range<usize>) -> bool {
        let in_order = role != Role::Want || self.verbs_last || word.end <= person.start;
        in_order && gap(word, person) <= NEAR
    }

    /// The persons or machines that a denial is about: those ahead, or else the one before.
    fn denied_by(&self, denial: &Range<usize>) -> Vec<Range<usize>> {
        let mut targets: Vec<(Role, Range<usize>)> =
            self.said.iter().filter(|(role, _)| TARGETS.contains(role)).cloned().collect();
        targets.sort_by_key(|(_, words)| words.start);
        let is_machine = |role: Role| role == Role::Machine;
        let mut ahead = targets
            .iter()
            .filter(|(_, words)| words.end > denial.end && words.start + 1 >= denial.end)
            .filter(|(_, words)| gap(denial, words) <= DENIES_BEFORE && !self.verbs_last)
            .peekable();
        if let Some((first, _)) = ahead.peek() {
            let first = is_machine(*first);
            let alike = ahead.take_while(|(role, _)| is_machine(*role) == first);
            return alike.map(|(_, words)| words.clone()).collect();
        }
        let reach = if self.verbs_last { DENIES_BEHIND_JAPANESE } else { DENIES_BEHIND };
        let behind = targets
            .iter()
            .filter(|(_, words)| words.end <= denial.start && gap(words, denial) <= reach)
            .max_by_key(|(_, words)| words.end);
        behind.map(|(_, words)| words.clone()).into_iter().collect()
    }

    /// Nothing but a person and fillers: "agent please".
    fn is_bare_call(&self) -> bool {
        let covers = |at: usize, roles: &[Role]| {
            self.said.iter().any(|(role, words)| roles.contains(role) && words.contains(&at))
        };
        self.words.len() <= ALONE
            && self.words.clone().any(|at| covers(at, &[Role::Alone, Role::Agent]))
            && self.words.clone().all(|at| covers(at, &[Role::Alone, Role::Agent, Role::Filler]))
    }

    fn of(&self, role: Role) -> impl Iterator<Item = &Range<usize>> {
        ranges(&self.said, role)
    }
}

fn ranges(said: &[(Role, Range<usize>)], role: Role) -> impl Iterator<Item = &Range<usize>> {
    said.iter().filter(move |(other, _)| *other == role).map(|(_, words)| words)
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// How many words stand between.
fn gap(a: &Range<usize>, b: &Range<usize>) -> usize {
    b.start.saturating_sub(a.end).max(a.start.saturating_sub(b.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn all(expected: Wish, texts: &[&str]) {
        for text in texts {
            assert_eq!(wish(&Message::new(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_denial_is_about_the_next_person_or_machine() {
        let clear = [
            "I don't want to talk to a bot",
            "I do not want a bot but a human",
            "Stop sending me to a bot",
            "a person instead of a robot please",
            "why can't I talk to an agent",
        ];
        all(Wish::Clear, &clear);
        let no = [
            "no need for an agent",
            "I don't want to talk to an agent",
            "I don't want to talk to a person, just tell me the price",
            "can you help me without connecting me to a human?",
            "an agent is not needed",
        ];
        all(Wish::No, &no);
    }

    #[test]
    fn a_person_in_another_sense_is_no_wish() {
        let no = [
            "I need a human hair wig",
            "a tent for two people",
            "can someone help me with my account",
            "the agent told me to wait",
            "are you a human?",
            "I want to know if you are a real person or an AI",
            "are you really an actual human being",
            "I want a chef knife",
            "how many people work for you",
        ];
        all(Wish::No, &no);
    }

    #[test]
    fn asking_for_a_department_is_a_wish_that_an_address_may_answer() {
        all(Wish::Desk, &["I want to speak with customer service", "chat with support"]);
        all(
            Wish::No,
            &[
                "contact customer support",
                "customer service hours",
                "thanks to your customer service",
            ],
        );
    }
}
