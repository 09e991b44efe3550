//! TLS by the service itself, with a private authority and real clients.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    slice,
    sync::Arc,
};

use actix_web::rt::test;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::{Certificate, Client};
use rushdesk::{
    commands::check_files,
    config::{Config, Sources},
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;

use super::{
    crash,
    distributed::Stores,
    harness::*,
    servers::{Server, free_port},
};

/// An authority of the test's own, and the two files of a server.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let this = Self { certificate, issuer, folder: tempfile::tempdir().unwrap() };
        this.issue();
        this
    }

    /// Writes a new key and a new certificate for localhost.
    fn issue(&self) {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.chain(), certificate.pem()).unwrap();
        std::fs::write(self.key(), key.serialize_pem()).unwrap();
    }

    fn chain(&self) -> PathBuf {
        self.folder.path().join("tls.crt")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("tls.key")
    }

    /// The authority itself, for those who are to trust it.
    fn ca(&self) -> String {
        let path = self.folder.path().join("ca.crt");
        std::fs::write(&path, &self.certificate).unwrap();
        path.display().to_string()
    }

    fn settings(&self) -> [(&'static str, String); 2] {
        [
            ("server.tls_cert", self.chain().display().to_string()),
            ("server.tls_key", self.key().display().to_string()),
        ]
    }

    /// Trusts nobody but this authority.
    fn client(&self) -> Client {
        let root = Certificate::from_pem(self.certificate.as_bytes()).unwrap();
        Client::builder().no_proxy().tls_certs_only([root]).timeout(PATIENCE).build().unwrap()
    }

    /// Shakes hands as `localhost`; the server's certificate.
    async fn handshake(&self, port: u16) -> Vec<u8> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        tokio::task::spawn_blocking(move || {
            let name = ServerName::try_from("localhost").unwrap();
            let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            while connection.is_handshaking() {
                connection.complete_io(&mut stream).unwrap();
            }
            connection.peer_certificates().unwrap()[0].to_vec()
        })
        .await
        .unwrap()
    }
}

/// At once, so that nobody reads half of it.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}

fn der(path: &Path) -> Vec<u8> {
    CertificateDer::from_pem_file(path).unwrap().to_vec()
}

#[test]
async fn a_shopper_chats_over_tls_and_is_told_to_stay_there() {
    let authority = Authority::new();
    let app = TestApp::with(&authority.settings()).await;
    let (client, url) = (authority.client(), format!("https://localhost:{}", app.port()));
    let page = client.get(&url).send().await.unwrap();
    assert_eq!(page.headers()["strict-transport-security"], "max-age=31536000");
    let shopper = Shopper::visitor(&client, &url, "pk_demo").await;
    let session = shopper.session().await;
    let mut stream = shopper.stream(&session, "What is the price guarantee?").await;
    let events = stream.until("answer.completed").await;
    assert!(events.len() > 2, "{events:?}");
    // Who speaks plain HTTP there gets no answer, and a client that does not know the authority gives none.
    assert!(app.get("/livez").send().await.is_err());
    assert!(app.client.get(format!("{url}/livez")).send().await.is_err());
    app.stop().await;
}

#[test]
async fn a_certificate_is_exchanged_without_a_restart_and_a_broken_one_is_not_taken() {
    let authority = Authority::new();
    let app = TestApp::with(&authority.settings()).await;
    let port = app.port();
    assert_eq!(authority.handshake(port).await, der(&authority.chain()));

    authority.issue();
    let second = der(&authority.chain());
    settle("the new certificate is shown", async || authority.handshake(port).await == second)
        .await;
    // A key without its certificate, no certificate, no key: what was good stays.
    let refused = "rushdesk_renewals_total{files=\"certificate\",outcome=\"refused\"}";
    let is_not_taken = async |spoil: &dyn Fn()| {
        let before = app.counter(refused);
        spoil();
        settle("it was looked at", async || app.counter(refused) > before).await;
        assert_eq!(authority.handshake(port).await, second);
    };
    let other_key = || KeyPair::generate().unwrap().serialize_pem();
    is_not_taken(&|| replace(&authority.key(), &other_key())).await;
    is_not_taken(&|| replace(&authority.chain(), "nothing")).await;
    is_not_taken(&|| std::fs::remove_file(authority.key()).unwrap()).await;

    authority.issue();
    let third = der(&authority.chain());
    settle("it recovers", async || authority.handshake(port).await == third).await;
    app.stop().await;
}

fn faults(settings: &[(&str, String)]) -> Vec<String> {
    let flags = settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    match Config::load(&Sources { flags, ..Sources::default() }) {
        Ok(config) => check_files(&config).err().map_or_else(Vec::new, |faults| faults.0),
        Err(faults) => faults.0,
    }
}

#[test]
async fn check_config_finds_files_that_cannot_be_used() {
    let (authority, other) = (Authority::new(), Authority::new());
    let [chain, key] = authority.settings();
    let one = |faults: Vec<String>, what: &str| {
        assert!(faults.len() == 1 && faults[0].contains(what), "{what}: {faults:?}");
    };
    assert_eq!(faults(&[chain.clone(), key.clone()]), Vec::<String>::new());
    one(faults(slice::from_ref(&chain)), "server.tls_key");
    one(faults(slice::from_ref(&key)), "server.tls_cert");
    one(faults(&[chain.clone(), other.settings()[1].clone()]), "cannot be used together");
    one(faults(&[("server.tls_cert", key.1.clone()), key.clone()]), "no certificate");
    one(faults(&[chain.clone(), ("server.tls_key", chain.1.clone())]), "server.tls_key");
    let nowhere = |key| (key, "/nowhere/file.pem".to_owned());
    assert_eq!(faults(&[nowhere("server.tls_cert"), nowhere("server.tls_key")]).len(), 2);
    one(faults(&[nowhere("auth.jwt_secret_file")]), "auth.jwt_secret_file: /nowhere/file.pem");
    one(faults(&[("auth.jwt_secret_file", chain.1)]), "secret");
    let mysql = "mysql://db/rushdesk?ssl-mode=VERIFY_IDENTITY&ssl-ca=/nowhere/ca.pem";
    one(
        faults(&[("store.mysql_url", mysql.to_owned())]),
        "store.mysql_url: ssl-ca: /nowhere/ca.pem",
    );
}

