//! The languages that the service speaks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language that the service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Ar,
    De,
    En,
    Es,
    Fr,
    It,
    Ja,
    Nl,
    Pl,
    Pt,
    Zh,
}

impl Language {
    pub const ALL: [Self; 11] = [
        Self::Ar,
        Self::De,
        Self::En,
        Self::Es,
        Self::Fr,
        Self::It,
        Self::Ja,
        Self::Nl,
        Self::Pl,
        Self::Pt,
        Self::Zh,
    ];

    /// The code of ISO 639-1.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ar => "ar",
            Self::De => "de",
            Self::En => "en",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::It => "it",
            Self::Ja => "ja",
            Self::Nl => "nl",
            Self::Pl => "pl",
            Self::Pt => "pt",
            Self::Zh => "zh",
        }
    }

    /// What a model is told to answer in.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ar => "Arabic",
            Self::De => "German",
            Self::En => "English",
            Self::Es => "Spanish",
            Self::Fr => "French",
            Self::It => "Italian",
            Self::Ja => "Japanese",
            Self::Nl => "Dutch",
            Self::Pl => "Polish",
            Self::Pt => "Portuguese",
            Self::Zh => "Chinese",
        }
    }

    /// Of a code or a locale: `de`, `de-AT`, `de_AT`.
    pub fn parse(locale: &str) -> Option<Self> {
        let code = locale.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_its_language() {
        assert_eq!(Language::parse("de-AT"), Some(Language::De));
        assert_eq!(Language::parse("EN"), Some(Language::En));
        assert_eq!(Language::parse("xx"), None);
        for language in Language::ALL {
            assert_eq!(serde_json::to_value(language).unwrap(), language.code());
        }
    }
}
