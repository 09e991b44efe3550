//! The sources of backends, and their limits.

use std::time::Duration;

use tokio::sync::mpsc;

use super::backend::{About, Backend, BackendId, Job, Jobs, Local, Remote, StartError};
use crate::config::{self, Tier};

/// A backend before it is started.
#[derive(Debug)]
pub enum Source {
    /// A server, as configured.
    Remote(config::Backend),
    Local(LocalModel),
}

impl From<config::Backend> for Source {
    fn from(backend: config::Backend) -> Self {
        Self::Remote(backend)
    }
}

/// A model in this process. Its engine holds the other end of the channel.
#[derive(Debug)]
pub struct LocalModel {
    pub name: String,
    pub model: String,
    /// How many answers the engine generates at the same time.
    pub slots: usize,
    pub tier: Tier,
    pub thinks: bool,
    jobs: mpsc::Sender<Job>,
}

impl LocalModel {
    /// The model, and the jobs for its engine.
    pub fn new(name: &str, model: &str, slots: usize) -> (Self, Jobs) {
        let (jobs, taken) = mpsc::channel(slots.max(1));
        let (name, model) = (name.to_owned(), model.to_owned());
        (Self { name, model, slots, tier: Tier::Full, thinks: false, jobs }, taken)
    }
}

/// The limits of a backend, and what it costs.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The most requests in flight there.
    pub slots: usize,
    /// 0 means no limit.
    pub requests_per_second: u32,
    pub tier: Tier,
    pub gpus: f64,
    pub gpu_hour_cost: f64,
}

impl Source {
    pub fn open(
        self,
        id: BackendId,
        connect_timeout: Duration,
    ) -> Result<(Backend, Terms), StartError> {
        match self {
            Self::Remote(config) => {
                let terms = Terms {
                    slots: config.slots,
                    requests_per_second: config.requests_per_second,
                    tier: config.tier,
                    gpus: config.gpus,
                    gpu_hour_cost: config.gpu_hour_cost,
                };
                Ok((Backend::Remote(Remote::new(id, config, connect_timeout)?), terms))
            }
            Self::Local(LocalModel { name, model, slots, tier, thinks, jobs }) => {
                let about = About::new(id, name, model, thinks);
                let terms =
                    Terms { slots, requests_per_second: 0, tier, gpus: 0.0, gpu_hour_cost: 0.0 };
                Ok((Backend::Local(Local::new(about, jobs)), terms))
            }
        }
    }
}
