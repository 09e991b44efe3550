//! Private Redis and MariaDB that can be killed, frozen and started again on the same port and data.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
    time::{Instant, sleep, timeout},
};

use super::{
    process::{Output, Process, free_address},
    service::find,
};

const UP_WITHIN: Duration = Duration::from_secs(120);
const PROBE: Duration = Duration::from_secs(2);

/// A Redis that writes every command to its log before it answers, as far as a `kill -9` can tell.
pub struct Redis {
    folder: PathBuf,
    pub address: SocketAddr,
    program: PathBuf,
    pub process: Process,
}

impl Redis {
    /// # Errors
    /// When it is not installed or does not come up.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let program = find("redis-server").context("redis-server is not installed")?;
        let folder = folder.join("redis");
        std::fs::create_dir_all(&folder)?;
        let address = free_address()?;
        let process = Self::spawn(&program, &folder, address)?;
        let mut redis = Self { folder, address, program, process };
        redis.up().await?;
        Ok(redis)
    }

    fn spawn(program: &Path, folder: &Path, address: SocketAddr) -> anyhow::Result<Process> {
        let (port, dir) = (address.port().to_string(), folder.display().to_string());
        let args = ["--port", &port, "--bind", "127.0.0.1", "--dir", &dir, "--save", ""];
        let more = ["--appendonly", "yes", "--maxmemory-policy", "noeviction"];
        let args: Vec<String> = args.iter().chain(&more).map(|&arg| arg.to_owned()).collect();
        let log = Output::File(folder.join("redis.log"));
        Process::start(None, program, &args, &BTreeMap::new(), &log)
    }

    /// Starts it again on what the last one left.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill().await;
        self.process = Self::spawn(&self.program, &self.folder, self.address)?;
        self.up().await
    }

    async fn up(&mut self) -> anyhow::Result<()> {
        let since = Instant::now();
        loop {
            ensure!(self.process.is_running(), "redis ended at once");
            if matches!(timeout(PROBE, pong(self.address)).await, Ok(Ok(()))) {
                return Ok(());
            }
            ensure!(since.elapsed() < UP_WITHIN, "redis was not up in {UP_WITHIN:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its URL at this address, which may be that of a proxy.
    pub fn url(address: SocketAddr) -> String {
        format!("redis://{address}/0")
    }

    /// Kills it and removes all its data.
    ///
    /// # Errors
    /// When its files cannot be removed.
    pub async fn empty(&mut self) -> anyhow::Result<()> {
        self.process.kill().await;
        std::fs::remove_dir_all(self.folder.join(LOG)).context("redis keeps its log elsewhere")
    }

    /// Copies its log, waits for `age`, kills it, and leaves the copy in place of the log.
    ///
    /// # Errors
    /// When there is no log, or it cannot be copied.
    pub async fn turn_back(&mut self, age: Duration) -> anyhow::Result<()> {
        let (log, copy) = (self.folder.join(LOG), self.folder.join("before"));
        std::fs::create_dir_all(&copy)?;
        for file in std::fs::read_dir(&log)? {
            let file = file?;
            std::fs::copy(file.path(), copy.join(file.file_name()))?;
        }
        sleep(age).await;
        self.empty().await?;
        Ok(std::fs::rename(copy, log)?)
    }
}

/// Redis keeps the parts of its log here, since 7.0.
const LOG: &str = "appendonlydir";

async fn pong(address: SocketAddr) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).await?;
    ensure!(&answer == b"+PONG\r\n", "no pong");
    Ok(())
}

/// A MariaDB with an empty database `test`.
pub struct Sql {
    folder: PathBuf,
    pub address: SocketAddr,
    program: PathBuf,
    pub process: Process,
}

