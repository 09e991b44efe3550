//! Numbers that states give to people, by their form and their check digits, without a word before
//! them. Those with a weak check digit (BSN, NIF, NINO) need their words: see `document`.

use std::{ops::Range, sync::LazyLock};

use super::context::{Context, Named};

/// In characters, without signs.
const LONGEST: usize = 18;
const SHORTEST: usize = 9;

/// `0` stands for a digit, `a` for a letter, `*` for both.
struct Form {
    shape: &'static str,
    is_checked: fn(&[u8]) -> bool,
    /// Without signs other numbers have its check digits too often.
    only_with_signs: bool,
}

const FORMS: [Form; 11] = [
    // Italy, codice fiscale: letters stand in the place of the last digits if two people have one
    // code.
    Form { shape: "aaaaaa00a**a***a", is_checked: is_italian, only_with_signs: false },
    // France, NIR, also of Corsica ("2A").
    Form { shape: "000000*00000000", is_checked: is_french, only_with_signs: false },
    // Spain, NIE and DNI.
    Form { shape: "a0000000a", is_checked: is_spanish, only_with_signs: false },
    Form { shape: "00000000a", is_checked: is_spanish, only_with_signs: false },
    // Germany, Steuer-ID.
    Form { shape: "00000000000", is_checked: is_german, only_with_signs: false },
    // Poland, PESEL.
    Form { shape: "00000000000", is_checked: is_polish, only_with_signs: false },
    // Belgium, number of the national register.
    Form { shape: "00000000000", is_checked: is_belgian, only_with_signs: false },
    // Brazil, CPF: by chance one in a hundred, so only with its signs.
    Form { shape: "00000000000", is_checked: is_brazilian, only_with_signs: true },
    // Switzerland, AHV.
    Form { shape: "0000000000000", is_checked: is_swiss, only_with_signs: false },
    // China, resident identity card (GB 11643).
    Form { shape: "00000000000000000*", is_checked: is_chinese, only_with_signs: false },
    // United Arab Emirates, identity card.
    Form { shape: "000000000000000", is_checked: is_emirati, only_with_signs: false },
];

/// The forms that have a digit, or a letter, at a place: a bit for each.
static FITS: LazyLock<[[u16; 2]; LONGEST]> = LazyLock::new(|| {
    let mut fits = [[0; 2]; LONGEST];
    for (bit, form) in FORMS.iter().enumerate() {
        for (place, kind) in form.shape.bytes().enumerate() {
            fits[place][0] |= u16::from(kind != b'a') << bit;
            fits[place][1] |= u16::from(kind != b'0') << bit;
        }
    }
    fits
});

pub(super) fn find(text: &str, context: &Context<'_>, found: &mut impl FnMut(Range<usize>)) {
    if text.bytes().filter(u8::is_ascii_digit).count() + 2 < SHORTEST {
        return;
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let begins = bytes[at].is_ascii_alphanumeric()
            && !text[..at].ends_with(|c: char| c.is_alphanumeric() || "-_/.,+".contains(c));
        match begins.then(|| number(bytes, at)).flatten() {
            Some(range)
                if context.named(&range) != Named::Yes && !is_part_of_more(bytes, &range) =>
            {
                at = range.end;
                found(range);
            }
            _ => at = next(text, at),
        }
    }
}

/// A number that is typed or said digit by digit does not begin or end among others.
fn is_part_of_more(bytes: &[u8], range: &Range<usize>) -> bool {
    let single = bytes.get(range.start + 1).is_some_and(|byte| !byte.is_ascii_alphanumeric());
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let sign = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|b| *b == b' ');
    let before = range.start.checked_sub(1);
    single
        && (sign(before) && digit(range.start.checked_sub(2))
            || sign(Some(range.end)) && digit(Some(range.end + 1)))
}

