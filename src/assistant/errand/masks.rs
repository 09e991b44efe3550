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
