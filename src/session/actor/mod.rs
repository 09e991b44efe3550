//! The actor of a session, in parts: its shell, a message that comes in, the running turn, a late
//! answer, a person's command, and news from other replicas.

mod control;
pub mod deliver;
mod prepare;
mod rumour;
mod shell;
mod start;
mod turn;

pub use shell::SessionActor;
