//! Recognises the links of Markdown well enough to separate harmless ones from all others. In doubt
//! a link is bad.

/// What starts at a bracket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link<'a> {
    /// Not a link, or a link that may stay. The text inside it is judged separately.
    None,
    /// More text is needed to decide.
    Unfinished,
    /// A link to remove, `length` bytes long; `label` stays.
    Bad { length: usize, label: &'a str },
}

/// Judges a text that starts with `[`, `]` or `<`.
pub(super) fn at(text: &str) -> Link<'_> {
    match text.as_bytes().first() {
        Some(b'<') => autolink(text),
        // The end of a label that was too long to hold back, or that had brackets in it.
        Some(b']') => destination(text, 1, "]"),
        _ => match label_end(text) {
            Ok(end) => destination(text, end + 1, &text[1..end]),
            Err(link) => link,
        },
    }
}

/// Index of the `]` that closes the `[` at the start.
fn label_end(text: &str) -> Result<usize, Link<'static>> {
    const LONGEST: usize = 1024;
    let (mut depth, mut escaped, mut newline) = (0, false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            // A blank line ends a paragraph, and with it every link.
            b'\n' if newline => return Err(Link::None),
            _ if index > LONGEST => return Err(Link::None),
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'[' => depth += 1,
            b']' => depth -= 1,
            _ => {}
        }
        newline = byte == b'\n' || (newline && byte == b' ');
        if depth == 0 {
            return Ok(index);
        }
    }
    Err(Link::Unfinished)
}

/// Longest target, with its title. A longer target is judged by its start.
const LONGEST_TARGET: usize = 2048;

/// The part of a text in which a target must end, and whether the text reaches that far. The
/// decision must not depend on how much has arrived, so only this part is read.
fn target_window(text: &str) -> (&str, bool) {
    (&text[..text.floor_char_boundary(LONGEST_TARGET)], text.len() >= LONGEST_TARGET)
}

/// Judges the text after a label: `(target "title")` or `: target`.
fn destination<'a>(text: &'a str, start: usize, label: &'a str) -> Link<'a> {
    let (rest, whole) = target_window(&text[start..]);
    match rest.as_bytes().first() {
        None => Link::Unfinished,
        Some(b'(') => match closing(rest) {
            None if !whole => Link::Unfinished,
            None if has_good_scheme(target(&rest[1..])) => Link::None,
            // Only the parenthesis is removed: the target that it opens may never be closed.
            None => Link::Bad { length: start + 1, label },
            Some(end) if harmless(target(&rest[1..end])) => Link::None,
            Some(end) => Link::Bad { length: start + end + 1, label },
        },
        Some(b':') => definition(rest, whole, start, label),
        Some(_) => Link::None,
    }
}

/// Whether a text starts with `](` and no harmless target follows. The target was not closed, but
/// text left over from a removed link could close it.
pub(super) fn opens_a_bad_target(text: &str) -> bool {
    text.strip_prefix("](").is_some_and(|rest| !harmless(target(target_window(rest).0)))
}

/// `[label]: target`: a definition turns `[label]` elsewhere into a link.
fn definition<'a>(rest: &'a str, whole: bool, start: usize, label: &'a str) -> Link<'a> {
    let target_start = rest.len() - rest[1..].trim_start().len();
    let word = &rest[target_start..];
    match word.find(char::is_whitespace) {
        None if !whole => Link::Unfinished,
        None if has_good_scheme(word) => Link::None,
        None => Link::Bad { length: start + 1, label },
        Some(end) if harmless(&word[..end]) => Link::None,
        Some(end) => Link::Bad { length: start + target_start + end, label },
    }
}

/// Index of the `)` that closes the `(` at the start.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut escaped) = (0, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

/// `<scheme:rest>`.
fn autolink(text: &str) -> Link<'_> {
    let (inside, whole) = target_window(&text[1..]);
    let Some(end) = inside.find(|c: char| c == '>' || c == '<' || c.is_whitespace()) else {
        return match (could_be_scheme(inside), whole) {
            (false, _) => Link::None,
            (true, false) => Link::Unfinished,
            (true, true) if has_good_scheme(inside) => Link::None,
            (true, true) => Link::Bad { length: 1, label: "" },
        };
    };
    let inside_link = &inside[..end];
    let closed = inside[end..].starts_with('>');
    let schemed = inside_link.contains(':') && could_be_scheme(inside_link);
    if !closed || !schemed || harmless(inside_link) {
        return Link::None;
    }
    Link::Bad { length: end + 2, label: inside_link }
}

/// Whether the text starts with letters, as a scheme does.
fn could_be_scheme(text: &str) -> bool {
    let scheme = text.split(':').next().unwrap_or("");
    scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'))
        && !scheme.starts_with(|c: char| !c.is_ascii_alphabetic())
}

/// The target without its title and angle brackets.
fn target(inside: &str) -> &str {
    let inside = inside.trim();
    match inside.strip_prefix('<') {
        Some(pointed) => pointed.split('>').next().unwrap_or(pointed),
        None => inside.split(char::is_whitespace).next().unwrap_or(inside),
    }
}

/// http, https, mailto, or an address without a scheme. Entities, escapes and percent signs in the
/// place of a scheme make it bad, because a browser decodes them.
fn harmless(target: &str) -> bool {
    let target = target.trim_start_matches('<');
    let first = target.split(['/', '?', '#']).next().unwrap_or(target);
    has_good_scheme(target) || !first.contains([':', '&', '\\', '%'])
}

fn has_good_scheme(target: &str) -> bool {
    let target = target.trim_start_matches('<');
    let start = target[..target.floor_char_boundary(8)].to_ascii_lowercase();
    ["http://", "https://", "mailto:"].iter().any(|scheme| start.starts_with(scheme))
}
