//! What a text holds only because of the texts before it: a bare answer to a question for a secret,
//! and the second half of a card.

use std::ops::Range;

use super::{
    card,
    context::{Context, Named, Told, Word},
    fold,
    run::{Run, digits_of},
    vocabulary::{Class, Role},
};

/// The end of a question that is read, in bytes.
const QUESTION: usize = 400;
/// Of a bare answer.
const MOST_WORDS: usize = 5;
/// Of an answer with a code: "euh 48 29 17 je crois".
const MOST_WORDS_AROUND: usize = 8;
/// A code is read behind it.
const CODE: &str = "pin";
pub(super) const LONGEST: usize = 160;

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

/// What was said before a text.
#[derive(Clone, Copy)]
pub(super) enum Said<'a> {
    /// By somebody else: it may ask for a secret.
    Question(&'a str),
    /// By the same person: "here comes my password".
    Announcement(&'a str),
}

/// Whether a question speaks of a code, and of nothing of the shop: "We sent you a code. What is it?"
fn asks_for_code(question: &str) -> bool {
    let start = question.ceil_char_boundary(question.len().saturating_sub(QUESTION));
    let folded = fold::fold(&question[start..]);
    let text = folded.as_str();
    let context = Context::new(text);
    let of_shop = |told: &Told| {
        matches!(told.class, Class::Shop | Class::Around | Class::Other | Class::Account)
    };
    let asks = text.contains('?') || context.mentions(Role::Ask);
    let code = context.code_before(text.len()).is_some()
        || context.told().iter().any(|told| told.class == Class::Pin);
    let denied = context.words.iter().any(|word| DENIALS.contains(&&text[word.range.clone()]));
    asks && code && !denied && !context.told().iter().any(of_shop)
}

/// What `text` is to be read behind, if it is a bare answer to a question for a secret, or the secret
/// that was announced.
pub(super) fn lead_ins(said: Said<'_>, text: &str) -> Option<[String; 2]> {
    if is_bare(text)
        && let Some(lead_ins) = asked(said)
    {
        return Some(lead_ins);
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let few = text.split_whitespace().count() <= MOST_WORDS_AROUND && (4..=8).contains(&digits);
    match said {
        Said::Question(question) if few && asks_for_code(question) => {
            Some([CODE.to_owned(), CODE.to_owned()])
        }
        _ => None,
    }
}

/// Whether a bare `text` may go on with what its writer said before. It does not where a number of the
/// shop is asked for.
pub(super) fn goes_on(question: Option<&str>, text: &str) -> bool {
    let asks_for_ours = |question: &str| {
        let start = question.ceil_char_boundary(question.len().saturating_sub(QUESTION));
        let folded = fold::fold(&question[start..]);
        let of_shop = |told: &Told| matches!(told.class, Class::Shop | Class::Around);
        Context::new(folded.as_str()).told().iter().any(of_shop)
    };
    is_bare(text) && !question.is_some_and(asks_for_ours)
}

/// Few words, and none of the shop.
pub(super) fn is_bare(text: &str) -> bool {
    if text.len() > LONGEST || text.split_whitespace().count() > MOST_WORDS {
        return false;
    }
    let folded = fold::fold(text);
    let of_shop = |class: Class| matches!(class, Class::Shop | Class::Around);
    !Context::new(folded.as_str()).told().iter().any(|told| of_shop(told.class))
}

/// The words that the secret is asked for or announced with: first its kind, then the sentence.
fn asked(said: Said<'_>) -> Option<[String; 2]> {
    let (Said::Question(question) | Said::Announcement(question)) = said;
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
    let asks = match said {
        Said::Question(_) => {
            text[end..].starts_with('?') || words.iter().any(|word| word.is(Role::Ask))
        }
        Said::Announcement(_) => {
            // Nothing else was said behind it.
            text[end..].trim_end_matches(ends).trim().is_empty() && announces(text, told, &context)
        }
    };
    (asks && !denied).then(|| {
        let sentence = sentence.trim_end_matches([':', ',', ';', '-', ' ']);
        [text[told.range.clone()].to_owned(), sentence.to_owned()]
    })
}

/// Whether a secret is said to come next: "here comes my password", "my password is", "password:".
pub(super) fn announces(text: &str, told: &Told, context: &Context<'_>) -> bool {
    let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n');
    let begin = text[..told.range.start].rfind(ends).map_or(0, |at| at + 1);
    let end = text[told.range.end..].find(ends).map_or(text.len(), |at| told.range.end + at);
    let other =
        |word: &&Word| word.range.start < told.range.start || word.range.start >= told.range.end;
    let words: Vec<&Word> = context.between(begin..end).filter(other).collect();
    if text[end..].starts_with('?') || words.iter().any(|word| word.is(Role::Refuse)) {
        return false;
    }
    // "my password is", "ok, password:"
    let joins = |word: &&Word| word.is(Role::Filler) || word.is(Role::Link);
    let behind = words.partition_point(|word| word.range.start < told.range.start);
    let (before, behind) = words.split_at(behind);
    let linked = text[told.range.end..end].contains([':', '='])
        || behind.iter().any(|word| word.is(Role::Link));
    let open = behind.iter().all(joins) && (linked || before.iter().all(joins));
    open || words.iter().any(|word| word.is(Role::Announce))
}

/// The sentences behind those that announce a secret, and what each is to be read behind.
pub(super) fn announced(text: &str, context: &Context<'_>) -> Vec<(String, Range<usize>)> {
    const MOST: usize = 4;
    let ends = |c: char| matches!(c, '.' | '!' | '\n');
    let told = context.told().iter().filter(|told| ASKED.contains(&told.class));
    let behind = told.filter_map(|told| {
        let far = text.floor_char_boundary((told.range.end + LONGEST).min(text.len()));
        let end = told.range.end + text[told.range.end..far].find(ends)?;
        let rest =
            text[end..].trim_start_matches(|c: char| ends(c) || c.is_whitespace() || c == '"');
        let start = text.len() - rest.len();
        let end = rest.find(|c| ends(c) || c == '?').map_or(text.len(), |length| start + length);
        let whole =
            text[end..].trim_end_matches(ends).starts_with([' ', '\n']) || end + 1 >= text.len();
        let rest = start..if whole { end } else { text.len() };
        (!rest.is_empty() && rest.len() <= LONGEST && announces(text, told, context))
            .then(|| (text[told.range.clone()].to_owned(), rest))
    });
    behind.take(MOST).collect()
}

/// The part of a bare answer that is no "it is".
pub(super) fn value(text: &str) -> usize {
    let folded = fold::fold(text);
    let context = Context::new(folded.as_str());
    let known = |word: &&Word| {
        [Role::Link, Role::Filler, Role::State, Role::Hedge].into_iter().any(|role| word.is(role))
    };
    let before: Vec<&Word> = context.words.iter().take_while(known).collect();
    let linked = before.iter().any(|word| word.is(Role::Link));
    let end = before.last().filter(|_| linked).map_or(0, |word| word.range.end);
    let rest = folded.as_str()[end..].trim_start_matches([' ', ':', '"', '\'']);
    let start = folded.as_str().len() - rest.len();
    if rest.is_empty() || end == 0 { 0 } else { folded.original(&(start..start + 1)).start }
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
    let printed = shape.len() > 2 && card::PRINTED.contains(&&shape[..]);
    // Few other numbers have twelve digits.
    let looks = of_card || printed || shape == [12, 4];
    let part = |index: usize, range: &Range<usize>| {
        (plain[index].original(range), digits_of(texts[index], range.clone()))
    };
    (looks && !named).then(|| [part(0, &head.range), part(1, &tail.range)])
}
