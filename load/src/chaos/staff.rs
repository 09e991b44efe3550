//! People of the demo shop, signed in.

use std::process::Stdio;

use anyhow::{Context as _, anyhow, ensure};
use serde::Deserialize;
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, process::Command};
use uuid::Uuid;

use super::stage::Stage;
use crate::replay::{Api, Visitor};

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
}

/// Makes an account with `create`, such as `["admin", "create"]`, and signs in.
///
/// # Errors
/// When there is no account, or the service does not answer.
pub async fn signed_in(
    stage: &Stage,
    api: &Api,
    email: &str,
    create: &[&str],
) -> anyhow::Result<Visitor> {
    let password = Uuid::new_v4().to_string();
    let server = stage.settings_of(0).context("there is no server")?;
    let mut child = Command::new(&server.program)
        .args(create)
        .args(["--site", "demo", "--email", email])
        .envs(&server.env)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(format!("{password}\n").as_bytes()).await?;
    drop(stdin);
    let ended = child.wait_with_output().await?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "cannot create {email}: {said}");
    let login = json!({"site_key": "pk_demo", "email": email, "password": password});
    let url = api.url("/v1/auth/login");
    let nobody = &mut Visitor::default();
    let tokens: Result<Tokens, _> = api.json(nobody, |_| api.http.post(&url).json(&login)).await;
    let Tokens { access_token } =
        tokens.map_err(|failed| anyhow!("{email} cannot sign in: {failed:?}"))?;
    Ok(Visitor { access_token, ..Visitor::default() })
}
