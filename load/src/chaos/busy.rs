//! Company on the cores: as many processes as there are cores, each of which takes one.

use std::{collections::BTreeMap, num::NonZero, path::Path, thread::available_parallelism};

use crate::rig::{Output, Process};

/// They end when this is dropped.
pub struct Busy {
    _processes: Vec<Process>,
}

impl Busy {
    /// # Errors
    /// When there is no shell.
    pub fn start() -> anyhow::Result<Self> {
        let args = ["-c", "while :; do :; done"].map(str::to_owned);
        let cores = available_parallelism().map_or(1, NonZero::get);
        let start = |_| {
            Process::start(None, Path::new("/bin/sh"), &args, &BTreeMap::new(), &Output::Nowhere)
        };
        Ok(Self { _processes: (0..cores).map(start).collect::<anyhow::Result<_>>()? })
    }
}
