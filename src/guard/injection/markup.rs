//! Signs of a prompt in a text: tokens and lines that open a role, tags around passages, calls of
//! functions, and pictures that carry data away.

use super::verdict::Rule;

/// Names that open a role or a part of a prompt in angle brackets, or as a heading.
const PARTS: [&str; 10] = [
    "system",
    "assistant",
    "developer",
    "instruction",
    "instructions",
    "prompt",
    "passage",
    "passages",
    "context",
    "documents",
];
/// And in square brackets, where pages have buttons and links.
const IN_SQUARES: [&str; 3] = ["system", "sys", "inst"];
/// Of these a plain line `system: …` is a hint.
const ROLES: [&str; 3] = ["system", "assistant", "developer"];

/// A sure sign.
pub fn find(text: &str) -> Option<Rule> {
    if !text.contains(['<', '[', '#', '_', '!', '|']) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    if lower.contains("<|") && lower.contains("|>") || lower.contains("<<sys>>") {
        return Some(Rule::Markup);
    }
    let opened = lower.match_indices(['<', '[']).any(|(at, open)| {
        let name = lower[at + open.len()..].trim_start_matches('/');
        let (close, parts) = if open == "<" { ('>', &PARTS[..]) } else { (']', &IN_SQUARES[..]) };
        name.split_once(close).is_some_and(|(name, _)| parts.contains(&name.trim()))
    });
    let headed = lower.match_indices("##").any(|(at, _)| {
        let name = lower[at..].trim_start_matches('#').trim_start();
        let name = name.split([':', '\n']).next().unwrap_or_default().trim();
        PARTS.contains(&name)
            || PARTS.contains(&name.trim_end_matches(" message").trim_end_matches(" prompt"))
    });
    if opened || headed {
        return Some(Rule::Markup);
    }
    let picture = lower
        .find("](http")
        .is_some_and(|at| lower[..at].contains("![") && lower[at..].contains('='));
    (picture || calls(&lower)).then_some(Rule::Tools)
}

/// `refund_order(10482)`, `{"name": "refund_order"`
fn calls(lower: &str) -> bool {
    lower.match_indices('(').any(|(at, _)| {
        let name = lower[..at].rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next();
        let name = name.unwrap_or_default();
        name.len() > 4
            && name.trim_matches('_').contains('_')
            && name.starts_with(|c: char| c.is_ascii_lowercase())
    }) || (lower.contains("\"arguments\"") || lower.contains("\"parameters\""))
        && lower.contains("\"name\"")
}

/// A line that begins like the words of a role.
pub fn is_role_line(text: &str) -> bool {
    text.lines().any(|line| {
        let role = line.split_once(':').map(|(role, _)| role.trim().to_ascii_lowercase());
        role.is_some_and(|role| {
            ROLES.contains(&role.trim_end_matches(" message").trim_start_matches("new "))
        })
    })
}
