//! The assistants of a shop: who answers for which topics, and how.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::document::{Document, ExampleText};
use crate::{config, domain::Topic};

/// One of the shop's automatic assistants. A person who answers is called an agent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assistant {
    pub name: String,
    pub topics: Vec<Topic>,
    /// Added to the instructions that all assistants share.
    pub instructions: String,
    pub tone: String,
    /// Only documents with one of these tags are searched; all, if there are none.
    pub knowledge_tags: Vec<String>,
    /// Uses the smaller model even in full service.
    pub small_model: bool,
    /// `None` is that of all assistants.
    pub temperature: Option<f32>,
    /// After so many answers in a row that did not help, the shopper is told how to reach a person.
    pub person_after: usize,
}

/// Name, topics and instructions of the built-in assistants.
const BUILT_IN: [(&str, &[Topic], &str); 8] = [
    (
        "technical",
        &[Topic::Technical],
        "The customer has trouble with the site, the app or signing in. Give the steps in their order, one short line each.",
    ),
    (
        "billing",
        &[Topic::Billing],
        "The question is about paying, charges, invoices or refunds. Say which amount and which time the passages name, \
         and never that a payment or refund was made.",
    ),
    (
        "orders",
        &[Topic::Orders],
        "The question is about an order. Say what state it is in only from what a tool returned. Without that, say how the \
         customer can see or change it.",
    ),
    (
        "returns",
        &[Topic::Returns],
        "The customer wants to send something back, or something arrived broken or wrong. Say first what to do now, then \
         the time limit and who pays.",
    ),
    (
        "shipping",
        &[Topic::Shipping],
        "The question is about delivery. Name cost and time for the country that the customer named, and never those of \
         another one.",
    ),
    (
        "account",
        &[Topic::Account],
        "The question is about the customer's account or data. Never ask for a password or a code.",
    ),
    (
        "product",
        &[Topic::Product],
        "The question is about a product or advice on one. Never say that something is in stock unless a passage says so.",
    ),
    ("general", &[Topic::General, Topic::Smalltalk, Topic::OutOfScope, Topic::Human], ""),
];

const PERSON_AFTER: usize = 1;

/// The assistants of one shop. Every topic has one.
#[derive(Clone, Debug)]
pub struct Catalog {
    assistants: Vec<Assistant>,
    by_topic: [usize; Topic::ALL.len()],
    /// From this confidence on the topic of a message is taken for certain.
    pub confidence: f32,
    /// Hash of everything that changes answers.
    pub fingerprint: Box<str>,
}

impl Catalog {
    /// The shop's own assistants, and the built-in ones for all other topics. Of two for one topic
    /// the first counts; the check of the configuration refuses them.
    pub fn new(own: &[config::Assistant], confidence: f32) -> Self {
        Self::with(own, &[], confidence)
    }

    /// As an admin wrote it.
    pub fn written(document: &Document, confidence: f32) -> Self {
        Self::with(&document.assistants, &document.examples, confidence)
    }

    /// `examples` choose the assistant of a message, so they change answers, too.
    fn with(own: &[config::Assistant], examples: &[ExampleText], confidence: f32) -> Self {
        let own = own.iter().map(|assistant| Assistant {
            name: assistant.name.clone(),
            topics: assistant.topics.clone(),
            instructions: assistant.instructions.clone(),
            tone: assistant.tone.clone(),
            knowledge_tags: assistant.knowledge_tags.clone(),
            small_model: assistant.small_model,
            temperature: assistant.temperature,
            person_after: assistant.person_after.unwrap_or(PERSON_AFTER),
        });
        let built_in = BUILT_IN.into_iter().map(|(name, topics, instructions)| Assistant {
            name: name.to_owned(),
            topics: topics.to_vec(),
            instructions: instructions.to_owned(),
            tone: String::new(),
            knowledge_tags: Vec::new(),
            small_model: false,
            temperature: None,
            person_after: PERSON_AFTER,
        });
        let assistants: Vec<Assistant> = own.chain(built_in).collect();
        let of = |topic| assistants.iter().position(|assistant| assistant.topics.contains(&topic));
        let by_topic = Topic::ALL.map(|topic| of(topic).unwrap_or_default());
        let mut hash = Sha256::new();
        // It is plain data, so this never fails.
        hash.update(serde_json::to_vec(&assistants).unwrap_or_default());
        hash.update(serde_json::to_vec(examples).unwrap_or_default());
        hash.update(confidence.to_le_bytes());
        let fingerprint = hex::encode(&hash.finalize()[..8]).into();
        Self { assistants, by_topic, confidence, fingerprint }
    }

    pub fn of(&self, topic: Topic) -> &Assistant {
        &self.assistants[self.by_topic[topic as usize]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(topics: &[Topic]) -> config::Assistant {
        config::Assistant {
            name: "ours".into(),
            topics: topics.to_vec(),
            instructions: "Be brief.".into(),
            tone: String::new(),
            knowledge_tags: Vec::new(),
            small_model: false,
            temperature: None,
            person_after: None,
        }
    }

    #[test]
    fn every_topic_has_a_built_in_assistant_and_the_shop_s_own_comes_first() {
        let built_in = Catalog::new(&[], 0.85);
        for topic in Topic::ALL {
            assert!(built_in.of(topic).topics.contains(&topic), "{topic:?}");
        }
        let changed = Catalog::new(&[own(&[Topic::Returns, Topic::Billing])], 0.85);
        assert_eq!(changed.of(Topic::Returns).name, "ours");
        assert_eq!(changed.of(Topic::Billing).name, "ours");
        assert_eq!(changed.of(Topic::Shipping).name, "shipping");
    }

    #[test]
    fn whatever_changes_answers_changes_the_fingerprint() {
        let mut prints =
            vec![Catalog::new(&[], 0.85).fingerprint, Catalog::new(&[], 0.8).fingerprint];
        let changes: [fn(&mut config::Assistant); 7] = [
            |a| a.instructions.push('!'),
            |a| a.tone.push('!'),
            |a| a.knowledge_tags.push("x".into()),
            |a| a.small_model = true,
            |a| a.temperature = Some(0.5),
            |a| a.topics.push(Topic::Account),
            |_| {},
        ];
        for change in changes {
            let mut own = own(&[Topic::Returns]);
            change(&mut own);
            prints.push(Catalog::new(&[own], 0.85).fingerprint);
        }
        let count = prints.len();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), count);
    }
}
