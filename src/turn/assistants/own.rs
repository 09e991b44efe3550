//! Answers in the service's own words, in the language of the shopper.

use crate::{
    assistant::{
        actions,
        sentences::{Sentence, contact_words, name},
    },
    domain::{Answer, Choice, Citation, Language, Route, Topic},
    guard::OutputFilter,
    knowledge::{Passage, Query},
    turn::{ask::Ask, ports::Ports, reply::Reply, understand::Understanding},
};

/// Passages among which the contact page is looked for.
const CANDIDATES: usize = 8;
/// Passages of the contact page that are quoted.
const QUOTED: usize = 2;

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

/// How to reach a person: the shop's own contact page, word for word.
pub fn reach(ports: &Ports, ask: &Ask, reply: &mut Reply) -> Answer {
    let here = contact(ports, ask, Some(ask.search_locale()));
    // A telephone number helps in any language.
    let page = if here.is_empty() { contact(ports, ask, None) } else { here };
    if page.is_empty() {
        return reply.say(Sentence::NoPerson.text(ask.language), Route::Template, Vec::new());
    }
    let quotes: Vec<&str> = page.iter().map(|passage| passage.text.as_str()).collect();
    let text = format!("{}\n\n{}", Sentence::Reach.text(ask.language), quotes.join("\n\n"));
    let cited = page.iter().zip(1..).map(|(passage, number)| Citation {
        id: i32::to_string(&number),
        document_id: passage.document_id.clone(),
        title: passage.title.clone(),
        url: passage.url.clone(),
        quote: passage.text.clone(),
    });
    let cited = cited.collect();
    reply.say(&text, Route::Knowledge, cited)
}

/// The best passages of the page whose title or tags say that it is about contact.
fn contact(ports: &Ports, ask: &Ask, locale: Option<&str>) -> Vec<Passage> {
    let languages = [ask.language, Language::En];
    languages
        .into_iter()
        .map(|spoken| contact_in(ports, ask, locale, spoken))
        .find(|p| !p.is_empty())
        .unwrap_or_default()
}

fn contact_in(ports: &Ports, ask: &Ask, locale: Option<&str>, language: Language) -> Vec<Passage> {
    let words = contact_words(language);
    let query = Query { locale, ..Query::new(words) };
    let found = ports.knowledge.search(&ask.site, &query, CANDIDATES);
    let word = words.split(' ').next().unwrap_or(words).to_lowercase();
    let about = |passage: &Passage| {
        let tagged = passage.tags.iter().any(|tag| tag.to_lowercase().contains(&word));
        tagged || passage.title.to_lowercase().contains(&word)
    };
    let Some(page) = found.iter().find(|passage| about(passage)).map(|p| p.document_id.clone())
    else {
        return Vec::new();
    };
    let mut quoted: Vec<Passage> =
        found.into_iter().filter(|passage| passage.document_id == page).take(QUOTED).collect();
    quoted.sort_by_key(|passage| passage.ordinal);
    quoted
}
