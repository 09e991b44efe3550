//! Messages that ask nothing: greetings, thanks, "ok", and a thumb up.

use std::sync::LazyLock;

use super::{phrases::Phrases, text::Message};
use crate::words::{self, SmallTalk};

/// Longer messages say more.
const WORDS: usize = 12;
/// Characters of a script without spaces.
const EMOJI: [std::ops::RangeInclusive<char>; 3] =
    ['\u{2600}'..='\u{27bf}', '\u{1f300}'..='\u{1f64f}', '\u{1f900}'..='\u{1faff}'];

static PHRASES: LazyLock<Phrases<()>> = LazyLock::new(|| {
    let all: SmallTalk = words::all();
    let lists = [all.greetings, all.thanks, all.farewells, all.nods];
    lists.into_iter().flatten().map(|line| (line, ())).collect()
});

/// The whole message consists of small talk.
pub fn is_all(message: &Message) -> bool {
    if message.len() == 0 {
        return message.folded().chars().any(|c| EMOJI.iter().any(|range| range.contains(&c)));
    }
    if message.len() > WORDS {
        return false;
    }
    let hits = PHRASES.find(message);
    // How far phrases that follow one another reach from the start.
    let mut reached = vec![false; message.len() + 1];
    reached[0] = true;
    for hit in hits {
        if reached[hit.words.start] {
            reached[hit.words.end] = true;
        }
    }
    reached[message.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(is_all(&Message::new(text)), "{text}");
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
            assert!(!is_all(&Message::new(text)), "{text}");
        }
    }
}
