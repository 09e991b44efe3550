//! The services of a rig: the simulated backend, the yardstick proxies and Rushdesk itself.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use uuid::Uuid;

use super::process::{LOAD_CORE, Output, Process, SERVER_CORE, free_address};

/// Debug builds on a busy machine take their time.
const READY_WITHIN: Duration = Duration::from_secs(120);
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Where `make model` puts the ONNX Runtime and the model; a rig's data folder is a fresh one.
const LIBRARY: &str = "data/model/libonnxruntime.so";
const MODEL: &str = "data/model/all-MiniLM-L6-v2";

/// A running process and its address, `http://host:port`.
pub struct Service {
    pub process: Process,
    pub url: String,
}

/// How a simulated backend speaks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub ttft_ms: u64,
    pub token_ms: u64,
    pub tokens: usize,
    /// 0: unlimited.
    pub slots: usize,
}

impl Default for Pace {
    /// The backend of `measures`: 60 tokens, the first after 200 ms, then one each 20 ms, unlimited slots.
    fn default() -> Self {
        Self { ttft_ms: 200, token_ms: 20, tokens: 60, slots: 0 }
    }
}

impl Pace {
    pub fn answer_s(&self) -> f64 {
        (self.ttft_ms + self.token_ms * (self.tokens as u64).saturating_sub(1)) as f64 / 1e3
    }

    /// Whole answers a second with all slots busy.
    pub fn capacity(&self) -> f64 {
        self.slots as f64 / self.answer_s()
    }
}

impl Service {
    /// The simulated backend on the load's core.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn backend(pace: Pace) -> anyhow::Result<Self> {
        Self::simulator(Some(LOAD_CORE), free_address()?, pace, None).await
    }

    /// A simulated backend; `fault` names the model whose fault every answer shows.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn simulator(
        core: Option<usize>,
        address: SocketAddr,
        pace: Pace,
        fault: Option<&str>,
    ) -> anyhow::Result<Self> {
        let mut args: Vec<String> = vec!["sim-llm".into()];
        for (flag, value) in [
            ("--listen", address.to_string()),
            ("--ttft-ms", pace.ttft_ms.to_string()),
            ("--token-ms", pace.token_ms.to_string()),
            ("--tokens", pace.tokens.to_string()),
            ("--slots", pace.slots.to_string()),
        ] {
            args.extend([flag.to_owned(), value]);
        }
        if let Some(fault) = fault {
            args.extend(["--fault".to_owned(), fault.to_owned()]);
        }
        let process = own(core, &args)?;
        Self::wait(process, &address.to_string(), "/health").await
    }

    /// The bare proxy on the server's core.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn proxy(upstream: &str) -> anyhow::Result<Self> {
        let address = free_address()?.to_string();
        let args = ["proxy", "--listen", &address, "--upstream", upstream].map(str::to_owned);
        Self::wait(own(Some(SERVER_CORE), &args)?, &address, "/health").await
    }

    /// nginx as a proxy on the server's core, one process; `None` where it is not installed.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn nginx(upstream: &str, folder: &Path) -> anyhow::Result<Option<Self>> {
        let Some(program) = find("nginx") else { return Ok(None) };
        let address = free_address()?.to_string();
        let upstream = upstream.trim_start_matches("http://");
        let path = folder.join("nginx.conf");
        std::fs::write(&path, nginx_conf(&address, upstream, folder))?;
        let args = ["-e", "stderr", "-c", &path.display().to_string()].map(str::to_owned);
        let none = BTreeMap::new();
        let process = Process::start(Some(SERVER_CORE), &program, &args, &none, &Output::Nowhere)?;
        Self::wait(process, &address, "/health").await.map(Some)
    }

    /// The order system of a shop, with arguments of its own.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn shop(address: SocketAddr, more: &[String]) -> anyhow::Result<Self> {
        let mut args = vec!["demo-shop".to_owned(), "--listen".to_owned(), address.to_string()];
        args.extend_from_slice(more);
        Self::wait(own(None, &args)?, &address.to_string(), "/").await
    }

    pub(super) async fn wait(
        mut process: Process,
        address: &str,
        ready: &str,
    ) -> anyhow::Result<Self> {
        let url = format!("http://{address}");
        process.ready(&format!("{url}{ready}"), READY_WITHIN).await?;
        Ok(Self { process, url })
    }

    pub async fn stop(self) {
        self.process.stop(STOP_WITHIN).await;
    }
}

fn own(core: Option<usize>, args: &[String]) -> anyhow::Result<Process> {
    let program = std::env::current_exe()?;
    Process::start(core, &program, args, &BTreeMap::new(), &Output::Nowhere)
}

/// A program of this name in the usual places.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/usr/local/sbin"]).map(Path::new);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn nginx_conf(address: &str, upstream: &str, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream backend {{ server {upstream}; keepalive 4096; keepalive_timeout 4s; }}
  server {{
    listen {address} backlog=8192;
    location / {{
      proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection \"\";
      proxy_buffering off;
    }}
  }}
}}
"
    )
}

