//! The language of a message: by its script, by letters, by frequent words, and by the spelling of
//! all words. Short messages say little, so in doubt the conversation keeps its language.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::LazyLock,
};

use super::{
    phrases::Phrases,
    spelling,
    text::{Message, is_han, is_kana},
};
use crate::{domain::Language, words};

/// How many letters of a script make its language certain.
const SCRIPT: usize = 2;
/// How much a letter counts that one language has, and a part of words, against a word.
const LETTER: f32 = 0.8;
const PART: f32 = 0.3;
/// How much the spelling of all words counts.
const SPELLING: f32 = 1.5;
const FEW: usize = 2;
/// How much a character of these scripts says, against a letter of a product's Latin name.
const SYLLABLE: usize = 3;
const ARABIC: usize = 2;
/// By how much the best language must be ahead of the language of the conversation.
const AHEAD: f32 = 0.4;
/// Without a conversation, it must have so much, and by so much more than any other.
const KNOWN: f32 = 0.6;
const AHEAD_OF_ALL: f32 = 0.1;
/// No letter counts more often.
const MOST: usize = 2;

static WORDS: LazyLock<Phrases<Language>> = LazyLock::new(|| {
    let lists = words::languages::<words::Language>()
        .filter_map(|code| Some((Language::parse(code)?, words::of::<words::Language>(code))));
    let lines =
        lists.flat_map(|(language, list)| list.words.lines().map(move |line| (line, language)));
    lines.collect()
});

/// Each letter or part, and the languages that have it.
static LETTERS: LazyLock<Vec<(&str, Vec<Language>)>> = LazyLock::new(|| {
    let mut letters: BTreeMap<&str, Vec<Language>> = BTreeMap::new();
    for code in words::languages::<words::Language>() {
        let list: words::Language = words::of(code);
        for letter in list.letters {
            letters.entry(letter).or_default().extend(Language::parse(code));
        }
    }
    letters.into_iter().collect()
});

/// Whole messages of small talk that several languages have, such as "no".
static SHARED: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let mut languages: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for code in words::languages::<words::SmallTalk>() {
        let list: words::SmallTalk = words::of(code);
        let lists =
            [list.greetings, list.thanks, list.farewells, list.nods, list.assents, list.dissents];
        for line in lists.into_iter().flatten() {
            languages.entry(spoken(&Message::new(line))).or_default().insert(code);
        }
    }
    let shared = languages.into_iter().filter(|(_, languages)| languages.len() > 1);
    shared.map(|(line, _)| line).collect()
});

fn spoken(message: &Message) -> String {
    (0..message.len()).map(|at| message.word(at)).collect::<Vec<_>>().join(" ")
}

/// `prior` is the language of the conversation so far. `None` if nothing is known.
pub fn identify(text: &str, message: &Message, prior: Option<Language>) -> Option<Language> {
    if prior.is_some() && message.len() <= FEW && SHARED.contains(&spoken(message)) {
        return prior;
    }
    let count = |is: fn(char) -> bool| text.chars().filter(|c| is(*c)).count();
    let letters = count(char::is_alphabetic);
    let (han, kana) = (count(is_han), count(is_kana));
    let arabic = count(|c| matches!(c, '\u{0620}'..='\u{06ff}'));
    let latin = letters.saturating_sub(han + kana + arabic);
    if kana > 0 && (han + kana) * SYLLABLE > latin {
        return Some(Language::Ja);
    }
    if han > 0 && han * SYLLABLE > latin {
        let japanese = prior == Some(Language::Ja) && han <= SCRIPT * 2;
        return Some(if japanese { Language::Ja } else { Language::Zh });
    }
    if arabic >= SCRIPT && arabic * ARABIC > latin {
        return Some(Language::Ar);
    }
    by_words(text, message, prior)
}

fn by_words(text: &str, message: &Message, prior: Option<Language>) -> Option<Language> {
    let mut scores = [0.0_f32; Language::ALL.len()];
    let hits = WORDS.find(message);
    for hit in &hits {
        // A word that several languages have says less about each.
        let sharing = hits.iter().filter(|other| other.words == hit.words).count();
        scores[hit.tag as usize] += 1.0 / sharing as f32;
    }
    // One or two words may be names of products, so they change no language that is known.
    if prior.is_none() || message.len() > FEW {
        for (code, share) in spelling::shares(message) {
            if let Some(language) = Language::parse(code) {
                scores[language as usize] += SPELLING * share;
            }
        }
    }
    let text = text.to_lowercase();
    for (letters, languages) in LETTERS.iter() {
        let weight = if letters.is_ascii() { PART } else { LETTER };
        let count = text.matches(letters).count().min(MOST) as f32;
        for language in languages {
            scores[*language as usize] += count * weight / languages.len() as f32;
        }
    }
    let score = |language: Language| scores[language as usize];
    let best = Language::ALL.into_iter().max_by(|a, b| score(*a).total_cmp(&score(*b)))?;
    match prior {
        Some(prior) if score(best) < score(prior) + AHEAD => Some(prior),
        Some(_) => Some(best),
        None => {
            let others = Language::ALL.into_iter().filter(|language| *language != best);
            let second = others.map(score).fold(0.0, f32::max);
            (score(best) >= KNOWN && score(best) >= second + AHEAD_OF_ALL).then_some(best)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, prior: Option<Language>) -> Option<Language> {
        identify(text, &Message::new(text), prior)
    }

    #[test]
    fn a_yes_or_no_of_several_languages_keeps_the_language_of_the_conversation() {
        for prior in [Language::En, Language::De, Language::Es, Language::It, Language::Fr] {
            assert_eq!(of("No!", Some(prior)), Some(prior));
            assert_eq!(of("si", Some(prior)), Some(prior));
        }
        assert_eq!(of("ja", Some(Language::Nl)), Some(Language::Nl));
        assert_eq!(of("nein", Some(Language::En)), Some(Language::De));
    }

    #[test]
    fn english_as_people_chat_is_english() {
        for text in [
            "do u deliver to liechtenstein",
            "can u send it to my work pls",
            "r u open on sunday",
            "dont u have this in red",
        ] {
            assert_eq!(of(text, None), Some(Language::En), "{text}");
            assert_eq!(of(text, Some(Language::En)), Some(Language::En), "{text}");
        }
        assert_eq!(of("Czy wysyłacie do Liechtensteinu?", Some(Language::En)), Some(Language::Pl));
        assert_eq!(of("Kunt u dit ook naar Vaduz sturen?", Some(Language::En)), Some(Language::Nl));
    }

    #[test]
    fn a_short_message_without_signs_keeps_the_language_of_the_conversation() {
        for text in ["10482", "M?", "ok", "Vidde 2", ""] {
            assert_eq!(of(text, Some(Language::De)), Some(Language::De), "{text}");
        }
        assert_eq!(of("10482", None), None);
        assert_eq!(of("Where is my order?", Some(Language::De)), Some(Language::En));
        assert_eq!(of("返品", Some(Language::Ja)), Some(Language::Ja));
        assert_eq!(of("返品", None), Some(Language::Zh));
    }
}
