//! A text in its plainest spelling, and the way back to what was typed.

use std::{borrow::Cow, ops::Range};

/// Lower case, plain digits, spaces and dashes; made by `fold`, `spoken` and `spelled`.
pub(super) struct Plain {
    text: String,
    /// Start and end in the original for each byte of `text`; `None` if they are equal.
    origin: Option<Vec<(u32, u32)>>,
}

/// A part of a plain text that is said in another way.
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) with: Cow<'static, str>,
}

impl Plain {
    /// `text` has a byte for each byte of the original.
    pub(super) fn same(text: String) -> Self {
        Self { text, origin: None }
    }

    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), origin: Some(Vec::with_capacity(bytes)) }
    }

    pub(super) fn push(&mut self, c: char, original: Range<usize>) {
        self.text.push(c);
        if let Some(origin) = &mut self.origin {
            origin.extend(std::iter::repeat_n(small(&original), c.len_utf8()));
        }
    }

    /// What was typed up to `end` belongs to the last character, as an accent does.
    pub(super) fn stretch(&mut self, end: usize) {
        let bytes = self.text.chars().next_back().map_or(0, char::len_utf8);
        if let Some(origin) = &mut self.origin {
            let end = u32::try_from(end).unwrap_or(u32::MAX);
            origin.iter_mut().rev().take(bytes).for_each(|(_, last)| *last = end);
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Bytes of the original. `range` is not empty and lies at characters.
    pub(super) fn original(&self, range: &Range<usize>) -> Range<usize> {
        match &self.origin {
            None => range.clone(),
            Some(origin) => {
                let first = origin.get(range.start).map_or(0, |(start, _)| *start);
                let last = origin.get(range.end.saturating_sub(1)).map_or(0, |(_, end)| *end);
                first as usize..last.max(first) as usize
            }
        }
    }

    /// `edits` are sorted, have no overlaps and lie at characters.
    pub(super) fn edited(&self, edits: &[Edit]) -> Self {
        let mut made = Self::with_capacity(self.text.len());
        let mut rest = 0;
        for Edit { range, with } in edits {
            made.copy(self, rest..range.start);
            let original = self.original(range);
            with.chars().for_each(|c| made.push(c, original.clone()));
            rest = range.end;
        }
        made.copy(self, rest..self.text.len());
        made
    }

    fn copy(&mut self, from: &Self, range: Range<usize>) {
        self.text.push_str(&from.text[range.clone()]);
        if let Some(origin) = &mut self.origin {
            match &from.origin {
                Some(known) => origin.extend_from_slice(&known[range]),
                None => {
                    let text = &from.text[range.clone()];
                    let start = range.start;
                    origin.extend(text.char_indices().flat_map(|(at, c)| {
                        let bytes = start + at..start + at + c.len_utf8();
                        std::iter::repeat_n(small(&bytes), c.len_utf8())
                    }));
                }
            }
        }
    }
}

fn small(range: &Range<usize>) -> (u32, u32) {
    let small = |at| u32::try_from(at).unwrap_or(u32::MAX);
    (small(range.start), small(range.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_text_leads_back_to_the_original() {
        let plain = Plain::same("call four one now".into());
        let edits = [
            Edit { range: 5..9, with: "4".into() },
            Edit { range: 9..10, with: " ".into() },
            Edit { range: 10..13, with: "1".into() },
        ];
        let edited = plain.edited(&edits);
        assert_eq!(edited.as_str(), "call 4 1 now");
        assert_eq!(edited.original(&(5..8)), 5..13);
    }
}
