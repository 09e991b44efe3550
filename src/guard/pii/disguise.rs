//! Words and numbers with other signs in place of their letters: "p a s s w o r d", "p@ssw0rd",
//! "O77OO 9OO123".

use super::{
    context::Context,
    plain::Edit,
    vocabulary::{Class, MEANINGS},
};

const SHORTEST: usize = 3;
const LONGEST: usize = 16;

/// The edits that write them as they are meant.
pub(super) fn edits(text: &str, context: &Context<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    spaced(text, context, &mut edits);
    let bytes = text.as_bytes();
    let mut at = 0;
    // The end of the number before.
    let mut number_to = None;
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
        let goes_on = number_to.is_some_and(|end| start - end == 1);
        if let Some(number) = number(token, goes_on) {
            number_to = Some(range.end);
            edits.push(Edit { range, with: number.into() });
        } else if letters * 2 < token.len() {
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

/// "07700" typed with letters, or what comes after it.
fn number(token: &str, goes_on: bool) -> Option<String> {
    let digit = |c: char| match c {
        'o' => Some('0'),
        'l' | 'i' => Some('1'),
        c => c.is_ascii_digit().then_some(c),
    };
    let digits = token.chars().filter(char::is_ascii_digit).count();
    let trunk = token.len() > SHORTEST && digits >= 2 && (goes_on || token.starts_with(['0', 'o']));
    trunk.then(|| token.chars().map(digit).collect()).flatten()
}

/// The word for a secret that is typed with other signs.
fn word(token: &str) -> Option<String> {
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
