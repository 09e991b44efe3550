//! Which words of a text are names and addresses of people: a linear chain over the words, with
//! hashed features (a conditional random field; Lafferty et al., 2001). `scripts/train/tagger.py`
//! fits it, and makes the same tokens and features.

mod chain;
mod features;
mod lists;
mod token;

#[cfg(test)]
mod tests;

pub(super) use chain::Label;
pub(super) use token::{Case, Gap, Token, all as tokens};

/// Whether a folded word is a first name, or at least no word of everyday texts.
pub(super) fn may_name(word: &str) -> bool {
    let lists = lists::of(word);
    lists & lists::FIRST != 0 || lists & lists::ORDINARY == 0
}

/// What each token is a part of.
pub(super) fn tag(tokens: &[Token<'_>]) -> Vec<Label> {
    chain::best(&features::all(tokens))
}
