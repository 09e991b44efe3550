//! The entries of a YAML header.
//!
//! Values are read as they are written, never as numbers or truth values: `locale: no` is
//! Norwegian.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::entry::{Entry, Key, Value};
use crate::knowledge::line::LineFault;

/// Reads `text`, which begins at line `first` of its file.
pub fn entries(text: &str, first: usize) -> Result<Vec<Entry>, LineFault> {
    let mut events = Events { parser: Parser::new_from_str(text), first };
    let mut entries = Vec::new();
    loop {
        match events.next()? {
            (Event::StreamEnd, _) => return Ok(entries),
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _) => {}
            (Event::MappingStart(..), _) => events.mapping(&mut entries)?,
            (_, line) => {
                return Err(LineFault::new(line, "the header must consist of `key: value` lines"));
            }
        }
    }
}

struct Events<'a> {
    parser: Parser<'a, StrInput<'a>>,
    first: usize,
}

impl<'a> Events<'a> {
    /// The next event with its line in the file.
    fn next(&mut self) -> Result<(Event<'a>, usize), LineFault> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.line(&span))),
            Some(Err(error)) => Err(self.refused(&error)),
            None => Ok((Event::StreamEnd, self.first)),
        }
    }

    fn line(&self, span: &Span) -> usize {
        self.first + span.start.line().saturating_sub(1)
    }

    fn refused(&self, error: &ScanError) -> LineFault {
        let line = self.first + error.marker().line().saturating_sub(1);
        LineFault::new(line, format!("the header is not readable YAML: {}", error.info()))
    }

    fn mapping(&mut self, entries: &mut Vec<Entry>) -> Result<(), LineFault> {
        loop {
            let (key, line) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(()),
                (Event::Scalar(name, ..), line) => (Key::parse(&name, line)?, line),
                (_, line) => {
                    return Err(LineFault::new(line, "a key of the header must be one word"));
                }
            };
            let value = self.value(key)?;
            entries.push(Entry { key, value, line });
        }
    }

    fn value(&mut self, key: Key) -> Result<Value, LineFault> {
        match self.next()? {
            (Event::Scalar(text, style, _, tag), line) => {
                Ok(scalar(text, style, tag.as_deref(), line)?.map_or(Value::Nothing, Value::Text))
            }
            (Event::SequenceStart(..), _) => self.list(key),
            (_, line) => Err(wrong(key, line)),
        }
    }

    fn list(&mut self, key: Key) -> Result<Value, LineFault> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (Event::Scalar(text, style, _, tag), line) => {
                    items.extend(scalar(text, style, tag.as_deref(), line)?);
                }
                (_, line) => return Err(wrong(key, line)),
            }
        }
    }
}

fn wrong(key: Key, line: usize) -> LineFault {
    LineFault::new(line, format!("`{}` must be text or a plain list of texts", key.name()))
}

/// The text of a value; `None` if it says that there is none.
fn scalar(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
    line: usize,
) -> Result<Option<String>, LineFault> {
    if tag.is_some_and(|tag| !tag.is_yaml_core_schema() || tag.suffix != "str") {
        return Err(LineFault::new(line, "the header has a value of a type that is not text"));
    }
    let plain = style == ScalarStyle::Plain && tag.is_none();
    let nothing = plain && ["", "~", "null", "Null", "NULL"].contains(&&*text);
    Ok((!nothing).then(|| text.into_owned()))
}
