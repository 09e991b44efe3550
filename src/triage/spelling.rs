//! How the words of a language are spelled: naive Bayes over the trigrams of all word lists. It
//! knows words that no list has, and is less certain than a list.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::text::Message;
use crate::words;

/// What a trigram counts that a language does not have.
const UNSEEN: f32 = 0.5;

/// Letters that follow one another. A space is the start or the end of a word.
type Trigram = [char; 3];

struct Table {
    languages: Vec<&'static str>,
    /// The logarithm of the share of each trigram, for each language.
    shares: HashMap<Trigram, Box<[f32]>>,
    /// The same for a trigram that only other languages have.
    unseen: Box<[f32]>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let languages: Vec<_> = words::languages::<words::Language>().collect();
    let mut counts: HashMap<Trigram, Box<[f32]>> = HashMap::new();
    let mut sums = vec![0.0_f32; languages.len()];
    let mut seen: HashSet<(usize, &str)> = HashSet::new();
    for (language, line) in words::lines() {
        let Some(at) = languages.iter().position(|other| *other == language) else { continue };
        for part in line.split([' ', ',', '=']).filter(|part| !part.is_empty()) {
            if !seen.insert((at, part)) {
                continue;
            }
            let message = Message::new(part);
            for trigram in trigrams(&message, part.ends_with('*')) {
                counts.entry(trigram).or_insert_with(|| vec![0.0; languages.len()].into())[at] +=
                    1.0;
                sums[at] += 1.0;
            }
        }
    }
    let kinds = counts.len() as f32;
    let log = |count: f32, sum: f32| ((count + UNSEEN) / UNSEEN.mul_add(kinds, sum)).ln();
    let unseen = sums.iter().map(|sum| log(0.0, *sum)).collect();
    for row in counts.values_mut() {
        row.iter_mut().zip(&sums).for_each(|(count, sum)| *count = log(*count, *sum));
    }
    Table { languages, shares: counts, unseen }
});

/// The share of each language in the evidence, together 1. Languages with a script of their own
/// have none.
pub fn shares(message: &Message) -> impl Iterator<Item = (&'static str, f32)> {
    let mut logs = vec![0.0_f32; TABLE.languages.len()];
    let mut count = 0.0_f32;
    for trigram in trigrams(message, false) {
        let row = TABLE.shares.get(&trigram).unwrap_or(&TABLE.unseen);
        logs.iter_mut().zip(row).for_each(|(log, share)| *log += share);
        count += 1.0;
    }
    let most = logs.iter().copied().fold(f32::MIN, f32::max);
    // Trigrams overlap, so together they say less than as many words would.
    let weights = logs.into_iter().map(move |log| ((log - most) / count.max(1.0).sqrt()).exp());
    let weights: Vec<f32> = weights.collect();
    let sum: f32 = weights.iter().sum();
    let share = move |weight| if count > 0.0 { weight / sum } else { 0.0 };
    TABLE.languages.iter().copied().zip(weights.into_iter().map(share))
}

/// Those of the words of letters. An open end is not the end of a word.
fn trigrams(message: &Message, open: bool) -> Vec<Trigram> {
    let mut found = Vec::new();
    for at in 0..message.len() {
        let word = message.word(at);
        if !word.chars().all(char::is_alphabetic) {
            continue;
        }
        let end = (!open).then_some(' ');
        let letters: Vec<char> = [' '].into_iter().chain(word.chars()).chain(end).collect();
        found.extend(letters.windows(3).map(|three| [three[0], three[1], three[2]]));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_no_list_has_looks_like_its_language() {
        for (word, language) in [
            ("Zwischenlagerung", "de"),
            ("withholding", "en"),
            ("ensoleillement", "fr"),
            ("uitgeschreven", "nl"),
            ("przyszłościowy", "pl"),
            ("maggiormente", "it"),
        ] {
            let best = shares(&Message::new(word)).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            assert_eq!(best.0, language, "{word}");
        }
    }

    #[test]
    fn shares_are_of_one_and_a_number_has_none() {
        let sum = |text| shares(&Message::new(text)).map(|(_, share)| share).sum::<f32>();
        assert!((sum("where is it") - 1.0).abs() < 1e-5);
        assert_eq!(sum("10482 !"), 0.0);
    }
}
