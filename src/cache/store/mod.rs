//! The entries of one process, and the purges that removed some.

mod entries;
mod entry;
mod index;
mod purge;
mod trust;

pub use entries::Freshness;
pub use entry::{CachedAnswer, Hit, Listed, Page};
pub use trust::{Origin, Vote, Witness};

pub(super) use entries::{Bounds, Settled, Store};
pub(super) use entry::{Address, Entry};
pub(super) use purge::{Scope, Watermarks};
pub(super) use trust::Trust;