#[test]
async fn redis_is_spoken_to_over_tls_and_only_if_its_authority_is_trusted() {
    let Some(stores) = Stores::new().await else { return };
    let (authority, stranger) = (Authority::new(), Authority::new());
    let port = free_port();
    let [chain, key] = authority.settings();
    let ca = authority.ca();
    let tls_port = port.to_string();
    let tls = [
        ("--tls-port", tls_port.as_str()),
        ("--tls-cert-file", &chain.1),
        ("--tls-key-file", &key.1),
        ("--tls-ca-cert-file", &ca),
        ("--tls-auth-clients", "no"),
    ];
    let tls: Vec<&str> = tls.iter().flat_map(|(name, value)| [*name, *value]).collect();
    let Some(redis) = Server::redis_with(&tls).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let settings = stores.with(&[
        ("store.redis_url", format!("rediss://localhost:{port}/0")),
        ("server.data_dir", folder.path().display().to_string()),
        ("embedding.model_dir", folder.path().join("none").display().to_string()),
    ]);
    for (trusted, expected) in [(&ca, "ok"), (&stranger.ca(), "unavailable")] {
        let trusted = [("SSL_CERT_FILE", trusted.as_str())];
        let server = crash::Server::start_in(&trusted, &settings, free_port()).await;
        let ready =
            Client::builder().no_proxy().build().unwrap().get(format!("{}/readyz", server.url));
        let ready = ok(ready).await;
        assert_eq!(ready["hot_store"], expected, "{ready}");
    }
    drop(redis);
}

/// A MariaDB that refuses whoever does not speak TLS.
async fn mariadb_with_tls(authority: &Authority) -> Option<Server> {
    let [chain, key] = authority.settings();
    let arguments = [
        format!("--ssl-cert={}", chain.1),
        format!("--ssl-key={}", key.1),
        "--require-secure-transport=ON".to_owned(),
    ];
    Server::mariadb_with(&arguments).await
}

fn mysql_url(server: &Server, host: &str, query: &str) -> (&'static str, String) {
    ("store.mysql_url", format!("mysql://root@{host}:{}/test{query}", server.port()))
}

#[test]
async fn a_service_keeps_everything_in_mysql_over_tls() {
    let Some(stores) = Stores::new().await else { return };
    let authority = Authority::new();
    let Some(mariadb) = mariadb_with_tls(&authority).await else { return };
    let query = format!("?ssl-mode=VERIFY_IDENTITY&ssl-ca={}", authority.ca());
    let settings = stores.with(&[mysql_url(&mariadb, "localhost", &query)]);
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    shopper.ask(&session, "What is the price guarantee?").await;
    settle("the turn is archived", async || app.archived(&session).await == 2).await;
    app.stop().await;
}

/// Brings the tables up to date as another process does; what it says where that fails.
async fn migrated(
    stores: &Stores,
    url: (&'static str, String),
    trusted: Option<&str>,
) -> Result<(), String> {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_rushdesk"));
    command.arg("migrate").env_remove("SSL_CERT_FILE");
    command.envs(trusted.map(|path| ("SSL_CERT_FILE", path)));
    for (key, value) in stores.with(&[url]) {
        command.arg("--set").arg(format!("{key}={value}"));
    }
    let output = command.output().await.unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
async fn mysql_is_believed_only_as_far_as_the_address_says() {
    let Some(stores) = Stores::new().await else { return };
    let (authority, stranger) = (Authority::new(), Authority::new());
    let Some(mariadb) = mariadb_with_tls(&authority).await else { return };
    let on = |host: &str, query: &str| mysql_url(&mariadb, host, query);
    let (ca, other) = (authority.ca(), stranger.ca());
    let verify = "?ssl-mode=VERIFY_IDENTITY";
    let with = |ca: &str| format!("{verify}&ssl-ca={ca}");
    let refused = async |url, trusted: Option<&str>, why: &str| {
        let said = migrated(&stores, url, trusted).await.unwrap_err();
        assert!(said.contains(why), "{why}: {said}");
        assert!(!said.contains("root@"), "{said}");
    };

    migrated(&stores, on("localhost", &with(&ca)), None).await.unwrap();
    migrated(&stores, on("localhost", verify), Some(&ca)).await.unwrap();
    // Whoever answers will do.
    migrated(&stores, on("127.0.0.1", "?ssl-mode=REQUIRED"), Some(&other)).await.unwrap();

    refused(on("localhost", &with(&other)), Some(&ca), "invalid peer certificate").await;
    refused(on("localhost", verify), Some(&other), "invalid peer certificate").await;
    refused(on("127.0.0.1", &with(&ca)), None, "not valid for name").await;
    refused(on("localhost", ""), None, "Access denied").await;
    refused(on("localhost", &with("/nowhere/ca.pem")), None, "ssl-ca: /nowhere/ca.pem").await;

    let url = stores.settings.iter().find(|(key, _)| *key == "store.mysql_url").unwrap();
    let plain = ("store.mysql_url", format!("{}?ssl-mode=REQUIRED", url.1));
    refused(plain, None, "the server does not speak TLS").await;
}
