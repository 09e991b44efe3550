//! International bank account numbers: country, length and check digits must agree (ISO 13616).

use std::ops::Range;

use super::{
    context::{Context, Named},
    run::Run,
    vocabulary::Class,
};

/// Length by country, as in the IBAN registry; sorted.
const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

/// Signs that people type between the groups.
const BETWEEN: &[u8] = b" \t\r\n.-/_,:;|*'";
/// So many of them in a row.
const WIDEST_GAP: usize = 3;

pub(super) fn find(text: &str, context: &Context<'_>, found: &mut impl FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + 4 <= bytes.len() {
        let head = bytes[at].is_ascii_alphabetic() && starts(bytes, at);
        match head.then(|| end_of(text, at, context)).flatten() {
            Some(end) => {
                found(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
}

/// Whether a code may begin here: at the beginning of a word, or right after "iban".
fn starts(bytes: &[u8], at: usize) -> bool {
    let free = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    (free || bytes[..at].ends_with(b"iban"))
        && country(bytes, at).is_some()
        && next(bytes, at + 1)
            .and_then(|second| next(bytes, second + 1).map(|third| (second, third)))
            .is_some_and(|(second, third)| is_check(bytes, second, third))
}

/// Whether the check digits begin at `third`: "de89" or "de 89", but not "is 405".
fn is_check(bytes: &[u8], second: usize, third: usize) -> bool {
    let digits = bytes[third..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits >= 2 && third == second + 1 || (1..=2).contains(&digits)
}

/// The next letter or digit at or after `at`.
fn next(bytes: &[u8], at: usize) -> Option<usize> {
    let gap = bytes.get(at..)?.iter().take_while(|byte| BETWEEN.contains(byte)).count();
    let found = bytes.get(at + gap)?.is_ascii_alphanumeric() && gap <= WIDEST_GAP;
    found.then_some(at + gap)
}

/// Length of the IBANs of the country whose code begins at `at`.
fn country(bytes: &[u8], at: usize) -> Option<usize> {
    let code = [bytes[at].to_ascii_uppercase(), bytes[next(bytes, at + 1)?].to_ascii_uppercase()];
    let index = LENGTHS.binary_search_by_key(&code.as_slice(), |(code, _)| code.as_bytes()).ok()?;
    Some(LENGTHS[index].1)
}

/// The end of the IBAN that starts at `start`, separators between its characters included.
fn end_of(text: &str, start: usize, context: &Context<'_>) -> Option<usize> {
    let bytes = text.as_bytes();
    let length = country(bytes, start)?;
    let mut code = Vec::with_capacity(length);
    let mut at = start;
    // Without separators, or in groups of four as it is printed.
    let mut printed = true;
    while code.len() < length {
        let Some(here) = next(bytes, at) else { break };
        printed &= here == at || code.len() % 4 == 0;
        code.push(bytes[here].to_ascii_uppercase());
        at = here + 1;
    }
    let called = bytes[..start].ends_with(b"iban") || context.adjacent(start) == Some(Class::Iban);
    if code.len() < length {
        // What somebody calls an IBAN is one, even if it is too short.
        return (called && code.len() > SHORTEST && digits(&code) >= SHORTEST / 2).then_some(at);
    }
    let ends = !bytes.get(at).is_some_and(u8::is_ascii_digit);
    // A sentence has few digits.
    let many = digits(&code) * if printed { 4 } else { 2 } >= length;
    // A printed one with a slip of the finger is one, too, unless it is named as another number.
    let looks = || {
        let long = printed && length >= SHORTEST_PRINTED && digits(&code) * 2 >= length;
        long && context.named(&(start..at)) != Named::Yes
    };
    (ends && many && (remainder(&code) == 1 || called || looks())).then_some(at)
}

/// The digits of an IBAN alone: "my IBAN without the country is 37 0400 …".
pub(super) fn is_without_country(run: &Run, context: &Context<'_>) -> bool {
    let digits = run.digits();
    (SHORTEST..=30).contains(&digits)
        && context.near(run.range.start) == Some(Class::Iban)
        && context.named(&run.range) != Named::Yes
}

/// Of what somebody calls an IBAN.
const SHORTEST: usize = 12;
/// Shorter codes with wrong check digits may be "NO" and the number of an article.
const SHORTEST_PRINTED: usize = 18;

fn digits(code: &[u8]) -> usize {
    code.iter().filter(|byte| byte.is_ascii_digit()).count()
}

/// Mod 97 of the code with its first four characters moved to the end, letters as 10 to 35.
fn remainder(code: &[u8]) -> u32 {
    code[4..].iter().chain(&code[..4]).fold(0, |rest, byte| {
        let value = char::from(*byte).to_digit(36).unwrap_or(0);
        if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 }
    })
}
