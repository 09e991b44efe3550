//! The password before its word: "hunter2 is my password".

use std::ops::Range;

use super::{
    context::Word,
    fold::PLACEHOLDER,
    secret::{MOST_FILLERS, Said},
    value::{LONGEST, is_mixed},
    vocabulary::Role,
};

/// With one of them a word alone may be somebody's password.
const MINE: [&str; 14] = [
    "my", "mein", "meine", "mon", "ma", "mi", "mia", "minha", "mijn", "moje", "our", "unser",
    "notre", "nuestra",
];

impl Said<'_> {
    /// "hunter2 is my password", "use hunter2 as password".
    pub(super) fn before(&self) -> Option<Range<usize>> {
        let mut end = self.told.range.start;
        let (mut linked, mut mine) = (false, false);
        for _ in 0..=MOST_FILLERS {
            end = self.text[..end].trim_end_matches([' ', ',', '"', '\'']).len();
            let word: Option<&Word> = self.context.ending_at(end);
            match word.filter(|word| {
                [Role::Filler, Role::Preposition, Role::Link].into_iter().any(|role| word.is(role))
            }) {
                Some(word) => {
                    linked |= word.is(Role::Link);
                    mine |= MINE.contains(&&self.text[word.range.clone()]);
                    end = word.range.start;
                }
                None => break,
            }
        }
        let start = self.text[..end]
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + self.text[at..].chars().next().map_or(1, char::len_utf8));
        let token = start..end;
        let value = &self.text[token.clone()];
        // "why? it is my password since 2019"
        let plain = value.trim_end_matches(['?', '!', '.', ';']);
        let known = || is_mixed(plain) || mine && self.is_sentence(&token);
        (linked && value.len() <= LONGEST && known()).then_some(token)
    }

    /// "sunshine is my password", and nothing else.
    fn is_sentence(&self, token: &Range<usize>) -> bool {
        const SHORTEST: usize = 4;
        let ends = |c: char| matches!(c, '.' | '!' | ',' | ';' | '\n');
        let before = self.text[..token.start].trim_end_matches(' ');
        let after = self.text[self.told.range.end..].trim_start_matches(' ');
        let value = &self.text[token.clone()];
        let known = self.context.ending_at(token.end).is_none_or(|word| word.meaning.is_some());
        !known
            && !value.contains(PLACEHOLDER)
            && value.chars().count() >= SHORTEST
            && (before.is_empty() || before.ends_with(ends))
            && (after.is_empty() || after.starts_with(ends))
    }
}
