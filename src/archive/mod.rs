//! What outlives processes: journals and readable messages of sessions and who owns them, users and
//! their tokens, API keys, sites, knowledge, feedback and the audit log, in MySQL or MariaDB
//! (several replicas) or in one SQLite file (embedded).
//!
//! Called by the journal, the knowledge base and the handlers of accounts and operators. Every wait
//! is bounded by `store.archive_timeout_ms`. It never answers with half of a change, and never puts
//! a customer's words into an error or a log.

mod accounts;
mod actions;
mod append;
mod assistants;
mod audit;
mod column;
mod customers;
mod decisions;
mod desk;
mod erased;
mod error;
mod export;
mod feedback;
mod file;
mod group;
mod handle;
mod handoffs;
mod journal;
mod knowledge;
mod metrics;
mod migrate;
mod modes;
mod mysql;
mod notes;
mod passwords;
mod pool;
mod presence;
mod probe;
mod project;
mod projection;
mod query;
mod replicas;
mod reviews;
mod rows;
mod schema;
mod scrub;
mod site_tools;
mod sites;
mod sqlite;
mod staff;
mod step_ups;
#[cfg(test)]
pub mod steps;
#[cfg(test)]
mod tests;
mod tickets;
mod tokens;
mod verify;
mod write_all;

pub use accounts::User;
pub use actions::Action;
pub use append::{Advanced, Step};
pub use assistants::{ActiveAssistants, AssistantVersion};
pub use audit::AuditEntry;
pub use column::{Count, Json, RecordId};
pub use customers::{Cleared, CustomerErasure};
pub use decisions::GuardDecision;
pub use desk::DeskRows;
pub use error::ArchiveError;
pub use export::{Held, KeyUse};
pub use feedback::Feedback;
pub use group::GroupCommit;
#[cfg(test)]
pub use group::Waiting;
pub use handle::Archive;
pub use handoffs::Handoff;
pub use journal::{ErasureCounts, OpenTurn, Stored};
pub use knowledge::{Chunk, Document, DocumentChange, DocumentDeletion, DocumentSummary};
pub use metrics::{METRICS, up};
pub use mysql::MysqlUrlError;
pub use notes::{Note, Noted};
pub use passwords::PasswordReset;
pub use presence::Presence;
pub use probe::Found;
pub use project::project;
pub use replicas::{Erasures, Seen};
pub use reviews::Review;
pub use site_tools::{MOST_TOOLS, SiteTool};
pub use sites::{ApiKey, KeyCreation, Site};
pub use step_ups::StepUp;
pub use tickets::TicketRow;
pub use tokens::{RefreshToken, Successor, TokenUse};
pub use verify::Kept;
