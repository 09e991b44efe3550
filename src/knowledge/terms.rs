//! Text as the terms that are looked up: words in lower case without accents, reduced to their stem, without the
//! words that say nothing about the subject.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;

/// Longer "words" are cut: nobody asks for them and they would fill the index.
const MAX_WORD_CHARS: usize = 40;

/// A language with a stemmer. A document without a locale is read as English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language(Algorithm);

impl Language {
    pub const ENGLISH: Self = Self(Algorithm::English);

    /// The language of a tag such as `de-AT`; English where there is no stemmer for it.
    pub fn of(locale: Option<&str>) -> Self {
        let tag = locale.unwrap_or("en").split('-').next().unwrap_or("en");
        Self(match tag.to_ascii_lowercase().as_str() {
            "ar" => Algorithm::Arabic,
            "da" => Algorithm::Danish,
            "de" => Algorithm::German,
            "el" => Algorithm::Greek,
            "es" => Algorithm::Spanish,
            "fi" => Algorithm::Finnish,
            "fr" => Algorithm::French,
            "hu" => Algorithm::Hungarian,
            "it" => Algorithm::Italian,
            "nb" | "nn" | "no" => Algorithm::Norwegian,
            "nl" => Algorithm::Dutch,
            "pt" => Algorithm::Portuguese,
            "ro" => Algorithm::Romanian,
            "ru" => Algorithm::Russian,
            "sv" => Algorithm::Swedish,
            "ta" => Algorithm::Tamil,
            "tr" => Algorithm::Turkish,
            _ => Algorithm::English,
        })
    }

    /// The terms of `text` in order, repeated as often as they occur.
    pub fn terms(self, text: &str) -> Vec<String> {
        let stemmer = Stemmer::create(self.0);
        let stop_words = self.stop_words();
        words(text)
            .filter(|word| stop_words.binary_search(&word.as_str()).is_err())
            .map(|word| stemmer.stem(&word).into_owned())
            .collect()
    }

    const fn stop_words(self) -> &'static [&'static str] {
        match self.0 {
            Algorithm::English => &ENGLISH,
            Algorithm::German => &GERMAN,
            Algorithm::French => &FRENCH,
            Algorithm::Spanish => &SPANISH,
            // Their frequency makes such words weigh little in BM25 anyway.
            _ => &[],
        }
    }
}

/// The words of `text` as they are compared: folded, split at everything but letters, digits, apostrophes inside a
/// word, and points or commas inside a number.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let folded: Vec<char> = fold(text).collect();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < folded.len() && !folded[at].is_alphanumeric() {
            at += 1;
        }
        let mut word = String::new();
        let mut length = 0;
        while let Some(&c) = folded.get(at) {
            if !c.is_alphanumeric() && !joins(&folded, at) {
                break;
            }
            if c != '\'' && length < MAX_WORD_CHARS {
                word.push(c);
                length += 1;
            }
            at += 1;
        }
        (!word.is_empty()).then_some(word)
    })
}

/// Lower case, compatibility forms resolved, accents gone, typographic apostrophes plain.
fn fold(text: &str) -> impl Iterator<Item = char> {
    text.nfkd()
        .filter(|c| !matches!(*c, '\u{0300}'..='\u{036f}'))
        .flat_map(char::to_lowercase)
        .map(|c| if c == '’' { '\'' } else { c })
}

/// Whether the character at `at` lies inside a word or a number.
fn joins(text: &[char], at: usize) -> bool {
    let Some((before, after)) =
        at.checked_sub(1).and_then(|before| Some((text.get(before)?, text.get(at + 1)?)))
    else {
        return false;
    };
    match text[at] {
        '\'' => before.is_alphabetic() && after.is_alphabetic(),
        '.' | ',' => before.is_ascii_digit() && after.is_ascii_digit(),
        _ => false,
    }
}

