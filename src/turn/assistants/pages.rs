//! Answers without a model: text from the help pages, and fixed texts.

use crate::{
    assistant::sentences::Sentence,
    domain::{Answer, Route},
    knowledge::{Extract, extract},
    turn::{
        ask::Ask,
        ports::Ports,
        reply::Reply,
        retrieve::{self, Retrieved},
        understand::Understanding,
    },
};

/// Sentences from the passages, if they are a sure enough answer.
pub fn found(ports: &Ports, ask: &Ask, retrieved: &Retrieved) -> Option<Extract> {
    extract(&retrieved.questions, &retrieve::setting(ports, ask))
}

/// Answers with the found text and its source. A frustrated shopper is also offered a person.
pub fn quote(ask: &Ask, reply: &mut Reply, understood: &Understanding, found: Extract) -> Answer {
    if !understood.frustrated {
        return reply.say(&found.text, Route::Knowledge, found.citations);
    }
    let own = |sentence: Sentence| sentence.text(ask.language);
    let text = format!("{}\n\n{}\n\n{}", own(Sentence::Sorry), found.text, own(Sentence::Offer));
    reply.say(&text, Route::Knowledge, found.citations)
}
