//! Turns a message that needs the conversation into questions that stand alone: "and to Austria?"
//! after "How much is shipping to Norway?" is "how much is shipping to austria".

use super::{
    kind::Kind,
    lists::Lists,
    places::{Mention, Named},
    said::Said,
};

/// A message with so many words about a thing is complete, even if it begins with "and".
const COMPLETE: usize = 2;
/// A correction or a remark has at most so many words.
const SHORT: usize = 12;

/// The message as it may be meant, best guess first; `None` if it stands alone. `before` is the
/// question before it, which stands alone.
pub fn resolved(before: &str, message: &str, lists: &Lists, locale: &str) -> Option<Vec<String>> {
    let said = Said::new(message);
    let rest = without_link(&said, lists);
    let base = Said::new(before);
    if rest.words().is_empty() || base.words().is_empty() || !needs_context(&said, &rest, lists) {
        return None;
    }
    let (new, old) = (Named::read(&rest, locale), Named::read(&base, locale));
    let kind = Kind::of(&rest, lists);
    if !new.places.is_empty() && !old.places.is_empty() && content(&rest, lists) <= new.places.len()
    {
        return Some(vec![with_place(&base, old.places[0], &rest, new.places[0])]);
    }
    if kind != Kind::Other && rest.begins(&lists.openers) > 0 {
        return Some(vec![format!("{} {}", rest.line(), subject(&base, &old, &new, lists))]);
    }
    let mut variants = Vec::new();
    variants.extend(with_object(&base, &rest, lists));
    let kept =
        if new.places.is_empty() { base.line().to_owned() } else { without(&base, &old.places) };
    variants.push(format!("{kept} {}", rest.line()));
    Some(variants)
}

/// Without "and", "what about", "no I meant" at the beginning.
fn without_link(said: &Said, lists: &Lists) -> Said {
    let mut words = said.words().to_vec();
    loop {
        let rest = Said::of(words.clone());
        let length = rest.begins(&lists.corrections).max(rest.begins(&lists.links));
        if length == 0 {
            return rest;
        }
        words.drain(..length);
    }
}

fn needs_context(said: &Said, rest: &Said, lists: &Lists) -> bool {
    let linked = rest.words().len() < said.words().len();
    let points = rest.words().iter().any(|word| lists.pronouns.contains(word.as_str()));
    let content = content(rest, lists);
    let asks = rest.begins(&lists.openers) > 0 || Kind::of(rest, lists) != Kind::Other;
    let short = rest.words().len() <= SHORT;
    match (linked, asks) {
        (_, true) if points => content <= COMPLETE + 1 && short,
        (true, true) => content < COMPLETE,
        (true, false) => short,
        (false, true) => content == 0,
        (false, false) => (points || content <= 1) && short,
    }
}

fn content(said: &Said, lists: &Lists) -> usize {
    said.words().iter().filter(|word| is_content(word, lists)).count()
}

fn is_content(word: &str, lists: &Lists) -> bool {
    !lists.stop_words.contains(word)
        && !lists.pronouns.contains(word)
        && !lists.prepositions.contains(word)
}

fn with_place(base: &Said, old: Mention, rest: &Said, new: Mention) -> String {
    let words = base.words();
    [&words[..old.from], &rest.words()[new.from..new.to], &words[old.to..]].concat().join(" ")
}

fn without(base: &Said, places: &[Mention]) -> String {
    let is_place = |at: usize| places.iter().any(|m| (m.from..m.to).contains(&at));
    let kept = base.words().iter().enumerate().filter(|(at, _)| !is_place(*at));
    kept.map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(" ")
}

/// What the question before is about, without its own question words.
fn subject(base: &Said, old: &Named, new: &Named, lists: &Lists) -> String {
    let base =
        if new.places.is_empty() { base.line().to_owned() } else { without(base, &old.places) };
    let asked = [&lists.how_long, &lists.how_much, &lists.when, &lists.place, &lists.how_many];
    let asked = asked.map(Vec::as_slice);
    let left = Said::new(&base).without(&asked);
    let left: Vec<&str> =
        left.words().iter().map(String::as_str).filter(|word| is_content(word, lists)).collect();
    left.join(" ")
}

/// The question before with its last thing replaced.
fn with_object(base: &Said, rest: &Said, lists: &Lists) -> Option<String> {
    let words = base.words();
    let light = |word: &String| !is_content(word, lists);
    let from = words.iter().rposition(light)? + 1;
    let new: Vec<String> = rest.words().iter().skip_while(|word| light(word)).cloned().collect();
    let kept = words[..from].iter().any(|word| is_content(word, lists));
    (from < words.len() && kept && !new.is_empty())
        .then(|| [&words[..from], &new].concat().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::asking::lists::lists;

    fn of(before: &str, message: &str) -> Option<String> {
        resolved(before, message, lists("en"), "en").map(|variants| variants.join(" / "))
    }

    #[test]
    fn another_place_takes_the_place_of_the_first() {
        let norway = "How much is shipping to Norway?";
        assert_eq!(
            of(norway, "and to Austria?").as_deref(),
            Some("how much is shipping to austria")
        );
        assert_eq!(
            of("Do you ship to Norway?", "no I meant Iceland").as_deref(),
            Some("do you ship to iceland")
        );
    }

    #[test]
    fn another_question_is_about_the_same_thing() {
        assert_eq!(
            of("do you repair zips?", "how much does it cost").as_deref(),
            Some("how much does it cost repair zips")
        );
        assert!(of("how do i wash a rain jacket", "and a tent?").unwrap().contains("wash a tent"));
    }

    #[test]
    fn a_complete_question_stands_alone() {
        for message in [
            "How do I delete my account?",
            "and how can I delete my account?",
            "Do you sell red boots?",
        ] {
            assert_eq!(of("How much is shipping to Norway?", message), None, "{message}");
        }
        assert_eq!(of("", "and to Austria?"), None);
    }
}
