//! Answers without a model: text from the help pages, and fixed texts.

use crate::{
    domain::{Answer, Route},
    knowledge::{Extract, Passage, extract},
    turn::{ask::Ask, ports::Ports, reply::Reply},
};

/// Sentences from the best passage, if they are a sure enough answer.
pub fn found(ports: &Ports, ask: &Ask, passages: &[Passage]) -> Option<Extract> {
    let least = ports.turn.answer_confidence;
    extract(ask.said.text(), passages).filter(|found| found.confidence >= least)
}

/// Answers with the found text and its source.
pub fn quote(reply: &mut Reply, found: Extract) -> Answer {
    reply.say(&found.text, Route::Knowledge, found.citations)
}

/// Answers with a fixed text.
pub fn template(reply: &mut Reply, text: &str) -> Answer {
    reply.say(text, Route::Template, Vec::new())
}
