//! The processes of a benchmark: the simulated backend, the bare proxy and Rushdesk itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use uuid::Uuid;

use super::{
    Args,
    process::{LOAD_CORE, Process, SERVER_CORE, free_address},
};

const READY_WITHIN: Duration = Duration::from_secs(60);
/// Where `make model` puts the ONNX Runtime; the benchmark's data folder is a fresh one.
const LIBRARY: &str = "data/model/libonnxruntime.so";

/// A running process and its address, `http://host:port`.
pub struct Service {
    pub process: Process,
    pub url: String,
}

impl Service {
    /// The backend of `measures`: 60 tokens, the first after 200 ms, then one each 20 ms, unlimited slots.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn backend() -> anyhow::Result<Self> {
        let address = free_address()?.to_string();
        let args = ["sim-llm", "--listen", &address, "--ttft-ms", "200", "--token-ms", "20"];
        let args = args.map(str::to_owned);
        Self::own(LOAD_CORE, &args, &address, "/health").await
    }

    /// # Errors
    /// When it does not start.
    pub async fn proxy(upstream: &str) -> anyhow::Result<Self> {
        let address = free_address()?.to_string();
        let args = ["proxy", "--listen", &address, "--upstream", upstream].map(str::to_owned);
        Self::own(SERVER_CORE, &args, &address, "/health").await
    }

    async fn own(core: usize, args: &[String], address: &str, ready: &str) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let process = Process::start(core, &program, args, &BTreeMap::new(), false)?;
        Self::wait(process, address, ready).await
    }

    async fn wait(mut process: Process, address: &str, ready: &str) -> anyhow::Result<Self> {
        let url = format!("http://{address}");
        process.ready(&format!("{url}{ready}"), READY_WITHIN).await?;
        Ok(Self { process, url })
    }

    /// Rushdesk in embedded mode with limits that do not bind, on `folder` and in front of `backend`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn server(args: &Args, folder: &Path, backend: &str) -> anyhow::Result<Self> {
        let address = free_address()?.to_string();
        let mut env = server_env(&address, folder, backend);
        for pair in &args.env {
            let (key, value) = pair.split_once('=').context("--env takes KEY=VALUE")?;
            env.insert(key.to_owned(), value.to_owned());
        }
        let process =
            Process::start(SERVER_CORE, &args.server_bin, &args.server_arg, &env, args.loud)?;
        Self::wait(process, &address, "/readyz").await
    }
}

fn server_env(address: &str, folder: &Path, backend: &str) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    let mut set = |key: &str, value: String| env.insert(format!("RUSHDESK__{key}"), value);
    set("SERVER__LISTEN", address.to_owned());
    set("SERVER__DATA_DIR", folder.display().to_string());
    set("SERVER__WORKERS", "1".into());
    set("STORE__MODE", "embedded".into());
    set("TELEMETRY__LOG", "warn".into());
    set(
        "INFERENCE__BACKENDS",
        format!(r#"[{{name="sim",kind="vllm",url="{backend}",model="sim",slots=100000}}]"#),
    );
    for key in [
        "SERVER__MAX_CONNECTIONS",
        "SESSIONS__MAX_SESSIONS",
        "SESSIONS__MAX_TURNS",
        "SESSIONS__MAX_STREAMS",
        "INFERENCE__MAX_QUEUE",
        "LIMITS__VISITOR_MESSAGES_PER_HOUR",
        "LIMITS__VISITOR_BURST",
        "LIMITS__SITE_MESSAGES_PER_SECOND",
        "LIMITS__SITE_BURST",
        "LIMITS__SITE_LOGINS_PER_SECOND",
    ] {
        set(key, "1000000".into());
    }
    set("INFERENCE__MAX_QUEUE_TOKENS", "1000000000".into());
    if let Ok(library) = std::fs::canonicalize(LIBRARY) {
        set("EMBEDDING__LIBRARY", library.display().to_string());
    }
    env
}

/// A fresh folder that is removed with everything in it.
pub struct Folder(pub PathBuf);

impl Folder {
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("rushdesk-bench-{}", Uuid::new_v4()));
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
