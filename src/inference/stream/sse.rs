//! Server-sent events, split from bytes as they arrive (WHATWG HTML, "event stream").
//!
//! Only `data` matters here: no model server uses names, ids or retry hints. A comment (`:
//! keep-alive`) is not an event, so it never counts as progress.

use memchr::memchr2;

use crate::inference::outcome::Outcome;

/// Longest line and longest event in bytes. Real deltas have some hundred.
const LONGEST: usize = 1 << 20;

/// Splits chunks of any size into the data of whole events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SseParser {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_cr: bool,
    after_first_line: bool,
}

impl SseParser {
    /// Appends the data of every event that `bytes` completes to `events`.
    ///
    /// An event without a closing empty line waits for [`Self::finish`].
    pub fn push(&mut self, mut bytes: &[u8], events: &mut Vec<Vec<u8>>) -> Result<(), Outcome> {
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = memchr2(b'\r', b'\n', bytes) {
            self.extend(&bytes[..end])?;
            self.end_line(events)?;
            let ended_by_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if ended_by_cr {
                match bytes.first() {
                    None => self.after_cr = true,
                    Some(b'\n') => bytes = &bytes[1..],
                    Some(_) => {}
                }
            }
        }
        self.extend(bytes)
    }

    /// Appends the event that is still open when the body ends properly. The standard drops it, but
    /// some servers send no empty line after their last event, or not even a line break.
    pub fn finish(&mut self, events: &mut Vec<Vec<u8>>) -> Result<(), Outcome> {
        if !self.line.is_empty() {
            self.end_line(events)?;
        }
        self.end_line(events)
    }

    fn extend(&mut self, part: &[u8]) -> Result<(), Outcome> {
        if self.line.len() + part.len() > LONGEST {
            return Err(Outcome::Malformed);
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn end_line(&mut self, events: &mut Vec<Vec<u8>>) -> Result<(), Outcome> {
        let line = std::mem::take(&mut self.line);
        let mut text = line.as_slice();
        if !std::mem::replace(&mut self.after_first_line, true) {
            text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        }
        if text.is_empty() {
            let data = std::mem::take(&mut self.data);
            if std::mem::take(&mut self.has_data) && !data.is_empty() {
                events.push(data);
            }
            return Ok(());
        }
        let value = match text.strip_prefix(b"data") {
            Some([]) => &[],
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
            _ => return Ok(()),
        };
        if self.data.len() + value.len() >= LONGEST {
            return Err(Outcome::Malformed);
        }
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(chunks: &[&[u8]]) -> Vec<String> {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for chunk in chunks {
            parser.push(chunk, &mut events).unwrap();
        }
        events.into_iter().map(|event| String::from_utf8(event).unwrap()).collect()
    }

    #[test]
    fn lines_end_in_lf_crlf_or_cr() {
        for text in
            ["data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\rdata: b\r\r"]
        {
            assert_eq!(parse(&[text.as_bytes()]), ["a", "b"], "{text:?}");
        }
    }

    #[test]
    fn data_lines_are_joined_and_one_space_is_dropped() {
        assert_eq!(parse(&[b"data: a\ndata:b\ndata:  c\n\n"]), ["a\nb\n c"]);
        assert_eq!(parse(&[b"data\ndata: x\n\n"]), ["\nx"]);
    }

    #[test]
    fn a_byte_order_mark_is_dropped_at_the_start_only() {
        assert_eq!(parse(&[b"\xEF", b"\xBB\xBFdata: a\n\n"]), ["a"]);
        assert_eq!(parse(&[b"data: a\n\n\xEF\xBB\xBFdata: b\n\n"]), ["a"]);
    }

    #[test]
    fn comments_other_fields_and_empty_events_are_not_delivered() {
        let text =
            b": keep-alive\n\nevent: x\nid: 1\nretry: 5\n\ndata:\n\ndatas: no\n\ndata: a\n\n";
        assert_eq!(parse(&[text]), ["a"]);
    }

    #[test]
    fn an_event_without_its_empty_line_is_delivered_at_the_end_only() {
        for text in ["data: a\ndata: b\n", "data: a\ndata: b", "data: a\r\ndata: b\r"] {
            let (mut parser, mut events) = (SseParser::default(), Vec::new());
            parser.push(text.as_bytes(), &mut events).unwrap();
            assert!(events.is_empty(), "{text:?}");
            parser.finish(&mut events).unwrap();
            parser.finish(&mut events).unwrap();
            assert_eq!(events, [b"a\nb"], "{text:?}");
        }
    }

    #[test]
    fn an_endless_line_or_event_is_an_error() {
        let mut parser = SseParser::default();
        assert!(parser.push(&vec![b'x'; LONGEST + 1], &mut Vec::new()).is_err());
        let mut parser = SseParser::default();
        let line = [b"data: ".as_slice(), &[b'x'; 1000], b"\n"].concat();
        let error = (0..LONGEST / 500).find_map(|_| parser.push(&line, &mut Vec::new()).err());
        assert_eq!(error, Some(Outcome::Malformed));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_are_cut(
            text in "(data: ?[ab]{0,3}|:c|id: 1|\u{FEFF}|)(\r\n|\r|\n)((data:[ab]{0,3}|:c|)(\r\n|\r|\n)){0,12}",
            cut in prop::collection::vec(0usize..64, 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cut.into_iter().map(|at| at.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(parse(&chunks), parse(&[bytes]));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = SseParser::default().push(&bytes, &mut Vec::new());
        }
    }
}
