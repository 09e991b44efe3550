//! What may leave a shopper's message, what may steer the assistant, and what may reach a shopper's
//! screen.
//!
//! `look` screens a message before anything else reads it: for attacks on the assistant, abuse, and
//! characters that nobody sees. `injection` judges passages and output of tools in the same way.
//! `mask` replaces the personal data that `pii` finds with placeholders, before model, log, cache,
//! vector and metric receive a text. `output` restores the shopper's own values in the answer and
//! disarms dangerous links. `claims` lets through only what the shop's documents support. This module
//! does no I/O, never waits, and keeps nothing beyond the values it returns. It fails closed: anything that looks like personal data is
//! masked, unless it is certainly a number of the shop.

mod abuse;
mod claims;
pub mod injection;
mod input;
mod look;
mod mask;
mod output;
mod pii;
mod policy;
mod shop;
mod vault;

pub use abuse::Abuse;
pub use claims::{Checked, ClaimFilter, Decision, Evidence, Honest, Source, honest};
pub use input::clean;
pub use look::{Look, calm, is_refusal, look, refusal};
pub use mask::{Masked, mask};
pub use output::{OutputFilter, Tail};
pub use pii::{Found, Kind, Seekers, find, find_by, find_in_parts, plain_words};
pub use policy::{Policy, Rule};
pub use shop::{Pages, Shop};
pub use vault::Vault;
