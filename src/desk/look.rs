//! A desk at one moment, and those who wait for the next one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::{
    archive::DeskRows,
    domain::{PrincipalId, SiteId},
};

/// A desk as it was when it was last looked at.
#[derive(Default)]
pub struct Look {
    pub rows: DeskRows,
    /// The names of those who are on duty or have a conversation.
    pub names: HashMap<PrincipalId, Option<String>>,
}

/// Changes with each look; `None` before the first one.
pub type Looks = watch::Receiver<Option<Arc<Look>>>;

/// The sites that are looked at.
#[derive(Default)]
pub struct Watched(Mutex<HashMap<SiteId, watch::Sender<Option<Arc<Look>>>>>);

impl Watched {
    pub fn sites(&self) -> MutexGuard<'_, HashMap<SiteId, watch::Sender<Option<Arc<Look>>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
