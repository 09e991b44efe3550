//! Insults and threats against the shop. Neither is a reason to refuse help: a message that has
//! nothing else gets a calm answer, and every other one its usual answer.

use std::sync::LazyLock;

use crate::words::{
    self, Abuse as Lists,
    sentence::{Sequences, Text},
};

/// A message with more other words than this says something else, too.
const OTHER_WORDS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abuse {
    Insult,
    Threat,
}

impl Abuse {
    /// The label of metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Insult => "insult",
            Self::Threat => "threat",
        }
    }
}

static WORDS: LazyLock<Sequences<Abuse>> = LazyLock::new(|| {
    let all: Lists = words::all();
    let insults = all.insults.lines().map(|line| (line, Abuse::Insult));
    insults.chain(all.threats.lines().map(|line| (line, Abuse::Threat))).collect()
});

/// The worst of it, and whether the message says nothing else.
pub(super) fn find(text: &Text) -> Option<(Abuse, bool)> {
    let hits = WORDS.find(text);
    let threat = hits.iter().any(|hit| hit.tag == Abuse::Threat);
    let abuse = if threat { Abuse::Threat } else { hits.first().map(|hit| hit.tag)? };
    let within = |at: usize| hits.iter().any(|hit| (hit.start..hit.end).contains(&at));
    let other = (0..text.word_count()).filter(|at| !within(*at)).count();
    let only = other <= OTHER_WORDS && !text.folded().contains(['?', '？', '؟']);
    Some((abuse, only))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<(Abuse, bool)> {
        find(&Text::new(text))
    }

    #[test]
    fn a_bare_insult_is_told_from_one_with_a_question() {
        for text in [
            "You are all idiots!",
            "fuck you",
            "Ihr seid Betrüger",
            "vous êtes nuls",
            "sois unos ladrones",
        ] {
            assert_eq!(of(text), Some((Abuse::Insult, true)), "{text}");
        }
        assert_eq!(of("You idiots, where is my parcel?"), Some((Abuse::Insult, false)));
        assert_eq!(of("you are idiots and the tent is broken again"), Some((Abuse::Insult, false)));
        for text in ["This is a bad tent", "the stupid zip is stuck", "where is my order?"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_threat_is_known() {
        for text in ["I will kill you", "I'm going to burn your shop down", "ich bringe euch um"] {
            assert_eq!(of(text).map(|(abuse, _)| abuse), Some(Abuse::Threat), "{text}");
        }
        let both = of("You are idiots. I will kill you");
        assert_eq!(both.map(|(abuse, _)| abuse), Some(Abuse::Threat));
        assert_eq!(of("does it kill mosquitoes?"), None);
    }
}
