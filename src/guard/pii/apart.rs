//! E-mail addresses with spaces or line breaks in them: "a n n @ example . com",
//! "ann@example.\ncom".

use std::ops::Range;

use super::{plain::Edit, vocabulary::ENDINGS};

/// Characters that stand alone, in a row.
const FEWEST: usize = 3;
const MOST: usize = 64;

/// The edits that take the spaces out.
pub(super) fn edits(text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    for at in memchr::memchr_iter(b'@', text.as_bytes()) {
        let after = letters_after(text, at + 1);
        let head = text[..at].trim_end_matches(' ').len();
        if !after.is_empty() && head < at {
            edits.push(gap(head..at));
        }
        edits.extend(letters_before(text, head));
        edits.extend(after);
        edits.extend(lines(text, at));
    }
    edits
}

fn gap(range: Range<usize>) -> Edit {
    Edit { range, with: "".into() }
}

fn is_single(token: &str) -> bool {
    let mut signs = token.chars();
    signs.next().is_some_and(|c| c.is_alphanumeric() || ".-_+".contains(c))
        && signs.next().is_none()
}

/// "a n n @"
fn letters_before(text: &str, end: usize) -> Vec<Edit> {
    let mut edits = Vec::new();
    let (mut at, mut letters) = (end, 0);
    for token in text[..end].rsplit(' ').take(MOST).take_while(|token| is_single(token)) {
        if letters > 0 {
            edits.push(gap(at..at + 1));
        }
        letters += 1;
        at = at.saturating_sub(token.len() + 1);
    }
    if letters < FEWEST { Vec::new() } else { edits }
}

/// "@ e x a m p l e . c o m"
fn letters_after(text: &str, from: usize) -> Vec<Edit> {
    let mut edits = Vec::new();
    let (mut at, mut letters) = (from, 0);
    let spaced = text[from..].starts_with(' ');
    for token in text[from..].split(' ').skip(usize::from(spaced)).take(MOST) {
        let single = is_single(token.trim_end_matches([',', '!', '?', ';']));
        if !single {
            break;
        }
        if letters > 0 || spaced {
            edits.push(gap(at..at + 1));
            at += 1;
        }
        letters += 1;
        at += token.len();
    }
    if letters < FEWEST { Vec::new() } else { edits }
}

/// "ann@example.\ncom", "ann@example\n.com", "ann@exam\nple.com", "ann\n@example.com"
fn lines(text: &str, at: usize) -> Vec<Edit> {
    let mut edits = Vec::new();
    let before = text[..at].trim_end_matches(['\n', '\r']);
    if before.len() < at && before.ends_with(char::is_alphanumeric) {
        edits.push(gap(before.len()..at));
    }
    let of_domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
    let start = at + 1;
    let end = start + text[start..].find(|c| !of_domain(c)).unwrap_or(text.len() - start);
    let rest = text[end..].trim_start_matches([' ', '\n', '\r']);
    let next = text.len() - rest.len();
    let part = &rest[..rest.find(|c| !of_domain(c)).unwrap_or(rest.len())];
    let part = part.trim_end_matches('.');
    let ending = part.rsplit('.').next().unwrap_or(part);
    let domain = &text[start..end];
    let broken = text[end..next].contains(['\n', '\r']) && ENDINGS.contains(ending);
    let joined = domain.ends_with('.') && !part.is_empty()
        || part.starts_with('.')
        || !domain.contains('.') && part.contains('.');
    if broken && !domain.is_empty() && joined {
        edits.push(gap(end..next));
    }
    edits
}
