//! What may leave a shopper's message, and what may reach a shopper's screen.
//!
//! `mask` replaces the personal data that `pii` finds by placeholders before model, log, cache,
//! vector and metric see a text; `output` puts the shopper's own values back on the way out and
//! takes the danger out of links. A turn calls both. Nothing here does I/O, waits, or keeps
//! anything beyond the values it returns. It fails closed: what looks like personal data is masked.

mod mask;
mod output;
mod pii;
mod vault;

pub use mask::{Masked, mask};
pub use output::{OutputFilter, Tail};
pub use pii::Kind;
pub use vault::Vault;