// Sorted, and folded as `words` folds. Beside the function words they hold what a shopper says around any question.
#[rustfmt::skip]
const ENGLISH: [&str; 212] = [
    "a", "able", "about", "actually", "after", "again", "all", "already", "also", "am", "an",
    "and", "another", "any", "anybody", "anyone", "anything", "are", "arent", "as", "ask", "at",
    "back", "be", "because", "been", "before", "being", "but", "by", "can", "cannot", "cant",
    "could", "couldnt", "did", "didnt", "do", "does", "doesnt", "doing", "done", "dont", "else",
    "ever", "for", "from", "get", "getting", "give", "go", "going", "gonna", "got", "had", "has",
    "hasnt", "have", "havent", "having", "he", "hello", "help", "her", "here", "hers", "hey", "hi",
    "him", "his", "how", "however", "i", "id", "if", "ill", "im", "in", "into", "is", "isnt", "it",
    "its", "ive", "just", "know", "let", "lets", "like", "ll", "look", "looking", "make", "many",
    "may", "maybe", "me", "might", "mine", "more", "most", "much", "must", "my", "myself", "need",
    "needed", "needs", "no", "not", "now", "of", "off", "ok", "okay", "on", "once", "one", "only",
    "or", "other", "our", "ours", "out", "over", "own", "perhaps", "please", "possible",
    "question", "questions", "quite", "really", "regarding", "s", "say", "see", "shall", "she",
    "should", "so", "some", "somebody", "someone", "something", "somewhere", "sorry", "still",
    "such", "sure", "take", "tell", "than", "thank", "thanks", "that", "thats", "the", "their",
    "them", "then", "there", "theres", "these", "they", "thing", "things", "this", "those", "to",
    "too", "try", "trying", "under", "until", "up", "upon", "us", "very", "via", "wanna", "want",
    "wants", "was", "we", "well", "were", "what", "whatever", "whats", "when", "where", "whether",
    "which", "while", "who", "whom", "whose", "why", "will", "with", "within", "without", "wont",
    "would", "wouldnt", "yes", "yet", "you", "your", "youre", "yours",
];

#[rustfmt::skip]
const GERMAN: [&str; 154] = [
    "aber", "alle", "allem", "allen", "aller", "alles", "als", "also", "am", "an", "andere",
    "anderen", "auch", "auf", "aus", "bei", "beim", "bin", "bis", "bist", "bitte", "da", "damit",
    "danke", "dann", "das", "dass", "dein", "deine", "dem", "den", "denn", "der", "des", "dich",
    "die", "dies", "diese", "diesem", "diesen", "dieser", "dieses", "dir", "doch", "dort", "du",
    "durch", "ein", "eine", "einem", "einen", "einer", "eines", "er", "es", "euch", "eure", "fur",
    "gegen", "geht", "gibt", "hab", "habe", "haben", "hallo", "hat", "hatte", "hatten", "hier",
    "ich", "ihm", "ihn", "ihnen", "ihr", "ihre", "ihren", "im", "in", "ist", "ja", "jede", "jeden",
    "jeder", "jedes", "jetzt", "kann", "kannst", "kein", "keine", "keinen", "konnen", "konnte",
    "mal", "man", "mein", "meine", "meinem", "meinen", "meiner", "mich", "mir", "mit", "mochte",
    "muss", "nach", "nein", "nicht", "noch", "nun", "nur", "ob", "oder", "ohne", "schon", "sehr",
    "sein", "seine", "sich", "sie", "sind", "so", "soll", "um", "und", "uns", "unser", "unsere",
    "unter", "vom", "von", "vor", "wann", "war", "waren", "warum", "was", "welche", "welchen",
    "welcher", "welches", "wenn", "wer", "werden", "wie", "wieder", "will", "wir", "wird", "wo",
    "wurde", "wurden", "zu", "zum", "zur",
];

