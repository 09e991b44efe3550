//! Metrics of all actors: wait in the mailbox, and restarts.

use std::time::Duration;

use metrics::{counter, histogram};

use super::metric::declare;

declare! {
    WAIT: histogram(QUICK) "rushdesk_actor_mailbox_wait_seconds" ["actor"]
        "Time that a message waits for its actor: shopper messages for `session`, a probe every 5 s for `supervisor` and `pool`";
    RESTARTS: counter "rushdesk_actor_restarts_total" ["actor"]
        "Session actors that were replaced before their end was reported, because they died or were just stopping; a `supervisor` or `pool` that dies ends the process instead"
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
