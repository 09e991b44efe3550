//! Which assistants answer for each site now: those of the configuration, or the version that an
//! admin has activated. A turn keeps those with which it began.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{assistant::Catalog, domain::SiteId, triage::Example};

/// The assistants of one site, ready for turns.
#[derive(Debug)]
pub struct Duty {
    /// 0 is what the configuration says.
    pub version: u64,
    pub catalog: Catalog,
    /// Messages that belong to a topic, with the vectors of the embedder in use.
    pub examples: Vec<Example>,
}

impl Duty {
    /// What the configuration says.
    pub fn configured(catalog: Catalog) -> Arc<Self> {
        Arc::new(Self { version: 0, catalog, examples: Vec::new() })
    }
}

/// The assistants of sites that do not use those of the configuration.
pub type Active = HashMap<SiteId, Arc<Duty>>;

#[derive(Default)]
pub struct Roster(RwLock<Active>);

impl Roster {
    pub fn of(&self, site: &SiteId) -> Option<Arc<Duty>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(site).cloned()
    }

    pub fn set(&self, active: Active) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = active;
    }
}
