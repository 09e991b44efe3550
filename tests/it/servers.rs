//! Stores of a test's own, real processes that it may freeze, kill and start again.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use actix_web::{App, HttpServer, dev::ServerHandle, rt, web};
use tempfile::TempDir;

use super::harness::PATIENCE;

/// Kernels bound the asynchronous requests of all servers together.
const NO_AIO: &str = "--innodb-use-native-aio=0";

/// A little HTTP server in this process, for a test to play somebody else's part; its address, and what stops it.
pub fn served(
    routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> (String, ServerHandle) {
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .workers(1)
        .shutdown_timeout(0)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
    let url = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);
    (url, handle)
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A process in a folder of its own; both go with the value.
pub struct Server {
    program: PathBuf,
    arguments: Vec<String>,
    child: Child,
    port: u16,
    _folder: TempDir,
}

/// Starts a program; one that is missing is a failure under CI, elsewhere the test says why it returns.
fn spawn(program: &PathBuf, arguments: &[String]) -> Option<Child> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(child) => Some(child),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{}: {error}", program.display());
            eprintln!("{}: {error}; skipping", program.display());
            None
        }
    }
}

impl Server {
    /// A Redis that forgets everything when it is killed.
    pub async fn redis() -> Option<Self> {
        Self::redis_with(&["--appendonly", "no"]).await
    }

    pub async fn redis_with(more: &[&str]) -> Option<Self> {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let dir = folder.path().display().to_string();
        let port_text = port.to_string();
        let fixed = ["--port", &port_text, "--bind", "127.0.0.1", "--dir", &dir, "--save", ""];
        // A replica has everything at once, not five seconds later.
        let hasty = ["--repl-diskless-sync-delay", "0"];
        let arguments = fixed.iter().chain(&hasty).chain(more).map(|a| (*a).to_owned()).collect();
        Self::start("redis-server", arguments, port, folder).await
    }

    /// One of the sentinels that watch over `master`; it takes the master for dead after a second of silence.
    pub async fn sentinel(master: &Self) -> Option<Self> {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let file = folder.path().join("sentinel.conf");
        let settings = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor shop 127.0.0.1 {} 2\n\
             sentinel down-after-milliseconds shop 1000\nsentinel failover-timeout shop 2000\n",
            folder.path().display(),
            master.port
        );
        std::fs::write(&file, settings).unwrap();
        let arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        Self::start("redis-server", arguments, port, folder).await
    }

    /// Six nodes, three of them masters; one takes another for dead after two seconds of silence.
    pub async fn redis_cluster() -> Option<Vec<Self>> {
        let mut nodes = Vec::new();
        for _ in 0..6 {
            let bus = free_port().to_string();
            let more = ["--cluster-enabled", "yes", "--cluster-port", &bus];
            let timeout = ["--cluster-node-timeout", "2000", "--appendonly", "no"];
            nodes.push(Self::redis_with(&[more, timeout].concat()).await?);
        }
        let addresses = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port));
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        Some(nodes)
    }

    /// What a command answers, as `redis-cli` prints it; empty where nobody answers.
    pub fn asked(&self, command: &[&str]) -> String {
        let port = self.port.to_string();
        let asked = Command::new("redis-cli").args(["-p", &port]).args(command).output().unwrap();
        String::from_utf8_lossy(&asked.stdout).into_owned()
    }

    pub async fn mariadb() -> Option<Self> {
        Self::mariadb_with(&[]).await
    }

    pub async fn mariadb_with(more: &[String]) -> Option<Self> {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let data = format!("--datadir={}/data", folder.path().display());
        // It refuses to run as root without being told so; elsewhere it may not change its user.
        let user = is_root().then(|| "--user=root".to_owned());
        let install: Vec<String> = ["--no-defaults", &data, "--skip-test-db", NO_AIO]
            .map(str::to_owned)
            .into_iter()
            .chain(["--auth-root-authentication-method=normal".to_owned()])
            .chain(user.clone())
            .collect();
        // Another server of this machine may be in its way for a moment.
        let mut attempts = 3;
        while !spawn(&"mariadb-install-db".into(), &install)?.wait().unwrap().success() {
            attempts -= 1;
            assert!(attempts > 0, "mariadb-install-db {install:?} failed");
            let _ = std::fs::remove_dir_all(folder.path().join("data"));
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let init = folder.path().join("init.sql");
        let sql = "CREATE DATABASE IF NOT EXISTS test CHARACTER SET utf8mb4;\n\
            CREATE USER IF NOT EXISTS root@127.0.0.1;\nGRANT ALL ON *.* TO root@127.0.0.1;\n";
        std::fs::write(&init, sql).unwrap();
        let here = folder.path().display();
        let arguments: Vec<String> = [
            "--no-defaults".to_owned(),
            data,
            format!("--port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--socket={here}/socket"),
            format!("--pid-file={here}/pid"),
            format!("--init-file={}", init.display()),
            "--skip-name-resolve".to_owned(),
            "--innodb-buffer-pool-size=32M".to_owned(),
            NO_AIO.to_owned(),
        ]
        .into_iter()
        .chain(user)
        .chain(more.iter().cloned())
        .collect();
        Self::start("mariadbd", arguments, port, folder).await
    }

    async fn start(
        program: &str,
        arguments: Vec<String>,
        port: u16,
        folder: TempDir,
    ) -> Option<Self> {
        let program = PathBuf::from(program);
        let child = spawn(&program, &arguments)?;
        let mut server = Self { program, arguments, child, port, _folder: folder };
        server.listens().await;
        Some(server)
    }

    /// Waits until it takes connections.
    async fn listens(&mut self) {
        let begun = SystemTime::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(self.child.try_wait().unwrap().is_none(), "{:?} ended", self.program);
            assert!(begun.elapsed().unwrap() < PATIENCE * 3, "{:?} did not start", self.program);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub fn mysql_url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/test", self.port)
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// `kill -9`, and gone when this returns.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub async fn restart(&mut self) {
        self.child = spawn(&self.program, &self.arguments).unwrap();
        self.listens().await;
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
