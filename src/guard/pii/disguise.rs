//! Words and numbers with other signs in place of their letters: "p a s s w o r d", "p@ssw0rd",
//! "O77OO 9OO123".

use std::ops::{Range, RangeInclusive};

use super::{
    alike::digit,
    context::Context,
    plain::Edit,
    vocabulary::{Class, MEANINGS},
};

const SHORTEST: usize = 3;
const LONGEST: usize = 16;
/// Digits of a phone number, and tokens that it is typed in.
const PHONE: RangeInclusive<usize> = 9..=15;
const MOST_TOKENS: usize = 8;

/// The edits that write them as they are meant.
pub(super) fn edits(text: &str, context: &Context<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    spaced(text, context, &mut edits);
    numbers(text, &mut edits);
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = bytes[at..].iter().position(is_inside).map(|n| at + n) {
        let (mut end, mut letters) = (start, 0);
        while let Some(byte) = bytes.get(end).filter(|byte| is_inside(byte)) {
            letters += usize::from(byte.is_ascii_alphabetic());
            end += 1;
        }
        at = end;
        let token = text[start..end].trim_end_matches('!');
        let range = start..start + token.len();
        if letters == 0 || letters == token.len() || token.len() > LONGEST {
            continue;
        }
        if letters * 2 < token.len() {
            // A code.
        } else if let Some(word) = word(token).filter(|_| !is_value(context, start)) {
            edits.push(Edit { range, with: word.into() });
        }
    }
    edits
}

fn is_inside(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'$' | b'!')
}

/// Phone numbers that are typed with letters: "O77OO 9OO 123", "+49 I7O 555OI23".
fn numbers(text: &str, edits: &mut Vec<Edit>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let begins = |byte: &u8| matches!(byte, b'0' | b'o' | b'+');
    while let Some(start) = bytes[at..].iter().position(begins).map(|n| at + n) {
        let before = &text[..start];
        let free = !before.ends_with(|c: char| c.is_alphanumeric());
        let start = start + usize::from(bytes[start] == b'+');
        at = bytes.len().min(start + 1);
        if !free || bytes.get(start).is_none_or(|byte| digit(*byte).is_none()) {
            continue;
        }
        let tokens = tokens(bytes, start);
        let Some(end) = tokens.last().map(|last| last.end) else { continue };
        at = end;
        let length: usize = tokens.iter().map(Range::len).sum();
        let digits = bytes[start..end].iter().filter(|byte| byte.is_ascii_digit()).count();
        let letters = length - digits;
        if letters == 0 || !PHONE.contains(&length) || digits <= letters {
            continue;
        }
        for token in tokens {
            let typed = &text[token.clone()];
            if typed.contains(char::is_alphabetic) {
                let digits: String = typed.bytes().filter_map(digit).map(char::from).collect();
                edits.push(Edit { range: token, with: digits.into() });
            }
        }
    }
}

/// The tokens from `start` on that may be one number. Letters alone are a part of it only between
/// digits, and never one alone.
fn tokens(bytes: &[u8], start: usize) -> Vec<Range<usize>> {
    let mut tokens: Vec<Range<usize>> = Vec::new();
    let mut at = start;
    loop {
        let length = bytes[at..].iter().take_while(|byte| digit(**byte).is_some()).count();
        let token = at..at + length;
        let ends = !bytes.get(token.end).is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
        let has_digit = bytes[token.clone()].iter().any(u8::is_ascii_digit);
        let first = tokens.is_empty();
        if !ends
            || length == 0
            || !has_digit && (first || length < 2)
            || tokens.len() == MOST_TOKENS
        {
            break;
        }
        let gap = bytes[token.end..].iter().take_while(|b| b" .-/()".contains(b)).count();
        at = token.end + gap;
        tokens.push(token);
        if !(1..=2).contains(&gap) {
            break;
        }
    }
    while tokens.last().is_some_and(|last| !bytes[last.clone()].iter().any(u8::is_ascii_digit)) {
        tokens.pop();
    }
    tokens
}

/// The word for a secret that is typed with other signs.
fn word(token: &str) -> Option<String> {
    if token == "2fa" {
        return Some("mfa".into());
    }
    let letter = |c: char| match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        c => c,
    };
    let word: String = token.chars().map(letter).collect();
    is_of_secret(&word).then_some(word)
}

fn is_of_secret(word: &str) -> bool {
    let of_secrets = [Class::Password, Class::Pin, Class::Cvv, Class::Iban, Class::Ssn];
    let class = MEANINGS.get(word).and_then(|meaning| meaning.class);
    class.is_some_and(|class| of_secrets.contains(&class))
}

/// What follows "password" is a value.
fn is_value(context: &Context<'_>, start: usize) -> bool {
    context.before(start).any(|told| told.class == Class::Password)
}

/// "p a s s w o r d", "p.i.n"
fn spaced(text: &str, context: &Context<'_>, edits: &mut Vec<Edit>) {
    let words = &context.words;
    let single = |index: usize| {
        words.get(index).is_some_and(|word| text[word.range.clone()].chars().nth(1).is_none())
    };
    let gap = |index: usize| &text[words[index].range.end..words[index + 1].range.start];
    let mut at = 0;
    while at < words.len() {
        let mut end = at + 1;
        while single(at)
            && single(end)
            && matches!(gap(end - 1), " " | "." | "-" | "_" | "*" | ". " | "  ")
            && gap(end - 1) == gap(at)
        {
            end += 1;
        }
        let mut first = at;
        while first + SHORTEST <= end {
            let longest = LONGEST.min(end - first);
            let found = (SHORTEST..=longest).rev().find_map(|count| {
                let letters = words[first..first + count].iter();
                let joined: String = letters.map(|word| &text[word.range.clone()]).collect();
                is_of_secret(&joined).then_some((count, joined))
            });
            match found {
                Some((count, joined)) => {
                    let last = &words[first + count - 1];
                    let range = words[first].range.start..last.range.end;
                    edits.push(Edit { range, with: joined.into() });
                    first += count;
                }
                None => first += 1,
            }
        }
        at = end;
    }
}
