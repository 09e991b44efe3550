//! What the table of actions says, as an admin reads it.

use std::collections::HashMap;

use anyhow::anyhow;
use serde::Deserialize;

use crate::{
    chaos::{staff::signed_in, stage::Stage},
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

/// The state of each action.
///
/// # Errors
/// When there is no admin, or the service does not answer.
pub async fn read(stage: &Stage, api: &Api) -> anyhow::Result<HashMap<String, String>> {
    let failed = |failed| anyhow!("an admin cannot read the actions: {failed:?}");
    let mut admin = signed_in(stage, api, EMAIL, &["admin", "create"]).await?;
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
