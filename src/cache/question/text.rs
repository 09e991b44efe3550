//! The text of a question in the form that is compared.

use unicode_normalization::UnicodeNormalization;

/// NFKC, lower case, single spaces, plain apostrophes, no punctuation at the ends.
pub(super) fn normalised(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for c in text.nfkc() {
        match c {
            '\u{2018}' | '\u{2019}' | '`' | '\u{b4}' => normal.push('\''),
            c if c.is_whitespace() || c.is_control() => {
                if !normal.ends_with(' ') {
                    normal.push(' ');
                }
            }
            c => normal.extend(c.to_lowercase()),
        }
    }
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(c, '.' | '?' | '!' | '…' | ',' | ';' | '"' | '¿' | '¡' | '。' | '？' | '！')
    };
    normal.trim_matches(ends).to_owned()
}
