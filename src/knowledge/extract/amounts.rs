//! Measures in a question, and whether a sentence says something about them: "a chest of 98 cm" is
//! in "96 to 103 cm", and "above 186 cm" holds for 190.

use crate::knowledge::{asking::lists::Lists, terms::words};

/// Words after which a number is the end of a range.
const RANGE: [&str; 6] = ["to", "and", "bis", "a", "und", "et"];
const ABOVE: [&str; 10] =
    ["above", "over", "from", "least", "than", "ab", "uber", "mindestens", "desde", "plus"];
const BELOW: [&str; 8] = ["below", "under", "most", "up", "unter", "bis", "hasta", "moins"];

#[derive(Clone, Debug, PartialEq)]
struct Measure {
    value: f64,
    unit: Option<String>,
}

/// The measures of a question. Amounts of money are limits, not measures.
#[derive(Debug, Default)]
pub struct Amounts(Vec<Measure>);

impl Amounts {
    pub fn of(question: &str, lists: &Lists) -> Self {
        let words: Vec<String> = words(question).collect();
        let mut found = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let Some(measure) = measure(word, words.get(at + 1)) else { continue };
            let is_money = measure.unit.as_deref().is_some_and(|unit| lists.money.contains(unit))
                || question.contains(['€', '$', '£']);
            if !is_money && measure.value >= 2.0 {
                found.push(measure);
            }
        }
        Self(found)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How well a sentence fits: 1 if it covers a measure, more if the label of the cell that does
    /// has a word of the question.
    pub fn fit(&self, sentence: &str, is_asked: impl Fn(&str) -> bool) -> f32 {
        let mut best = 0.0_f32;
        for cell in sentence.split(';') {
            if self.0.iter().any(|measure| covers(cell, measure)) {
                let labels = cell.split(':').next().unwrap_or("");
                let labels: Vec<String> = words(labels).filter(|_| cell.contains(':')).collect();
                let named = labels.iter().filter(|word| is_asked(word)).count() as f32;
                best = best.max(1.0 + 0.5 * named / labels.len().max(1) as f32);
            }
        }
        best
    }
}

/// "98", "98 cm", "255mm".
fn measure(word: &str, next: Option<&String>) -> Option<Measure> {
    let digits =
        word.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(word.len());
    let value = word[..digits].replace(',', "").parse().ok()?;
    let unit = match &word[digits..] {
        "" => next.filter(|next| !next.starts_with(|c: char| c.is_ascii_digit())).cloned(),
        unit => Some(unit.to_owned()),
    };
    Some(Measure { value, unit })
}

fn covers(cell: &str, asked: &Measure) -> bool {
    let words: Vec<String> = words(cell).collect();
    let number = |at: usize| words.get(at).and_then(|word| measure(word, words.get(at + 1)));
    let before = |at: usize| at.checked_sub(1).map_or("", |at| words[at].as_str());
    (0..words.len()).any(|at| {
        let Some(said) = number(at) else { return false };
        if other_unit(&said, asked) {
            return false;
        }
        let low = at.checked_sub(2).and_then(number).filter(|_| RANGE.contains(&before(at)));
        match low {
            Some(low) => low.value <= asked.value && asked.value <= said.value,
            None if ABOVE.contains(&before(at)) => asked.value >= said.value,
            None if BELOW.contains(&before(at)) || before(at) == "to" => asked.value <= said.value,
            None => (said.value - asked.value).abs() < f64::EPSILON,
        }
    })
}

/// Both have units that are measures, and they differ.
fn other_unit(a: &Measure, b: &Measure) -> bool {
    const UNITS: [&str; 8] = ["mm", "cm", "m", "kg", "g", "l", "km", "ml"];
    let unit = |m: &Measure| m.unit.clone().filter(|unit| UNITS.contains(&unit.as_str()));
    matches!((unit(a), unit(b)), (Some(a), Some(b)) if a != b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::asking::lists::lists;

    fn fit(question: &str, sentence: &str) -> f32 {
        let asked: Vec<String> = words(question).collect();
        Amounts::of(question, lists("en")).fit(sentence, |word| asked.iter().any(|a| a == word))
    }

    #[test]
    fn a_range_covers_what_lies_in_it() {
        assert_eq!(fit("chest of 98 cm", "Chest: 96 to 103 cm"), 1.5);
        assert_eq!(fit("chest of 98 cm", "Chest women: 96 to 103 cm"), 1.25);
        assert_eq!(fit("98 cm around", "Waist: 96 to 103 cm"), 1.0);
        assert_eq!(fit("chest 98", "Chest: 89 to 95 cm"), 0.0);
        assert_eq!(fit("i am 190 cm", "people above 186 cm take long"), 1.0);
        assert_eq!(fit("255mm foot", "A foot of 255 mm takes size EU 41"), 1.0);
        assert_eq!(fit("255mm foot", "A rope of 255 cm"), 0.0);
    }

    #[test]
    fn money_is_no_measure() {
        assert!(Amounts::of("an order of 140 EUR", lists("en")).is_empty());
    }
}
