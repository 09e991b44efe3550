//! Messages that try to steer the assistant get a fixed answer, whatever else they ask. No model
//! decides which ones.

use std::borrow::Cow;

use super::{
    ask::Ask,
    metrics,
    ports::{EmbedPort, Ports},
};
use crate::{
    domain::{Language, without_placeholders},
    embedding::messages::{Embedding, embed},
    guard::{
        self, Abuse,
        injection::{self, Head, Rule},
    },
};

/// What is said at once to a message that tries to steer the assistant, or that only insults.
/// Counts both, and threats.
pub fn at_once(ask: &Ask) -> Option<&'static str> {
    if let Some((abuse, _)) = ask.look.abuse {
        metrics::screened(abuse.label());
    }
    if let Some(rule) = ask.look.screening.attack {
        return Some(refusal(ask, rule));
    }
    let only_insults = ask.look.abuse == Some((Abuse::Insult, true));
    only_insults.then(|| guard::calm(ask.language.code()))
}

/// The same, judged by the embedding of the message, and by those of sentences with a hint.
/// Without them the rules have judged alone.
pub async fn by_meaning(
    ports: &Ports,
    ask: &Ask,
    embedding: Option<&Embedding>,
) -> Option<&'static str> {
    let (port, embedding) = (ports.embedder.as_ref()?, embedding?);
    let head = injection::head(&port.id)?;
    // The head knows English messages. A vector of a message with the one before it, or in a language
    // that the model has hardly seen, says nothing of an attack.
    let is_known = ask.language == Language::En
        && (ask.said.history().is_empty() || ask.said.question().is_some());
    if is_known && head.is_sure(&embedding.vector) && is_sure_of_words(port, head, ask).await {
        return Some(refusal(ask, Rule::Head));
    }
    let hints = &ask.look.screening.hints;
    if hints.is_empty() {
        return None;
    }
    let agrees = head.agrees(&embedding.vector) || agrees(port, head, ask).await;
    agrees.then(|| refusal(ask, Rule::Hint))
}

/// Whether the head is sure without the placeholders. It knows no text with them, and takes some for
/// attacks: "text [PHONE_1] when the driver is here".
async fn is_sure_of_words(port: &EmbedPort, head: &Head, ask: &Ask) -> bool {
    let text = ask.said.text();
    match without_placeholders(text) {
        Cow::Borrowed(_) => true,
        Cow::Owned(words) => {
            let embedding = embed(&port.embed, words, port.timeout).await;
            embedding.is_ok_and(|embedding| head.is_sure(&embedding.vector))
        }
    }
}

/// Whether the head takes a sentence with a hint for an attack. Another sentence of the message may
/// hide it in the embedding of the whole.
async fn agrees(port: &EmbedPort, head: &Head, ask: &Ask) -> bool {
    for hint in &ask.look.screening.hints {
        let embedding = embed(&port.embed, hint.clone(), port.timeout).await;
        if embedding.is_ok_and(|embedding| head.agrees(&embedding.vector)) {
            return true;
        }
    }
    false
}

fn refusal(ask: &Ask, rule: Rule) -> &'static str {
    metrics::screened(rule.label());
    tracing::debug!(rule = rule.label(), "a message was refused");
    guard::refusal(ask.language.code())
}
