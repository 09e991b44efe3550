//! The state that all handlers share.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{origins::Origins, places::Places, readiness::Readiness, sender::Senders};
use crate::{
    accounts::Accounts,
    archive::Archive,
    cache::Cache,
    config::Config,
    erasure::Eraser,
    hot::HotStore,
    inference::Pool,
    journal::Journal,
    knowledge::Knowledge,
    limits::Limits,
    session::lookout::Lookout,
    supervisor::door::Sessions,
    tools::{Customers, Tools},
    turn::ports::Ports,
};

pub struct App {
    pub config: Arc<Config>,
    pub accounts: Accounts,
    pub archive: Archive,
    /// Absent in embedded mode.
    pub hot: Option<Arc<HotStore>>,
    pub journal: Journal,
    pub sessions: Sessions,
    pub eraser: Eraser,
    pub readiness: Readiness,
    /// The sessions that are open here.
    pub lookout: Arc<Lookout>,
    pub ports: Arc<Ports>,
    pub pool: Option<Pool>,
    pub cache: Option<Cache>,
    pub knowledge: Knowledge,
    pub limits: Limits,
    pub tools: Tools,
    /// The shop's own ids of its customers.
    pub customers: Customers,
    pub senders: Senders,
    pub origins: Origins,
    pub metrics: PrometheusHandle,
    /// One permit for each running turn.
    pub turn_permits: Arc<Semaphore>,
    /// One place for each open event stream or socket.
    pub streams: Places,
    /// Sockets and other tasks that a shutdown waits for.
    pub tasks: TaskTracker,
    /// Cancelled when this replica stops admitting.
    pub draining: CancellationToken,
}
