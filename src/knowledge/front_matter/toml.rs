//! The entries of a TOML header.

use ::toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::entry::{Entry, Key, Name, Value, check_switch};
use crate::knowledge::line::LineFault;

/// Reads `text`, which begins at line `first` of its file.
pub fn entries(text: &str, first: usize) -> Result<Vec<Entry>, LineFault> {
    let line_at = |at: usize| first + text.get(..at).unwrap_or(text).matches('\n').count();
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let reason = error.message().lines().next().unwrap_or_default();
        LineFault::new(line_at(at), format!("the header is not readable TOML: {reason}"))
    })?;
    let mut entries = Vec::new();
    for (name, value) in table.into_inner() {
        let line = line_at(name.span().start);
        match Name::parse(name.get_ref(), line)? {
            Name::Key(key) => entries.push(Entry { key, value: read(key, value, line)?, line }),
            Name::Unused => check_inner(value.get_ref(), &line_at)?,
            Name::Switch(open) => {
                let value = text_of(value.get_ref());
                check_switch(name.get_ref(), open, &value, line)?;
            }
        }
    }
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

/// Names in the value of a key that is not read. The library bounds how deep they are.
fn check_inner(value: &DeValue<'_>, line_at: &impl Fn(usize) -> usize) -> Result<(), LineFault> {
    match value {
        DeValue::Array(items) => {
            items.iter().try_for_each(|item| check_inner(item.get_ref(), line_at))
        }
        DeValue::Table(table) => table.iter().try_for_each(|(name, value)| {
            Name::check_inner(name.get_ref(), line_at(name.span().start))?;
            check_inner(value.get_ref(), line_at)
        }),
        _ => Ok(()),
    }
}

fn text_of(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        other => format!("<{}>", other.type_str()),
    }
}

fn read(key: Key, value: Spanned<DeValue<'_>>, line: usize) -> Result<Value, LineFault> {
    let wrong = |value: &DeValue<'_>| {
        let kind = value.type_str();
        let name = key.name();
        LineFault::new(line, format!("`{name}` must be text or a list of texts, not a {kind}"))
    };
    let text = |value: Spanned<DeValue<'_>>| match value.into_inner() {
        DeValue::String(text) => Ok(text.into_owned()),
        other => Err(wrong(&other)),
    };
    match value.into_inner() {
        DeValue::String(text) => Ok(Value::Text(text.into_owned())),
        DeValue::Array(items) => {
            items.into_iter().map(text).collect::<Result<_, _>>().map(Value::List)
        }
        other => Err(wrong(&other)),
    }
}
