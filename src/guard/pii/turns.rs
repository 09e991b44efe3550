//! What a text holds only because of the texts before it: a bare answer to a question for a secret,
//! and the second half of a card.

use std::ops::Range;

use super::{
    card,
    context::{Context, Named},
    fold,
    run::{Run, digits_of},
    vocabulary::{Class, Role},
};

/// The end of a question that is read, in bytes.
const QUESTION: usize = 400;
/// Of a bare answer.
const MOST_WORDS: usize = 5;
const LONGEST: usize = 160;

/// What somebody can be asked for.
const ASKED: [Class; 11] = [
    Class::Password,
    Class::Pin,
    Class::Cvv,
    Class::Token,
    Class::Card,
    Class::Ssn,
    Class::Account,
    Class::Phone,
    Class::Iban,
    Class::Passport,
    Class::Licence,
];
/// "Never send us your password" asks for nothing.
const DENIALS: [&str; 12] = [
    "not", "never", "don", "nicht", "nie", "niemals", "keine", "pas", "jamais", "nunca", "mai",
    "niet",
];

/// What `text` is to be read behind, if it is a bare answer to a `question` for a secret.
pub(super) fn lead_ins(question: &str, text: &str) -> Option<[String; 2]> {
    if text.len() > LONGEST || text.split_whitespace().count() > MOST_WORDS {
        return None;
    }
    let lead_ins = asked(question)?;
    let folded = fold::fold(text);
    let of_shop = |class: Class| matches!(class, Class::Shop | Class::Around);
    let named = Context::new(folded.as_str()).told().iter().any(|told| of_shop(told.class));
    (!named).then_some(lead_ins)
}

/// The words that `question` asks with: first what it asks for, then its sentence.
fn asked(question: &str) -> Option<[String; 2]> {
    let start = question.ceil_char_boundary(question.len().saturating_sub(QUESTION));
    let folded = fold::fold(&question[start..]);
    let text = folded.as_str();
    let context = Context::new(text);
    let told = context.told().iter().rfind(|told| ASKED.contains(&told.class))?;
    let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n');
    let begin = text[..told.range.start].rfind(ends).map_or(0, |at| at + 1);
    let end = text[told.range.end..].find(ends).map_or(text.len(), |at| told.range.end + at);
    let sentence = text[begin..end].trim();
    let words: Vec<_> = context.between(begin..end).collect();
    let denied = words.iter().any(|word| DENIALS.contains(&&text[word.range.clone()]));
    let asks = text[end..].starts_with('?') || words.iter().any(|word| word.is(Role::Ask));
    (asks && !denied).then(|| {
        let sentence = sentence.trim_end_matches([':', ',', ';', '-', ' ']);
        [text[told.range.clone()].to_owned(), sentence.to_owned()]
    })
}

/// The parts of a card whose number begins at the end of `first` and goes on at the beginning of
/// `second`, each with its digits.
pub(super) fn parts(first: &str, second: &str) -> Option<[(Range<usize>, String); 2]> {
    let plain = [fold::fold(first), fold::fold(second)];
    let texts = [plain[0].as_str(), plain[1].as_str()];
    let head = Run::all(texts[0]).pop()?;
    let tail = Run::all(texts[1]).into_iter().next()?;
    let number = digits_of(texts[0], head.range.clone()) + &digits_of(texts[1], tail.range.clone());
    let last = !texts[0][head.range.end..].contains(char::is_alphanumeric);
    if !last || !card::is_real(&number) {
        return None;
    }
    let contexts = texts.map(Context::new);
    let named = contexts[0].named(&head.range) == Named::Yes
        || contexts[1].named(&tail.range) == Named::Yes;
    let of_card =
        contexts.iter().any(|context| context.told().iter().any(|told| told.class == Class::Card));
    let shape = [head.shape(), tail.shape()].concat();
    let looks = of_card || shape.len() > 2 && card::PRINTED.contains(&&shape[..]);
    let part = |index: usize, range: &Range<usize>| {
        (plain[index].original(range), digits_of(texts[index], range.clone()))
    };
    (looks && !named).then(|| [part(0, &head.range), part(1, &tail.range)])
}
