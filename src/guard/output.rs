//! The last thing an answer passes on its way to a shopper, delta by delta.
//!
//! Puts the shopper's own values back in place of their placeholders, takes links apart whose
//! scheme could run or reach something, drops control characters and bounds the length. How the
//! answer is cut into deltas never changes the result.

mod link;

use super::vault::Vault;
use link::Link;

/// A `[` or `<` is looked at together with at most this many bytes after it. What is longer is no
/// link.
const LOOKAHEAD: usize = 4096;

/// A streaming filter for one answer.
pub struct OutputFilter {
    /// Sorted by placeholder.
    values: Vec<(String, String)>,
    /// What cannot be judged before more has arrived.
    held: String,
    shown: Shown,
    /// Bytes that may still leave.
    left: usize,
    truncated: bool,
}

/// The end of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    pub text: String,
    /// Whether anything was cut off because the answer was too long.
    pub truncated: bool,
}

impl OutputFilter {
    /// `max_bytes` bounds everything that leaves, over all deltas; the cut is at a character.
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

    /// Takes a delta and gives what may be shown now; often nothing, while a placeholder or a link
    /// is incomplete.
    pub fn push(&mut self, delta: &str) -> String {
        self.held.extend(delta.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')));
        self.release(false)
    }

    /// Gives what was held back. Nothing may follow.
    pub fn finish(mut self) -> Tail {
        let text = self.release(true);
        Tail { text, truncated: self.truncated }
    }

    /// Whether the bound is reached: nothing more will be shown, so the generation may stop.
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

/// What leaves, and what is known of its end. Where a link was taken apart, its neighbours must not
/// grow together into another one: `[a][](x:y)(z:)` would.
#[derive(Default)]
struct Shown {
    text: String,
    last: Option<char>,
    /// A link ended here: only white space and plain punctuation may follow directly.
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

    /// The label of a link that was taken apart.
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

/// What a look at the text after a special character says.
enum Look {
    /// So many bytes are a placeholder with this value, or pass as they are.
    Replace(usize, String),
    /// So many bytes are a bad link with this label.
    Unlink(usize, String),
    /// So many bytes end a bad link whose beginning is shown already.
    Close(usize),
    /// The character means nothing special.
    Plain,
    /// More text is needed to tell.
    Wait,
}

struct Scan<'a> {
    values: &'a [(String, String)],
    /// No more text will come.
    last: bool,
    /// This is a label, and what follows it is unknown: nothing in it may stay open.
    label: bool,
}

impl Scan<'_> {
    /// Shows what is safe to show and gives back what must wait.
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
            // An escaped character starts no link, so both pass together. An escaped `]` is looked
            // at all the same: inside code a backslash escapes nothing.
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

    /// `None` where no placeholder of this conversation can start here.
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

/// The part of the text that decides, so that the decision does not depend on how much has arrived.
fn window(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOOKAHEAD)]
}

#[cfg(test)]
mod tests;
