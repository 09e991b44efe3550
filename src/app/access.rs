//! Accounts, allowed origins, and the certificate.

use std::collections::HashMap;

use anyhow::Context as _;

use crate::{
    accounts::Accounts,
    archive::Archive,
    config::Config,
    demo,
    domain::SiteId,
    http::origins::Origins,
    limits::Limits,
    renewal::{self, Watched},
    secrets,
    tls::Certificate,
};

pub async fn open_accounts(
    archive: &Archive,
    limits: &Limits,
    config: &Config,
    watched: &mut Vec<Watched>,
) -> anyhow::Result<Accounts> {
    let file = config.auth.jwt_secret_file.clone();
    if file.as_os_str().is_empty() {
        let secret = [config.auth.jwt_secret.clone()];
        return Ok(Accounts::new(archive.clone(), limits.clone(), config, &secret)?);
    }
    let what = || format!("auth.jwt_secret_file: {}", file.display());
    let paths = vec![file.clone()];
    let contents = renewal::read(&paths).await.context("auth.jwt_secret_file")?;
    let secrets = secrets::parse(&contents[0]).with_context(what)?;
    let accounts = Accounts::new(archive.clone(), limits.clone(), config, &secrets)?;
    let renewed = accounts.clone();
    watched.push(Watched::new("signing secrets", paths, contents, move |contents| {
        renewed.replace_secrets(&secrets::parse(&contents[0])?);
        Ok(())
    }));
    Ok(accounts)
}

pub async fn open_tls(
    config: &Config,
    watched: &mut Vec<Watched>,
) -> anyhow::Result<Option<rustls::ServerConfig>> {
    let Some(paths) = config.server.tls() else { return Ok(None) };
    let contents = renewal::read(&paths).await.context("server.tls_cert, server.tls_key")?;
    let certificate = Certificate::new(&contents[0], &contents[1])?;
    let server = certificate.server_config()?;
    watched.push(Watched::new("certificate", paths.to_vec(), contents, move |contents| {
        Ok(certificate.replace(&contents[0], &contents[1])?)
    }));
    Ok(Some(server))
}

pub async fn origins(archive: &Archive, config: &Config) -> anyhow::Result<Origins> {
    let listen = config.server.listen;
    let scheme = if config.server.tls().is_some() { "https" } else { "http" };
    let mut own =
        vec![format!("{scheme}://{listen}"), format!("{scheme}://localhost:{}", listen.port())];
    if !config.server.public_url.is_empty() {
        own.push(config.server.public_url.trim_end_matches('/').to_owned());
    }
    let sites = archive.sites().await?;
    let page = sites.iter().find(|site| site.site_key == demo::SITE_KEY);
    let page = page.map(|site| site.id.clone());
    let by_site: HashMap<SiteId, Vec<String>> =
        sites.into_iter().map(|site| (site.id, site.allowed_origins)).collect();
    Ok(Origins::new(own, by_site, page.as_ref()))
}
