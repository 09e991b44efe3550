//! A guess at the length of a text in tokens, without a tokenizer.

/// About four characters a token for text in the Latin script, one for each character beyond it.
///
/// A bound for queues and prompts, not a bill: real tokenizers differ by some 30 % either way.
pub fn estimate_tokens(text: &str) -> usize {
    let (mut latin, mut other) = (0_usize, 0_usize);
    for character in text.chars() {
        match character {
            '\0'..='\u{24F}' => latin += 1,
            _ => other += 1,
        }
    }
    latin.div_ceil(4) + other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_latin_letters_or_one_wide_character_are_a_token() {
        assert_eq!(estimate_tokens(""), 0);
        assert_eq!(estimate_tokens("Hallo Welt, grüße"), 5);
        assert_eq!(estimate_tokens("你好"), 2);
    }
}
