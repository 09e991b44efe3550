//! What ends when somebody stops the program.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

/// What `work` gives, or the exit code if the program is told to stop first. Everything that was
/// started ends with the future that holds it.
///
/// # Errors
/// Those of `work`.
pub async fn unless_stopped<T>(
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<Result<T, ExitCode>> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = Box::pin(work) => done.map(Ok),
        _ = tokio::signal::ctrl_c() => Ok(Err(ExitCode::from(130))),
        _ = terminate.recv() => Ok(Err(ExitCode::from(143))),
    }
}

/// 1 if something that must hold was broken.
pub fn verdict(has_failed: bool) -> ExitCode {
    if has_failed { ExitCode::from(1) } else { ExitCode::SUCCESS }
}
