//! Finds the header of a file, and tells it from a text that begins with a rule.

use unicode_normalization::UnicodeNormalization as _;

use super::entry::Key;
use crate::knowledge::{
    line::LineFault,
    names::{self, Meaning},
};

/// Lines at the top of a file in which a header without a fence is looked for.
const TOP_LINES: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    Yaml,
    Toml,
}

/// A header, and the text below it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fenced<'a> {
    pub syntax: Syntax,
    pub text: &'a str,
    /// The line of the file at which `text` begins, from 1.
    pub line: usize,
    pub body: &'a str,
}

/// The header of `text`; `None` if the whole text is the body. Without a fence, a line that begins
/// with `audience:` is a header all the same, and so is a first line with one of `first`.
///
/// # Errors
/// A header without its last line, or one without a fence.
pub fn find<'a>(text: &'a str, first: &[Key]) -> Result<Option<Fenced<'a>>, LineFault> {
    let mut lines = Lines { rest: text, line: 0 };
    let Some(opening) = lines.find(|line| !seen(line).is_empty()) else { return Ok(None) };
    let (syntax, ends): (_, &[&str]) = match &*seen(opening) {
        "---" => (Syntax::Yaml, &["---", "..."]),
        "+++" => (Syntax::Toml, &["+++"]),
        _ => return without_fence(text, first),
    };
    let (inside, line, opened) = (lines.rest, lines.line + 1, lines.line);
    loop {
        let before = inside.len() - lines.rest.len();
        let Some(last) = lines.next() else { break };
        if ends.contains(&last.trim_end()) {
            let header = &inside[..before];
            return if is_header(header) {
                Ok(Some(Fenced { syntax, text: header, line, body: lines.rest }))
            } else {
                without_fence(text, first)
            };
        }
    }
    let top: Vec<&str> = inside.lines().take(TOP_LINES).collect();
    if is_header(&top.join("\n")) {
        let end = ends[0];
        return Err(LineFault::new(opened, format!("the header has no last line `{end}`")));
    }
    without_fence(text, first)
}

/// Whether the lines between two fences are a header, and not text between two rules.
fn is_header(text: &str) -> bool {
    let lines: Vec<String> = text.lines().map(seen).filter(|line| !line.is_empty()).collect();
    // A heading of Markdown and a comment of YAML look the same.
    let first = lines.iter().find(|line| !line.starts_with('#'));
    first.map_or(lines.is_empty(), |line| is_entry(line)) || lines.iter().any(|line| is_known(line))
}

/// `word:` or `word =` at the start of a line, or a mapping that begins otherwise.
fn is_entry(line: &str) -> bool {
    let (name, rest) = name(line);
    line.starts_with(['{', '?']) || (!name.is_empty() && rest.starts_with([':', '=']))
}

/// The key of a header at the start of a line. `audience` is one without a colon, too.
fn is_known(line: &str) -> bool {
    key(line).is_some() || Key::Audience.is_called(name(line).0)
}

/// Refuses a file whose first lines are a header that has no fence.
fn without_fence<'a>(text: &'a str, first: &[Key]) -> Result<Option<Fenced<'a>>, LineFault> {
    let lines = text.lines().take(TOP_LINES).enumerate().map(|(at, line)| (at + 1, line));
    bare(lines.filter(|(_, line)| !is_heading(&seen(line))), first)?;
    Ok(None)
}

/// Refuses lines, with their numbers, at the top of a text that say who may read it. The first one
/// may not be an entry of a header at all.
pub fn bare<'a>(
    lines: impl IntoIterator<Item = (usize, &'a str)>,
    first: &[Key],
) -> Result<(), LineFault> {
    let mut is_first = true;
    for (number, line) in lines.into_iter().take(TOP_LINES) {
        let line = seen(line);
        if !line.contains(char::is_alphanumeric) {
            continue;
        }
        let (word, rest) = name(&line);
        let found = match key(&line) {
            Some(Key::Audience) => true,
            Some(key) => is_first && first.contains(&key),
            None => is_first && (says_access(word, rest) || says_audience(word, rest)),
        };
        if found {
            let detail = format!(
                "`{word}` looks like a header that has no `---` lines around it: add them; \
                 if it is text, write other words before it"
            );
            return Err(LineFault::new(number, detail));
        }
        is_first = false;
    }
    Ok(())
}

/// `visibility: internal`, with one word and no more.
fn says_access(word: &str, rest: &str) -> bool {
    let Some(value) = rest.strip_prefix([':', '=', '|']) else { return false };
    let mut values = value.split(|c: char| !c.is_alphanumeric() && !['_', '-'].contains(&c));
    let is_one_word = values.by_ref().filter(|value| !value.is_empty()).count() == 1;
    is_one_word && matches!(names::meaning(word), Meaning::Access | Meaning::Switch(_))
}

/// `audience staff`, as a table without lines is read.
fn says_audience(word: &str, rest: &str) -> bool {
    Key::Audience.is_called(word) && rest.split_whitespace().count() == 1 && is_name(rest)
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || ['_', '-'].contains(&c))
}

/// A heading of Markdown.
fn is_heading(line: &str) -> bool {
    line.starts_with('#') && line.trim_start_matches('#').starts_with([' ', '\t'])
}

/// The key that a line begins with, followed by a sign that stands before a value.
fn key(line: &str) -> Option<Key> {
    let (name, rest) = name(line);
    let key = Key::ALL.into_iter().find(|key| key.is_called(name))?;
    rest.starts_with([':', '=', '|', '→']).then_some(key)
}

/// The first word of a line without what may stand around it, such as quotes and brackets, and
/// what follows it.
fn name(line: &str) -> (&str, &str) {
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    let end = line.find(|c: char| !c.is_alphanumeric() && !['_', '-'].contains(&c));
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let around = |c: char| c.is_whitespace() || ['"', '\'', '`', '*'].contains(&c);
    (name, rest.trim_start_matches(around))
}

/// A line as a reader sees it: without characters that are not seen, and with the usual form of
/// each letter and sign.
fn seen(line: &str) -> String {
    let unseen =
        |c: &char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let line: String = line.chars().filter(|c| !unseen(c)).nfkc().collect();
    line.trim().to_owned()
}

struct Lines<'a> {
    rest: &'a str,
    /// The number of the line that was given last.
    line: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        (self.rest, self.line) = (rest, self.line + 1);
        Some(line)
    }
}
