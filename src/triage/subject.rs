//! The topic by words: for languages that the head does not know, for clauses, and without a
//! vector.

use std::{ops::Range, sync::LazyLock};

use super::{
    phrases::{Hit, Phrases},
    shares::Shares,
    text::Message,
};
use crate::{
    domain::Topic,
    words::{self, Topics},
};

/// How much a word counts, and a phrase of several words.
const WORD: f32 = 1.0;
const PHRASE: f32 = 2.0;
/// How much stands against all words: one word alone makes 77 %, a phrase 87 %.
const DOUBT: f32 = 0.3;

static PHRASES: LazyLock<Phrases<Topic>> = LazyLock::new(|| {
    let all: Topics = words::all();
    let lists = [
        (all.technical, Topic::Technical),
        (all.billing, Topic::Billing),
        (all.orders, Topic::Orders),
        (all.returns, Topic::Returns),
        (all.shipping, Topic::Shipping),
        (all.account, Topic::Account),
        (all.product, Topic::Product),
        (all.general, Topic::General),
        (all.out_of_scope, Topic::OutOfScope),
    ];
    lists
        .into_iter()
        .flat_map(|(list, topic)| list.lines().map(move |line| (line, topic)))
        .collect()
});

/// The words that tell a topic, in a message.
pub struct Subject(Vec<Hit<Topic>>);

impl Subject {
    /// Of phrases at one place the longest counts.
    pub fn of(message: &Message) -> Self {
        let mut hits = PHRASES.find(message);
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.words.len()));
        let mut kept: Vec<Hit<Topic>> = Vec::new();
        for hit in hits {
            let within = |other: &Hit<Topic>| {
                other.words.len() > hit.words.len()
                    && other.words.start <= hit.words.start
                    && hit.words.end <= other.words.end
            };
            if !kept.iter().any(|other| within(other) || *other == hit) {
                kept.push(hit);
            }
        }
        Self(kept)
    }

    pub fn shares(&self) -> Shares {
        self.within(0..usize::MAX)
    }

    /// Of the words of a clause.
    pub fn within(&self, clause: Range<usize>) -> Shares {
        let mut shares = Shares::default();
        for hit in &self.0 {
            if clause.start <= hit.words.start && hit.words.end <= clause.end {
                shares.add(hit.tag, if hit.words.len() > 1 { PHRASE } else { WORD });
            }
        }
        shares.scale(1.0 / (shares.sum() + DOUBT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(text: &str) -> Topic {
        Subject::of(&Message::new(text)).shares().best().0
    }

    #[test]
    fn words_tell_the_topic_in_every_language() {
        for (topic, texts) in [
            (
                Topic::Orders,
                ["Wo ist meine Bestellung?", "¿Dónde está mi pedido?", "Où est ma commande ?"],
            ),
            (Topic::Billing, ["Ich brauche eine Rechnung", "Vorrei un rimborso", "我要退款"]),
            (Topic::Shipping, ["Wo ist mein Paket?", "¿Cuánto tarda el envío?", "送料はいくら"]),
            (
                Topic::Returns,
                ["Mijn tent is kapot", "Chcę zwrócić kurtkę", "O produto veio danificado"],
            ),
            (Topic::Technical, ["Passwort vergessen", "لا يعمل الموقع", "ログインできません"]),
        ] {
            for text in texts {
                assert_eq!(best(text), topic, "{text}");
            }
        }
    }

    #[test]
    fn words_of_no_topic_leave_all_in_doubt() {
        assert!(Subject::of(&Message::new("the blue one")).shares().sum() < f32::EPSILON);
    }
}
