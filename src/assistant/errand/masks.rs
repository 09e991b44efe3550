//! The spelling of a message, and its placeholders.

use std::ops::Range;

/// Digits and signs in the spelling of ASCII.
pub fn plain(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        '٠'..='٩' => char::from_digit(u32::from(c) - 0x660, 10).unwrap_or(c),
        '۰'..='۹' => char::from_digit(u32::from(c) - 0x6f0, 10).unwrap_or(c),
        c => c,
    }
}

/// "addressmask" for `[ADDRESS_1]`.
pub fn mask_word(placeholder: &str) -> String {
    let kind: String = placeholder.chars().filter(char::is_ascii_alphabetic).collect();
    kind.to_lowercase() + "mask"
}

/// Where placeholders such as `[EMAIL_1]` stand.
pub fn placeholders(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices('[') {
        let Some(length) = text[start..].find(']') else { continue };
        let inner = &text[start + 1..start + length];
        let (kind, number) = inner.rsplit_once('_').unwrap_or_default();
        let named = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        if named && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
            found.push(start..start + length + 1);
        }
    }
    found
}

/// A text in which placeholders that hide no personal data are values again: rules mask too much
/// rather than too little. `value`: behind a placeholder; `is_common`: whether it is no name and no
/// street.
pub fn unmasked(
    text: &str,
    value: &dyn Fn(&str) -> Option<String>,
    is_common: impl Fn(&str) -> bool,
) -> String {
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for range in placeholders(text) {
        let mask = &text[range.clone()];
        let hides_words = ["[NAME_", "[ADDRESS_"].iter().any(|kind| mask.starts_with(kind));
        let common = hides_words.then(|| value(mask)).flatten().filter(|value| is_common(value));
        shown.push_str(&text[at..range.start]);
        shown.push_str(common.as_deref().unwrap_or(mask));
        at = range.end;
    }
    shown.push_str(&text[at..]);
    shown
}
