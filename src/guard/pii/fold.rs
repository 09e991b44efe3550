//! Folds each character to its plainest spelling: compatibility forms (Unicode NFKD), digits of all
//! scripts, dashes, spaces, lower case, codes such as `&nbsp;`. What nobody sees is dropped.

use std::ops::Range;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::{alike, coded, kind::Kind, plain::Plain};

/// Stands for a placeholder, so that nothing in it is read.
pub(super) const PLACEHOLDER: char = '\u{fffc}';

pub(super) fn fold(text: &str) -> Plain {
    let coded = coded::is_likely(text);
    if text.is_ascii() && !coded && !text.contains('[') {
        return Plain::same(text.to_ascii_lowercase());
    }
    let mut plain = Plain::with_capacity(text.len());
    let (mut skip_to, mut number_to) = (0, 0);
    let (mut cyrillic_to, mut is_own_script) = (0, false);
    for (at, c) in text.char_indices() {
        if at < skip_to {
            continue;
        }
        if let Some(length) = (c == '[').then(|| placeholder(&text[at..])).flatten() {
            skip_to = at + length;
            plain.push(PLACEHOLDER, at..skip_to);
            continue;
        }
        let (c, length) =
            coded.then(|| coded::decode(&text[at..])).flatten().unwrap_or((c, c.len_utf8()));
        skip_to = at + length;
        let original = at..skip_to;
        if c.is_ascii() {
            plain.push(c.to_ascii_lowercase(), original);
            continue;
        }
        if let Some(digit) = alike::han(c) {
            if at >= number_to {
                number_to = alike::han_number(&text[at..]).map_or(at, |length| at + length);
            }
            plain.push(if at < number_to { digit } else { c }, original);
            continue;
        }
        if at >= cyrillic_to && alike::is_cyrillic(c) {
            let (length, is_own) = alike::cyrillic_word(&text[at..]);
            (cyrillic_to, is_own_script) = (at + length, is_own);
        }
        if at < cyrillic_to && is_own_script {
            c.to_lowercase().for_each(|c| plain.push(c, original.clone()));
            continue;
        }
        decompose_compatible(c, |c| push(&mut plain, c, &original));
    }
    plain
}

/// Folds a word of a list as the words of a text are folded.
pub(super) fn word(text: &str) -> String {
    fold(text).as_str().to_owned()
}

/// The words of a text in lower case, without accents, with single spaces between them.
pub fn plain_words(text: &str) -> String {
    let folded = word(text);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn push(plain: &mut Plain, c: char, original: &Range<usize>) {
    if is_combining_mark(c) {
        plain.stretch(original.end);
    } else if !is_ignorable(c) {
        sign(c).to_lowercase().filter(|c| !is_combining_mark(*c)).for_each(|c| {
            plain.push(c, original.clone());
        });
    }
}

/// Format characters that take no room.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A sign that is used as another one.
fn sign(c: char) -> char {
    match c {
        c if c.is_ascii() => c,
        '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        c if c.is_whitespace() => ' ',
        '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{2796}'
        | '\u{30fc}'
        | '\u{fe58}' => '-',
        '\u{b7}' | '\u{2024}' | '\u{2027}' | '\u{3002}' | '\u{30fb}' | '\u{22c5}' => '.',
        '\u{2190}'..='\u{21ff}'
        | '\u{2794}'
        | '\u{2798}'..='\u{27be}'
        | '\u{27f0}'..='\u{27ff}'
        | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2b4f}'
        | '\u{1f449}'
        | '\u{1f846}'
        | '\u{203a}'
        | '\u{25b6}'
        | '\u{25ba}'
        | '\u{25b8}'
        | '\u{276f}' => '>',
        '\u{a6}' | '\u{2016}' | '\u{2223}' | '\u{2225}' | '\u{2502}' | '\u{2503}' | '\u{2758}'
        | '\u{2759}' | '\u{275a}' | '\u{23d0}' | '\u{2551}' | '\u{1c0}' => '|',
        '\u{223c}' | '\u{301c}' | '\u{2053}' | '\u{223f}' => '~',
        '\u{af}' | '\u{ac}' | '\u{2500}' | '\u{2501}' | '\u{23af}' => '-',
        '\u{2022}' | '\u{2219}' | '\u{25cf}' | '\u{2217}' | '\u{2055}' => '*',
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => '/',
        '\u{2018}' | '\u{2019}' | '\u{2032}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2033}' => '"',
        '\u{2795}' => '+',
        PLACEHOLDER => ' ',
        c => digit(c).or_else(|| circled(c)).or_else(|| alike::latin(c)).unwrap_or(c),
    }
}

/// The zeros of Unicode's decimal digits (general category Nd) that have no compatibility form.
const ZEROS: [u32; 58] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0,
    0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0,
    0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1e140,
    0x1e2f0, 0x1e950,
];

fn digit(c: char) -> Option<char> {
    let code = u32::from(c);
    let zero = ZEROS[ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?];
    char::from_digit(code.checked_sub(zero).filter(|digit| *digit < 10)?, 10)
}

/// Circled digits that have no compatibility form.
fn circled(c: char) -> Option<char> {
    const ONES: [char; 4] = ['⓵', '❶', '➀', '➊'];
    let value = |one: &char| (u32::from(c) + 1).checked_sub(u32::from(*one));
    let digit = ONES.iter().filter_map(value).find(|value| (1..=9).contains(value));
    digit.or((c == '⓿').then_some(0)).and_then(|digit| char::from_digit(digit, 10))
}

/// Length of the placeholder that `text` begins with.
pub(in crate::guard) fn placeholder(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('[')?;
    let numbered = |kind: &Kind| inside.strip_prefix(kind.label())?.strip_prefix('_');
    let number = Kind::ALL.iter().find_map(numbered)?;
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let is_one = (1..=3).contains(&digits) && number[digits..].starts_with(']');
    is_one.then(|| text.len() - number.len() + digits + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_folded_and_lead_back_to_what_was_typed() {
        for (typed, plain) in [
            ("４１１１", "4111"),
            ("𝟒𝟏𝟏𝟏", "4111"),
            ("④①⑪", "4111"),
            ("❹➀➊⓵⓿", "41110"),
            ("٤١١١", "4111"),
            ("४१११", "4111"),
            ("4️⃣1️⃣1️⃣1️⃣", "4111"),
            ("4\u{200b}1\u{ad}1\u{2060}1", "4111"),
            ("Teléfono", "telefono"),
            ("ann＠example．com", "ann@example.com"),
            ("＋49–171\u{a0}2", "+49-171 2"),
            ("•••• 4821", "**** 4821"),
            ("41&nbsp;11<br>%31", "41 11 1"),
            ("四一一一", "4111"),
            ("DЕ89 раssword", "de89 password"),
        ] {
            let folded = fold(typed);
            assert_eq!(folded.as_str(), plain, "{typed}");
            assert_eq!(folded.original(&(0..plain.len())), 0..typed.len(), "{typed}");
        }
    }

    #[test]
    fn only_a_placeholder_is_passed_over() {
        assert_eq!(fold("x [CARD_1] y").as_str(), "x \u{fffc} y");
        for text in ["[CARD_4111]", "[CARD_]", "[NOBODY_1]", "[CARD_1", "["] {
            assert_eq!(fold(text).as_str(), text.to_lowercase());
        }
    }
}