/// How a Rushdesk is started.
#[derive(Clone, Debug)]
pub struct Server {
    pub program: PathBuf,
    pub args: Vec<String>,
    pub core: Option<usize>,
    pub address: SocketAddr,
    /// The environment: `RUSHDESK__SECTION__KEY`.
    pub env: BTreeMap<String, String>,
    pub output: Output,
}

impl Server {
    /// Embedded, on a free port and with the default configuration except for `backends` (the array as TOML).
    ///
    /// # Errors
    /// When the program is not there or no port is free.
    pub fn embedded(program: &Path, folder: &Path, backends: &str) -> anyhow::Result<Self> {
        ensure!(program.is_file(), "no program at {}", program.display());
        let address = free_address()?;
        let mut server = Self {
            program: program.to_owned(),
            args: vec!["serve".into()],
            core: None,
            address,
            env: BTreeMap::new(),
            output: Output::Nowhere,
        };
        server.set("SERVER__LISTEN", address);
        server.set("SERVER__DATA_DIR", folder.display());
        server.set("STORE__MODE", "embedded");
        server.set("TELEMETRY__LOG", "warn");
        server.set("INFERENCE__BACKENDS", backends);
        server.set("INFERENCE__DISCOVER_OLLAMA", false);
        server.set("TOOLS__DEMO_SHOP_URL", "");
        for (key, path) in [("EMBEDDING__LIBRARY", LIBRARY), ("EMBEDDING__MODEL_DIR", MODEL)] {
            if let Ok(path) = std::fs::canonicalize(path) {
                server.set(key, path.display());
            }
        }
        // The preparation signs in more visitors in a second than a shop sees.
        server.set("LIMITS__SITE_VISITORS_PER_SECOND", 1_000_000);
        server.set("LIMITS__SITE_FREE_VISITORS_PER_SECOND", 100_000);
        server.set("LIMITS__SITE_REFRESHES_PER_SECOND", 1_000_000);
        Ok(server)
    }

    /// Sets one key of the configuration.
    pub fn set(&mut self, key: &str, value: impl ToString) {
        self.env.insert(format!("RUSHDESK__{key}"), value.to_string());
    }

    /// Pinned to the server's core with one worker.
    pub fn pin(&mut self) {
        self.core = Some(SERVER_CORE);
        self.set("SERVER__WORKERS", 1);
    }

    /// Limits that do not bind: what is measured is the work.
    pub fn unlimit(&mut self) {
        for key in [
            "SERVER__MAX_CONNECTIONS",
            "SESSIONS__MAX_SESSIONS",
            "SESSIONS__MAX_TURNS",
            "SESSIONS__MAX_STREAMS",
            "INFERENCE__MAX_QUEUE",
            "LIMITS__VISITOR_MESSAGES_PER_HOUR",
            "LIMITS__VISITOR_BURST",
            "LIMITS__SITE_VISITORS_PER_SECOND",
            "LIMITS__SITE_FREE_VISITORS_PER_SECOND",
            "LIMITS__VISITOR_SESSIONS_PER_HOUR",
            "LIMITS__SITE_SESSIONS_PER_SECOND",
            "LIMITS__VISITOR_READS_PER_MINUTE",
            "LIMITS__SITE_READS_PER_SECOND",
            "LIMITS__SITE_MESSAGES_PER_SECOND",
            "LIMITS__SITE_BURST",
        ] {
            self.set(key, 1_000_000);
        }
        self.set("INFERENCE__MAX_QUEUE_TOKENS", 1_000_000_000);
    }

    /// Takes pairs `KEY=VALUE` of the environment as they are.
    ///
    /// # Errors
    /// When one is no pair.
    pub fn set_pairs(&mut self, pairs: &[String]) -> anyhow::Result<()> {
        for pair in pairs {
            let (key, value) = pair.split_once('=').context("--env takes KEY=VALUE")?;
            self.env.insert(key.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn start(&self) -> anyhow::Result<Service> {
        let (program, args) = (&self.program, &self.args);
        let process = Process::start(self.core, program, args, &self.env, &self.output)?;
        Service::wait(process, &self.address.to_string(), "/readyz").await
    }

    /// The array of one vLLM backend.
    pub fn one_backend(url: &str, slots: usize) -> String {
        format!(r#"[{{name="sim",kind="vllm",url="{url}",model="sim",slots={slots}}}]"#)
    }
}

/// A fresh folder that is removed with everything in it.
pub struct Folder(pub PathBuf);

impl Folder {
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("rushdesk-load-{}", Uuid::new_v4()));
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("rushdesk-load: {} stays behind: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_slots_give_about_eleven_answers_a_second() {
        let pace = Pace { slots: 16, ..Pace::default() };
        assert!((pace.answer_s() - 1.38).abs() < 1e-9);
        assert!((pace.capacity() - 11.594).abs() < 0.001);
    }
}
