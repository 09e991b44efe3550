//! Messages that ask nothing: greetings, thanks, "ok", and a thumb up.

use std::sync::LazyLock;

use super::{phrases::Phrases, text::Message};
use crate::{domain::SmallTalk, words};

/// Longer messages say more.
const WORDS: usize = 12;
/// Characters of a script without spaces.
const EMOJI: [std::ops::RangeInclusive<char>; 3] =
    ['\u{2600}'..='\u{27bf}', '\u{1f300}'..='\u{1f64f}', '\u{1f900}'..='\u{1faff}'];

static PHRASES: LazyLock<Phrases<SmallTalk>> = LazyLock::new(|| {
    let all: words::SmallTalk = words::all();
    let lists = [
        (all.greetings, SmallTalk::Greeting),
        (all.thanks, SmallTalk::Thanks),
        (all.farewells, SmallTalk::Farewell),
        (all.assents, SmallTalk::Assent),
        (all.nods, SmallTalk::Nod),
    ];
    lists
        .into_iter()
        .flat_map(|(list, kind)| list.into_iter().map(move |line| (line, kind)))
        .collect()
});

/// What the message says, if all of it is small talk.
pub fn of(message: &Message) -> Option<SmallTalk> {
    if message.len() == 0 {
        let emoji = message.folded().chars().any(|c| EMOJI.iter().any(|range| range.contains(&c)));
        return emoji.then_some(SmallTalk::Nod);
    }
    if message.len() > WORDS {
        return None;
    }
    // What is said up to each word, by phrases that follow one another from the start.
    let mut said: Vec<Option<SmallTalk>> = vec![None; message.len() + 1];
    for hit in PHRASES.find(message) {
        let before = said[hit.words.start];
        if before.is_some() || hit.words.start == 0 {
            let end = &mut said[hit.words.end];
            *end = (*end).max(before).max(Some(hit.tag));
        }
    }
    said[message.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_weighs_most_is_answered() {
        for (text, kind) in [
            ("Guten Tag", SmallTalk::Greeting),
            ("ok, thanks", SmallTalk::Thanks),
            ("thanks, bye!", SmallTalk::Farewell),
            ("ok", SmallTalk::Nod),
            ("👍", SmallTalk::Nod),
            ("yes please", SmallTalk::Assent),
            ("ja, gerne", SmallTalk::Assent),
            ("sí, por favor", SmallTalk::Assent),
        ] {
            assert_eq!(of(&Message::new(text)), Some(kind), "{text}");
        }
    }

    #[test]
    fn only_a_message_of_nothing_else_is_small_talk() {
        for text in [
            "ok",
            "bye",
            "merci",
            "👍",
            "Guten Tag",
            "Hello!",
            "thanks, bye!",
            "ok great, thank you",
            "¡Hola! Buenos días",
            "谢谢",
            "ありがとうございます",
            "dzień dobry",
            "شكرا",
            "Grazie mille!",
            "obrigada",
            "dank je wel",
            "no thanks, that is all",
        ] {
            assert!(of(&Message::new(text)).is_some(), "{text}");
        }
        for text in [
            "hello, where is my order",
            "thanks, and returns?",
            "",
            "?",
            "hi 5",
            "ok refund",
            "不好",
            "…",
        ] {
            assert_eq!(of(&Message::new(text)), None, "{text}");
        }
    }
}
