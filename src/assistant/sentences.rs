//! What the service says itself, in the language of the shopper.

use std::sync::LazyLock;

use crate::{
    domain::{Language, SmallTalk, Topic},
    words::{self, Sentences, Text},
};

/// A sentence of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sentence {
    Greeting,
    Thanks,
    Farewell,
    Nod,
    /// Nothing was found. It offers a person.
    Unknown,
    OutOfScope,
    AskBack,
    /// The message is nothing but a number.
    Number,
    /// Before the contact page.
    Reach,
    /// There is no contact page.
    NoPerson,
    Sorry,
    /// Offers a person, after an answer.
    Offer,
    /// The question became a ticket.
    Busy,
    /// A person was asked for, and will come.
    PersonComes,
    /// The same, asked for again.
    PersonWaits,
    /// `{position}` in the queue.
    Place,
    /// `{minutes}` until somebody comes.
    Eta,
    /// Nobody came in time. It stands before the contact page.
    NobodyCame,
    /// The same without a contact page.
    NobodyCameNoPage,
    /// The agent is gone, and somebody else comes.
    AgentLeft,
    /// The agent is gone, and nobody is there. It stands before the contact page.
    AgentLeftNobody,
    /// The same without a contact page.
    AgentLeftNoPage,
    /// `{day}` and `{time}` at which somebody is there again.
    Hours,
}

static SENTENCES: LazyLock<[Sentences; Language::ALL.len()]> =
    LazyLock::new(|| Language::ALL.map(|language| words::of(language.code())));

impl Sentence {
    /// In `language`.
    pub fn text(self, language: Language) -> &'static str {
        let said = &SENTENCES[language as usize];
        shown(match self {
            Self::Greeting => said.greeting,
            Self::Thanks => said.thanks,
            Self::Farewell => said.farewell,
            Self::Nod => said.nod,
            Self::Unknown => said.unknown,
            Self::OutOfScope => said.out_of_scope,
            Self::AskBack => said.ask_back,
            Self::Number => said.number,
            Self::Reach => said.reach,
            Self::NoPerson => said.no_person,
            Self::Sorry => said.sorry,
            Self::Offer => said.offer,
            Self::Busy => said.busy,
            Self::PersonComes => said.person_comes,
            Self::PersonWaits => said.person_waits,
            Self::Place => said.place,
            Self::Eta => said.eta,
            Self::NobodyCame => said.nobody_came,
            Self::NobodyCameNoPage => said.nobody_came_no_page,
            Self::AgentLeft => said.agent_left,
            Self::AgentLeftNobody => said.agent_left_nobody,
            Self::AgentLeftNoPage => said.agent_left_no_page,
            Self::Hours => said.hours,
        })
    }

    /// Whether an answer has this sentence, in any language.
    fn is_in(self, answer: &str) -> bool {
        Language::ALL.into_iter().any(|language| answer.contains(self.text(language)))
    }
}

impl From<SmallTalk> for Sentence {
    fn from(said: SmallTalk) -> Self {
        match said {
            SmallTalk::Greeting => Self::Greeting,
            SmallTalk::Thanks => Self::Thanks,
            SmallTalk::Farewell => Self::Farewell,
            SmallTalk::Nod | SmallTalk::Assent => Self::Nod,
        }
    }
}

/// The name of a day of the week; 0 is Monday.
pub fn weekday(day: usize, language: Language) -> &'static str {
    shown(SENTENCES[language as usize].weekdays).split(", ").nth(day).unwrap_or_default()
}

/// The words that find the contact page of a shop.
pub fn contact_words(language: Language) -> &'static str {
    shown(SENTENCES[language as usize].contact)
}

/// The name of a topic to choose from; `None` for what is no choice.
pub fn name(topic: Topic, language: Language) -> Option<&'static str> {
    let said = &SENTENCES[language as usize];
    match topic {
        Topic::Technical => said.technical,
        Topic::Billing => said.billing,
        Topic::Orders => said.orders,
        Topic::Returns => said.returns,
        Topic::Shipping => said.shipping,
        Topic::Account => said.account,
        Topic::Product => said.product,
        Topic::General => said.general,
        Topic::Human => said.human,
        Topic::Smalltalk | Topic::OutOfScope => None,
    }
}

/// An answer that offers a person, in words or as a choice.
pub fn offers_person(answer: &str) -> bool {
    let offers = [Sentence::Unknown, Sentence::Offer, Sentence::AskBack];
    offers.into_iter().any(|sentence| sentence.is_in(answer))
}

/// An answer that did not help: the service did not know, or asked back.
pub fn did_not_help(answer: &str) -> bool {
    [Sentence::Unknown, Sentence::AskBack].into_iter().any(|sentence| sentence.is_in(answer))
}

/// The tests see that every language has every sentence.
fn shown(text: Text) -> &'static str {
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Sentence; 23] = [
        Sentence::Greeting,
        Sentence::Thanks,
        Sentence::Farewell,
        Sentence::Nod,
        Sentence::Unknown,
        Sentence::OutOfScope,
        Sentence::AskBack,
        Sentence::Number,
        Sentence::Reach,
        Sentence::NoPerson,
        Sentence::Sorry,
        Sentence::Offer,
        Sentence::Busy,
        Sentence::PersonComes,
        Sentence::PersonWaits,
        Sentence::Place,
        Sentence::Eta,
        Sentence::NobodyCame,
        Sentence::NobodyCameNoPage,
        Sentence::AgentLeft,
        Sentence::AgentLeftNobody,
        Sentence::AgentLeftNoPage,
        Sentence::Hours,
    ];

    #[test]
    fn every_language_has_every_sentence_and_no_two_are_alike() {
        for language in Language::ALL {
            for (at, sentence) in ALL.into_iter().enumerate() {
                let text = sentence.text(language);
                assert!(!text.is_empty(), "{language:?} {sentence:?}");
                assert!(ALL[..at].iter().all(|other| other.text(language) != text), "{text}");
                assert!(language == Language::En || text != sentence.text(Language::En), "{text}");
            }
            assert!(!contact_words(language).is_empty());
            for topic in Topic::ALL {
                let is_choice = !matches!(topic, Topic::Smalltalk | Topic::OutOfScope);
                assert_eq!(name(topic, language).is_some_and(|n| !n.is_empty()), is_choice);
            }
        }
    }

    #[test]
    fn an_offer_is_known_again_in_every_language() {
        for language in Language::ALL {
            let asked = format!("x {}", Sentence::AskBack.text(language));
            assert!(offers_person(Sentence::Unknown.text(language)));
            assert!(offers_person(&format!("Yes. {}", Sentence::Offer.text(language))));
            assert!(did_not_help(&asked) && offers_person(&asked));
            let greeting = Sentence::Greeting.text(language);
            assert!(!did_not_help(greeting) && !offers_person(greeting));
        }
    }
}
