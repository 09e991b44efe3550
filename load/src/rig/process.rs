//! Child processes, pinned to a core where figures are taken, and what `/proc` says of them.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use rand::RngExt as _;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// User and system time.
    pub cpu_s: f64,
    pub rss_kib: u64,
}

/// Where a child's standard output and error go.
#[derive(Clone, Debug)]
pub enum Output {
    Nowhere,
    Terminal,
    /// Appended to this file.
    File(PathBuf),
}

impl Output {
    fn open(&self) -> anyhow::Result<Stdio> {
        Ok(match self {
            Self::Nowhere => Stdio::null(),
            Self::Terminal => Stdio::inherit(),
            Self::File(path) => OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .with_context(|| format!("cannot write {}", path.display()))?
                .into(),
        })
    }
}

impl Process {
    /// Starts `program`, on `core` where one is given.
    ///
    /// # Errors
    /// When `taskset` or the program cannot be started.
    pub fn start(
        core: Option<usize>,
        program: &Path,
        args: &[String],
        env: &BTreeMap<String, String>,
        output: &Output,
    ) -> anyhow::Result<Self> {
        let mut command = match core {
            // taskset replaces itself by the program, so the child's id is the program's.
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let child = command
            .args(args)
            .envs(env)
            .stdin(Stdio::null())
            .stdout(match output {
                Output::Terminal => Stdio::null(),
                _ => output.open()?,
            })
            .stderr(output.open()?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
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
                anyhow::bail!("the process for {url} ended with {status}; its log says why");
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

    /// Sends a signal, named as `kill` names it.
    ///
    /// # Errors
    /// When there is no `kill`, or no such process.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let status = Command::new("kill")
            .args(["-s", name, &self.pid.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await?;
        ensure!(status.success(), "cannot send {name} to process {}", self.pid);
        Ok(())
    }

    /// Ends the process without a warning, and reaps it.
    pub async fn kill(&mut self) {
        let _ = self.child.kill().await;
    }

    /// Asks the process to end. Returns whether it did within the time, with success; if not, it is killed.
    pub async fn stop(mut self, within: Duration) -> bool {
        let _ = self.signal("TERM").await;
        match timeout(within, self.child.wait()).await {
            Ok(status) => status.is_ok_and(|status| status.success()),
            Err(_) => {
                self.kill().await;
                false
            }
        }
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
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

/// An address that was free a moment ago, below the ports that the kernel gives to clients: else one of the many
/// clients here could take it while its server is restarted.
///
/// # Errors
/// When no port can be bound.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    const FIRST: u16 = 12_000;
    const TRIES: usize = 200;
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first_of_clients =
        range.ok().and_then(|range| range.split_whitespace().next()?.parse().ok());
    let end = first_of_clients.unwrap_or(32_768).max(FIRST + 1_000);
    for _ in 0..TRIES {
        let port = rand::rng().random_range(FIRST..end);
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return Ok(listener.local_addr()?);
        }
    }
    anyhow::bail!("no free port between {FIRST} and {end}")
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
