//! Rules for each sentence, over folded words. They know the language of no message and look for
//! those of all of them.

use std::{collections::HashSet, sync::LazyLock};

use super::{
    decode::{Decoded, decode},
    markup,
    verdict::{Rule, Screening},
};
use crate::{
    guard::input,
    words::{
        self, Injection, Search, Vocabulary as _,
        sentence::{Hit, Sequences, Text, fold},
    },
};

/// Hints of so many sentences are told.
const HINTS: usize = 4;

/// `None` is a hint.
static LINES: LazyLock<Sequences<Option<Rule>>> = LazyLock::new(|| {
    let all: Injection = words::all();
    let lists = [
        (all.orders, Some(Rule::Orders)),
        (all.prompt, Some(Rule::Prompt)),
        (all.role, Some(Rule::Role)),
        (all.others, Some(Rule::Others)),
        (all.promise, Some(Rule::Promise)),
        (all.tools, Some(Rule::Tools)),
        (all.suspect, None),
    ];
    lists.into_iter().flat_map(|(list, rule)| list.lines().map(move |line| (line, rule))).collect()
});

/// Words that joined English words are cut into.
static WORDS: LazyLock<HashSet<Box<str>>> = LazyLock::new(|| {
    let file = Injection::FILES.iter().find(|(language, _)| *language == "en");
    let written = file.map_or("", |(_, text)| *text);
    let folded = fold(written);
    let listed = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1);
    let light = words::of::<Search>("en").stop_words;
    listed.map(Into::into).chain(light.into_iter().map(Into::into)).collect()
});

/// Looks at a text as it was written.
pub fn screen(original: &str) -> (Screening, Text) {
    let text = Text::new(original);
    let hits = LINES.find(&text);
    let attack = sure(&hits)
        .or_else(|| markup::find(original))
        .or_else(|| encoded(original, &text))
        .or_else(|| input::is_mostly_hidden(original).then_some(Rule::Hidden));
    let mut hints = Vec::new();
    let mut add = |sentence: usize| {
        let sentence = original[text.original(sentence)].trim();
        if hints.len() < HINTS && hints.iter().all(|hint| hint != sentence) {
            hints.push(sentence.to_owned());
        }
    };
    hits.iter().filter(|hit| hit.tag.is_none()).for_each(|hit| add(hit.sentence));
    if markup::is_role_line(original) {
        add(0);
    }
    (Screening { attack, hints }, text)
}

fn sure(hits: &[Hit<Option<Rule>>]) -> Option<Rule> {
    hits.iter().find_map(|hit| hit.tag)
}

fn encoded(original: &str, text: &Text) -> Option<Rule> {
    let is_attack = |Decoded { text, on_purpose }: &Decoded| {
        let hits = LINES.find(&Text::new(text));
        sure(&hits).is_some() || (*on_purpose && !hits.is_empty()) || markup::find(text).is_some()
    };
    let found = decode(original, text, &WORDS);
    let hidden = input::hidden(original).is_some();
    let rule = if hidden { Rule::Hidden } else { Rule::Encoded };
    (hidden || found.iter().any(is_attack)).then_some(rule)
}
