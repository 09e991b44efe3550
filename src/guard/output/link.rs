//! Recognises the links of Markdown well enough to tell the harmless from the others. In doubt a
//! link is bad.

/// What starts at a bracket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link<'a> {
    /// No link, or one that may stay: its text is looked at on its own.
    None,
    /// It cannot be told before more text has come.
    Unfinished,
    /// A link to lose, `length` bytes long; `label` stays.
    Bad { length: usize, label: &'a str },
}

/// Looks at a text that starts with `[`, `]` or `<`.
pub(super) fn at(text: &str) -> Link<'_> {
    match text.as_bytes().first() {
        Some(b'<') => autolink(text),
        // The end of a label that was too long to be held, or that had brackets in it.
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
            // A blank line ends a paragraph, and every link in it.
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

/// Longest target, with its title. A longer one is judged by its beginning.
const LONGEST_TARGET: usize = 2048;

/// The part of a text in which a target must end, and whether the text reaches that far. How much
/// of it has arrived must not change a decision, so nobody looks further.
fn target_window(text: &str) -> (&str, bool) {
    (&text[..text.floor_char_boundary(LONGEST_TARGET)], text.len() >= LONGEST_TARGET)
}

/// Judges what follows a label: `(target "title")` or `: target`.
fn destination<'a>(text: &'a str, start: usize, label: &'a str) -> Link<'a> {
    let (rest, whole) = target_window(&text[start..]);
    match rest.as_bytes().first() {
        None => Link::Unfinished,
        Some(b'(') => match closing(rest) {
            None if !whole => Link::Unfinished,
            None if has_good_scheme(target(&rest[1..])) => Link::None,
            // The parenthesis alone goes: what it opens may never be closed.
            None => Link::Bad { length: start + 1, label },
            Some(end) if harmless(target(&rest[1..end])) => Link::None,
            Some(end) => Link::Bad { length: start + end + 1, label },
        },
        Some(b':') => definition(rest, whole, start, label),
        Some(_) => Link::None,
    }
}

/// Whether a text begins with `](` and what follows is no harmless target. It was never closed, but
/// what is taken apart behind it could close it.
pub(super) fn opens_a_bad_target(text: &str) -> bool {
    text.strip_prefix("](").is_some_and(|rest| !harmless(target(target_window(rest).0)))
}

/// `[label]: target`: a definition makes a link of `[label]` elsewhere.
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

/// Letters first, as a scheme has them.
fn could_be_scheme(text: &str) -> bool {
    let scheme = text.split(':').next().unwrap_or("");
    scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'))
        && !scheme.starts_with(|c: char| !c.is_ascii_alphabetic())
}

/// The target without its title and its angle brackets.
fn target(inside: &str) -> &str {
    let inside = inside.trim();
    match inside.strip_prefix('<') {
        Some(pointed) => pointed.split('>').next().unwrap_or(pointed),
        None => inside.split(char::is_whitespace).next().unwrap_or(inside),
    }
}

/// http, https, mailto, or an address without a scheme. Entities, escapes and percent signs where a
/// scheme could stand make it bad: a browser reads them otherwise than we do.
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
