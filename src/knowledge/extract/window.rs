//! Sentences that hold on some days only: "between 1 November and 24 December".

use jiff::civil::Date;

use crate::knowledge::asking::{lists::Lists, said::Said};

/// Whether the sentence names a span of days that holds `today`. The day is before the month or
/// behind it. A span may reach over the end of the year.
pub fn holds(sentence: &Said, today: Date, lists: &Lists) -> bool {
    let days = days(sentence.words(), lists);
    let today = (today.month(), today.day());
    days.windows(2).any(|pair| {
        let [(_, from), (joined, to)] = pair else { return false };
        *joined
            && if from <= to {
                *from <= today && today <= *to
            } else {
                today >= *from || today <= *to
            }
    })
}

type Day = (i8, i8);

/// The days of a sentence, and whether a word such as "to" or "and" joins each with the one before.
fn days(words: &[String], lists: &Lists) -> Vec<(bool, Day)> {
    let number = |at: Option<usize>| {
        let word = words.get(at?)?.trim_end_matches(char::is_alphabetic);
        word.parse().ok().filter(|day| (1..=31).contains(day))
    };
    let mut days: Vec<(bool, Day)> = Vec::new();
    let mut last = 0;
    for (at, word) in words.iter().enumerate() {
        let Some(month) = lists.months.get(word.as_str()) else { continue };
        let skip = at.checked_sub(2).filter(|_| words[at - 1] == "de");
        let day =
            number(at.checked_sub(1)).or_else(|| number(skip)).or_else(|| number(Some(at + 1)));
        let Some(day) = day else { continue };
        let between = &words[last..at];
        let joined = !days.is_empty()
            && between.first().is_some_and(|word| lists.until.contains(word.as_str()));
        days.push((joined, (*month, day)));
        last = at + 1;
    }
    days
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::knowledge::asking::lists::lists;

    fn holds(text: &str, today: Date, lists: &Lists) -> bool {
        super::holds(&Said::new(text), today, lists)
    }

    #[test]
    fn a_span_of_days_holds_its_ends_and_what_is_between() {
        let text =
            "For purchases made between 1 November and 24 December you have until 31 January.";
        for (month, day, expected) in
            [(11, 1, true), (11, 29, true), (12, 24, true), (12, 25, false), (3, 5, false)]
        {
            assert_eq!(holds(text, date(2026, month, day), lists("en")), expected, "{day} {month}");
        }
        assert!(holds("from 20 December to 6 January", date(2026, 1, 2), lists("en")));
        assert!(holds("vom 1. November bis 24. Dezember", date(2026, 12, 2), lists("de")));
        assert!(!holds(
            "On 24 and 31 December they close at 13:00.",
            date(2026, 12, 24),
            lists("en")
        ));
    }
}