/// The next character.
fn next(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

/// The number that begins at `start`: its characters with single signs between them.
fn number(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let mut typed = [0; LONGEST];
    let (mut count, mut signs, mut forms) = (0, 0, u16::MAX);
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        if byte.is_ascii_alphanumeric() && count < LONGEST {
            forms &= FITS[count][usize::from(byte.is_ascii_alphabetic())];
            if forms == 0 {
                break;
            }
            typed[count] = *byte;
            count += 1;
            signs = 0;
            let end = at + 1;
            let ends = !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
            if ends && count >= SHORTEST && is_number(&typed[..count], forms, end - start > count) {
                return (!goes_on(&bytes[end..])).then_some(start..end);
            }
        } else if b" .-/".contains(byte) && signs == 0 {
            signs += 1;
        } else {
            break;
        }
    }
    None
}

/// "12345678Z-XL" and "…-2" are codes of something else.
fn goes_on(rest: &[u8]) -> bool {
    match rest {
        [b'-' | b'/' | b'_', next, ..] => next.is_ascii_alphanumeric(),
        [b'.' | b',', next, ..] => next.is_ascii_digit(),
        _ => false,
    }
}

fn is_number(typed: &[u8], forms: u16, signs: bool) -> bool {
    let forms = FORMS.iter().enumerate().filter(|(bit, _)| forms & (1 << bit) != 0);
    forms.into_iter().any(|(_, form)| {
        form.shape.len() == typed.len()
            && (signs || !form.only_with_signs)
            && (form.is_checked)(typed)
    })
}

fn digit(byte: u8) -> u64 {
    u64::from(byte.wrapping_sub(b'0'))
}

fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, byte| value * 10 + digit(*byte))
}

/// The sum of digits times weights.
fn weighted(digits: &[u8], weights: &[u64]) -> u64 {
    digits.iter().zip(weights).map(|(byte, weight)| digit(*byte) * weight).sum()
}

fn is_day(month: u64, day: u64) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Key of 97; the departments 2A and 2B count as 19 and 18 (INSEE).
fn is_french(typed: &[u8]) -> bool {
    let mut digits = [0; 15];
    digits.copy_from_slice(typed);
    match (typed[5], typed[6]) {
        (b'2', b'a') => digits[5..7].copy_from_slice(b"19"),
        (b'2', b'b') => digits[5..7].copy_from_slice(b"18"),
        (_, b'0'..=b'9') => {}
        _ => return false,
    }
    let (month, number, key) = (value(&digits[3..5]), value(&digits[..13]), value(&digits[13..]));
    matches!(digits[0], b'1' | b'2' | b'7' | b'8')
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
        && key == 97 - number % 97
}

/// The letter is the rest of a division by 23; X, Y and Z stand for 0, 1 and 2.
fn is_spanish(typed: &[u8]) -> bool {
    const LETTERS: &[u8; 23] = b"trwagmyfpdxbnjzsqvhlcke";
    let first = match typed[0] {
        letter @ b'x'..=b'z' => letter - b'x' + b'0',
        digit @ b'0'..=b'9' => digit,
        _ => return false,
    };
    let number = value(&[&[first], &typed[1..8]].concat());
    let letter = usize::try_from(number % 23).ok().and_then(|rest| LETTERS.get(rest));
    number > 99_999 && letter == typed.last()
}

/// Check digit of ISO/IEC 7064, MOD 11,10; one digit of the first ten stands two or three times.
fn is_german(typed: &[u8]) -> bool {
    let mut product = 10;
    for byte in &typed[..10] {
        let sum = match (digit(*byte) + product) % 10 {
            0 => 10,
            sum => sum,
        };
        product = sum * 2 % 11;
    }
    let counts = (b'0'..=b'9').map(|d| typed[..10].iter().filter(|byte| **byte == d).count());
    let counts: Vec<usize> = counts.filter(|count| *count > 0).collect();
    let repeated: Vec<&usize> = counts.iter().filter(|count| **count > 1).collect();
    typed[0] != b'0' && matches!(repeated[..], [2 | 3]) && (11 - product) % 10 == digit(typed[10])
}

