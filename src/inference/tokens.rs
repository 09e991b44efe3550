//! Estimates the number of tokens in a text, without a tokenizer.

/// About four characters per token for Latin script, and one token for every other character.
///
/// An estimate for queues and prompts, not for billing: real tokenizers differ by some 30 % either
/// way.
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
