//! The journal of all sessions: the hot store in front, the archive behind.
//!
//! In embedded mode an append is on disk (group commit) before it reaches the hot store, hence
//! before it is acknowledged. In distributed mode the hot store acknowledges and the archivist
//! brings it to the archive; while the redis is unreachable the archive acknowledges, and while the
//! archive is unreachable the hot store keeps what is new. A session that went on in the archive is
//! detached: its hot copy is not asked until the keeper has made the two agree.

mod append;
mod archivist;
mod error;
mod fallback;
mod handle;
mod keeper;
mod metrics;
mod orphans;
mod read;
mod reconcile;
#[cfg(test)]
pub mod tests;
mod unsaved;

pub use self::{
    archivist::{Archivist, ArchivistStatus},
    error::{FlushError, JournalError},
    fallback::Fallback,
    handle::{Journal, Opened, Safety},
    keeper::Keeper,
    metrics::METRICS,
    reconcile::reconcile,
};
