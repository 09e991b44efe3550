//! One-time codes in messages. A shopper types what the shop has sent them, and nobody but the shop
//! may read it: it is taken out of the message before anything is kept, shared or looked for.

use std::fmt;

/// What stands in the place of a code, in the history and everywhere else.
pub const HIDDEN: &str = "••••••";

/// Digits of a code.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=10;

/// As it was typed, in the digits 0 to 9. It is shown to the shop alone.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeCode(String);

impl OneTimeCode {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[code]")
    }
}

/// `text` with [`HIDDEN`] in the place of each code, and the first one: 4 to 10 digits, of any
/// script, with single blanks or hyphens between them. Digits behind a Latin letter, or behind a
/// hyphen behind one, are a number of something else; other scripts write without blanks.
pub fn hide(text: &str) -> (String, Option<OneTimeCode>) {
    let letters: Vec<char> = text.chars().collect();
    let (mut shown, mut first) = (String::with_capacity(text.len()), None);
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        if digit(*letter).is_none() {
            shown.push(*letter);
            at += 1;
            continue;
        }
        let (digits, end) = run(&letters, at);
        let ends = letters.get(end).is_none_or(|after| !after.is_ascii_alphanumeric());
        if DIGITS.contains(&digits.len()) && ends && !is_named(&letters[..at]) {
            shown.push_str(HIDDEN);
            first.get_or_insert(OneTimeCode(digits));
        } else {
            shown.extend(&letters[at..end]);
        }
        at = end;
    }
    (shown, first)
}

/// Whether a message is a code and nothing else.
pub fn is_bare(text: &str) -> bool {
    let letters: Vec<char> = text.trim().chars().collect();
    let is_code = letters.first().is_some_and(|letter| digit(*letter).is_some());
    is_code && {
        let (digits, end) = run(&letters, 0);
        DIGITS.contains(&digits.len()) && letters[end..].iter().all(|rest| !rest.is_alphanumeric())
    }
}

/// The digits from `at` on, and where they end.
fn run(letters: &[char], at: usize) -> (String, usize) {
    let (mut digits, mut end) = (String::new(), at);
    let mut next = at;
    while let Some(letter) = letters.get(next) {
        match digit(*letter) {
            Some(found) => {
                digits.push(found);
                next += 1;
                end = next;
            }
            // One of these, and another digit behind it.
            None if matches!(letter, ' ' | '-' | '\u{a0}') && end == next => next += 1,
            None => break,
        }
    }
    (digits, end)
}

/// The number of an order: `FJ-10234`, `#10234`, `R10234`.
fn is_named(before: &[char]) -> bool {
    match before {
        [.., letter, '-' | '_' | '/' | '.'] => letter.is_ascii_alphanumeric(),
        [.., '#'] => true,
        [.., letter] => letter.is_ascii_alphabetic(),
        [] => false,
    }
}

/// A decimal digit of a script that shoppers type in.
fn digit(letter: char) -> Option<char> {
    const ZEROS: [char; 4] = ['0', '\u{660}', '\u{6f0}', '\u{ff10}'];
    let value = ZEROS.iter().find_map(|zero| {
        let value = u32::from(letter).checked_sub(u32::from(*zero))?;
        (value < 10).then_some(value)
    });
    value.and_then(|value| char::from_digit(value, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn hidden(text: &str, shown: &str, code: &str) {
        let (text, found) = hide(text);
        assert_eq!((text.as_str(), found.as_ref().map(OneTimeCode::expose)), (shown, Some(code)));
    }

    #[test]
    fn a_code_is_taken_out_of_whatever_stands_around_it() {
        hidden("123456", "••••••", "123456");
        hidden("123 456", "••••••", "123456");
        hidden("12-34-56.", "••••••.", "123456");
        hidden("My code is 4711!", "My code is ••••••!", "4711");
        hidden("code:123456", "code:••••••", "123456");
        hidden("رمزي ١٢٣٤٥٦", "رمزي ••••••", "123456");
        hidden("コードは１２３４５６です", "コードは••••••です", "123456");
        hidden("验证码123456", "验证码••••••", "123456");
    }

    #[test]
    fn each_number_that_may_be_a_code_is_hidden() {
        hidden("123456, not 654321", "••••••, not ••••••", "123456");
    }

    #[test]
    fn a_number_of_something_else_stays() {
        for text in ["order FJ-10234", "#10234", "R10234", "3 pairs", "12345678901234567", "hello"]
        {
            assert_eq!(hide(text), (text.to_owned(), None));
        }
    }

    #[test]
    fn a_bare_code_has_nothing_around_it() {
        for text in ["123456", " 123 456. ", "١٢٣٤٥٦"] {
            assert!(is_bare(text), "{text}");
        }
        for text in ["my code is 123456", "123", "FJ-10234", "123456 or so", ""] {
            assert!(!is_bare(text), "{text}");
        }
    }

    #[test]
    fn a_code_is_not_printed() {
        let (_, code) = hide("123456");
        assert_eq!(format!("{code:?}"), "Some([code])");
    }
}
