//! Things that the tagger takes for people or addresses: brands with their models, months, words of
//! landscape, and the codes of articles.

use std::{collections::HashSet, sync::LazyLock};

use super::{
    context::{Context, Named},
    fold,
    phrases::Phrases,
    tagger::{Case, Gap, Label, Token},
};
use crate::words::{self, Language, People};

struct Lists {
    brands: Phrases,
    scenery: HashSet<String>,
    landforms: Phrases,
    articles: HashSet<String>,
    german: HashSet<String>,
    firms: Phrases,
    things: Phrases,
    months: HashSet<String>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let people: People = words::all();
    Lists {
        brands: Phrases::new(people.brands),
        scenery: people.scenery.into_iter().map(fold::word).collect(),
        landforms: Phrases::new(people.landforms),
        articles: people.articles.into_iter().map(fold::word).collect(),
        german: german(),
        firms: Phrases::new(people.firms),
        things: Phrases::new(people.things),
        months: people.months.into_iter().map(fold::word).collect(),
    }
});

/// Frequent words of German, in which every noun has a capital. Those that are English words, too,
/// show nothing.
fn german() -> HashSet<String> {
    let of = |language| words::of::<Language>(language).words.lines().map(fold::word);
    let english: HashSet<String> = of("en").collect();
    let both =
        |word: &str| ["was", "so", "die", "am", "an", "in", "war", "hat", "man"].contains(&word);
    of("de").filter(|word| !english.contains(word) && !both(word)).collect()
}

/// Words between a brand and the number of its model.
const MODEL: usize = 3;

