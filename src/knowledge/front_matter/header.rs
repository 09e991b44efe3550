//! What a header says, checked.

use super::entry::{Entry, Key, Value};
use crate::knowledge::line::LineFault;

/// Words that answer yes, no or nothing, and name no group.
const NO_GROUPS: [&str; 10] =
    ["true", "false", "yes", "no", "on", "off", "null", "none", "nil", "~"];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub title: Option<String>,
    pub tags: Vec<String>,
    pub audience: Option<String>,
    pub locale: Option<String>,
    pub url: Option<String>,
}

impl Header {
    pub fn new(entries: Vec<Entry>) -> Result<Self, LineFault> {
        let mut header = Self::default();
        let mut seen = Vec::new();
        for entry in entries {
            let (key, line) = (entry.key, entry.line);
            if seen.contains(&key) {
                let name = key.name();
                return Err(LineFault::new(line, format!("the header has `{name}` twice")));
            }
            seen.push(key);
            match key {
                Key::Title => header.title = one(entry)?,
                Key::Tags => header.tags = tags(entry.value),
                Key::Locale => header.locale = one(entry)?,
                Key::Url => header.url = one(entry)?,
                Key::Audience => {
                    let group = audience(one(entry)?);
                    header.audience = Some(group.map_err(|fault| LineFault::new(line, fault))?);
                }
            }
        }
        Ok(header)
    }
}

/// A text on one line; `None` if it is empty.
fn one(Entry { key, value, line }: Entry) -> Result<Option<String>, LineFault> {
    match value {
        Value::Nothing => Ok(None),
        Value::Text(text) => {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            Ok(Some(text).filter(|text| !text.is_empty()))
        }
        Value::List(_) => {
            Err(LineFault::new(line, format!("`{}` must be one text, not a list", key.name())))
        }
    }
}

/// The items of a list, or of a text that separates them by commas.
fn tags(value: Value) -> Vec<String> {
    let items = match value {
        Value::Nothing => Vec::new(),
        Value::Text(text) => text.split([',', '\n']).map(str::to_owned).collect(),
        Value::List(items) => items,
    };
    let trimmed = items.iter().map(|item| item.trim());
    trimmed.filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// A page whose audience is not clear must not be read by everybody.
///
/// # Errors
/// What is wrong with it.
pub fn audience(group: Option<String>) -> Result<String, String> {
    let fault = |detail: String| Err(detail);
    let Some(group) = group else {
        return fault("`audience` is empty: write `public` or the name of a group".to_owned());
    };
    let word = group.to_ascii_lowercase();
    let is_number = group.parse::<f64>().is_ok();
    let is_name = group.len() <= 40
        && group.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:".contains(&b));
    if is_number || !is_name || NO_GROUPS.contains(&word.as_str()) {
        return fault(format!(
            "the audience `{group}` is neither `public` nor the name of a group, \
             which has 1 to 40 characters of A-Z, a-z, 0-9 and -_./:"
        ));
    }
    // Groups are told apart by case, but nobody calls a group `Public`.
    Ok(if word == "public" { word } else { group })
}