#[rustfmt::skip]
const FRENCH: [&str; 114] = [
    "a", "ai", "alors", "apres", "as", "au", "aussi", "autre", "aux", "avant", "avec", "avez",
    "avoir", "avons", "bonjour", "c", "ce", "ceci", "cela", "celle", "celui", "ces", "cet",
    "cette", "comme", "comment", "d", "dans", "de", "des", "donc", "du", "elle", "elles", "en",
    "encore", "est", "et", "etait", "etes", "etre", "eu", "faire", "fait", "il", "ils", "j", "je",
    "l", "la", "le", "les", "leur", "leurs", "lui", "m", "ma", "mais", "me", "merci", "mes", "moi",
    "mon", "n", "ne", "nos", "notre", "nous", "on", "ont", "ou", "par", "pas", "peut", "peux",
    "plus", "pour", "pourquoi", "puis", "qu", "quand", "que", "quel", "quelle", "quelles", "quels",
    "qui", "s", "sa", "sans", "se", "ses", "si", "sont", "suis", "sur", "t", "ta", "te", "tes",
    "toi", "ton", "tous", "tout", "tres", "tu", "un", "une", "vos", "votre", "voudrais", "vous",
    "vu", "y",
];

#[rustfmt::skip]
const SPANISH: [&str; 118] = [
    "a", "al", "algo", "alguna", "algunas", "alguno", "algunos", "ante", "antes", "aqui", "asi",
    "aun", "bien", "buenas", "buenos", "como", "con", "cual", "cuales", "cuando", "cuanto", "de",
    "del", "desde", "donde", "dos", "e", "el", "ella", "ellas", "ellos", "en", "entre", "era",
    "eres", "es", "esa", "esas", "ese", "eso", "esos", "esta", "estan", "estar", "estas", "este",
    "esto", "estos", "estoy", "fue", "gracias", "ha", "hace", "hacer", "han", "hasta", "hay", "he",
    "hola", "la", "las", "le", "les", "lo", "los", "mas", "me", "mi", "mis", "mucho", "muy",
    "nada", "ni", "no", "nos", "nosotros", "o", "os", "otra", "otro", "para", "pero", "por",
    "porque", "puede", "puedo", "que", "quien", "quiero", "se", "ser", "si", "sin", "sobre",
    "solo", "son", "soy", "su", "sus", "tambien", "tanto", "te", "tengo", "tiene", "todo", "todos",
    "tu", "tus", "u", "un", "una", "unas", "uno", "unos", "usted", "ustedes", "ya", "yo",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn english(text: &str) -> Vec<String> {
        Language::ENGLISH.terms(text)
    }

    #[test]
    fn forms_of_a_word_share_a_term() {
        assert_eq!(english("returns, returning; RETURNED"), ["return"; 3]);
        assert_eq!(Language::of(Some("de-AT")).terms("Schuhe Größen"), ["schuh", "gross"]);
    }

    #[test]
    fn words_around_a_question_are_not_terms() {
        assert_eq!(english("Hi, could you please tell me how I can get it? I don’t know"), [""; 0]);
    }

    #[test]
    fn a_number_keeps_its_decimals_and_a_sentence_its_end() {
        let found: Vec<_> = words("It costs 4.90 (or 1,200.50). Don't ask e.g. K2").collect();
        assert_eq!(found, ["it", "costs", "4.90", "or", "1,200.50", "dont", "ask", "e", "g", "k2"]);
    }

    #[test]
    fn stop_words_are_sorted_and_folded() {
        for list in [&ENGLISH[..], &GERMAN, &FRENCH, &SPANISH] {
            assert!(list.is_sorted());
            for word in list {
                assert_eq!(words(word).collect::<Vec<_>>(), [*word]);
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_bounded_words(text in "\\PC{0,200}") {
            for word in words(&text) {
                prop_assert!(!word.is_empty() && word.chars().count() <= MAX_WORD_CHARS);
            }
        }
    }
}
