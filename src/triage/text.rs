//! A message, folded and cut into words and clauses. All rules read this form.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

/// How many words of a message are read.
const WORDS: usize = 300;

/// Lower case, without accents. A character of a script without spaces is a word.
pub struct Message {
    folded: String,
    words: Vec<Range<usize>>,
    /// The word that each clause ends before.
    clauses: Vec<usize>,
}

impl Message {
    pub fn new(text: &str) -> Self {
        let mut message = Self {
            folded: String::with_capacity(text.len()),
            words: Vec::new(),
            clauses: Vec::new(),
        };
        if text.is_ascii() {
            text.chars().for_each(|c| message.push(c.to_ascii_lowercase()));
        } else {
            text.nfkd().filter(|c| !is_mark(*c)).nfc().flat_map(char::to_lowercase).for_each(|c| {
                match c {
                    'ß' => "ss".chars().for_each(|c| message.push(c)),
                    'ł' => message.push('l'),
                    'ø' => message.push('o'),
                    c => message.push(c),
                }
            });
        }
        message.push('\n');
        message.words.truncate(WORDS);
        let count = message.words.len();
        message.clauses.retain(|end| *end < count);
        if count > 0 {
            message.clauses.push(count);
        }
        message
    }

    /// Whether it has a question mark.
    pub fn asks(&self) -> bool {
        self.folded.contains(['?', '？', '؟'])
    }

    /// Characters between the words are kept in the text, and no word contains them.
    fn push(&mut self, c: char) {
        let at = self.folded.len();
        self.folded.push(c);
        if c.is_alphanumeric() {
            let joins = !stands_alone(c) && !self.alone_before(at);
            match self.words.last_mut() {
                Some(last) if last.end == at && joins => {
                    last.end = self.folded.len();
                }
                _ => self.words.push(at..self.folded.len()),
            }
        } else if ends_clause(c) && self.clauses.last().copied().unwrap_or(0) < self.words.len() {
            self.clauses.push(self.words.len());
        }
    }

    fn alone_before(&self, at: usize) -> bool {
        self.folded[..at].chars().next_back().is_some_and(stands_alone)
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }

    pub fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |range| &self.folded[range.clone()])
    }

    /// The words of each clause.
    pub fn clauses(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.clauses.iter().copied());
        starts.zip(self.clauses.iter().copied()).map(|(start, end)| start..end)
    }

    /// Everything, also what is not in words.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

/// An accent, or a vowel sign of Arabic. Those of Japanese make other syllables.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}' | '\u{064b}'..='\u{0655}' | '\u{0670}' | '\u{0640}')
}

/// Chinese and Japanese are written without spaces.
fn stands_alone(c: char) -> bool {
    is_han(c) || is_kana(c)
}

pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

pub fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}')
}

fn ends_clause(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '\n' | ')' | '。' | '、' | '،' | '؟' | '؛')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clauses(text: &str) -> Vec<String> {
        let message = Message::new(text);
        let words = |range: Range<usize>| range.map(|at| message.word(at)).collect::<Vec<_>>();
        message.clauses().map(|range| words(range).join(" ")).collect()
    }

    #[test]
    fn a_message_is_cut_into_folded_words_and_clauses() {
        assert_eq!(clauses("Don't know, WHERE is it?!"), ["don t know", "where is it"]);
        assert_eq!(clauses("Rückgabe: größe łódź"), ["ruckgabe", "grosse lodz"]);
        assert_eq!(clauses("我要退货，谢谢"), ["我 要 退 货", "谢 谢"]);
        assert_eq!(clauses("注文FJ12は？"), ["注 文 fj12 は"]);
        assert_eq!(clauses("أريد، شكرًا"), ["اريد", "شكرا"]);
        assert_eq!(clauses("?! …"), [""; 0]);
        assert_eq!(clauses(""), [""; 0]);
    }

    #[test]
    fn a_long_message_is_read_to_a_limit() {
        let message = Message::new(&"a, ".repeat(1000));
        assert_eq!(message.len(), WORDS);
        assert_eq!(message.clauses().last(), Some(WORDS - 1..WORDS));
    }
}
