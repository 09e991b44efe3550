//! The entries of a YAML header.
//!
//! Values are read as they are written, never as numbers or truth values: `locale: no` is
//! Norwegian.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::entry::{Entry, Key, Name, Value, check_switch};
use crate::knowledge::line::LineFault;

/// Values of keys that are not read may be nested so deep.
const MAX_DEPTH: usize = 16;

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
            let (name, line) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(()),
                (Event::Scalar(name, ..), line) => (name, line),
                (_, line) => {
                    return Err(LineFault::new(line, "a key of the header must be one word"));
                }
            };
            match Name::parse(&name, line)? {
                Name::Key(key) => entries.push(Entry { key, value: self.value(key)?, line }),
                Name::Unused => self.unused(0)?,
                Name::Switch(open) => {
                    let value = match self.next()? {
                        (Event::Scalar(text, ..), _) => text.into_owned(),
                        (_, line) => {
                            let detail = format!("`{name}` must be `true` or `false`");
                            return Err(LineFault::new(line, detail));
                        }
                    };
                    check_switch(&name, open, &value, line)?;
                }
            }
        }
    }

    /// Passes over a value.
    fn unused(&mut self, depth: usize) -> Result<(), LineFault> {
        let (event, line) = self.next()?;
        self.unused_from(event, line, depth)
    }

    fn unused_from(
        &mut self,
        event: Event<'a>,
        line: usize,
        depth: usize,
    ) -> Result<(), LineFault> {
        if depth > MAX_DEPTH {
            return Err(LineFault::new(line, "the header is nested too deep"));
        }
        match event {
            Event::Scalar(..) | Event::Alias(_) => Ok(()),
            Event::SequenceStart(..) => loop {
                match self.next()? {
                    (Event::SequenceEnd, _) => return Ok(()),
                    (event, line) => self.unused_from(event, line, depth + 1)?,
                }
            },
            Event::MappingStart(..) => loop {
                match self.next()? {
                    (Event::MappingEnd, _) => return Ok(()),
                    (Event::Scalar(name, ..), line) => {
                        Name::check_inner(&name, line)?;
                        self.unused(depth + 1)?;
                    }
                    (_, line) => {
                        return Err(LineFault::new(line, "a key of the header must be one word"));
                    }
                }
            },
            _ => Err(LineFault::new(line, "the header ends inside a value")),
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
