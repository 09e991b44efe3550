//! The process and the disk it writes to, looked at when somebody asks for the metrics.

use std::path::Path;

use metrics::gauge;

use super::declare;

declare! {
    BUILD: gauge "rushdesk_build_info" ["version"] "1, with the version that runs";
    FREE: gauge "rushdesk_data_dir_free_bytes" [] "Bytes that may still be written to the disk of `server.data_dir`";
    SIZE: gauge "rushdesk_data_dir_size_bytes" [] "Size of that disk in bytes";
}

/// What the crate `metrics-process` gives.
pub const PROCESS: &[super::Metric] = &[
    gauge("process_start_time_seconds", "Start of the process since the Unix epoch in seconds"),
    super::Metric {
        kind: super::Kind::Counter,
        ..gauge("process_cpu_seconds_total", "Processor time of the process in seconds")
    },
    gauge("process_resident_memory_bytes", "Memory that the process holds"),
    gauge("process_virtual_memory_bytes", "Addresses that the process has mapped"),
    gauge("process_virtual_memory_max_bytes", "Addresses that it may map"),
    gauge("process_open_fds", "Open files and sockets"),
    gauge("process_max_fds", "Files and sockets that it may open"),
    gauge("process_threads", "Threads of the process"),
];

const fn gauge(name: &'static str, help: &'static str) -> super::Metric {
    super::Metric { name, kind: super::Kind::Gauge, labels: &[], help, when: None }
}

/// Looks at process and disk. Reads a few small files, so not on an async thread.
pub fn look(data_dir: &Path) {
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics_process::Collector::default().collect();
    // Where nothing was written yet there is no folder, and its disk is not known.
    if let Ok(disk) = rustix::fs::statvfs(data_dir) {
        #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
        let bytes = |blocks: u64| (blocks * disk.f_frsize) as f64;
        gauge!(FREE).set(bytes(disk.f_bavail));
        gauge!(SIZE).set(bytes(disk.f_blocks));
    }
}
