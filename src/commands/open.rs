//! What most commands open first.

use crate::{
    app::{Absent, database, open_archive},
    archive::Archive,
    config::Config,
    domain::SiteId,
};

/// The archive, whose name is printed: a command that was started in the wrong folder shows it.
pub async fn open(config: &Config, create: bool) -> anyhow::Result<Archive> {
    eprintln!("database: {}", database(config));
    open_archive(config, if create { Absent::Make } else { Absent::Refuse }).await
}

/// The site of this name.
pub async fn known_site(archive: &Archive, name: &str) -> anyhow::Result<SiteId> {
    let known: Vec<SiteId> = archive.sites().await?.into_iter().map(|site| site.id).collect();
    if let Some(id) = known.iter().find(|id| id.as_str() == name) {
        return Ok(id.clone());
    }
    let known: Vec<String> = known.iter().map(|id| format!("`{id}`")).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    anyhow::bail!(
        "there is no site `{name}`: add it to [[sites]] in the configuration, or name one of these: {known}"
    )
}
