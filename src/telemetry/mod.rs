//! Logs, metrics and traces of the process. Set up once by `main`; everything else only emits.

pub mod actors;
mod export;
mod logs;
pub(crate) mod metric;
pub mod process;
mod prometheus;
pub mod traces;

pub use logs::init;
pub(crate) use metric::declare;
pub use metric::{Chapter, Kind, Metric, announce, reference};
pub use prometheus::install as install_metrics;
pub use traces::Traces;
