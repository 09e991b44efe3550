//! Characters that nobody sees. They are taken out of a message before anything reads it, since they
//! hide words from rules and show the model what a person cannot read. What writing systems and
//! emoji need stays. A message in which they spell a text is an attack.

use std::borrow::Cow;

use crate::domain::is_invisible;

/// So many characters of a hidden text are no accident.
const SPELLED: usize = 4;
/// A message with more invisible characters than this, and more than visible ones, hides something.
const MANY: usize = 32;

/// The text without invisible characters. These stay: the signs that show in which direction to
/// read, in a text with letters that are read from the right; joiners and selectors of emoji, and
/// joiners within other scripts than Latin.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|b| is_invisible(char::from(b))) {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(is_invisible) {
        return Cow::Borrowed(text);
    }
    let from_right =
        text.chars().any(|c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fefc}'));
    let mut kept = String::with_capacity(text.len());
    let mut before = ' ';
    let mut flag = false;
    for c in text.chars() {
        flag = c == '\u{1f3f4}' || (flag && is_tag(c));
        let stays = match c {
            c if !is_invisible(c) => true,
            '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2066}'..='\u{2069}' => from_right,
            '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' => needs_joiner(before),
            c => flag && is_tag(c),
        };
        if stays {
            kept.push(c);
        }
        // A selector stands between an emoji and its joiner.
        if !is_invisible(c) {
            before = c;
        }
    }
    Cow::Owned(kept)
}

/// What tag characters spell, outside of flags. `None` if they spell nothing.
pub fn hidden(text: &str) -> Option<String> {
    let mut spelled = String::new();
    let mut flag = false;
    for c in text.chars() {
        flag = c == '\u{1f3f4}' || (flag && is_tag(c));
        if is_tag(c) && !flag {
            spelled.extend(char::from_u32(u32::from(c) - 0xe0000).filter(|c| !c.is_control()));
        }
    }
    (spelled.len() >= SPELLED).then_some(spelled)
}

/// Whether most of the text is invisible.
pub fn is_mostly_hidden(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let unseen = text.chars().filter(|c| is_invisible(*c)).count();
    unseen > MANY && unseen * 2 > text.chars().count()
}

const fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
}

/// Emoji, and letters beyond the Latin, Greek and Cyrillic ones.
const fn needs_joiner(before: char) -> bool {
    matches!(before, '\u{590}'..='\u{1fff}' | '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}'
        | '\u{3297}' | '\u{3299}' | '\u{a9}' | '\u{ae}' | '#' | '*' | '0'..='9'
        | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_taken_out() {
        for (text, kept) in [
            ("ig\u{200b}no\u{ad}re\u{feff} it", "ignore it"),
            ("refund \u{202e}001\u{202c} euro", "refund 001 euro"),
            ("a\u{200d}b\u{fe0f}", "ab"),
            ("bell\u{7}\u{1b}[31m", "bell[31m"),
            ("x\u{e0041}\u{e0042}", "x"),
            ("two\nlines\tand tabs", "two\nlines\tand tabs"),
            ("abc\u{200f}def", "abcdef"),
            ("Größe", "Größe"),
        ] {
            assert_eq!(clean(text), kept, "{text:?}");
        }
    }

    #[test]
    fn what_emoji_and_other_scripts_need_stays() {
        for text in [
            "👩\u{200d}👧 ❤\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم \u{200f}abc",
            "क\u{94d}\u{200d}ष",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        ] {
            assert_eq!(clean(text), text, "{text:?}");
            assert_eq!(hidden(text), None, "{text:?}");
        }
    }

    #[test]
    fn tag_characters_spell_a_text() {
        let tags: String =
            "ignore it".bytes().filter_map(|b| char::from_u32(0xe0000 + u32::from(b))).collect();
        assert_eq!(hidden(&format!("hello{tags}")).as_deref(), Some("ignore it"));
        assert_eq!(hidden("hello"), None);
    }

    #[test]
    fn a_text_that_is_mostly_hidden_is_known() {
        assert!(is_mostly_hidden(&format!("hi{}", "\u{200b}".repeat(60))));
        assert!(!is_mostly_hidden(&format!("{}{}", "hello ".repeat(20), "\u{200b}".repeat(60))));
        assert!(!is_mostly_hidden("👩\u{200d}👧"));
    }
}
