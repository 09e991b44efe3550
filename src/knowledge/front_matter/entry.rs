//! One key of a header with its value, before the value is checked.

use crate::knowledge::line::LineFault;

/// What a header may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Title,
    Tags,
    Audience,
    Locale,
    Url,
}

impl Key {
    pub const ALL: [Self; 5] = [Self::Title, Self::Tags, Self::Audience, Self::Locale, Self::Url];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Tags => "tags",
            Self::Audience => "audience",
            Self::Locale => "locale",
            Self::Url => "url",
        }
    }

    pub fn is_called(self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// The key called `name`, in any case.
    ///
    /// # Errors
    /// If a header has no such key.
    pub fn parse(name: &str, line: usize) -> Result<Self, LineFault> {
        let found = Self::ALL.into_iter().find(|key| key.is_called(name.trim()));
        found.ok_or_else(|| {
            let known = Self::ALL.map(|key| format!("`{}`", key.name())).join(", ");
            LineFault::new(line, format!("the header has the key `{name}`; known are {known}"))
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `url:` or `url: ~`.
    Nothing,
    Text(String),
    List(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: Key,
    pub value: Value,
    /// The line of the file, from 1.
    pub line: usize,
}
