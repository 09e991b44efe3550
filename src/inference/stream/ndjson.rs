//! One JSON value per line, split from bytes as they arrive.

use memchr::memchr;

use crate::inference::outcome::Outcome;

const LONGEST: usize = 1 << 20;

/// Splits chunks of any size into whole lines; empty lines are dropped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NdjsonParser {
    line: Vec<u8>,
}

impl NdjsonParser {
    /// Appends every line that `bytes` completes to `lines`.
    pub fn push(&mut self, mut bytes: &[u8], lines: &mut Vec<Vec<u8>>) -> Result<(), Outcome> {
        while let Some(end) = memchr(b'\n', bytes) {
            self.extend(&bytes[..end])?;
            let line = std::mem::take(&mut self.line);
            if !line.trim_ascii().is_empty() {
                lines.push(line);
            }
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes)
    }

    /// The last line, if the body ended properly without a line break.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        (!line.trim_ascii().is_empty()).then_some(line)
    }

    fn extend(&mut self, part: &[u8]) -> Result<(), Outcome> {
        if self.line.len() + part.len() > LONGEST {
            return Err(Outcome::Malformed);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_the_bytes_are_cut() {
        let text = b"{\"a\":1}\r\n\n{\"b\":2}\n{\"c\"";
        for cut in 0..text.len() {
            let mut parser = NdjsonParser::default();
            let mut lines = Vec::new();
            parser.push(&text[..cut], &mut lines).unwrap();
            parser.push(&text[cut..], &mut lines).unwrap();
            assert_eq!(lines, [b"{\"a\":1}\r".to_vec(), b"{\"b\":2}".to_vec()]);
            assert_eq!(parser.finish().as_deref(), Some(b"{\"c\"".as_slice()));
            assert_eq!(parser.finish(), None);
        }
    }

    #[test]
    fn an_endless_line_is_an_error() {
        let mut parser = NdjsonParser::default();
        assert!(parser.push(&vec![b'x'; LONGEST + 1], &mut Vec::new()).is_err());
    }
}
