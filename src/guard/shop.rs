//! What a shop itself says: it is not personal.

use std::{fmt, sync::Arc};

use crate::domain::NumberFormats;

/// The pages of a shop.
pub trait Pages: Send + Sync {
    /// Whether they have these words one after another. `phrase` is spelled as `plain_words` does.
    fn say(&self, phrase: &str) -> bool;
}

/// The numbers and the words of a shop.
#[derive(Clone, Default)]
pub struct Shop {
    /// The formats of its numbers.
    pub numbers: Arc<NumberFormats>,
    /// Names that stay, spelled as `plain_words` does.
    pub names: Arc<[String]>,
    pub pages: Option<Arc<dyn Pages>>,
}

impl Shop {
    pub(super) fn says(&self, phrase: &str) -> bool {
        self.names.iter().any(|name| name == phrase)
            || self.pages.as_ref().is_some_and(|pages| pages.say(phrase))
    }
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shop {{ {} names, pages: {} }}", self.names.len(), self.pages.is_some())
    }
}

/// The same numbers, names and pages, not only equal ones.
impl PartialEq for Shop {
    fn eq(&self, other: &Self) -> bool {
        let pages = match (&self.pages, &other.pages) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        self.numbers == other.numbers && self.names == other.names && pages
    }
}

impl Eq for Shop {}