/// Takes the labels from what is a thing.
pub(super) fn clear(tokens: &[Token<'_>], context: &Context<'_>, labels: &mut [Label]) {
    let mut at = 0;
    while at < tokens.len() {
        let label = labels[at];
        let end = at + labels[at..].iter().take_while(|other| **other == label).count();
        if label == Label::Nothing {
            at = end;
            continue;
        }
        let brand = LISTS.brands.end(tokens, at).filter(|end| {
            let number = tokens[*end..].iter().take(MODEL).any(Token::has_digit);
            *end > at + 1 || !tokens[at].is_name() || number
        });
        let thing = brand.is_some()
            || label == Label::Name
                && (is_scenery(&tokens[at..end])
                    || is_model(tokens, at, end)
                    || is_landform(tokens, at, end)
                    || is_noun(tokens, at, end)
                    || is_of_firm(tokens, at, end))
            || label == Label::Address && is_model_with_number(tokens, at, end);
        if thing {
            let end = with_rest(tokens, labels, brand.unwrap_or(end).max(end));
            labels[at..end].fill(Label::Nothing);
            at = end;
            continue;
        }
        for index in at..end {
            if is_code(tokens, index)
                || is_month(tokens, index)
                || is_named(&tokens[index], context)
            {
                labels[index] = Label::Nothing;
            }
        }
        at = end;
    }
}

/// The end of what is labelled right behind a brand: "Black Diamond" and then "Spot 400".
fn with_rest(tokens: &[Token<'_>], labels: &[Label], end: usize) -> usize {
    let goes_on = |at: &usize| {
        let token = &tokens[*at];
        labels[*at] != Label::Nothing
            && token.gap == Gap::Space
            && (token.case != Case::Lower || token.has_digit())
    };
    end + (end..tokens.len()).take_while(goes_on).count()
}

/// "windy ridge"
fn is_scenery(name: &[Token<'_>]) -> bool {
    let of_list = |token: &Token<'_>| {
        token.case == Case::Lower
            && (LISTS.scenery.contains(token.text) || token.is_ordinary() && !token.is_name())
    };
    let strict = |token: &Token<'_>| LISTS.scenery.contains(token.text);
    name.iter().all(of_list) && name.iter().any(strict)
}

/// "Koya Kun company", "company name is Appleinc"
fn is_of_firm(tokens: &[Token<'_>], start: usize, end: usize) -> bool {
    const FILLERS: [&str; 8] = ["name", "is", "the", "called", "named", "heisst", "ist", "of"];
    let firm = |at: usize| LISTS.firms.has(tokens[at].text) && tokens[at].gap == Gap::Space;
    let strange = |token: &Token<'_>| !(token.is_name() && token.case == Case::Capital);
    let behind = tokens.len() > end && firm(end) && tokens[start..end].iter().any(strange);
    let filler = |token: &&Token<'_>| FILLERS.contains(&token.text);
    let fillers = tokens[..start].iter().rev().take_while(filler).count();
    let before = start.checked_sub(fillers + 1).filter(|_| fillers > 0);
    behind || before.is_some_and(|before| LISTS.things.has(tokens[before].text))
}

/// "Mammut Trion 28", "Trion XL": a name that nobody has, and a number behind it.
fn is_model(tokens: &[Token<'_>], start: usize, end: usize) -> bool {
    const LONGEST: usize = 5;
    const SHORT: usize = 2;
    let unknown = |token: &Token<'_>| token.case != Case::Lower && !token.is_name();
    let number = tokens
        .get(end)
        .filter(|next| next.gap == Gap::Space && next.has_digit() && next.text.len() <= LONGEST);
    // "Marlene 3" is no person, and "Marlene 4821" may be one who shows who she is.
    let alone = end == start + 1 && tokens[start].case == Case::Capital;
    let last = tokens.get(end + 1).is_none_or(|next| !next.is_placeholder());
    let short = alone && last && number.is_some_and(|number| number.text.len() <= SHORT);
    number.is_some() && (short || tokens[start..end].iter().any(unknown))
}

/// "Mont Blanc", "Lake Garda"
fn is_landform(tokens: &[Token<'_>], start: usize, end: usize) -> bool {
    let land = |at: usize| LISTS.landforms.has(tokens[at].text);
    let behind = start > 0 && tokens[start].gap == Gap::Space && land(start - 1);
    behind || end > start + 1 && land(start)
}

/// "the Nordlys", "der Kocher", "suche Schlafsack": nobody has it for a name (one word behind an
/// article may be a last name), and an article stands before it, or it is one word of a German text.
fn is_noun(tokens: &[Token<'_>], start: usize, end: usize) -> bool {
    let article = |at: usize| LISTS.articles.contains(tokens[at].text);
    let behind = start > 0 && tokens[start].gap == Gap::Space && article(start - 1);
    let first = if end > start + 1 && article(start) { start + 1 } else { start };
    let strange = match &tokens[first..end] {
        [only] if behind => !only.is_first_name(),
        words => words.iter().all(|token| !token.is_name()),
    };
    let german = || {
        let one = end == first + 1 && tokens[first].case == Case::Capital;
        one && tokens.iter().any(|token| LISTS.german.contains(token.text))
    };
    strange && (behind || first > start || german())
}

/// "the Actik 450", "Petzl Actik 450": words in capitals, no town and no street, and one number
/// behind them. Where nothing stands before them they are two words that nobody has for a name.
fn is_model_with_number(tokens: &[Token<'_>], start: usize, end: usize) -> bool {
    let Some((last, words)) = tokens[start..end].split_last() else { return false };
    let strange = |token: &Token<'_>| !token.is_name() && !token.is_ordinary();
    let before = start.checked_sub(1).map(|before| tokens[before].text);
    let shown = match before {
        Some(before) if tokens[start].gap == Gap::Space => LISTS.articles.contains(before),
        _ => words.len() > 1 && words.iter().all(strange),
    };
    let street = tokens.get(end).is_some_and(|next| next.is_of_streets() || next.is_town());
    if !shown || street {
        return false;
    }
    let word = |token: &Token<'_>| {
        token.is_word()
            && token.case != Case::Lower
            && matches!(token.gap, Gap::Space | Gap::Start | Gap::Sign | Gap::Stop)
            && !token.is_of_streets()
            && !token.is_town()
    };
    last.has_digit() && last.text.len() <= 5 && !words.is_empty() && words.iter().all(word)
}

/// A part of "TNT-0042-XL": signs and no spaces join it with letters and digits.
fn is_code(tokens: &[Token<'_>], at: usize) -> bool {
    const FAR: usize = 4;
    let joined = |index: usize| {
        tokens[index].gap == Gap::Sign
            && tokens[index].typed.start == tokens[index - 1].typed.end + 1
    };
    let before = (1..=at).rev().take(FAR).take_while(|index| joined(*index)).count();
    let after = (at + 1..tokens.len()).take(FAR).take_while(|index| joined(*index)).count();
    let chunk = &tokens[at - before..=at + after];
    let upper = |token: &Token<'_>| token.is_word() && token.case == Case::Upper;
    chunk.len() > 1
        && chunk.iter().any(Token::has_digit)
        && chunk.iter().any(upper)
        && chunk.iter().all(|token| token.has_digit() || upper(token) || token.text.len() < 2)
}

/// "June 4 2018"
fn is_month(tokens: &[Token<'_>], at: usize) -> bool {
    const DAYS: usize = 4;
    let number = |index: usize| {
        tokens.get(index).is_some_and(|token| {
            token.text.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
                && token.text.len() <= DAYS
        })
    };
    let month = |index: usize| tokens.get(index).is_some_and(|t| LISTS.months.contains(t.text));
    let near = |index: usize| number(index + 1) || index > 0 && number(index - 1);
    month(at) && near(at)
        || number(at)
            && (month(at + 1)
                || at > 0 && (month(at - 1) || number(at - 1) && at > 1 && month(at - 2)))
}

/// "promo code 482913"
fn is_named(token: &Token<'_>, context: &Context<'_>) -> bool {
    token.has_digit() && context.named(&token.range) == Named::Yes
}
