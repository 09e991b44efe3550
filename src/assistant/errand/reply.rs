//! What the service says where a tool has found or done nothing.

use super::{render::lists, text::fill, vocabulary::sentences};
use crate::{domain::Language, words::Errands};

/// Why nothing was found or done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The same for an unknown number and for the order of somebody else.
    NotFound,
    /// The shopper has to sign in.
    Identity,
    /// The shop's system does not answer, or not in a way that can be read.
    Unavailable,
    Busy,
}

impl Reply {
    /// In `language`.
    pub fn text(self, language: Language) -> &'static str {
        let said = sentences(language);
        let text = match self {
            Self::NotFound => said.not_found,
            Self::Identity => said.identity,
            Self::Unavailable => said.unavailable,
            Self::Busy => said.busy,
        };
        text.unwrap_or_default()
    }
}

/// Why the shop refused an action. `reason` is one of the interface of a shop; another one gets a
/// sentence that fits all.
pub fn refused(reason: &str, language: Language) -> &'static str {
    let said: &Errands = sentences(language);
    let text = match reason {
        "already_shipped" => said.already_shipped,
        "too_late" => said.too_late,
        "already_cancelled" | "cancelled" => said.already_cancelled,
        "already_returned" => said.already_returned,
        "not_delivered" => said.not_delivered,
        "too_many_tries" => said.too_many_tries,
        _ => said.refused,
    };
    text.unwrap_or_default()
}

/// After a proposal: the orders that come after it.
pub fn comes_next(orders: &[String], language: Language) -> String {
    let numbers = lists::join(orders, language);
    fill(sentences(language).comes_next, &[("number", Some(&numbers))])
}
