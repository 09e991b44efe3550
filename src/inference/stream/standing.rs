//! How a mark stands in an answer: as models write it, or as a part of a sentence about it.

/// The surroundings of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Quoted,
    /// Between two words, as `the <think> tag`.
    InSentence,
    /// As models write it.
    Alone,
}

impl Standing {
    /// `before` is the text in front of the mark, and `after` the text behind it. `ended`: no more
    /// text comes. Returns `None` if the next character is needed and has not arrived.
    pub fn of(before: impl Iterator<Item = char>, after: &str, ended: bool) -> Option<Self> {
        let (before_last, last) = before.fold((' ', ' '), |(_, last), next| (last, next));
        let quoted = matches!(last, '`' | '"' | '\'' | '“' | '„' | '‘' | '«' | '(' | '*');
        let in_words = last == ' ' && (before_last.is_alphanumeric() || before_last == ',');
        if !quoted && !in_words {
            return Some(Self::Alone);
        }
        let next = match after.chars().next() {
            None if !ended => return None,
            next => next.unwrap_or(' '),
        };
        Some(match next {
            '`' | '"' | '\'' | '”' | '“' | '’' | '»' | ')' | '*' if quoted => Self::Quoted,
            ' ' | '.' | ',' | ';' | ':' | '!' | '?' if in_words => Self::InSentence,
            _ => Self::Alone,
        })
    }
}
