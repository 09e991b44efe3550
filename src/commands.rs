//! All commands except `serve`.

mod open;
mod staff;
mod tools;

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;

use self::open::{known_site, open};
pub use self::{
    staff::{create_staff, disable_staff, list_staff, reset_password},
    tools::{ToolsCommand, tools},
};
use crate::{
    app::start_embedder,
    config::{Config, Faults, MysqlAddress, MysqlTls},
    journal::verify,
    knowledge::{Knowledge, KnowledgeError, Status, import},
    runtime::Services,
    secrets,
    tls::{Certificate, authorities},
};

/// Shorter than the platform's limit of a health check, so that the reason is printed.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// # Errors
/// If `/readyz` does not return 200 within two seconds.
pub async fn check_health(config: &Config) -> anyhow::Result<()> {
    let address = reachable(config.server.listen);
    // The certificate is for the public host, not for this address.
    let client = reqwest::Client::builder().no_proxy().danger_accept_invalid_certs(true);
    let scheme = if config.server.tls().is_some() { "https" } else { "http" };
    let answer = client
        .timeout(HEALTH_TIMEOUT)
        .build()?
        .get(format!("{scheme}://{address}/readyz"))
        .send()
        .await
        .with_context(|| format!("no service responds on {address}"))?;
    let (status, body) = (answer.status(), answer.text().await?);
    anyhow::ensure!(status.is_success(), "not ready ({status}): {body}");
    println!("{body}");
    Ok(())
}

/// A service that listens on all addresses is reached on the loopback address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Checks the files that the configuration names: certificate, key, signing secrets, authorities.
///
/// # Errors
/// Lists all faults.
pub fn check_files(config: &Config) -> Result<(), Faults> {
    let mut faults = Vec::new();
    let read = |key: &str, path: &Path| {
        std::fs::read(path).map_err(|error| format!("{key}: {}: {error}", path.display()))
    };
    if let Some([chain, key]) = config.server.tls() {
        match (read("server.tls_cert", &chain), read("server.tls_key", &key)) {
            (Ok(chain), Ok(key)) => {
                faults.extend(Certificate::new(&chain, &key).err().map(|error| error.to_string()));
            }
            (chain, key) => faults.extend([chain.err(), key.err()].into_iter().flatten()),
        }
    }
    let secrets = &config.auth.jwt_secret_file;
    if !secrets.as_os_str().is_empty() {
        let key = "auth.jwt_secret_file";
        let parsed = read(key, secrets).and_then(|text| {
            secrets::parse(&text).map_err(|error| format!("{key}: {} {error}", secrets.display()))
        });
        faults.extend(parsed.err());
    }
    let mysql = MysqlAddress::parse(config.store.mysql_url.expose()).map(|address| address.tls);
    if let Ok(MysqlTls::Verified { ca }) = mysql {
        let error = authorities(ca.as_deref()).err();
        faults.extend(error.map(|error| format!("store.mysql_url: {error}")));
    }
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

/// `create`: a database file that is not there is made. The tables of a server's database always are.
///
/// # Errors
/// If the archive cannot be opened or migrated.
pub async fn migrate(config: &Config, create: bool) -> anyhow::Result<()> {
    open(config, create || !config.is_embedded()).await?;
    println!("the archive is up to date");
    Ok(())
}

/// Sessions of one page.
const VERIFIED: u32 = 1_000;

/// Checks every session of the archive, while the service may run.
///
/// # Errors
/// If the archive does not answer, or a session has a fault; all faults are printed.
pub async fn verify_sessions(config: &Config) -> anyhow::Result<()> {
    let archive = open(config, false).await?;
    let (mut checked, mut faulty, mut after) = (0, 0, None);
    loop {
        let ids = archive.session_ids(after, VERIFIED).await?;
        let Some(last) = ids.last() else { break };
        after = Some(*last);
        for id in ids {
            // It may have been erased meanwhile.
            let Some(kept) = archive.kept(id).await? else { continue };
            checked += 1;
            let faults = verify::faults(&kept);
            faulty += usize::from(!faults.is_empty());
            for fault in faults {
                println!("session {id}: {fault}");
            }
        }
    }
    println!("{checked} sessions checked, {faulty} with faults");
    anyhow::ensure!(faulty == 0, "{faulty} of {checked} sessions have faults");
    Ok(())
}

/// `create`: a database that is not there is made.
///
/// # Errors
/// If the archive cannot be opened, or a file could not be imported.
pub async fn import_knowledge(
    config: &Config,
    site: &str,
    folder: &Path,
    create: bool,
) -> anyhow::Result<()> {
    let archive = open(config, create).await?;
    let site = known_site(&archive, site).await?;
    let services = Services::start();
    let embedder = start_embedder(config, &services).await?;
    let embedder = embedder.map(|e| (e.embed, e.embedder_id, e.card));
    let knowledge = Knowledge::load(archive, embedder, &config.knowledge, &config.sites).await?;
    let bounds = import::Bounds {
        max_document_bytes: config.knowledge.max_document_bytes,
        max_documents: config.knowledge.max_documents,
    };
    let found = import::read_folder(folder, bounds)
        .with_context(|| format!("cannot read {}", folder.display()))?;
    let faults = found.faults.into_iter();
    let mut left_out: Vec<_> = faults.map(|fault| (fault.path, fault.reason.to_string())).collect();
    let (mut created, mut updated, mut unchanged) = (0, 0, 0);
    for (document, path) in found.documents.into_iter().zip(found.paths) {
        let name = document.external_id.clone();
        match knowledge.upsert(&site, document, None).await {
            Ok(stored) => {
                println!("{name}: {:?}, {} chunks", stored.status, stored.chunks);
                left_out.extend(stored.left_out.iter().map(|out| (path.clone(), out.to_string())));
                *match stored.status {
                    Status::Created => &mut created,
                    Status::Updated => &mut updated,
                    Status::Unchanged => &mut unchanged,
                } += 1;
            }
            Err(KnowledgeError::Invalid(fields)) => {
                let faults = fields.into_iter().map(|f| format!("{}: {}", f.field, f.detail));
                left_out.extend(faults.map(|fault| (path.clone(), fault)));
            }
            Err(error) => left_out.push((path, error.to_string())),
        }
    }
    services.stop();
    for (path, reason) in &left_out {
        eprintln!("{}: {reason}", path.display());
    }
    println!("{created} created, {updated} updated, {unchanged} unchanged");
    let files: BTreeSet<_> = left_out.iter().map(|(path, _)| path).collect();
    anyhow::ensure!(files.is_empty(), "{} file(s) could not be read in full", files.len());
    Ok(())
}
