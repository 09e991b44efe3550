//! What the table of actions says, as an admin reads it.

use std::{collections::HashMap, process::Stdio};

use anyhow::{Context as _, anyhow, ensure};
use serde::Deserialize;
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, process::Command};
use uuid::Uuid;

use crate::{
    chaos::stage::Stage,
    replay::{Api, Visitor},
};

const EMAIL: &str = "admin@example.com";
const PAGE: u32 = 200;

#[derive(Deserialize)]
struct Page {
    items: Vec<Row>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    state: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
}

/// The state of each action.
///
/// # Errors
/// When there is no admin, or the service does not answer.
pub async fn read(stage: &Stage, api: &Api) -> anyhow::Result<HashMap<String, String>> {
    let password = Uuid::new_v4().to_string();
    create_admin(stage, &password).await?;
    let login = json!({"site_key": "pk_demo", "email": EMAIL, "password": password});
    let url = api.url("/v1/auth/login");
    let failed = |failed| anyhow!("an admin cannot read the actions: {failed:?}");
    let nobody = &mut Visitor::default();
    let tokens: Tokens =
        api.json(nobody, |_| api.http.post(&url).json(&login)).await.map_err(failed)?;
    let mut admin = Visitor { access_token: tokens.access_token, ..Visitor::default() };
    let mut states = HashMap::new();
    let mut cursor = String::new();
    loop {
        let url = api.url(&format!("/v1/admin/actions?limit={PAGE}{cursor}"));
        let get = |admin: &Visitor| api.http.get(&url).bearer_auth(&admin.access_token);
        let page: Page = api.json(&mut admin, get).await.map_err(failed)?;
        states.extend(page.items.into_iter().map(|row| (row.id, row.state)));
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(states),
        }
    }
}

async fn create_admin(stage: &Stage, password: &str) -> anyhow::Result<()> {
    let server = stage.settings_of(0).context("there is no server")?;
    let mut child = Command::new(&server.program)
        .args(["admin", "create", "--site", "demo", "--email", EMAIL])
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
    ensure!(ended.status.success(), "cannot create an admin: {said}");
    Ok(())
}
