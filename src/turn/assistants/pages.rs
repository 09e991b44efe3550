//! Answers without a model: the help pages' own words, and fixed texts.

use crate::{
    domain::{Answer, Route},
    knowledge::{Extract, Passage, extract},
    turn::{ask::Ask, ports::Ports, reply::Reply},
};

/// The best passage's own sentences, if they are sure enough to be an answer.
pub fn found(ports: &Ports, ask: &Ask, passages: &[Passage]) -> Option<Extract> {
    extract(&ask.text, passages).filter(|found| found.confidence >= ports.turn.answer_confidence)
}

/// Says what was found, with its source.
pub fn quote(reply: &mut Reply, found: Extract) -> Answer {
    reply.say(&found.text, Route::Knowledge, found.citations)
}

/// Says a fixed text.
pub fn template(reply: &mut Reply, text: &str) -> Answer {
    reply.say(text, Route::Template, Vec::new())
}
