//! E-mail addresses, also without their signs: "anngmailcom". Signs in words are edited before.

use std::ops::Range;

use super::{
    alike::is_unspaced,
    context::{Context, Word},
    tagger::may_name,
    value::{is_strong, leading, token},
    vocabulary::Role,
};

const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 253;
/// More of them in a row than the first are no slip of the finger.
const MOST_SIGNS: usize = 3;

/// Mail providers whose name alone makes "ann at gmail dot com" or "anngmailcom" an address.
const PROVIDERS: [&str; 17] = [
    "gmail",
    "googlemail",
    "hotmail",
    "yahoo",
    "yahoomail",
    "ymail",
    "rediffmail",
    "outlook",
    "icloud",
    "protonmail",
    "aol",
    "gmx",
    "verizon",
    "comcast",
    "mailinator",
    "zoho",
    "yandex",
];
/// Those that are nothing but mail: there "anna at gmail" needs no ending.
const MAIL: [&str; 9] = [
    "gmail",
    "googlemail",
    "hotmail",
    "yahoomail",
    "ymail",
    "icloud",
    "protonmail",
    "gmx",
    "outlook",
];
/// Known by "com" right behind them only, since they are words.
const WORDS: [&str; 5] = ["mail", "gamil", "gmial", "gmai", "gail"];
const ENDINGS: [&str; 14] =
    ["com", "net", "org", "de", "in", "ru", "at", "ch", "fr", "es", "it", "nl", "be", "uk"];

pub(super) fn find(text: &str, context: &Context<'_>, found: &mut impl FnMut(Range<usize>)) {
    let mut floor = 0;
    for at in memchr::memchr_iter(b'@', text.as_bytes()) {
        if at < floor {
            continue;
        }
        if let Some(range) = around(text, at, floor) {
            floor = range.end;
            found(range);
        }
    }
    spelled_out(text, context, found);
    glued(text, found);
    alone(text, context, found);
}

/// "my gmail is anna1987": the name of an address without its domain, behind a word for mail and a
/// verb or a sign.
fn alone(text: &str, context: &Context<'_>, found: &mut impl FnMut(Range<usize>)) {
    const MOST_FILLERS: usize = 3;
    let is_mail = |word: &&Word| {
        let typed = &text[word.range.clone()];
        MAIL.contains(&typed) || word.is(Role::Mail) && typed != "address"
    };
    for mail in context.words.iter().filter(is_mail) {
        let mut at = mail.range.end;
        let mut linked = false;
        for _ in 0..=MOST_FILLERS {
            let signs = leading(&text[at..], |c| " :=\"".contains(c));
            linked |= signs.contains([':', '=']);
            at += signs.len();
            let word = context.after(at).filter(|word| word.range.start == at);
            let Some(word) = word
                .filter(|word| word.is(Role::Link) || word.is(Role::Filler) || word.is(Role::Mail))
            else {
                break;
            };
            linked |= word.is(Role::Link);
            at = word.range.end;
        }
        let name = token(text, at).filter(|_| linked);
        let is_name = |range: &Range<usize>| {
            let name = &text[range.clone()];
            is_strong(name)
                && name.starts_with(char::is_alphabetic)
                && name.contains(|c: char| c.is_ascii_digit())
        };
        name.filter(is_name).into_iter().for_each(&mut *found);
    }
}

/// "annatexampledotcom"
fn glued(text: &str, found: &mut impl FnMut(Range<usize>)) {
    const DOTS: [&str; 2] = ["dot", "punkt"];
    if !DOTS.iter().any(|dot| text.contains(dot)) {
        return;
    }
    for word in words(text) {
        let typed = &text[word.clone()];
        let ending = DOTS.iter().find_map(|dot| {
            let (rest, ending) = typed.rsplit_once(dot)?;
            ENDINGS.contains(&ending).then_some(rest)
        });
        let sign = |rest: &str| {
            rest.match_indices("at").any(|(index, at)| index > 0 && index + at.len() < rest.len())
        };
        if ending.is_some_and(sign) {
            found(word);
        }
    }
}

/// Chinese and Japanese have no spaces: "メールはann@example.comです".
fn is_of_script(c: char, first: Option<char>) -> bool {
    is_unspaced(c) == first.is_some_and(is_unspaced) || !c.is_alphanumeric()
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "._%+-'!#$&*/=?^`{|}~".contains(c)
}

