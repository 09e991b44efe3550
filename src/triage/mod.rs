//! What a message is about, in which language, and how sure that is.
//!
//! The turn calls [`triage`] once for each message, with the vector that it has for the cache and
//! the search anyway. Certain things are decided by word lists: the wish for a person, small talk,
//! a bare number. The trained [`head`](Head) decides the rest if it knows the embedder and the
//! language, and word lists of topics if it does not.
//!
//! Pure. Never here: what is done about it. Thresholds, questions back and handoffs belong to the
//! assistants.

mod consent;
mod head;
mod lane;
mod language;
mod mood;
mod number;
mod person;
mod phrases;
mod shares;
mod smalltalk;
mod spelling;
mod subject;
mod text;
mod undo;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use self::{
    head::{Head, of as head},
    lane::lane,
    mood::Mood,
    undo::TakesBack,
};
use self::{person::Wish, shares::Shares, subject::Subject, text::Message};
use crate::{
    domain::{Intent, Language, SmallTalk, Topic, without_placeholders},
    vector::dot,
};

/// The confidence of rules that are certain, as measured.
const CERTAIN: f32 = 0.98;
/// A number alone may belong to an order or to a parcel: the shopper should be asked.
const NUMBER: f32 = 0.5;
/// A topic beyond the first one needs this share of the head.
const ALSO: f32 = 0.25;
/// Or this share of the words of a clause.
const ALSO_IN_CLAUSE: f32 = 0.7;
const MOST_ALSO: usize = 3;
/// A message with this cosine to an example of the site means the same, with the standard model.
pub const LIKE_EXAMPLE: f32 = 0.86;
/// How much the nearest example counts then, against all else.
const EXAMPLE: f32 = 0.9;

/// What is known before the message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prior<'a> {
    /// The language of the conversation so far, or of the session's locale.
    pub language: Option<Language>,
    /// What the site's admins added for topics. Vectors are those of the embedder of the message.
    pub examples: &'a [Example],
    /// A message with at least this cosine to an example means the same.
    pub like_example: f32,
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

/// What a message is about, and its language, if that is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood {
    pub intent: Intent,
    /// The shopper asks for a person in so many words.
    pub asks_for_person: bool,
    /// The message asks nothing.
    pub small_talk: Option<SmallTalk>,
    /// It is nothing but an order or tracking number.
    pub number: bool,
    pub language: Option<Language>,
}

/// Reads one message. Takes about as long as folding it.
pub fn triage(text: &str, seen: Option<Seen<'_>>, prior: &Prior<'_>) -> Understood {
    let message = Message::new(text);
    let language = language::identify(text, &message, prior.language);
    let subject = Subject::of(&message);
    let understood = |topic, confidence, also| Understood {
        intent: Intent { topic, confidence, also },
        asks_for_person: false,
        small_talk: None,
        number: false,
        language,
    };
    let wish = person::wish(&message);
    if wish == Wish::Clear {
        let also = also(&message, &subject, &Shares::default(), Topic::Human);
        return Understood { asks_for_person: true, ..understood(Topic::Human, CERTAIN, also) };
    }
    if let Some(small_talk) = smalltalk::of(&message) {
        let small_talk = Some(small_talk);
        return Understood { small_talk, ..understood(Topic::Smalltalk, CERTAIN, Vec::new()) };
    }
    if number::is_all(text) {
        let also = vec![Topic::Shipping];
        return Understood { number: true, ..understood(Topic::Orders, NUMBER, also) };
    }
    let shares = shares(&subject, seen, language, prior);
    let (topic, confidence) = shares.best();
    let mut also = also(&message, &subject, &shares, topic);
    if wish == Wish::Desk && topic != Topic::Human && !also.contains(&Topic::Human) {
        also.push(Topic::Human);
    }
    understood(topic, confidence, also)
}

/// What a message says, if it asks nothing.
pub fn small_talk(text: &str) -> Option<SmallTalk> {
    smalltalk::of(&Message::new(text))
}

/// What a message says to a proposal: `Some(true)` for a yes, `Some(false)` for a no, and `None`
/// for anything else. `proposed`: the tool of the proposal, and the number of the order that it is
/// about. A yes may repeat them, and nothing else.
pub fn consent(text: &str, proposed: Option<(&str, Option<&str>)>) -> Option<bool> {
    consent::of(&Message::new(text), proposed)
}

/// Whether and how a message wants a change taken back which was just made.
pub fn takes_back(text: &str) -> Option<TakesBack> {
    undo::of(text)
}

/// The language of a message. `prior` is that of the conversation so far, which is kept in doubt.
pub fn identify(text: &str, prior: Option<Language>) -> Option<Language> {
    // `[ADDRESS_1]` is no English word.
    let said = without_placeholders(text);
    language::identify(&said, &Message::new(&said), prior)
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
        near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(cosine, _)| *cosine >= prior.like_example)
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
