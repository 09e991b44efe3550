//! The name of a document, made from the name of its file.
//!
//! An id has few characters, since it stands in paths and logs. Letters of other alphabets are
//! written in Latin ones, so that a person still recognises the file. A name that is an id already
//! stays as it is. The same name gives the same id at each import.

use std::path::Path;

use deunicode::deunicode_with_tofu;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization as _;

/// Longest id in characters.
const MAX_ID: usize = 128;
/// Longest title in characters.
const MAX_TITLE: usize = 200;

/// The id of the file at `below`, a path inside the folder; `None` if the path is not UTF-8.
pub fn external_id(below: &Path) -> Option<String> {
    let path = below.with_extension("");
    let parts = path.iter().map(|part| part.to_str()).collect::<Option<Vec<_>>>()?;
    let id = parts.iter().map(|part| id_of(part)).collect::<Vec<_>>().join("/");
    if id.len() <= MAX_ID {
        return Some(id);
    }
    let mark = mark(&parts.join("/"));
    let kept = id[..MAX_ID - 1 - mark.len()].trim_end_matches(['-', '/', '.']);
    Some(format!("{kept}-{mark}"))
}

/// `Rückgabe & Umtausch` becomes `Ruckgabe-Umtausch`.
fn id_of(part: &str) -> String {
    if part.bytes().all(|b| is_id(b.into())) {
        return part.to_owned();
    }
    let composed: String = part.nfc().collect();
    let latin = deunicode_with_tofu(&composed, "-");
    let words = latin.split(|c: char| !is_id(c) || c == '-').filter(|word| !word.is_empty());
    let id = words.collect::<Vec<_>>().join("-");
    // Nothing to read is left of `!!!`.
    if id.contains(|c: char| c.is_ascii_alphanumeric()) {
        id
    } else {
        format!("file-{}", mark(part))
    }
}

const fn is_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':')
}

/// Tells apart what would have the same id otherwise.
fn mark(name: &str) -> String {
    let composed: String = name.nfc().collect();
    hex::encode(&Sha256::digest(composed.as_bytes())[..4])
}

/// `gift-cards.md` becomes "Gift cards".
pub fn title(below: &Path) -> String {
    let stem = below.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let name = stem.nfc().map(|c| if c.is_control() || matches!(c, '-' | '_') { ' ' } else { c });
    let name: String = name.collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut letters = name.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let title: String = first.chain(letters).take(MAX_TITLE).collect();
    if title.is_empty() { stem.into_owned() } else { title }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn id(name: &str) -> String {
        external_id(Path::new(name)).unwrap()
    }

    #[test]
    fn a_file_has_a_readable_id_in_every_language() {
        for (name, expected) in [
            ("help/gift-cards.md", "help/gift-cards"),
            ("opening_hours.v2.txt", "opening_hours.v2"),
            ("Rückgabe.md", "Ruckgabe"),
            ("Größen & Maße.md", "Grossen-Masse"),
            ("Shipping & costs.md", "Shipping-costs"),
            ("  spaces  -  around .md", "spaces-around"),
            ("Garantía (2 años).html", "Garantia-2-anos"),
            ("Åpningstider på øya.md", "Apningstider-pa-oya"),
            ("Доставка.md", "Dostavka"),
            ("Παράδοση.md", "Paradose"),
            ("hilfe/Zürich/Öffnungszeiten.md", "hilfe/Zurich/Offnungszeiten"),
            ("50 % off?.csv", "50-off"),
        ] {
            assert_eq!(id(name), expected);
        }
        for name in [
            "返品について.md",
            "배송.md",
            "الشحن.md",
            "משלוח.md",
            "การจัดส่ง.md",
            "🎁 Gifts.md",
            "🎁.md",
        ] {
            let id = id(name);
            assert!(id.bytes().all(|b| is_id(b.into())) && id.len() > 2, "{name}: {id}");
            assert!(!id.starts_with("file-"), "{name}: {id}");
        }
    }

    #[test]
    fn both_ways_to_write_a_letter_are_one_name() {
        for (composed, apart) in
            [("Ru\u{308}ckgabe.md", "R\u{fc}ckgabe.md"), ("\u{1112}\u{1161}.md", "\u{d558}.md")]
        {
            assert_eq!(id(composed), id(apart));
            assert_eq!(title(Path::new(composed)), title(Path::new(apart)));
        }
    }

    #[test]
    fn a_long_name_and_one_without_letters_stay_apart_from_others() {
        let names = [
            format!("{}.md", "a".repeat(250)),
            format!("{}b.md", "a".repeat(249)),
            format!("{}.md", "ü".repeat(120)),
            format!("{}.md", "返品".repeat(40)),
            format!("{}/x.md", "folder/".repeat(30)),
            format!("{}/y.md", "folder/".repeat(30)),
            "!!!.md".to_owned(),
            "???.md".to_owned(),
            "\u{e000}.md".to_owned(),
            "---.md".to_owned(),
        ];
        let ids: HashSet<_> = names.iter().map(|name| id(name)).collect();
        assert_eq!(ids.len(), names.len(), "{ids:?}");
        assert!(ids.iter().all(|id| (1..=MAX_ID).contains(&id.len())), "{ids:?}");
    }

    #[test]
    fn a_title_is_the_name_as_it_is_written() {
        for (name, expected) in [
            ("help/gift-cards.md", "Gift cards"),
            ("opening_hours.txt", "Opening hours"),
            ("Rückgabe.md", "Rückgabe"),
            ("Shipping & costs.md", "Shipping & costs"),
            ("доставка.md", "Доставка"),
            ("two\nlines.md", "Two lines"),
            ("🎁 Gifts.md", "🎁 Gifts"),
        ] {
            assert_eq!(title(Path::new(name)), expected);
        }
        assert_eq!(title(Path::new(&"x".repeat(300))).chars().count(), MAX_TITLE);
    }

    proptest! {
        #[test]
        fn every_name_gives_an_id_and_always_the_same(name in "[^/\\\\\0.]\\PC{0,80}") {
            let first = id(&format!("{name}.md"));
            prop_assert!((1..=MAX_ID).contains(&first.len()));
            prop_assert!(first.chars().all(|c| is_id(c) || c == '/'), "{first}");
            prop_assert_eq!(id(&format!("{name}.md")), first);
        }
    }
}
