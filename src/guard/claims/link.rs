//! Addresses, numbers of people and secrets in an answer, which must be the shop's own words.

use super::{evidence::Evidence, token::placeholder};
use crate::guard::policy::Rule;

/// Shortest run of letters and digits that looks like a key of a program.
const KEY: usize = 20;
/// Fewest digits of a telephone, account or card number.
const DIGITS: usize = 7;

/// The first fault. `known` tells whether a placeholder is one of the conversation.
pub(super) fn fault(text: &str, evidence: &Evidence, known: impl Fn(&str) -> bool) -> Option<Rule> {
    if text.contains('[') && placeholders(text).any(|name| !known(name)) {
        return Some(Rule::PersonalData);
    }
    let pieces = text.split(|c: char| c.is_whitespace() || "()[]<>\"“”„`*|".contains(c));
    for piece in pieces {
        let piece = piece.trim_matches(|c: char| ".,;:!?'_…".contains(c));
        if let Some(rule) = address(piece, evidence) {
            return Some(rule);
        }
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (digits >= DIGITS && long_numbers(text).any(|number| !has_digits(evidence, &number)))
        .then_some(Rule::PersonalData)
}

fn address(piece: &str, evidence: &Evidence) -> Option<Rule> {
    if let Some((user, host)) = piece.split_once('@') {
        let is_mail = !user.is_empty() && host.contains('.');
        return (is_mail && !evidence.contains(&piece.to_lowercase())).then_some(Rule::Links);
    }
    if is_key(piece) {
        return (!evidence.contains(&piece.to_lowercase())).then_some(Rule::Secrets);
    }
    let lower = piece.to_lowercase();
    let scheme = lower.find("://").map(|at| at + 3);
    let bare = &lower[scheme.unwrap_or(0)..];
    let bare = bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches('/');
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let is_link =
        scheme.is_some() || (is_host(host) && piece.starts_with(|c: char| c.is_ascii_lowercase()));
    if !is_link {
        return None;
    }
    let is_known = evidence.contains(bare) || path.is_empty() && evidence.contains(host);
    (!is_known).then_some(Rule::Links)
}

/// `shop.example`, and not `e.g` or `4.90`.
fn is_host(text: &str) -> bool {
    let Some((_, end)) = text.rsplit_once('.') else { return false };
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (2..=12).contains(&end.len())
        && end.bytes().all(|b| b.is_ascii_alphabetic())
        && text.split('.').all(label)
        && text.split('.').any(|label| label.len() > 2)
}

fn is_key(piece: &str) -> bool {
    let run = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    piece.len() >= KEY
        && piece.chars().all(run)
        && piece.bytes().any(|b| b.is_ascii_digit())
        && piece.bytes().any(|b| b.is_ascii_lowercase())
}

/// `[EMAIL_1]`, and whatever looks like it.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices('[').map(|(at, _)| &text[at..]);
    starts.filter_map(|rest| placeholder(rest).map(|length| &rest[..length]))
}

/// The digits of numbers that are as long as one of a person.
fn long_numbers(text: &str) -> impl Iterator<Item = String> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '/' | '\u{a0}');
    text.split(move |c| !is_part(c)).filter_map(|run| {
        let digits: String = run.chars().filter(char::is_ascii_digit).collect();
        (digits.len() >= DIGITS).then_some(digits)
    })
}

fn has_digits(evidence: &Evidence, number: &str) -> bool {
    evidence.digits().contains(number)
}
