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

/// What each token is a part of.
pub(super) fn tag(tokens: &[Token<'_>]) -> Vec<Label> {
    chain::best(&features::all(tokens))
}
