//! Characters that are read as others: letters of other scripts that look like Latin ones, letters
//! that look like digits, and digits that are words.

/// Letters of Cyrillic and Greek that look like Latin ones, and the Latin ones in lower case.
const TWINS: [(char, char); 58] = [
    ('\u{130}', 'i'),
    ('\u{131}', 'i'),
    ('\u{251}', 'a'),
    ('\u{261}', 'g'),
    ('Α', 'a'),
    ('Β', 'b'),
    ('Ε', 'e'),
    ('Ζ', 'z'),
    ('Η', 'h'),
    ('Ι', 'i'),
    ('Κ', 'k'),
    ('Μ', 'm'),
    ('Ν', 'n'),
    ('Ο', 'o'),
    ('Ρ', 'p'),
    ('Τ', 't'),
    ('Υ', 'y'),
    ('Χ', 'x'),
    ('α', 'a'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('χ', 'x'),
    ('Ѕ', 's'),
    ('І', 'i'),
    ('Ј', 'j'),
    ('А', 'a'),
    ('В', 'b'),
    ('Е', 'e'),
    ('К', 'k'),
    ('М', 'm'),
    ('Н', 'h'),
    ('О', 'o'),
    ('Р', 'p'),
    ('С', 'c'),
    ('Т', 't'),
    ('У', 'y'),
    ('Х', 'x'),
    ('а', 'a'),
    ('е', 'e'),
    ('к', 'k'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('т', 't'),
    ('у', 'y'),
    ('х', 'x'),
    ('ѕ', 's'),
    ('і', 'i'),
    ('ј', 'j'),
    ('һ', 'h'),
    ('ӏ', 'l'),
    ('ԁ', 'd'),
    ('ԛ', 'q'),
    ('Ԝ', 'w'),
    ('ԝ', 'w'),
];

/// The Latin letter that `c` looks like.
pub(super) fn latin(c: char) -> Option<char> {
    if !matches!(c, '\u{130}'..='\u{261}' | '\u{370}'..='\u{52f}') {
        return None;
    }
    TWINS.binary_search_by_key(&c, |(twin, _)| *twin).ok().map(|index| TWINS[index].1)
}

pub(super) const fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{481}' | '\u{48a}'..='\u{52f}')
}

/// Length in bytes of the Cyrillic letters that `text` begins with, and whether they are a whole word of
/// which one looks like no Latin letter: "меня", but not "ра" of "раssword".
pub(super) fn cyrillic_word(text: &str) -> (usize, bool) {
    let length = text.find(|c| !is_cyrillic(c)).unwrap_or(text.len());
    let word = &text[..length];
    let whole = !text[length..].starts_with(char::is_alphabetic);
    let has_twin = |c: char| {
        latin(c).is_some() || c.to_lowercase().chain(c.to_uppercase()).any(|c| latin(c).is_some())
    };
    (length, whole && word.chars().any(|c| !has_twin(c)))
}

/// The digit that a letter is typed for.
pub(super) fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte),
        b'o' => Some(b'0'),
        b'l' | b'i' => Some(b'1'),
        b'z' => Some(b'2'),
        b's' => Some(b'5'),
        b'b' => Some(b'8'),
        _ => None,
    }
}

/// Of a script that has no spaces between words.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

/// The digits of Chinese and Japanese, also as banks write them.
const HAN: [&str; 10] =
    ["〇零○", "一壹弌", "二贰貳弐", "三叁參参", "四肆", "五伍", "六陆陸", "七柒漆", "八捌", "九玖"];
/// Fewer of them in a row are words of a sentence.
const FEWEST: usize = 3;

/// The digit that a Chinese character means.
pub(super) fn han(c: char) -> Option<char> {
    if !matches!(c, '\u{25cb}' | '\u{3007}' | '\u{4e00}'..='\u{9fff}') {
        return None;
    }
    let value = HAN.iter().position(|signs| signs.contains(c))?;
    char::from_digit(u32::try_from(value).ok()?, 10)
}

/// Length in bytes of the number in Chinese digits that `text` begins with; signs and spaces may
/// part its digits.
pub(super) fn han_number(text: &str) -> Option<usize> {
    let (mut digits, mut end, mut gap) = (0, 0, 0);
    for (at, c) in text.char_indices() {
        if han(c).is_some() {
            digits += 1;
            end = at + c.len_utf8();
            gap = 0;
        } else if gap < 2 && !c.is_alphanumeric() {
            gap += 1;
        } else {
            break;
        }
    }
    (digits >= FEWEST).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_sorted_and_digits_in_a_row_are_a_number() {
        assert!(TWINS.is_sorted());
        assert_eq!(
            [latin('Е'), latin('о'), latin('ж'), latin('e')],
            [Some('e'), Some('o'), None, None]
        );
        assert_eq!(han_number("四一一一 一一"), Some(19));
        assert_eq!(han_number("一个"), None);
        assert_eq!(han('柒'), Some('7'));
    }
}
