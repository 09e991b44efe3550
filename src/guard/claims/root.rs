//! What the forms of a word have in common.

use super::lexicon::{self, Entry};

/// A hash of it.
pub(super) type Root = u32;

/// Of a word, by what the lists say of it.
pub(super) fn root(lower: &str, entry: Entry) -> Root {
    let word = entry.same.unwrap_or(lower);
    hash(stem(word))
}

/// Of one word of the lists.
pub(super) fn root_of(word: &str) -> Root {
    root(word, lexicon::entry(word))
}

/// The same for most forms of a word in languages that change its end. Two words that share it are
/// seldom in the same few passages.
fn stem(word: &str) -> &str {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let long = |rest: &str| rest.chars().count() >= 3;
    let mut rest = word;
    for ending in ["ings", "ing", "ies", "ed", "es", "s", "e"] {
        if let Some(shorter) = word.strip_suffix(ending)
            && long(shorter)
        {
            rest = shorter;
            break;
        }
    }
    let mut chars = rest.chars().rev();
    if let (Some(last), Some(before)) = (chars.next(), chars.next())
        && last == before
        && rest.chars().count() > 3
    {
        rest = &rest[..rest.len() - last.len_utf8()];
    }
    let end = rest.char_indices().nth(6).map_or(rest.len(), |(at, _)| at);
    &rest[..end]
}

/// FNV-1a.
pub(super) fn hash(text: &str) -> Root {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_have_one_root() {
        for (one, other) in [
            ("ship", "shipping"),
            ("ships", "shipped"),
            ("deliver", "delivery"),
            ("delivered", "deliveries"),
            ("store", "stores"),
            ("cancel", "cancelled"),
            ("österreich", "austria"),
            ("versand", "shipping"),
        ] {
            assert_eq!(root_of(one), root_of(other), "{one} {other}");
        }
        assert_ne!(root_of("berlin"), root_of("munich"));
    }
}
