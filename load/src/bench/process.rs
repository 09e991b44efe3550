//! Child processes pinned to a core, and what `/proc` says of them.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

/// Core of the server that is measured, and core of everything else.
pub const SERVER_CORE: usize = 0;
pub const LOAD_CORE: usize = 1;

/// A child that is killed when this is dropped.
pub struct Process {
    child: Child,
    pid: u32,
}

/// What a process has used so far and holds now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// User and system time.
    pub cpu_s: f64,
    pub rss_kib: u64,
}

impl Process {
    /// Starts `program` on `core`. Its output goes to the terminal's standard error only if it is asked for.
    ///
    /// # Errors
    /// When `taskset` or the program cannot be started.
    pub fn start(
        core: usize,
        program: &Path,
        args: &[String],
        env: &BTreeMap<String, String>,
        is_loud: bool,
    ) -> anyhow::Result<Self> {
        let output = || if is_loud { Stdio::inherit() } else { Stdio::null() };
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(program)
            .args(args)
            .envs(env)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {} under taskset", program.display()))?;
        // taskset replaces itself by the program, so this is the program's id.
        let pid = child.id().context("the child ended at once")?;
        Ok(Self { child, pid })
    }

    /// Waits until `url` answers with success.
    ///
    /// # Errors
    /// When it has not after `within`, or the process has ended.
    pub async fn ready(&mut self, url: &str, within: Duration) -> anyhow::Result<()> {
        let http = crate::http_client().build()?;
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("the process for {url} ended with {status}; try --loud");
            }
            if http.get(url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            ensure!(since.elapsed() < within, "{url} was not ready in {within:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// # Errors
    /// When the process is gone.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let read = |name: &str| {
            std::fs::read_to_string(format!("/proc/{}/{name}", self.pid))
                .context("the measured process is gone")
        };
        Ok(Usage { cpu_s: cpu_seconds(&read("stat")?)?, rss_kib: rss_kib(&read("status")?)? })
    }

    /// Asks the process to end and waits a moment.
    pub async fn stop(mut self) {
        if let Ok(mut kill) = Command::new("kill").arg(self.pid.to_string()).spawn() {
            let _ = kill.wait().await;
        }
        let _ = tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await;
    }
}

/// Pins this process, its later threads and its later children to the load's core.
///
/// # Errors
/// When there is no second core.
pub async fn pin_self() -> anyhow::Result<()> {
    let (core, pid) = (LOAD_CORE.to_string(), std::process::id().to_string());
    let status = Command::new("taskset")
        .args(["-a", "-c", "-p", &core, &pid])
        .stdout(Stdio::null())
        .status()
        .await
        .context("taskset is missing (package util-linux)")?;
    ensure!(status.success(), "cannot pin to core {core}: a benchmark needs two cores");
    Ok(())
}

/// An address that was free a moment ago.
///
/// # Errors
/// When no port can be bound.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Kernel ticks of user and system time are hundredths of a second on every Linux that Rust supports.
const TICKS_PER_SECOND: f64 = 100.0;

fn cpu_seconds(stat: &str) -> anyhow::Result<f64> {
    // The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
    let rest = stat.rsplit_once(')').context("no name in stat")?.1;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|f| f.parse::<f64>().ok()).context("short stat");
    Ok((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

fn rss_kib(status: &str) -> anyhow::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let number = line.split_whitespace().next().context("no VmRSS")?;
    number.parse().context("VmRSS is no number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_past_a_name_with_spaces_and_parentheses() {
        let stat = "42 (a b) c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 4 0 100 1 2";
        assert!((cpu_seconds(stat).unwrap() - 2.0).abs() < 1e-9);
        assert!(cpu_seconds("nonsense").is_err());
    }

    #[test]
    fn resident_memory_is_read_from_status() {
        assert_eq!(rss_kib("Name:\tx\nVmRSS:\t  2048 kB\n").unwrap(), 2048);
        assert!(rss_kib("Name:\tx\n").is_err());
    }
}
