//! The key names in Redis. All share one hash tag, so a batch is one transaction in a cluster, too.

use super::codec;
use crate::{cache::store::Address, domain::PrincipalId};

pub(super) struct Keys {
    prefix: String,
    person: String,
    /// The stream of changes.
    pub(super) log: String,
    /// Sorted set of purges, by time.
    pub(super) purges: String,
    /// Sorted set of entry addresses, by expiry.
    pub(super) entries: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        let name = |what: &str| format!("{prefix}:{{cache}}:{what}");
        Self {
            prefix: name("entry"),
            person: name("person"),
            log: name("log"),
            purges: name("purges"),
            entries: name("entries"),
        }
    }

    pub(super) fn entry(&self, address: &str) -> String {
        format!("{}:{address}", self.prefix)
    }

    /// Set: addresses of the entries that were made for a person.
    pub(super) fn person(&self, person: PrincipalId) -> String {
        format!("{}:{person}", self.person)
    }

    pub(super) fn entry_at(&self, address: &Address) -> String {
        self.entry(&codec::address(address))
    }
}
