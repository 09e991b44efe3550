//! Logs and metrics of the process. Set up once by `main`; everything else only emits.

mod logs;
mod prometheus;

pub use logs::init as init_logs;
pub use prometheus::install as install_metrics;
