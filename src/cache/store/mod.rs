//! The entries of one process, and the purges that removed some.

mod entries;
mod entry;
mod index;
mod purge;

pub use entries::Freshness;
pub use entry::{CachedAnswer, Hit, Listed, Page};

pub(super) use entries::Store;
pub(super) use entry::{Address, Entry};
pub(super) use purge::{Scope, Watermarks};
