//! The text of a question: in the form that the model reads, and in the form that is compared.

use unicode_normalization::UnicodeNormalization;

/// NFKC, single spaces, plain apostrophes, no punctuation at the ends.
fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    for c in text.nfkc() {
        match c {
            '\u{2018}' | '\u{2019}' | '`' | '\u{b4}' => bare.push('\''),
            c if c.is_whitespace() || c.is_control() => {
                if !bare.ends_with(' ') {
                    bare.push(' ');
                }
            }
            c => bare.push(c),
        }
    }
    bare.trim_matches(ends).to_owned()
}

/// Like [`normalised`], with the case of letters and the question mark.
pub(super) fn plain(text: &str) -> String {
    let asks = |c: char| matches!(c, '?' | '？' | '؟');
    let mark = text.trim_end().chars().rev().take_while(|c| ends(*c)).find(|c| asks(*c));
    let mut plain = bare(text);
    plain.extend(mark);
    plain
}

/// NFKC, lower case, single spaces, plain apostrophes, no punctuation at the ends.
pub(super) fn normalised(text: &str) -> String {
    bare(text).to_lowercase()
}

fn ends(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '.' | '?' | '!' | '…' | ',' | ';' | '"' | '¿' | '¡' | '。' | '？' | '！')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_reads_nothing_of_a_question_that_its_key_leaves_out_but_case_and_question_mark() {
        for (text, read) in [
            ("Do you ship to Norway?", "Do you ship to Norway?"),
            ("  Ｄｏ you\n\nship to Norway ?!?!", "Do you ship to Norway?"),
            ("\"…Do you ship to Norway!!!\"", "Do you ship to Norway"),
            ("¿Envían a España?", "Envían a España?"),
            ("Is 5 ² ‘ok’?", "Is 5 2 'ok'?"),
            ("你们发货到挪威吗？", "你们发货到挪威吗？"),
        ] {
            assert_eq!(plain(text), read);
            assert_eq!(normalised(text), normalised(read));
        }
    }
}
