//! The names mentioned in the conversation so far. If many documents say the same about different
//! things, they show which one is meant.

use std::cell::Cell;

use super::{
    index::{DocumentHead, Index, inverse_frequency},
    query::Query,
    terms::Language,
};

/// How many messages of the conversation are used, newest first. Each counts this much less than
/// the next newer one.
const CONTEXT_MESSAGES: usize = 8;
const CONTEXT_FADING: f32 = 0.8;

/// The last messages of a conversation, and the titles that they mention.
pub(super) struct Mentions<'a> {
    index: &'a Index,
    /// The terms of each message in order, newest first.
    messages: Vec<Vec<String>>,
    /// The title from the last call, because the passages of a document follow one another.
    last: Cell<(*const DocumentHead, f32)>,
}

impl<'a> Mentions<'a> {
    pub fn read(query: &Query<'_>, index: &'a Index) -> Self {
        let newest_first = std::iter::once(&query.text).chain(query.context.iter().rev());
        let terms = |text: &&str| Language::of(query.locale).terms(text);
        let messages = match query.context {
            [] => Vec::new(),
            _ => newest_first.take(CONTEXT_MESSAGES).map(terms).collect(),
        };
        Self { index, messages, last: Cell::new((std::ptr::null(), 0.0)) }
    }

    /// 0 to 1: how much of the document's title the conversation mentioned, and how recently.
    pub fn share(&self, head: &DocumentHead) -> f32 {
        if self.messages.is_empty() {
            return 0.0;
        }
        if self.last.get().0 != std::ptr::from_ref(head) {
            self.last.set((head, self.share_of(&head.title_terms)));
        }
        self.last.get().1
    }

    fn share_of(&self, title: &[String]) -> f32 {
        let mentioned = |term| self.messages.iter().flatten().any(|word| word == term);
        if !title.iter().any(mentioned) {
            return 0.0;
        }
        let rarity = |term: &String| {
            inverse_frequency(self.index.len(), self.index.document_frequency(term))
        };
        let rarities: Vec<f32> = title.iter().map(rarity).collect();
        let whole = rarities.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        let shares = self.messages.iter().enumerate().map(|(age, message)| {
            // Half a name may mean anything; a whole name is clear.
            (named(title, &rarities, message) / whole).powi(2) * CONTEXT_FADING.powi(age as i32)
        });
        shares.fold(0.0, f32::max)
    }
}

/// The run of title words with the highest weight that a message has in the same order, since names
/// are written without gaps.
fn named(title: &[String], rarities: &[f32], message: &[String]) -> f32 {
    let mut best = 0.0_f32;
    for from in 0..title.len() {
        for start in 0..message.len() {
            let run = title[from..].iter().zip(&message[start..]).take_while(|(a, b)| a == b);
            let weight = run.zip(&rarities[from..]).map(|(_, rarity)| rarity).sum();
            best = best.max(weight);
        }
    }
    best
}
