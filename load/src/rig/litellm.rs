//! LiteLLM's proxy as its documents advise for production, on the server's core.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tokio::process::Command;

use super::{
    process::{Output, Process, SERVER_CORE, free_address},
    service::Service,
};

/// Any text: there is no database behind it that could know keys.
pub const MASTER_KEY: &str = "sk-peers";
/// Python takes its time to import it.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// One worker for the one core, no database, production mode, errors logged only; `cache` turns its in-memory cache on.
///
/// # Errors
/// When the program is missing or does not become ready.
pub async fn start(
    program: &Path,
    backend: &str,
    folder: &Path,
    cache: bool,
) -> anyhow::Result<Service> {
    let program: PathBuf = program.canonicalize().with_context(|| {
        format!("no LiteLLM at {}: `make bench-peers` installs it", program.display())
    })?;
    let address = free_address()?;
    let config = folder.join("litellm.yaml");
    std::fs::write(&config, settings(backend, cache))?;
    let env: BTreeMap<String, String> = [
        ("LITELLM_MODE", "PRODUCTION"),
        ("LITELLM_LOG", "ERROR"),
        // Nothing is fetched at the start.
        ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
        ("LITELLM_TELEMETRY", "False"),
        ("DISABLE_ADMIN_UI", "True"),
        ("NO_DOCS", "True"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let (port, config) = (address.port().to_string(), config.display().to_string());
    let args = ["--config", &config, "--host", "127.0.0.1", "--port", &port, "--num_workers", "1"];
    let args: Vec<String> = args.map(str::to_owned).into();
    let log = Output::File(folder.join("litellm.log"));
    let mut process = Process::start(Some(SERVER_CORE), &program, &args, &env, &log)?;
    let url = format!("http://{address}");
    let ready = process.ready(&format!("{url}/health/liveliness"), READY_WITHIN).await;
    if ready.is_err() {
        let log = std::fs::read_to_string(folder.join("litellm.log")).unwrap_or_default();
        let from = log.char_indices().rev().nth(1500).map_or(0, |(at, _)| at);
        eprintln!("{}", &log[from..]);
    }
    ready?;
    Ok(Service { process, url })
}

fn settings(backend: &str, cache: bool) -> String {
    format!(
        r#"model_list:
  - model_name: sim
    litellm_params: {{model: openai/sim, api_base: "{backend}/v1", api_key: none}}
litellm_settings:
  set_verbose: false
  json_logs: true
  telemetry: false
  request_timeout: 600
  cache: {cache}
  cache_params: {{type: local}}
general_settings:
  master_key: {MASTER_KEY}
  disable_spend_logs: true
"#
    )
}

/// The first line that a program prints with these arguments.
///
/// # Errors
/// When it cannot be run.
pub async fn version(program: &Path, args: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program)
        .args(args)
        .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        .stdin(Stdio::null())
        .output()
        .await
        .with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(output.status.success(), "{} does not tell its version", program.display());
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().map(str::trim).find(|line| line.contains(|c: char| c.is_ascii_digit()));
    Ok(line.unwrap_or("unknown").to_owned())
}
