//! What is said of a text.

use std::fmt;

/// Why a text is an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// It is against what the assistant was told.
    Orders,
    /// It asks for what the assistant keeps to itself.
    Prompt,
    Role,
    /// It asks for what belongs to other shoppers.
    Others,
    /// It asks for a promise in the shop's name.
    Promise,
    Tools,
    /// It has signs of a prompt.
    Markup,
    /// One of the others, in another spelling.
    Encoded,
    /// It has characters that nobody sees.
    Hidden,
    /// The head is sure.
    Head,
    /// There is a hint, and the head agrees.
    Hint,
}

impl Rule {
    /// The label of metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Prompt => "prompt",
            Self::Role => "role",
            Self::Others => "others",
            Self::Promise => "promise",
            Self::Tools => "tools",
            Self::Markup => "markup",
            Self::Encoded => "encoded",
            Self::Hidden => "hidden",
            Self::Head => "head",
            Self::Hint => "hint",
        }
    }
}

/// What the rules say of a text.
#[derive(Clone, Default, PartialEq)]
pub struct Screening {
    /// The first rule that is certain.
    pub attack: Option<Rule>,
    /// Sentences with a hint.
    pub hints: Vec<String>,
}

impl fmt::Debug for Screening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Screening({:?}, {} hints)", self.attack, self.hints.len())
    }
}