/// The address around an `@`. Text before `floor` does not belong to it.
fn around(text: &str, at: usize, floor: usize) -> Option<Range<usize>> {
    let last = text[..at].chars().next_back();
    let first = text[at + 1..].chars().take(MOST_SIGNS + 1).find(|c| *c != '@');
    let start = text[floor..at]
        .char_indices()
        .rev()
        .take(LOCAL_MAX)
        .take_while(|(_, c)| is_local(*c) && is_of_script(*c, last))
        .map(|(index, _)| floor + index)
        .last()
        .unwrap_or(at);
    let local = text[start..at].trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_');
    let start = quoted(text, floor, at).unwrap_or(at - local.len());
    // "ann@@example.com"
    let at = at + text[at + 1..].bytes().take(MOST_SIGNS).take_while(|byte| *byte == b'@').count();
    let domain: usize = text[at + 1..]
        .chars()
        .take(DOMAIN_MAX)
        .take_while(|c| c.is_alphanumeric() && is_of_script(*c, first) || matches!(c, '.' | '-'))
        .map(char::len_utf8)
        .sum();
    let domain = text[at + 1..at + 1 + domain].trim_end_matches(['.', '-']);
    let (name, top) = domain.rsplit_once('.')?;
    let real = start < at
        && !name.is_empty()
        && top.chars().count() >= 2
        && !top.chars().all(|c| c.is_ascii_digit());
    real.then(|| start..at + 1 + domain.len())
}

/// The start of the name in `"ann smith"@example.com`.
fn quoted(text: &str, floor: usize, at: usize) -> Option<usize> {
    let inside = text[floor..at].strip_suffix('"')?;
    let opened = inside.rfind('"').filter(|start| inside.len() - start <= LOCAL_MAX)?;
    (!inside[opened..].contains('\n')).then_some(floor + opened)
}

fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(inside)?;
        let end = text[start..].find(|c| !inside(c)).map_or(text.len(), |n| start + n);
        at = end;
        Some(start..end)
    })
}

/// "ann at gmail dot com", "ann(at)gmail.com", "anngmailcom", "ann 77 gmailcom".
fn spelled_out(text: &str, context: &Context<'_>, found: &mut impl FnMut(Range<usize>)) {
    if !words(text).any(|word| split_provider(&text[word]).is_some()) {
        return;
    }
    let words: Vec<Range<usize>> = words(text).collect();
    let lower = |index: usize| words.get(index).map(|word| &text[word.clone()]);
    for (index, word) in words.iter().enumerate() {
        let Some(this) = lower(index) else { continue };
        let Some((name, provider)) = split_provider(this) else { continue };
        let mut end = word.end;
        let mut whole = provider == Spelling::WithEnding;
        if provider == Spelling::Bare {
            let dot = lower(index + 1).is_some_and(|next| next == "dot" || next == "punkt");
            let ending = index + 1 + usize::from(dot);
            let known = |next: &str| next == "com" || (dot && ENDINGS.contains(&next));
            if lower(ending).is_some_and(known) {
                end = words[ending].end;
                whole = true;
            }
        }
        let said = |before: usize| {
            let of_list = context.ending_at(words[before].end).is_some_and(|w| w.is(Role::At));
            lower(before).is_some_and(|w| w == "at" || w == "ät") || of_list
        };
        let at_sign = index > 0 && said(index - 1);
        // "anna at gmail", and not "look at gmail"
        if provider == Spelling::Bare && at_sign && MAIL.contains(&this) {
            let name = index.checked_sub(2).and_then(lower);
            whole |= name.is_some_and(|name| name.len() > 2 && may_name(name));
        }
        // "www.gmail.com" and "//gmail.com" are sites.
        if !whole || name.ends_with('.') || text[..word.start].ends_with(['@', '/']) {
            continue;
        }
        if !name.is_empty() {
            found(word.start..end);
            continue;
        }
        // "does gmail.com work" names a site. Only a missing dot or a spelled-out "at" makes it an
        // address.
        if this.contains('.') && !at_sign {
            continue;
        }
        let Some(mut first) = index.checked_sub(1 + usize::from(at_sign)) else { continue };
        let is_number = |i: usize| text[words[i].clone()].chars().all(|c| c.is_ascii_digit());
        if first > 0 && is_number(first) {
            first -= 1;
        }
        let close = word.start - words[first].start <= LOCAL_MAX;
        let is_name = !context.ending_at(words[first].end).is_some_and(|w| w.is(Role::NotName));
        if close && is_name {
            found(words[first].start..end);
        }
    }
}

/// Whether mail is what a domain is known for.
pub(super) fn is_provider(domain: &str) -> bool {
    let name = domain.split('.').next().unwrap_or(domain);
    domain.contains("mail") || PROVIDERS.contains(&name)
}

#[derive(PartialEq, Eq)]
enum Spelling {
    Bare,
    WithEnding,
}

/// `anngmailcom` → (`ann`, with ending); `gmail` → (``, bare).
fn split_provider(word: &str) -> Option<(&str, Spelling)> {
    for rest in ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending)) {
        let rest = rest.strip_suffix('.').unwrap_or(rest);
        if let Some(name) = PROVIDERS.iter().find_map(|provider| rest.strip_suffix(provider)) {
            return Some((name, Spelling::WithEnding));
        }
    }
    if let Some(rest) = word.strip_suffix("com")
        && let Some(name) = WORDS.iter().find_map(|provider| rest.strip_suffix(provider))
    {
        return Some((name, Spelling::WithEnding));
    }
    PROVIDERS.contains(&word).then_some(("", Spelling::Bare))
}
