//! Frustration over the turns of a conversation. It rises with anger, with things that had to be
//! said again and with shouting, and it fades with every calm message.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::LazyLock,
};

use super::{phrases::Phrases, text::Message};
use crate::words;

/// What is left of it a message later.
const FADES: f32 = 0.6;
const ANGRY: f32 = 0.9;
const AGAIN: f32 = 0.6;
/// The same message once more.
const REPEATED: f32 = 0.8;
const SHOUTED: f32 = 0.6;
const MARKS: f32 = 0.3;
/// Relief leaves so much of it.
const GLAD: f32 = 0.3;
/// No single message counts more.
const MESSAGE: f32 = 1.8;
const FRUSTRATED: f32 = 1.5;
/// Letters of a message in capitals, and their share.
const LETTERS: usize = 10;
const CAPITALS: f32 = 0.5;

#[derive(Clone, Copy)]
enum Tone {
    Angry,
    Again,
    Glad,
}

static PHRASES: LazyLock<Phrases<Tone>> = LazyLock::new(|| {
    let all: words::Mood = words::all();
    let lists = [(all.angry, Tone::Angry), (all.again, Tone::Again), (all.glad, Tone::Glad)];
    lists.into_iter().flat_map(|(list, tone)| list.lines().map(move |line| (line, tone))).collect()
});

/// How the shopper feels, after all messages so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mood {
    level: f32,
    /// Of the words of the message before.
    last: Option<u64>,
}

impl Mood {
    /// After one more message of the shopper.
    #[must_use]
    pub fn hear(self, text: &str) -> Self {
        let message = Message::new(text);
        let (mut angry, mut again, mut glad) = (0.0, 0.0, false);
        for hit in PHRASES.find(&message) {
            match hit.tag {
                Tone::Angry => angry += ANGRY,
                Tone::Again => again += AGAIN,
                Tone::Glad => glad = true,
            }
        }
        let words = words_of(&message);
        let repeated = words.is_some() && words == self.last;
        let rise = angry
            + again
            + if repeated { REPEATED } else { 0.0 }
            + if is_shouted(text) { SHOUTED } else { 0.0 }
            + if ["!!", "??", "?!", "！！"].iter().any(|marks| text.contains(marks)) {
                MARKS
            } else {
                0.0
            };
        let relieved = glad && angry + again == 0.0;
        let level = self.level * if relieved { GLAD } else { FADES } + rise.min(MESSAGE);
        Self { level, last: words }
    }

    /// From 0, calm, to about 4.5.
    pub const fn level(self) -> f32 {
        self.level
    }

    /// An answer should be short and kind now, and a person offered.
    pub fn is_frustrated(self) -> bool {
        self.level >= FRUSTRATED
    }
}

/// Greetings and the like may be said twice.
fn words_of(message: &Message) -> Option<u64> {
    const FEW: usize = 3;
    if message.len() < FEW {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    (0..message.len()).for_each(|at| message.word(at).hash(&mut hasher));
    Some(hasher.finish())
}

fn is_shouted(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_lowercase() || c.is_uppercase()).count();
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    letters >= LETTERS && capitals as f32 >= letters as f32 * CAPITALS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(messages: &[&str]) -> Mood {
        messages.iter().fold(Mood::default(), |mood, text| mood.hear(text))
    }

    #[test]
    fn anger_and_repetition_add_up_over_the_turns() {
        for messages in [
            &[
                "Where is my parcel?",
                "That is not what I asked",
                "I already told you, WHERE IS MY PARCEL??",
            ][..],
            &["This is useless, worst shop ever!!"],
            &["where is my order", "where is my order", "Where is my order?!"],
            &["Das ist eine Frechheit", "Ich warte seit Wochen, keine Antwort!!"],
            &["C'est inadmissible, toujours pas de réponse !!"],
            &["垃圾，骗子"],
        ] {
            assert!(after(messages).is_frustrated(), "{messages:?}");
        }
    }

    #[test]
    fn a_calm_conversation_stays_calm() {
        for messages in [
            &["hi", "hi", "Where is my order?", "ok", "ok", "thanks"][..],
            &["my parcel still says in transit", "ok thank you"],
            &["DHL", "FJ-10234 SIZE XL"],
            &[""],
        ] {
            assert!(!after(messages).is_frustrated(), "{messages:?}");
        }
    }

    #[test]
    fn relief_and_time_calm_down() {
        let angry = after(&["This is useless, worst shop ever!!"]);
        assert!(angry.hear("great, it works now, thank you").level() < angry.level() * 0.5);
        assert!(!angry.hear("and in blue?").hear("ok, size M then").is_frustrated());
    }
}
