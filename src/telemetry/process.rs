//! Metrics of the process and its disk, read when `/metrics` is scraped.

use std::path::Path;

use metrics::gauge;

use super::metric::{Kind, Metric, declare};

declare! {
    BUILD: gauge "rushdesk_build_info" ["version"] "Always 1; the label is the running version";
    FREE: gauge "rushdesk_data_dir_free_bytes" [] "Free bytes on the disk of `server.data_dir`";
    SIZE: gauge "rushdesk_data_dir_size_bytes" [] "Size of the disk of `server.data_dir` in bytes";
}

/// Metrics of the crate `metrics-process`.
pub const PROCESS: &[Metric] = &[
    gauge("process_start_time_seconds", "Start of the process since the Unix epoch in seconds"),
    Metric {
        kind: Kind::Counter,
        ..gauge("process_cpu_seconds_total", "Processor time of the process in seconds")
    },
    gauge("process_resident_memory_bytes", "Resident memory of the process in bytes"),
    gauge("process_virtual_memory_bytes", "Virtual memory of the process in bytes"),
    gauge("process_virtual_memory_max_bytes", "Limit of its virtual memory in bytes"),
    gauge("process_open_fds", "Open files and sockets"),
    gauge("process_max_fds", "Limit of open files and sockets"),
    gauge("process_threads", "Threads of the process"),
];

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, labels: &[], help, when: None }
}

/// Reads a few small files, so it must not run on an async thread.
pub fn look(data_dir: &Path) {
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics_process::Collector::default().collect();
    // Before anything was written there is no folder, and its disk is unknown.
    if let Ok(disk) = rustix::fs::statvfs(data_dir) {
        #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
        let bytes = |blocks: u64| (blocks * disk.f_frsize) as f64;
        gauge!(FREE).set(bytes(disk.f_bavail));
        gauge!(SIZE).set(bytes(disk.f_blocks));
    }
}
