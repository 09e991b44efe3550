//! What a message is about, in which language, and how sure that is.
//!
//! The turn calls [`triage`] once for each message, with the vector that it has for the cache and
//! the search anyway. Certain things are decided by word lists: the wish for a person, small talk,
//! a bare number. The trained [`head`](Head) decides the rest if it knows the embedder and the
//! language, and word lists of topics if it does not.
//!
//! Pure. Never here: what is done about it. Thresholds, questions back and handoffs belong to the
//! assistants.

mod head;
mod language;
mod mood;
mod number;
mod person;
mod phrases;
mod smalltalk;
mod subject;
mod text;
mod topic;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::{
    head::{Head, of as head},
    language::Language,
    mood::Mood,
    topic::{Coarse, Topic},
};
use self::{person::Wish, subject::Subject, text::Message, topic::Shares};
use crate::vector::dot;

/// From this confidence on a message can be answered without a question back: the default of a
/// site. Of messages that no answer fits, about one in twenty is still above it.
pub const CONFIDENT: f32 = 0.85;
/// The confidence of rules that are certain, as measured.
const CERTAIN: f32 = 0.98;
/// A number alone may belong to an order or to a parcel: the shopper should be asked.
const NUMBER: f32 = 0.5;
/// A topic beyond the first one needs this share of the head.
const ALSO: f32 = 0.25;
/// Or this share of the words of a clause.
const ALSO_IN_CLAUSE: f32 = 0.7;
const MOST_ALSO: usize = 3;
/// A message this close to an example of the site means the same.
const LIKE_EXAMPLE: f32 = 0.86;
/// How much the nearest example counts then, against all else.
const EXAMPLE: f32 = 0.9;

/// What is known before the message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prior<'a> {
    /// The language of the conversation so far, or of the session's locale.
    pub language: Option<Language>,
    /// What the site's admins added for topics. Vectors are those of the embedder of the message.
    pub examples: &'a [Example],
}

/// A question that a site says belongs to a topic.
#[derive(Clone, Debug)]
pub struct Example {
    pub topic: Topic,
    pub vector: Arc<[f32]>,
}

/// The vector of a message, and the head for the embedder that made it, if there is one.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    pub vector: &'a [f32],
    pub head: Option<&'a Head>,
}

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    pub topic: Topic,
    /// The share of such messages for which the coarse group of the topic is right, 0 to 1.
    pub confidence: f32,
    /// Other topics of the message, likeliest first.
    pub also: Vec<Topic>,
    pub language: Option<Language>,
}

impl Intent {
    /// The shopper wants to talk to a person, or says that only a person can help.
    pub fn wants_person(&self) -> bool {
        self.topic == Topic::Human || self.also.contains(&Topic::Human)
    }
}

/// Reads one message. Takes about as long as folding it.
pub fn triage(text: &str, seen: Option<Seen<'_>>, prior: &Prior<'_>) -> Intent {
    let message = Message::new(text);
    let language = language::identify(text, &message, prior.language);
    let subject = Subject::of(&message);
    let intent = |topic, confidence, also| Intent { topic, confidence, also, language };
    let wish = person::wish(&message);
    if wish == Wish::Clear {
        return intent(
            Topic::Human,
            CERTAIN,
            also(&message, &subject, &Shares::default(), Topic::Human),
        );
    }
    if smalltalk::is_all(&message) {
        return intent(Topic::Smalltalk, CERTAIN, Vec::new());
    }
    if number::is_all(text) {
        return intent(Topic::Orders, NUMBER, vec![Topic::Shipping]);
    }
    let shares = shares(&subject, seen, language, prior);
    let (topic, confidence) = shares.best();
    let mut also = also(&message, &subject, &shares, topic);
    if wish == Wish::Desk && topic != Topic::Human && !also.contains(&Topic::Human) {
        also.push(Topic::Human);
    }
    intent(topic, confidence, also)
}

fn shares(
    subject: &Subject,
    seen: Option<Seen<'_>>,
    language: Option<Language>,
    prior: &Prior<'_>,
) -> Shares {
    let english = language.is_none_or(|language| language == Language::En);
    let by_head = seen
        .filter(|_| english)
        .and_then(|Seen { vector, head }| head.and_then(|head| head.shares(vector)));
    let mut shares = by_head.unwrap_or_else(|| subject.shares());
    let nearest = seen.and_then(|Seen { vector, .. }| {
        let near =
            prior.examples.iter().map(|example| (dot(vector, &example.vector), example.topic));
        near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(cosine, _)| *cosine >= LIKE_EXAMPLE)
    });
    if let Some((_, topic)) = nearest {
        shares = shares.scale(1.0 - EXAMPLE);
        shares.add(topic, EXAMPLE);
    }
    shares
}

/// Topics of other clauses, and those that the head finds likely, too.
fn also(message: &Message, subject: &Subject, shares: &Shares, topic: Topic) -> Vec<Topic> {
    let mut also = shares.over(ALSO);
    for clause in message.clauses() {
        let (other, share) = subject.within(clause).best();
        if share >= ALSO_IN_CLAUSE {
            also.push(other);
        }
    }
    // A person is added by the rules only.
    let never = [topic, Topic::Smalltalk, Topic::OutOfScope, Topic::Human];
    let mut distinct = Vec::new();
    for other in also {
        let worth = !never.contains(&other);
        if worth && !distinct.contains(&other) {
            distinct.push(other);
        }
    }
    distinct.truncate(MOST_ALSO);
    distinct
}
