//! All sections together.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    actions::Actions,
    auth::Auth,
    brownout::Brownout,
    cache::Cache,
    check::{Check, Section},
    embedding::Embedding,
    guard::Guard,
    handoff::Handoff,
    inference::Inference,
    knowledge::Knowledge,
    limits::Limits,
    server::Server,
    sessions::Sessions,
    sites::Site,
    store::{Store, StoreMode},
    telemetry::Telemetry,
    tools::Tools,
    turn::Turn,
};

macro_rules! sections {
    ($($(#[$attribute:meta])* $name:ident: $section:ty,)+) => {
        /// The whole configuration of one process.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            $($(#[$attribute])* pub $name: $section,)+
        }

        impl Config {
            /// Lets each section check itself, except those in `unsure`.
            pub(super) fn check_sections(
                &self,
                unsure: &BTreeSet<String>,
                faults: &mut Vec<String>,
            ) {
                $(if !unsure.contains(stringify!($name)) {
                    self.$name.check(&mut Check::of(stringify!($name), faults));
                })+
            }
        }
    };
}

sections! {
    server: Server,
    store: Store,
    auth: Auth,
    sessions: Sessions,
    turn: Turn,
    actions: Actions,
    handoff: Handoff,
    brownout: Brownout,
    inference: Inference,
    embedding: Embedding,
    cache: Cache,
    knowledge: Knowledge,
    guard: Guard,
    limits: Limits,
    telemetry: Telemetry,
    tools: Tools,
    #[serde(default)]
    sites: Vec<Site>,
}

impl Config {
    /// Whether everything runs in this one process.
    pub fn is_embedded(&self) -> bool {
        self.store.mode == StoreMode::Embedded
    }
}
