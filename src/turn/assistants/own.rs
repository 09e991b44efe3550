//! Answers in the service's own words, in the language of the shopper.

use crate::{
    assistant::{
        actions,
        sentences::{Sentence, name},
    },
    domain::{Answer, Choice, People, Route, Topic},
    guard::OutputFilter,
    turn::{
        ask::Ask,
        person::{self, Told},
        ports::Ports,
        reply::Reply,
        understand::Understanding,
    },
};

pub fn say(ask: &Ask, reply: &mut Reply, understood: &Understanding, sentence: Sentence) -> Answer {
    let before = ask.said.history().last().and_then(|exchange| exchange.answer.as_deref());
    if before.is_some_and(actions::asks) && matches!(sentence, Sentence::Nod | Sentence::Thanks) {
        return reply.say(actions::still_open(ask.language), Route::Template, Vec::new());
    }
    let text = sentence.text(ask.language);
    let sorry = understood.frustrated && sentence == Sentence::Unknown;
    if sorry {
        let text = format!("{} {text}", Sentence::Sorry.text(ask.language));
        return reply.say(&text, Route::Template, Vec::new());
    }
    reply.say(text, Route::Template, Vec::new())
}

pub fn unknown(ask: &Ask, reply: &mut Reply, understood: &Understanding) -> Answer {
    say(ask, reply, understood, Sentence::Unknown)
}

/// The question became a ticket.
pub fn busy(ask: &Ask, reply: &mut Reply) -> Answer {
    reply.say(Sentence::Busy.text(ask.language), Route::Template, Vec::new())
}

/// Asks what the message is about. A choice sends the message again, with its topic.
pub fn ask_back(ask: &Ask, reply: &mut Reply, sentence: Sentence, topics: &[Topic]) -> Answer {
    let answer = reply.say(sentence.text(ask.language), Route::Template, Vec::new());
    let message = own_words(ask);
    let choice = |topic: &Topic| {
        let label = name(*topic, ask.language)?.to_owned();
        let text =
            if *topic == Topic::Human { label.clone() } else { format!("{label}: {message}") };
        Some(Choice { label, text })
    };
    Answer { choices: topics.iter().filter_map(choice).collect(), ..answer }
}

/// The message as it was typed, apart from secrets.
fn own_words(ask: &Ask) -> String {
    let told = ask.said.told();
    let mut shown = OutputFilter::new(&told.vault, usize::MAX);
    let text = shown.push(&told.text);
    text + &shown.finish().text
}

/// Brings a person in, or says how to reach one; with the handoff that the answer tells of.
pub async fn person(ports: &Ports, ask: &Ask, reply: &mut Reply) -> (Answer, Vec<People>) {
    let Told { text, route, citations, people } = person::bring(ports, ask).await;
    (reply.say(&text, route, citations), people)
}