/// Weights of 1, 3, 7 and 9, and a date of birth from 1900 on.
fn is_polish(typed: &[u8]) -> bool {
    let sum = weighted(typed, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    let (year, month, day) = (value(&typed[..2]), value(&typed[2..4]), value(&typed[4..6]));
    let born = is_day(month, day) || year < 40 && month > 20 && is_day(month - 20, day);
    born && sum.is_multiple_of(10)
}

/// Key of 97, with a 2 in front for those born from 2000 on.
fn is_belgian(typed: &[u8]) -> bool {
    let (number, key) = (value(&typed[..9]), value(&typed[9..]));
    let key_of = |number: u64| 97 - number % 97;
    is_day(value(&typed[2..4]), value(&typed[4..6]))
        && (key == key_of(number) || key == key_of(number + 2_000_000_000))
}

/// Two check digits, each the rest of a division by 11.
fn is_brazilian(typed: &[u8]) -> bool {
    let check = |count: usize, first: u64| {
        let weights: Vec<u64> = (2..=first).rev().collect();
        weighted(&typed[..count], &weights) * 10 % 11 % 10
    };
    let one = typed.iter().all(|byte| *byte == typed[0]);
    !one && check(9, 10) == digit(typed[9]) && check(10, 11) == digit(typed[10])
}

/// Prefix of the country, and the check digit of an EAN.
fn is_swiss(typed: &[u8]) -> bool {
    let sum = weighted(typed, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
    typed.starts_with(b"756") && sum.is_multiple_of(10)
}

/// Check character of ISO/IEC 7064, MOD 11-2, and a date of birth.
fn is_chinese(typed: &[u8]) -> bool {
    const CHECKS: &[u8; 11] = b"10x98765432";
    let sum = weighted(&typed[..17], &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let check = usize::try_from(sum % 11).ok().and_then(|rest| CHECKS.get(rest));
    (1900..2100).contains(&value(&typed[6..10]))
        && is_day(value(&typed[10..12]), value(&typed[12..14]))
        && check == typed.last()
}

/// Prefix of the country, year of birth, and Luhn's digit.
fn is_emirati(typed: &[u8]) -> bool {
    let digits = std::str::from_utf8(typed).unwrap_or_default();
    typed.starts_with(b"784")
        && (1900..2100).contains(&value(&typed[3..7]))
        && super::issuer::is_checked(digits)
}

/// A letter counts otherwise at odd places; the last one is the check letter.
fn is_italian(typed: &[u8]) -> bool {
    const ODD: [u64; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    // Letters that stand for digits.
    let digit_like = |byte: &u8| byte.is_ascii_digit() || b"lmnpqrstuv".contains(byte);
    let places = [6, 7, 9, 10, 12, 13, 14];
    let place = |byte: &u8| match byte {
        b'0'..=b'9' => usize::from(byte - b'0'),
        letter => usize::from(letter.wrapping_sub(b'a')),
    };
    let sum: u64 = typed[..15]
        .iter()
        .enumerate()
        .map(|(index, byte)| match index % 2 {
            0 => ODD.get(place(byte)).copied().unwrap_or_default(),
            _ => place(byte) as u64,
        })
        .sum();
    places.iter().all(|at| digit_like(&typed[*at]))
        && b"abcdehlmprst".contains(&typed[8])
        && typed.last().is_some_and(|check| u64::from(check.wrapping_sub(b'a')) == sum % 26)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_person_has_its_check_digits() {
        let whole = |text: &str| number(text.as_bytes(), 0) == Some(0..text.len());
        for text in [
            "rssmra85t10a562s",
            "rss mra 85t10 a562s",
            "1 85 05 78 006 084 91",
            "269054958815780",
            "1 84 12 2a 451 089 33",
            "12345678z",
            "x1234567l",
            "86095742719",
            "47 036 892 816",
            "44051401359",
            "85.07.30-033.28",
            "111.444.777-35",
            "756.9217.0769.85",
            "11010519491231002x",
        ] {
            assert!(whole(text), "{text}");
        }
        for text in [
            "rssmra85t10a562t",
            "185057800608492",
            "12345678a",
            "x1234567m",
            "86095742718",
            "44051401358",
            "11144477736",
            "7569217076986",
        ] {
            assert!(!whole(text), "{text}");
        }
    }
}
