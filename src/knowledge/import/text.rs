//! The text of a file. Only UTF-8 is read; anything else is refused, never guessed.

use super::fault::Reason;
use crate::knowledge::blocks::{foreign, with_line_feeds};

/// The text of `bytes` without a byte order mark, with `\n` at the end of each line.
pub fn read(bytes: Vec<u8>) -> Result<String, Reason> {
    if let Some(encoding) = encoding(&bytes) {
        return Err(Reason::Encoding(encoding));
    }
    let line = |bytes: &[u8]| 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Reason::NotText { line: line(&error.as_bytes()[..at]) }
    })?;
    // UTF-16 without a mark is valid UTF-8 if the text is English.
    if let Some(at) = foreign(&text) {
        return Err(Reason::Foreign { line: line(&text.as_bytes()[..at]) });
    }
    Ok(with_line_feeds(text.trim_start_matches('\u{feff}')).into_owned())
}

/// The encoding that a byte order mark names, if it is not UTF-8.
fn encoding(bytes: &[u8]) -> Option<&'static str> {
    const MARKS: [(&[u8], &str); 4] = [
        (&[0xff, 0xfe, 0, 0], "UTF-32"),
        (&[0, 0, 0xfe, 0xff], "UTF-32"),
        (&[0xff, 0xfe], "UTF-16"),
        (&[0xfe, 0xff], "UTF-16"),
    ];
    MARKS.into_iter().find(|(mark, _)| bytes.starts_with(mark)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_and_other_line_ends_leave_no_trace() {
        for bytes in
            ["a\nb\n", "\u{feff}a\nb\n", "a\r\nb\r\n", "a\rb\r", "\u{feff}\u{feff}a\r\nb\n"]
        {
            assert_eq!(read(bytes.into()).unwrap(), "a\nb\n", "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_refused_with_the_reason() {
        let utf_16 = |text: &str, unit: fn(u16) -> [u8; 2]| {
            text.encode_utf16().flat_map(unit).collect::<Vec<u8>>()
        };
        for (bytes, reason) in [
            (utf_16("\u{feff}Hours", u16::to_le_bytes), "is not UTF-8 text but UTF-16"),
            (utf_16("\u{feff}Hours", u16::to_be_bytes), "is not UTF-8 text but UTF-16"),
            (utf_16("Hours", u16::to_le_bytes), "has a NUL or escape character (line 1)"),
            (utf_16("Hours", u16::to_be_bytes), "has a NUL or escape character (line 1)"),
            (utf_16("Zürich", u16::to_le_bytes), "is not UTF-8 text"),
            (vec![0xff, 0xfe, 0, 0, b'H', 0, 0, 0], "is not UTF-8 text but UTF-32"),
            (b"Hours\nin Z\xfcrich".to_vec(), "is not UTF-8 text (line 2)"),
            (b"49 \x80".to_vec(), "is not UTF-8 text (line 1)"),
            (b"%PDF-1.7\n\xe2\xe3\xcf\xd3".to_vec(), "is not UTF-8 text (line 2)"),
            (b"a\nb\n\0".to_vec(), "has a NUL or escape character (line 3)"),
            (b"Hours\n\x1b$B1D6H".to_vec(), "has a NUL or escape character (line 2)"),
            (b"cut off \xc3".to_vec(), "is not UTF-8 text (line 1)"),
        ] {
            let fault = read(bytes.clone()).unwrap_err().to_string();
            assert!(fault.starts_with(reason), "{bytes:?}: {fault}");
        }
    }
}
