//! Amounts of money as shops write them: `449.00`, `12000`, `1.250`.

/// In millionths, of a currency that stands elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u64);

impl Amount {
    /// Digits, and at most six behind a full stop. `None` for anything else, a sign included.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !are_digits(whole) || !are_digits(part) || part.len() > 6 {
            return None;
        }
        let millionths: u64 = format!("{part:0<6}").parse().ok()?;
        whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(millionths).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compared_as_numbers() {
        let amount = |text| Amount::parse(text).unwrap();
        assert_eq!(amount("100"), amount("100.00"));
        assert!(amount("99.99") < amount("100.0"));
        assert!(amount("100.000001") > amount("100"));
        assert!(amount("1000.00") > amount("449.00"));
        for text in
            ["", "-1", "+1", "1,5", "1.", ".5", "1e3", "1.0000001", "99999999999999999999", "1 "]
        {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }
}
