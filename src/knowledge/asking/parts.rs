//! Splits a message into its questions.

use super::{kind::Kind, lists::Lists, said::Said};

const MOST_PARTS: usize = 4;

/// The questions of a message in order, each with the statements that lead to it. The whole message
/// if it has only one.
pub fn parts(message: &str, lists: &Lists) -> Vec<String> {
    let mut questions: Vec<String> = Vec::new();
    let mut leading = String::new();
    let mut asks = 0;
    for segment in segments(message, lists) {
        let said = Said::new(&segment);
        let content =
            said.words().iter().filter(|w| !lists.stop_words.contains(w.as_str())).count();
        let is_question = segment.ends_with('?')
            || said.begins(&lists.openers) > 0
            || Kind::of(&said, lists) != Kind::Other;
        match questions.last_mut() {
            // "What now?" belongs to what was said before it.
            Some(last) if is_question && content == 0 && leading.is_empty() => join(last, &segment),
            _ if is_question && (content > 0 || !leading.is_empty()) => {
                asks += 1;
                join(&mut leading, &segment);
                questions.push(std::mem::take(&mut leading));
            }
            _ => join(&mut leading, &segment),
        }
    }
    if asks < 2 || questions.len() > MOST_PARTS {
        return vec![message.trim().to_owned()];
    }
    questions
}

/// The question at the end of a message that first tells what happened, if it says what it is
/// about.
pub fn last_clause(message: &str, lists: &Lists) -> Option<String> {
    let clauses = sentences(message).into_iter().flat_map(|sentence| sentence.split(", "));
    let clauses: Vec<&str> =
        clauses.filter(|clause| clause.contains(char::is_alphanumeric)).collect();
    let last = clauses.last().filter(|_| clauses.len() > 1)?.trim();
    let said = Said::new(last);
    let asks = said.begins(&lists.openers) > 0;
    let content =
        said.words().iter().any(|w| !lists.stop_words.contains(w.as_str()) && w.len() > 3);
    (asks && content).then(|| last.to_owned())
}

fn join(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

fn segments(message: &str, lists: &Lists) -> Vec<String> {
    let mut segments = Vec::new();
    for numbered in numbered(message) {
        for sentence in sentences(numbered) {
            split_at_joints(sentence, lists, &mut segments);
        }
    }
    segments
}

/// The items of "1) … 2) …", without what introduces them; the whole text if there are no items.
fn numbered(message: &str) -> Vec<&str> {
    let mut starts: Vec<(usize, usize)> = Vec::new();
    let mut next = 1;
    for (at, _) in message.match_indices(|c: char| c.is_ascii_digit()) {
        let begins =
            message[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || c == '(');
        let number = next.to_string();
        let Some(after) = message[at..].strip_prefix(number.as_str()) else { continue };
        let mark = after.starts_with([')', '.', ':']) && after[1..].starts_with(' ');
        if begins && mark {
            starts.push((at, at + number.len() + 1));
            next += 1;
        }
    }
    if starts.len() < 2 {
        return vec![message];
    }
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([message.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|((_, from), to)| message[*from..to].trim_end_matches('('))
        .collect()
}

/// Cut behind marks at the end of a sentence and at line breaks. Shoppers do not care for capital
/// letters.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut from = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let space_follows = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
        let ends = c == '\n' || (matches!(c, '?' | '!' | '.' | ';') && space_follows) || c == '？';
        if ends {
            sentences.push(text[from..at + c.len_utf8()].trim());
            from = at + c.len_utf8();
        }
    }
    sentences.push(text[from..].trim());
    sentences.retain(|sentence| sentence.contains(char::is_alphanumeric));
    sentences
}

/// Cuts before " and how", " and can I" if a question begins there and something was asked before.
fn split_at_joints(sentence: &str, lists: &Lists, segments: &mut Vec<String>) {
    let lower = format!(" {} ", sentence.to_lowercase());
    let cut = (lower.len() == sentence.len() + 2).then(|| {
        let at = lists.joints.iter().filter_map(|joint| Some((lower.find(joint.as_str())?, joint)));
        at.min_by_key(|(at, _)| *at)
    });
    match cut.flatten() {
        Some((at, joint)) if at > 0 && sentence.is_char_boundary(at) => {
            let (before, after) = (sentence[..at].trim(), sentence[at..].trim());
            let first = after.split_whitespace().next().unwrap_or("");
            // "and", "or" is no part of the question; a joint of one word may be one.
            let rest = if joint.split_whitespace().count() > 1 {
                after[first.len()..].trim()
            } else {
                after
            };
            if before.split_whitespace().count() < 2 || rest.split_whitespace().count() < 3 {
                return segments.push(sentence.to_owned());
            }
            segments.push(before.to_owned());
            split_at_joints(rest, lists, segments);
        }
        _ => segments.push(sentence.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::knowledge::asking::lists::lists;

    fn of(message: &str) -> Vec<String> {
        parts(message, lists("en"))
    }

    #[test]
    fn each_question_of_a_message_is_a_part() {
        assert_eq!(
            of("Two questions: 1) what does express cost 2) can I add a code afterwards?"),
            ["what does express cost", "can I add a code afterwards?"]
        );
        assert_eq!(
            of("where is the munich store and when is it open?"),
            ["where is the munich store", "when is it open?"]
        );
        assert_eq!(of("Hi! Can I pay later? And do you have gift cards?").len(), 2);
    }

    #[test]
    fn statements_belong_to_the_question_that_they_lead_to() {
        for one in [
            "I bought shoes two weeks ago. They are too small. Can I exchange them?",
            "my tent arrived broken. what now?",
            "boots and socks",
            "Do you have red and blue jackets?",
            "",
        ] {
            assert_eq!(of(one), [one]);
        }
    }

    proptest! {
        #[test]
        fn any_message_has_one_to_four_parts(text in "[a-z?.!1-3) \n]{0,120}|\\PC{0,80}") {
            let parts = of(&text);
            prop_assert!((1..=MOST_PARTS).contains(&parts.len()));
        }
    }
}
