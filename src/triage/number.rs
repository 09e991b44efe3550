//! A message that is nothing but an order or tracking number.

/// Shorter runs of digits are sizes and amounts.
const DIGITS: usize = 4;
const CHARACTERS: usize = 40;
/// Of a carrier or of the shop, before the digits or behind them.
const LETTERS: usize = 6;
/// What may stand before it.
const NAMES: [&str; 12] = [
    "order",
    "no",
    "nr",
    "number",
    "tracking",
    "id",
    "bestellung",
    "commande",
    "pedido",
    "ordine",
    "zamówienie",
    "bestelling",
];

pub fn is_all(text: &str) -> bool {
    if text.len() > CHARACTERS {
        return false;
    }
    let text = text.to_lowercase();
    let mut digits = 0;
    let mut letters = 0;
    for part in text.split(|c: char| c.is_whitespace() || "#:.-/_,!?".contains(c)) {
        if NAMES.contains(&part) {
            continue;
        }
        for c in part.chars() {
            match c {
                '0'..='9' => digits += 1,
                'a'..='z' => letters += 1,
                _ => return false,
            }
        }
    }
    digits >= DIGITS && letters <= LETTERS && digits > letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_of_the_shop_is_known_by_its_form() {
        for text in
            ["10482", "FJ123456789012", "#FJ-10234", "order no. 10482", "1Z 999 AA1 01 2345 6784"]
        {
            assert!(is_all(text), "{text}");
        }
        for text in
            ["where is 10482", "41", "size 42", "", "2 tents", "iphone 15", "10 482 €", "१२३४५"]
        {
            assert!(!is_all(text), "{text}");
        }
    }
}
