//! What the service says about changes that it proposed, in the language of the proposal.

use std::sync::LazyLock;

use crate::{
    domain::{ActionStatus, Decision, Language},
    words::{self, Actions, Text},
};

static SENTENCES: LazyLock<[Actions; Language::ALL.len()]> =
    LazyLock::new(|| Language::ALL.map(|language| words::of(language.code())));

/// The message of a shopper who decides by a button.
pub fn message(decision: Decision, effect: &str, language: Language) -> String {
    let said = &SENTENCES[language as usize];
    let text = match decision {
        Decision::Confirmed => said.yes,
        Decision::Declined => said.no,
    };
    shown(text).replace("{effect}", effect)
}

/// Asks whether a change is to be made, after its effect in words.
pub fn ask(language: Language) -> &'static str {
    shown(SENTENCES[language as usize].ask)
}

/// Whether an answer asks whether a change is to be made.
pub fn asks(answer: &str) -> bool {
    Language::ALL.iter().any(|language| answer.contains(ask(*language)))
}

/// "ok" and "thanks" are no yes, and nothing was done.
pub fn still_open(language: Language) -> &'static str {
    shown(SENTENCES[language as usize].still_open)
}

/// What became of a proposal, if the shop has said nothing about it.
pub fn outcome(status: ActionStatus, language: Language) -> &'static str {
    let said = &SENTENCES[language as usize];
    shown(match status {
        ActionStatus::Done => said.done,
        ActionStatus::Failed => said.not_done,
        ActionStatus::Unknown => said.checking,
        ActionStatus::Waiting => said.waiting,
        ActionStatus::Declined => said.declined,
        ActionStatus::Expired => said.expired,
    })
}

/// The shopper, or the shop, has had as many changes as a day may have.
pub fn too_many(language: Language) -> &'static str {
    shown(SENTENCES[language as usize].too_many)
}

/// A person of the shop said no, or nobody decided in time.
pub fn not_approved(seen: bool, language: Language) -> &'static str {
    let said = &SENTENCES[language as usize];
    shown(if seen { said.refused } else { said.unseen })
}

/// The button that takes a change back, and what a shopper says who presses it.
pub fn undo(language: Language) -> &'static str {
    shown(SENTENCES[language as usize].undo)
}

/// How long a change can be taken back.
pub fn can_undo(minutes: u64, language: Language) -> String {
    shown(SENTENCES[language as usize].can_undo).replace("{minutes}", &minutes.to_string())
}

/// A change cannot be taken back any more, or never could.
pub fn no_undo(language: Language) -> &'static str {
    shown(SENTENCES[language as usize].no_undo)
}

/// The shop has sent a one-time code.
pub fn code_sent(language: Language) -> &'static str {
    shown(SENTENCES[language as usize].code_sent)
}

/// A one-time code was wrong, or typed too late.
pub fn code_wrong(language: Language) -> &'static str {
    shown(SENTENCES[language as usize].code_wrong)
}

/// The tests see that every language has every sentence.
fn shown(text: Text) -> &'static str {
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_every_outcome_and_repeats_the_effect() {
        for language in Language::ALL {
            let mut said: Vec<&str> =
                ActionStatus::ALL.iter().map(|status| outcome(*status, language)).collect();
            said.extend([too_many(language), ask(language), still_open(language)]);
            said.extend([true, false].map(|seen| not_approved(seen, language)));
            said.extend([code_sent(language), code_wrong(language)]);
            said.extend([undo(language), no_undo(language)]);
            assert!(can_undo(7, language).contains('7'), "{language:?}");
            for (at, text) in said.iter().enumerate() {
                assert!(!text.is_empty() && !said[..at].contains(text), "{language:?}: {text}");
            }
            let messages = Decision::ALL.map(|decision| message(decision, "X-1", language));
            assert!(messages.iter().all(|text| text.ends_with("X-1") && text.len() > 5));
            assert_ne!(messages[0], messages[1]);
        }
    }
}
