//! What may leave a shopper's message, and what may reach a shopper's screen.
//!
//! `mask` replaces the personal data that `pii` finds with placeholders, before model, log, cache,
//! vector and metric receive a text. `output` restores the shopper's own values in the answer and
//! disarms dangerous links. A turn calls both. This module does no I/O, never waits, and keeps
//! nothing beyond the values it returns. It fails closed: anything that looks like personal data is
//! masked, unless it is certainly a number of the shop.

mod mask;
mod output;
mod pii;
mod vault;

pub use mask::{Masked, mask};
pub use output::{OutputFilter, Tail};
pub use pii::{Found, Kind, find};
pub use vault::Vault;
