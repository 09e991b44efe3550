//! `hours` of a site: when its people are there.

use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::domain::{self, HoursError};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// A name of the IANA database.
    pub zone: String,
    /// See [`domain::Hours::new`].
    pub open: Vec<String>,
    #[serde(default)]
    pub closed: Vec<String>,
}

/// Why the hours of a site cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHours {
    #[error("`{0}` is no time zone; write one such as `Europe/Berlin`")]
    Zone(String),
    #[error(transparent)]
    Hours(#[from] HoursError),
}

impl Hours {
    /// # Errors
    /// The first part that cannot be read.
    pub fn read(&self) -> Result<domain::Hours, BadHours> {
        let zone = TimeZone::get(&self.zone).map_err(|_| BadHours::Zone(self.zone.clone()))?;
        Ok(domain::Hours::new(zone, &self.open, &self.closed)?)
    }
}
