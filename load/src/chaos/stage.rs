//! Everything that can be broken in one mode: servers, backends, stores, and the wires between them.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::ensure;
use uuid::Uuid;

use super::{
    balancer::Balancer,
    disk::Disk,
    fault::{Fault, Mode},
};
use crate::rig::{Output, Pace, Redis, Server, Service, Sql, Wire, free_address};

const PACE: Pace = Pace { ttft_ms: 50, token_ms: 8, tokens: 60, slots: 32 };
/// A server that is asked to end waits this long for its turns.
const DRAIN_MS: u64 = 8_000;
const STOP_WITHIN: Duration = Duration::from_secs(90);

pub struct Stage {
    pub(super) replicas: Vec<Replica>,
    pub(super) backends: Vec<Backend>,
    pub(super) redis: Option<Redis>,
    pub(super) sql: Option<Sql>,
    pub(super) disk: Option<Disk>,
    _balancer: Option<Balancer>,
    /// Where shoppers go.
    pub url: String,
    /// Which replica the round breaks.
    pub(super) victim: usize,
    /// Keys of the configuration that all servers get.
    extra: Extra,
}

pub type Extra = Vec<(&'static str, String)>;

pub(super) struct Replica {
    settings: Server,
    pub(super) service: Option<Service>,
    /// `None` with SQLite.
    pub(super) wires: Option<Wires>,
}

/// The ways of one replica to its stores.
pub(super) struct Wires {
    pub redis: Wire,
    pub sql: Wire,
}

pub(super) struct Backend {
    address: SocketAddr,
    /// Held so that it is killed with the stage.
    pub(super) service: Option<Service>,
}

impl Stage {
    /// Starts everything of a mode in `folder`.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start(
        mode: Mode,
        program: &Path,
        replicas: usize,
        folder: &Path,
        extra: Extra,
    ) -> anyhow::Result<Self> {
        ensure!(replicas > 0, "at least one replica");
        std::fs::create_dir_all(folder)?;
        let mut backends = Vec::new();
        for _ in 0..2 {
            let address = free_address()?;
            let service = Some(Service::simulator(None, address, PACE, None).await?);
            backends.push(Backend { address, service });
        }
        let mut stage = Self {
            replicas: Vec::new(),
            backends,
            redis: None,
            sql: None,
            disk: None,
            _balancer: None,
            url: String::new(),
            victim: 0,
            extra,
        };
        match mode {
            Mode::Embedded => stage.embedded(program, folder).await?,
            Mode::Distributed => stage.distributed(program, replicas, folder).await?,
        }
        Ok(stage)
    }

    async fn embedded(&mut self, program: &Path, folder: &Path) -> anyhow::Result<()> {
        self.disk = Disk::mount(folder)
            .inspect_err(|error| eprintln!("the rounds with a full disk are left out: {error:#}"))
            .ok();
        let data = self.disk.as_ref().map_or(folder, |disk| &disk.path).join("data");
        let mut settings = self.settings(program, &data, &folder.join("server.log"))?;
        self.extra.iter().for_each(|(key, value)| settings.set(key, value));
        self.url = format!("http://{}", settings.address);
        let service = Some(settings.start().await?);
        self.replicas.push(Replica { settings, service, wires: None });
        Ok(())
    }

    async fn distributed(
        &mut self,
        program: &Path,
        replicas: usize,
        folder: &Path,
    ) -> anyhow::Result<()> {
        let redis = Redis::start(folder).await?;
        let sql = Sql::start(folder).await?;
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        for name in (1..=replicas).map(|number| format!("replica-{number}")) {
            let data = folder.join(&name);
            let mut settings =
                self.settings(program, &data, &folder.join(format!("{name}.log")))?;
            settings.set("SERVER__REPLICA", &name);
            settings.set("STORE__MODE", "distributed");
            let wires = Wires {
                redis: Wire::start(redis.address).await?,
                sql: Wire::start(sql.address).await?,
            };
            settings.set("STORE__MYSQL_URL", Sql::url(wires.sql.address));
            settings.set("STORE__REDIS_URL", Redis::url(wires.redis.address));
            settings.set("AUTH__JWT_SECRET", &secret);
            settings.set("SITES", r#"[{id="demo",name="Demo",site_key="pk_demo"}]"#);
            self.extra.iter().for_each(|(key, value)| settings.set(key, value));
            let service = Some(settings.start().await?);
            self.replicas.push(Replica { settings, service, wires: Some(wires) });
        }
        let addresses = self.replicas.iter().map(|replica| replica.settings.address).collect();
        let balancer = Balancer::start(addresses).await?;
        self.url.clone_from(&balancer.url);
        (self.redis, self.sql, self._balancer) = (Some(redis), Some(sql), Some(balancer));
        Ok(())
    }

    fn settings(&self, program: &Path, data: &Path, log: &Path) -> anyhow::Result<Server> {
        let each = self.backends.iter().enumerate().map(|(number, backend)| {
            let (url, slots) = (format!("http://{}", backend.address), PACE.slots);
            format!(r#"{{name="sim-{number}",kind="vllm",url="{url}",model="sim",slots={slots}}}"#)
        });
        let backends = format!("[{}]", each.collect::<Vec<_>>().join(","));
        let mut server = Server::embedded(program, data, &backends)?;
        server.output = Output::File(log.to_owned());
        server.set("SERVER__DRAIN_TIMEOUT_MS", DRAIN_MS);
        // A stalled backend is noticed within the round.
        server.set("INFERENCE__FIRST_TOKEN_TIMEOUT_MS", 3_000);
        server.set("INFERENCE__TOKEN_GAP_TIMEOUT_MS", 3_000);
        // Each message has an answer of its own, which is what the judge expects.
        server.set("TURN__GATHER_MS", 0);
        // Tokens outlive the longest run.
        server.set("AUTH__ACCESS_TTL_S", 86_400);
        server.set("LIMITS__SITE_MESSAGES_PER_SECOND", 1_000_000);
        server.set("LIMITS__SITE_BURST", 1_000_000);
        server.set("LIMITS__VISITOR_MESSAGES_PER_HOUR", 1_000_000);
        server.set("LIMITS__VISITOR_BURST", 1_000_000);
        server.set("LIMITS__SITE_VISITORS_PER_SECOND", 1_000_000);
        server.set("LIMITS__SITE_FREE_VISITORS_PER_SECOND", 1_000_000);
        server.set("LIMITS__VISITOR_SESSIONS_PER_HOUR", 1_000_000);
        server.set("LIMITS__VISITOR_READS_PER_MINUTE", 1_000_000);
        server.set("LIMITS__SITE_READS_PER_SECOND", 1_000_000);
        Ok(server)
    }

    /// Each replica by itself, past the balancer.
    pub fn replica_urls(&self) -> Vec<String> {
        let addresses = self.replicas.iter().map(|replica| replica.settings.address);
        addresses.map(|address| format!("http://{address}")).collect()
    }

    /// How a replica is started.
    pub(super) fn settings_of(&self, number: usize) -> Option<&Server> {
        self.replicas.get(number).map(|replica| &replica.settings)
    }

    pub fn can(&self, fault: Fault) -> bool {
        fault != Fault::DiskFull || self.disk.is_some()
    }

    /// Asks one server after the other to end, each must do so in good order, and starts it again.
    ///
    /// # Errors
    /// When one does not end well or does not come back.
    pub async fn rolling_restart(&mut self) -> anyhow::Result<()> {
        for number in 0..self.replicas.len() {
            if let Some(service) = self.replicas[number].service.take() {
                let has_ended_well = service.process.stop(STOP_WITHIN).await;
                ensure!(has_ended_well, "server {number} did not end in good order");
            }
            self.start_replica(number).await?;
        }
        Ok(())
    }

    pub(super) async fn start_replica(&mut self, number: usize) -> anyhow::Result<()> {
        let replica = &mut self.replicas[number];
        replica.service = Some(replica.settings.start().await?);
        Ok(())
    }

    pub(super) async fn restart_backend(&mut self, fault: Option<&str>) -> anyhow::Result<()> {
        let backend = &mut self.backends[0];
        kill(&mut backend.service).await;
        let service = Service::simulator(None, backend.address, PACE, fault).await?;
        backend.service = Some(service);
        Ok(())
    }

    /// The logs of the servers.
    pub fn logs(&self) -> Vec<PathBuf> {
        let logs = self.replicas.iter().filter_map(|replica| match &replica.settings.output {
            Output::File(path) => Some(path.clone()),
            Output::Nowhere | Output::Terminal => None,
        });
        logs.collect()
    }
}

pub(super) async fn kill(service: &mut Option<Service>) {
    if let Some(mut service) = service.take() {
        service.process.kill().await;
    }
}
