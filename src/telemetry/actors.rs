//! What all actors have in common: how long their mailboxes keep a message, and how often they had to be made anew.

use std::time::Duration;

use metrics::{counter, histogram};

use super::declare;

declare! {
    WAIT: histogram(QUICK) "rushdesk_actor_mailbox_wait_seconds" ["actor"]
        "Wait of a message for its actor: of each new message for `session`, of a probe every 5 s for `supervisor` and `pool`";
    RESTARTS: counter "rushdesk_actor_restarts_total" ["actor"]
        "Sessions that were made anew before the end of their actor was reported: it had died, or had just stopped as it should; a `supervisor` or `pool` that dies ends the process instead"
        when "after the first";
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    Session,
    Supervisor,
    Pool,
}

impl ActorKind {
    const fn label(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Supervisor => "supervisor",
            Self::Pool => "pool",
        }
    }
}

pub fn waited(actor: ActorKind, wait: Duration) {
    histogram!(WAIT, "actor" => actor.label()).record(wait);
}

pub fn restarted(actor: ActorKind) {
    counter!(RESTARTS, "actor" => actor.label()).increment(1);
}
