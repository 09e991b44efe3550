//! What of a text a person can see.

use std::borrow::Cow;

use icu_properties::{CodePointMapData, props::GeneralCategory};
use unicode_normalization::char::is_combining_mark;

/// White space, control characters, and characters that are drawn as nothing: default ignorable ones
/// (UAX 44) and blank letters.
pub fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Format and control characters that take no room.
pub const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}'
        | '\u{86}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether nobody would see anything of the text that means something. A mark needs a letter that
/// it stands on, and a character without a meaning of its own says nothing.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| is_unseen(c) || is_combining_mark(c) || is_meaningless(c))
}

/// Not assigned, for private use, or in the place of what could not be read.
fn is_meaningless(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    matches!(category, GeneralCategory::Unassigned | GeneralCategory::PrivateUse)
        || c == char::REPLACEMENT_CHARACTER
}

/// A text with a space in the place of each placeholder such as `[EMAIL_1]`.
pub fn without_placeholders(text: &str) -> Cow<'_, str> {
    let is_kind = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let mut left = Cow::Borrowed(text);
    let mut at = 0;
    while let Some(start) = left[at..].find('[').map(|found| at + found) {
        let inside = left[start + 1..].chars().take_while(|c| is_kind(*c)).count();
        let end = start + 1 + inside;
        if inside > 0 && left[end..].starts_with(']') {
            left.to_mut().replace_range(start..=end, " ");
        }
        at = start + 1;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_left_out_and_other_brackets_stay() {
        for (text, left) in [
            ("I am [EMAIL_1], call [PHONE_12]", "I am  , call  "),
            ("a [note] and [ an [open", "a [note] and [ an [open"),
        ] {
            assert_eq!(without_placeholders(text), left);
        }
    }

    #[test]
    fn a_text_of_characters_that_nobody_sees_is_blank() {
        for text in [
            "",
            " \n\t",
            "\0",
            "\u{a0}\u{3000}",
            "\u{200b}",
            "\u{200b}\u{200d}\u{2060}",
            "\u{feff}",
            "\u{ad}",
            "\u{202e}\u{2066}",
            "\u{3164}\u{ffa0}\u{115f}",
            "\u{2800}",
            "\u{fe0f}\u{e0100}",
            "\u{e0041}\u{e007f}",
            "\u{301}\u{20dd}",
            "\u{180e} \u{34f}",
            "\u{1d173}",
            "\u{fff9}",
            "\u{e000}",
            "\u{e000}\u{f8ff} \u{fffd}",
            "\u{fffd}\u{fffd}",
            "\u{10fffd}\u{f0000}",
            "\u{378}",
            "\u{fdd0}\u{ffff}\u{1fffe}",
            "\u{2065}\u{e000}\u{301}",
        ] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in [
            "?",
            "a",
            "ß",
            "7",
            "👍",
            "👍\u{fe0f}",
            "e\u{301}",
            "।",
            "\u{200f}שלום",
            "、",
            "\u{e000}?",
            "\u{fffd}a",
        ] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
