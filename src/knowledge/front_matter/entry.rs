//! One key of a header with its value, before the value is checked.

use crate::knowledge::{
    line::LineFault,
    names::{self, Meaning},
};

/// What a header may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Title,
    Tags,
    Audience,
    Locale,
    Url,
}

/// What the name of a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    Key(Key),
    /// Passed over, whatever its value.
    Unused,
    /// Passed over if it has this value.
    Switch(bool),
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
        let is_language =
            |name: &str| ["lang", "language"].iter().any(|n| n.eq_ignore_ascii_case(name));
        self.name().eq_ignore_ascii_case(name) || (self == Self::Locale && is_language(name))
    }

    /// The key called `name`, in any case.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.is_called(name.trim()))
    }
}

impl Name {
    /// # Errors
    /// A key that is not known to be harmless.
    pub fn parse(name: &str, line: usize) -> Result<Self, LineFault> {
        if let Some(key) = Key::of(name) {
            return Ok(Self::Key(key));
        }
        let fault = |what: String| {
            Err(LineFault::new(line, format!("the header has the key `{}`{what}", name.trim())))
        };
        if let Some(c) = names::unseen(name) {
            let code = names::code(c);
            return fault(format!(" with a character that nobody sees ({code}): type it again"));
        }
        match names::meaning(name) {
            Meaning::Unused => Ok(Self::Unused),
            Meaning::Switch(open) => Ok(Self::Switch(open)),
            Meaning::Access => fault(
                ", which is not read and may say who may read the page: \
                 write `audience: public` or `audience: <group>` in its place"
                    .to_owned(),
            ),
            Meaning::Unknown => {
                let read = Key::ALL.map(Key::name);
                let guess = names::guess(name, &read);
                let read = read.map(|name| format!("`{name}`")).join(", ");
                fault(format!("{guess}, which is not known; read are {read}: remove the others"))
            }
        }
    }

    /// The name of a key inside the value of one that is not read.
    ///
    /// # Errors
    /// One that may say who may read the page.
    pub fn check_inner(name: &str, line: usize) -> Result<(), LineFault> {
        if matches!(names::meaning(name), Meaning::Unused | Meaning::Unknown) {
            return Ok(());
        }
        let detail = format!(
            "the header has `{}` inside another key, where it is not read: \
             write `audience: public` or `audience: <group>` at the top",
            name.trim()
        );
        Err(LineFault::new(line, detail))
    }
}

/// # Errors
/// A switch that says that the page is not for everybody.
pub fn check_switch(name: &str, open: bool, value: &str, line: usize) -> Result<(), LineFault> {
    if names::is_open(open, value) {
        return Ok(());
    }
    let detail = format!(
        "the header has `{name}: {value}`, so the page may not be for everybody and is not read: \
         write `{name}: {open}`, or `audience: <group>` in its place"
    );
    Err(LineFault::new(line, detail))
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