impl Sql {
    /// # Errors
    /// When it is not installed or does not come up.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let program = find("mariadbd").context("mariadbd is not installed")?;
        let install = find("mariadb-install-db").context("mariadb-install-db is not installed")?;
        let folder = folder.join("mysql");
        std::fs::create_dir_all(&folder)?;
        let status = Command::new(install)
            .arg("--no-defaults")
            .arg(format!("--datadir={}", folder.display()))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .args(is_root().then_some("--user=root"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await?;
        ensure!(status.success(), "mariadb-install-db failed");
        let address = free_address()?;
        let process = Self::spawn(&program, &folder, address)?;
        let mut sql = Self { folder, address, program, process };
        sql.up().await?;
        sql.query(
            "CREATE DATABASE IF NOT EXISTS test CHARACTER SET utf8mb4;
             CREATE USER IF NOT EXISTS root@127.0.0.1;
             GRANT ALL ON *.* TO root@127.0.0.1 WITH GRANT OPTION;",
        )
        .await?;
        Ok(sql)
    }

    fn spawn(program: &Path, folder: &Path, address: SocketAddr) -> anyhow::Result<Process> {
        let dir = folder.display();
        let mut args = vec![
            "--no-defaults".into(),
            format!("--datadir={dir}"),
            format!("--port={}", address.port()),
            "--bind-address=127.0.0.1".into(),
            format!("--socket={dir}/mysql.sock"),
            format!("--pid-file={dir}/mysql.pid"),
            "--max-connections=500".into(),
            "--character-set-server=utf8mb4".into(),
            "--skip-name-resolve".into(),
        ];
        args.extend(is_root().then(|| "--user=root".to_owned()));
        let log = Output::File(folder.join("mysql.log"));
        Process::start(None, program, &args, &BTreeMap::new(), &log)
    }

    /// Starts it again on what the last one left.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill().await;
        self.process = Self::spawn(&self.program, &self.folder, self.address)?;
        self.up().await
    }

    async fn up(&mut self) -> anyhow::Result<()> {
        let since = Instant::now();
        while self.query("SELECT 1").await.is_err() {
            ensure!(self.process.is_running(), "mariadbd ended at once");
            ensure!(since.elapsed() < UP_WITHIN, "mariadbd was not up in {UP_WITHIN:?}");
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn query(&self, sql: &str) -> anyhow::Result<()> {
        let status = Command::new(find("mariadb").context("the mariadb client is not installed")?)
            .arg("--no-defaults")
            .arg(format!("--socket={}/mysql.sock", self.folder.display()))
            .args(["-u", "root", "--connect-timeout=2", "-e", sql])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await?;
        ensure!(status.success(), "mariadb refused");
        Ok(())
    }

    /// Its URL at this address, which may be that of a proxy.
    pub fn url(address: SocketAddr) -> String {
        format!("mysql://root@{address}/test")
    }
}

/// mariadbd refuses to run as root without being told so.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::Folder;

    async fn command(redis: &Redis, line: &str) -> String {
        let mut stream = TcpStream::connect(redis.address).await.unwrap();
        stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        let mut answer = vec![0; 64];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[actix_web::test]
    async fn a_redis_forgets_what_it_is_told_to_forget() {
        if find("redis-server").is_none() {
            eprintln!("redis-server is not installed: nothing is tested");
            return;
        }
        let folder = Folder::new().unwrap();
        let mut redis = Redis::start(&folder.0).await.unwrap();
        command(&redis, "SET old 1").await;
        redis.restart().await.unwrap();
        assert_eq!(command(&redis, "EXISTS old").await, ":1\r\n");

        let address = redis.address;
        let write = async {
            sleep(Duration::from_millis(300)).await;
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"SET late 1\r\n").await.unwrap();
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).await.unwrap();
        };
        let (turned, ()) = tokio::join!(redis.turn_back(Duration::from_secs(1)), write);
        turned.unwrap();
        redis.restart().await.unwrap();
        assert_eq!(command(&redis, "EXISTS old late").await, ":1\r\n");

        redis.empty().await.unwrap();
        redis.restart().await.unwrap();
        assert_eq!(command(&redis, "DBSIZE").await, ":0\r\n");
    }
}
