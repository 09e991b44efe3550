//! The demo shop of the embedded mode: a site and the documents of an imaginary outdoor shop.

use std::time::Duration;

use anyhow::Context as _;
use rust_embed::RustEmbed;
use tracing::{info, warn};

use crate::{
    archive::Archive,
    config,
    domain::SiteId,
    knowledge::{Knowledge, import},
};

/// Also in `web/index.html`: the chat page belongs to the site with this key.
pub const SITE_KEY: &str = "pk_demo";

/// Of its orders and parcels.
const NUMBERS: [&str; 2] = ["FJ-#####", "FJ############"];

/// How long the demo shop takes a cancellation back.
const REINSTATES: Duration = Duration::from_mins(10);

#[derive(RustEmbed)]
#[folder = "demo/knowledge/"]
struct Documents;

/// # Panics
/// Never: the slug is a constant.
pub fn site_id() -> SiteId {
    // Four lowercase letters are a valid slug.
    SiteId::parse(config::DEMO_SITE).unwrap_or_else(|| unreachable!())
}

/// The site, with its shop if the configuration names one.
pub fn site(tools: &config::Tools) -> Option<config::Site> {
    let mut site =
        config::Site::new(SiteId::parse(config::DEMO_SITE)?, "Fjellheim Outdoor", SITE_KEY);
    site.number_formats = NUMBERS.map(str::to_owned).to_vec();
    let url = tools.demo_shop_url.clone();
    site.shop = (!url.is_empty()).then(|| config::Shop {
        url,
        reinstate: REINSTATES,
        ..config::Shop::default()
    });
    Some(site)
}

/// Loads the documents into a demo site that has none yet.
pub async fn ensure(archive: &Archive, knowledge: &Knowledge) -> anyhow::Result<()> {
    let site = site_id();
    if archive.site(&site).await?.is_none() || knowledge.documents(&site).await? > 0 {
        return Ok(());
    }
    let mut loaded = 0;
    for name in Documents::iter() {
        let Some(file) = Documents::get(&name) else { continue };
        match import::read_file(&name, &file.data) {
            Ok(document) => {
                knowledge.upsert(&site, document, None).await.with_context(|| name.to_string())?;
                loaded += 1;
            }
            Err(error) => warn!(%error, file = %name, "a demo document was skipped"),
        }
    }
    info!(documents = loaded, "demo documents loaded");
    Ok(())
}
