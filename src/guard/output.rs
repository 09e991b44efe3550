//! The last filter of an answer on its way to a shopper, delta by delta.
//!
//! Replaces placeholders with the shopper's own values, removes links whose scheme could run code
//! or reach something, drops control characters and bounds the length. How the answer is cut into
//! deltas never changes the result.

mod link;

use super::vault::Vault;
use link::Link;

/// A `[` or `<` is judged together with at most this many bytes after it. Anything longer is not a
/// link.
const LOOKAHEAD: usize = 4096;

/// A streaming filter for one answer.
pub struct OutputFilter {
    /// Sorted by placeholder.
    values: Vec<(String, String)>,
    /// Text that cannot be judged before more has arrived.
    held: String,
    shown: Shown,
    /// Bytes that may still be shown.
    left: usize,
    truncated: bool,
}

/// The end of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    pub text: String,
    /// Whether the answer was cut because it was too long.
    pub truncated: bool,
}

impl OutputFilter {
    /// `max_bytes` bounds the total output over all deltas; a cut never splits a character.
    pub fn new(vault: &Vault, max_bytes: usize) -> Self {
        let values = vault.pairs().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            values: values.collect(),
            held: String::new(),
            shown: Shown::default(),
            left: max_bytes,
            truncated: false,
        }
    }

    /// Takes a delta and returns what may be shown now. Often that is nothing, while a placeholder
    /// or a link is incomplete.
    pub fn push(&mut self, delta: &str) -> String {
        self.held.extend(delta.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')));
        self.release(false)
    }

    /// Returns the text that was held back. No delta may follow.
    pub fn finish(mut self) -> Tail {
        let text = self.release(true);
        Tail { text, truncated: self.truncated }
    }

    /// Whether the limit is reached. Nothing more will be shown, so the generation may stop.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    fn release(&mut self, last: bool) -> String {
        let held = std::mem::take(&mut self.held);
        let rest = Scan { values: &self.values, last, label: false }.run(&held, &mut self.shown);
        self.held.push_str(rest);
        let mut out = std::mem::take(&mut self.shown.text);
        self.bound(&mut out);
        out
    }

    fn bound(&mut self, out: &mut String) {
        if self.truncated {
            out.clear();
            self.held.clear();
        } else if out.len() > self.left {
            out.truncate(out.floor_char_boundary(self.left));
            self.held.clear();
            self.truncated = true;
        }
        self.left = self.left.saturating_sub(out.len());
    }
}

/// The output, and what is known about its end. After a link was removed, the text around it must
/// not form a new link, as `[a][](x:y)(z:)` would.
#[derive(Default)]
struct Shown {
    text: String,
    last: Option<char>,
    /// A link was removed here: only white space and plain punctuation may follow directly.
    seam: bool,
}

impl Shown {
    fn push(&mut self, text: &str) {
        let Some(last) = text.chars().next_back() else { return };
        if std::mem::take(&mut self.seam)
            && !text.starts_with(|c: char| c.is_whitespace() || ".,;?!".contains(c))
        {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.last = Some(last);
    }

    /// Adds the label of a removed link.
    fn push_label(&mut self, label: &str) {
        if self.follows_something() {
            self.push(" ");
        }
        self.push(label);
        self.end_link();
    }

    fn end_link(&mut self) {
        self.seam = self.follows_something();
    }

    fn follows_something(&self) -> bool {
        self.last.is_some_and(|c| !c.is_whitespace())
    }
}

/// The result of judging the text after a special character.
enum Look {
    /// This many bytes are a placeholder with this value, or pass as they are.
    Replace(usize, String),
    /// This many bytes are a bad link with this label.
    Unlink(usize, String),
    /// This many bytes end a bad link whose start was already shown.
    Close(usize),
    /// The character means nothing special.
    Plain,
    /// More text is needed to decide.
    Wait,
}

struct Scan<'a> {
    values: &'a [(String, String)],
    /// No more text will come.
    last: bool,
    /// The text is a label and its continuation is unknown, so nothing in it may stay open.
    label: bool,
}

impl Scan<'_> {
    /// Shows the text that is safe and returns the rest, which must wait.
    fn run<'t>(&self, mut text: &'t str, shown: &mut Shown) -> &'t str {
        while let Some(at) = text.find(['[', ']', '<', '\\']) {
            shown.push(&text[..at]);
            text = &text[at..];
            let length = match self.look(text) {
                Look::Replace(length, value) => {
                    shown.push(&value);
                    length
                }
                Look::Unlink(length, label) => {
                    shown.push_label(&label);
                    length
                }
                Look::Close(length) => {
                    shown.push("]");
                    shown.end_link();
                    length
                }
                Look::Plain => {
                    shown.push(&text[..1]);
                    1
                }
                Look::Wait => return text,
            };
            text = &text[length..];
        }
        shown.push(text);
        ""
    }

    fn look(&self, text: &str) -> Look {
        match text.as_bytes() {
            [b'\\'] if !self.last => Look::Wait,
            // An escaped character starts no link, so both pass together. An escaped `]` is still
            // judged, because inside code a backslash escapes nothing.
            [b'\\', b'\\' | b'<', ..] => Look::Replace(2, text[..2].to_owned()),
            [b'\\', b'[', ..] => match self.placeholder(&text[1..]) {
                None => Look::Replace(2, text[..2].to_owned()),
                Some(Look::Wait) => Look::Wait,
                Some(_) => Look::Plain,
            },
            [b'\\', ..] => Look::Plain,
            [b'[', ..] => self.placeholder(text).unwrap_or_else(|| self.judge(text)),
            _ => self.judge(text),
        }
    }

    /// `None` if no placeholder of this conversation can start here.
    fn placeholder(&self, text: &str) -> Option<Look> {
        let first = self
            .values
            .partition_point(|(name, _)| name.as_str() < text && !text.starts_with(name));
        let (name, value) = self.values.get(first)?;
        if text.starts_with(name) {
            return Some(Look::Replace(name.len(), value.clone()));
        }
        (name.starts_with(text) && !self.last).then_some(Look::Wait)
    }

    fn judge(&self, text: &str) -> Look {
        match link::at(window(text)) {
            Link::None => Look::Plain,
            Link::Unfinished if self.label => match text.as_bytes() {
                [b']', _, ..] => Look::Close(2),
                [b'<', ..] => Look::Replace(1, "< ".to_owned()),
                _ => Look::Plain,
            },
            Link::Unfinished if self.last || text.len() >= LOOKAHEAD => {
                if link::opens_a_bad_target(window(text)) { Look::Close(2) } else { Look::Plain }
            }
            Link::Unfinished => Look::Wait,
            Link::Bad { length, .. } if text.starts_with(']') => Look::Close(length),
            Link::Bad { length, label } => {
                let mut shown = Shown::default();
                Scan { values: self.values, last: true, label: true }.run(label, &mut shown);
                Look::Unlink(length, shown.text)
            }
        }
    }
}

/// The part of the text that decides. The decision must not depend on how much has arrived.
fn window(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOOKAHEAD)]
}

#[cfg(test)]
mod tests;
