//! What the message is about, and how the shopper feels.

use super::{ask::Ask, ports::Ports};
use crate::{
    assistant::sentences::{did_not_help, offers_person},
    domain::{Intent, SmallTalk},
    embedding::messages::Embedding,
    triage::{self, Mood, Prior, Seen, triage},
};

/// Earlier messages that are read for the mood.
const EARLIER: usize = 8;

pub struct Understanding {
    pub intent: Intent,
    pub small_talk: Option<SmallTalk>,
    /// The message is nothing but an order or tracking number.
    pub number: bool,
    pub asks_for_person: bool,
    pub frustrated: bool,
    /// The last answer offered a person.
    pub offered: bool,
    /// And the message says no to it.
    pub declines: bool,
    /// So many answers before this message, in a row, did not help.
    pub helpless: usize,
}

impl Understanding {
    /// Whether it is a question whose answer may serve others.
    pub fn is_question(&self) -> bool {
        self.small_talk.is_none() && !self.number && !self.asks_for_person && !self.declines
    }
}

/// Reads the message, with the vector that the cache and the search use, too.
pub fn understand(ports: &Ports, ask: &Ask, embedding: Option<&Embedding>) -> Understanding {
    let head = ports.embedder.as_ref().and_then(|embedder| triage::head(&embedder.id));
    let seen = embedding.map(|embedding| Seen { vector: &embedding.vector, head });
    let like_example = ports.embedder.as_ref().map_or(1.0, |embedder| embedder.like_example);
    let prior = Prior { language: Some(ask.language), examples: &ask.duty.examples, like_example };
    let understood = triage(ask.said.text(), seen, &prior);
    let history = ask.said.history();
    let earlier = history.iter().skip(history.len().saturating_sub(EARLIER));
    let mood = earlier.fold(Mood::default(), |mood, exchange| mood.hear(&exchange.user));
    let mut answers = history.iter().rev().filter_map(|exchange| exchange.answer.as_deref());
    let offered = answers.clone().next().is_some_and(offers_person);
    Understanding {
        intent: understood.intent,
        small_talk: understood.small_talk,
        number: understood.number,
        asks_for_person: understood.asks_for_person,
        frustrated: mood.hear(ask.said.text()).is_frustrated(),
        offered,
        declines: offered && triage::consent(ask.said.text(), None) == Some(false),
        helpless: answers.by_ref().take_while(|answer| did_not_help(answer)).count(),
    }
}
