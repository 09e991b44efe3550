//! The same text with plain digits, spaces and dashes, so that one scanner reads numbers however
//! they are typed.

use std::borrow::Cow;

/// A text folded character by character, and the mapping back to its offsets.
pub(super) struct Folded<'a> {
    text: Cow<'a, str>,
    /// Byte offset in the original for each byte of `text` and its end; `None` if both are the
    /// same.
    offsets: Option<Vec<usize>>,
}

impl<'a> Folded<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        if text.is_ascii() {
            return Self { text: Cow::Borrowed(text), offsets: None };
        }
        let mut folded = String::with_capacity(text.len());
        let mut offsets = Vec::with_capacity(text.len() + 1);
        for (at, c) in text.char_indices() {
            let plain = plain(c);
            folded.push(plain);
            offsets.extend(std::iter::repeat_n(at, plain.len_utf8()));
        }
        offsets.push(text.len());
        Self { text: Cow::Owned(folded), offsets: Some(offsets) }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Byte offset in the original for a character boundary of the folded text.
    pub(super) fn original(&self, at: usize) -> usize {
        self.offsets.as_ref().map_or(at, |offsets| offsets[at])
    }
}

fn plain(c: char) -> char {
    match c {
        // Fullwidth forms are at a fixed distance from ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        _ => digit(c).unwrap_or(c),
    }
}

/// Decimal digits of the scripts in which shoppers type numbers.
fn digit(c: char) -> Option<char> {
    const ZEROS: [u32; 8] = [0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xbe6, 0xe50];
    let code = c as u32;
    let zero = ZEROS.iter().find(|&&zero| (zero..zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_lead_back_to_the_original() {
        let text = "é ＋٤٤\u{a0}7";
        let folded = Folded::new(text);
        assert_eq!(folded.as_str(), "é +44 7");
        let start = folded.as_str().find('+').unwrap();
        assert_eq!(
            &text[folded.original(start)..folded.original(folded.as_str().len())],
            "＋٤٤\u{a0}7"
        );
    }
}
