//! Who gives out payment cards: the beginnings of their numbers (ISO/IEC 7812) and their lengths.

/// First and last beginning of a range, and the lengths of its numbers.
const RANGES: &[(u32, u32, &[usize])] = &[
    // Visa
    (4, 4, &[13, 16, 19]),
    // Mastercard
    (51, 55, &[16]),
    (2221, 2720, &[16]),
    // American Express
    (34, 34, &[15]),
    (37, 37, &[15]),
    // Diners Club
    (300, 305, &[14, 16]),
    (3095, 3095, &[14, 16]),
    (36, 36, &[14, 16]),
    (38, 39, &[14, 16]),
    // JCB
    (3528, 3589, &[16, 19]),
    (1800, 1800, &[15]),
    (2131, 2131, &[15]),
    // Discover
    (6011, 6011, &[16, 19]),
    (644, 659, &[16, 19]),
    // UnionPay
    (62, 62, &[16, 17, 18, 19]),
    (81, 82, &[16, 19]),
    // Maestro, RuPay, Elo, Verve
    (50, 50, &[12, 13, 16, 18, 19]),
    (56, 58, &[12, 13, 16, 18, 19]),
    (60, 61, &[16, 18, 19]),
    (63, 64, &[12, 13, 16, 18, 19]),
    (66, 69, &[12, 13, 16, 18, 19]),
    // Mir
    (2200, 2204, &[16, 17, 18, 19]),
    // Troy
    (9792, 9792, &[16]),
];

/// Whether the digits have the beginning and the length of a card.
pub(super) fn gives_out(digits: &str) -> bool {
    RANGES.iter().any(|(first, last, lengths)| {
        let start = digits.get(..first.to_string().len()).and_then(|start| start.parse().ok());
        start.is_some_and(|start: u32| (*first..=*last).contains(&start))
            && lengths.contains(&digits.len())
    })
}

/// The check digit of ISO/IEC 7812-1, annex B (Luhn).
pub(super) fn is_checked(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0') << (index % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10) && digits.bytes().any(|byte| byte != b'0')
}

/// A trade item number of 12 or 13 digits (UPC and EAN; GS1 General Specifications, check digit of
/// weights 3 and 1).
pub(super) fn is_trade_item(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| u32::from(byte - b'0') * if index % 2 == 0 { 1 } else { 3 })
        .sum();
    (12..=13).contains(&digits.len()) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_that_issuers_publish_for_tests_are_theirs() {
        for number in [
            "4111111111111111",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "30569309025904",
            "3530111333300000",
            "6011111111111117",
            "6200000000000005",
        ] {
            assert!(gives_out(number) && is_checked(number), "{number}");
        }
        // A telephone's number (IMEI) has Luhn's digit, too.
        assert!(is_checked("490154203237518") && !gives_out("490154203237518"));
        assert!(is_trade_item("5901234123457") && !gives_out("8901234123457"));
        assert!(is_trade_item("036000291452") && !is_trade_item("036000291453"));
    }
}
