//! An incremental reader of `text/event-stream` that accepts bytes in any portions.
//!
//! Used by the replay and the benchmarks. Follows the HTML standard: `\n`, `\r\n` and `\r` end a
//! line, comments are skipped, several `data` lines are joined with `\n`, and an event without data
//! is dropped.

/// A longer frame is a fault of the server (its contract says 64 KiB).
const MAX_BUFFERED: usize = 1 << 20;

/// One dispatched event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// Empty if the stream had no name.
    pub name: String,
    /// The `id` of this event, not one from an earlier event.
    pub id: Option<String>,
    pub data: String,
}

/// A line or an event grew beyond 1 MiB.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

#[derive(Default)]
pub struct SseReader {
    buffer: Vec<u8>,
    /// Start of the first unread line.
    start: usize,
    /// Bytes from `start` that are known to contain no line end.
    scanned: usize,
    skip_line_feed: bool,
    event: SseEvent,
    has_data: bool,
}

impl SseReader {
    /// Takes the next bytes of the stream, cut anywhere.
    ///
    /// # Errors
    /// [`TooLong`]; the stream should then be closed.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.buffer.drain(..self.start);
        self.start = 0;
        if self.buffer.len() + bytes.len() + self.event.data.len() > MAX_BUFFERED {
            return Err(TooLong);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole event, if there is one.
    pub fn next_event(&mut self) -> Option<SseEvent> {
        while let Some((from, to)) = self.next_line() {
            if from == to {
                if self.has_data {
                    self.has_data = false;
                    return Some(std::mem::take(&mut self.event));
                }
                self.event = SseEvent::default();
            } else {
                self.field(from, to);
            }
        }
        None
    }

    /// Start and end of the next whole line in the buffer.
    fn next_line(&mut self) -> Option<(usize, usize)> {
        if self.skip_line_feed && self.start < self.buffer.len() {
            self.skip_line_feed = false;
            if self.buffer[self.start] == b'\n' {
                self.start += 1;
            }
        }
        let rest = &self.buffer[self.start..];
        let Some(end) = rest[self.scanned..].iter().position(|byte| matches!(byte, b'\n' | b'\r'))
        else {
            self.scanned = rest.len();
            return None;
        };
        let (from, to) = (self.start, self.start + self.scanned + end);
        self.skip_line_feed = self.buffer[to] == b'\r';
        self.start = to + 1;
        self.scanned = 0;
        Some((from, to))
    }

    fn field(&mut self, from: usize, to: usize) {
        let line = &self.buffer[from..to];
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = match colon {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || String::from_utf8_lossy(value);
        match name {
            b"data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.has_data = true;
                let text = String::from_utf8_lossy(value);
                self.event.data.push_str(&text);
            }
            b"event" => self.event.name = text().into_owned(),
            b"id" => self.event.id = Some(text().into_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b": hello\nretry: 2000\n\nevent: answer.delta\nid: 3.0\ndata: {\"a\":1}\n\n\
        id:4\r\ndata: one\r\ndata: two\r\n\r\n:\n\ndata\n\nid: 9\n\nevent: x\ndata:  caf\xc3\xa9\n\n";

    fn read(chunks: impl Iterator<Item = &'static [u8]>) -> Vec<SseEvent> {
        let mut reader = SseReader::default();
        let mut events = Vec::new();
        for chunk in chunks {
            reader.push(chunk).unwrap();
            while let Some(event) = reader.next_event() {
                events.push(event);
            }
        }
        events
    }

    fn event(name: &str, id: Option<&str>, data: &str) -> SseEvent {
        SseEvent { name: name.into(), id: id.map(Into::into), data: data.into() }
    }

    #[test]
    fn events_comments_ids_and_joined_data_are_read() {
        let expected = vec![
            event("answer.delta", Some("3.0"), "{\"a\":1}"),
            event("", Some("4"), "one\ntwo"),
            event("", None, ""),
            event("x", None, " café"),
        ];
        assert_eq!(read(std::iter::once(STREAM)), expected);
    }

    #[test]
    fn the_events_are_the_same_wherever_the_bytes_are_cut() {
        let whole = read(std::iter::once(STREAM));
        for size in 1..STREAM.len() {
            assert_eq!(read(STREAM.chunks(size)), whole, "chunks of {size}");
        }
    }

    #[test]
    fn an_event_without_its_empty_line_is_not_delivered() {
        assert_eq!(read(std::iter::once(&b"data: half\n"[..])), vec![]);
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut reader = SseReader::default();
        let piece = vec![b'x'; 1 << 16];
        let outcome = (0..17).try_for_each(|_| {
            reader.push(&piece)?;
            assert_eq!(reader.next_event(), None);
            Ok(())
        });
        assert_eq!(outcome, Err(TooLong));
    }
}
