//! `bench peers`: LiteLLM's proxy, nginx and Rushdesk, one after the other, with the same requests,
//! backend and core.
//!
//! All speak `POST /v1/chat/completions`, which is what they have in common. Features that only
//! Rushdesk has (sessions, journal, knowledge, tickets) are shown in separate rows.

mod table;

use std::{path::PathBuf, rc::Rc, time::Duration};

use anyhow::Context as _;
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    Args,
    drive::{self, Accept, Completions, Questions},
    report::Side,
    sampled,
};
use crate::{
    replay::Api,
    rig::{Folder, Pace, Service, litellm, program, visitors},
    surge::profile::{Plan, Profile},
};

pub use self::table::PeersReport;
use self::table::{Day, Row, Run};

/// A shopper without a whole answer after this time leaves.
const PATIENCE: Duration = Duration::from_secs(10);
const SLOTS: usize = 16;

#[derive(clap::Args, Clone, Debug)]
pub struct Peers {
    #[command(flatten)]
    pub args: Args,
    /// LiteLLM's program, as installed by `scripts/peers.sh`.
    #[arg(long, default_value = "target/peers/bin/litellm")]
    pub litellm: PathBuf,
    /// Skips the surge.
    #[arg(long)]
    pub no_surge: bool,
}

/// The versions of the compared programs.
///
/// # Errors
/// If one is not installed.
pub async fn versions(peers: &Peers) -> anyhow::Result<Vec<String>> {
    let nginx = program("nginx").context("nginx is not installed (apt-get install nginx)")?;
    Ok(vec![
        litellm::version(&peers.litellm, &["--version"]).await?,
        litellm::version(&nginx, &["-v"]).await?,
        litellm::version(&peers.args.server_bin, &["--version"]).await?,
    ])
}

pub async fn run(peers: &Peers) -> anyhow::Result<Run> {
    let args = &peers.args;
    let backend = Service::backend(Pace::default()).await?;
    let http = crate::http_client().build()?;
    let target = Completions::of_backend(&backend.url);
    let alone = drive::completions(&http, &target, args.streams, args.window()).await;
    let unique = (Questions::Unique, Accept::Stream);
    let mut streamed = Vec::new();
    for server in [Server::Nginx, Server::LiteLlm { cache: false }, Server::Gateway] {
        streamed.push(server.closed_loop(peers, &backend.url, unique).await?);
    }
    let turns = args.shoppers(&backend.url, unique).await?;
    let upstream = turns.answers;
    streamed.push(Row { name: "rushdesk, turns".into(), side: turns, upstream });
    let mut cached = Vec::new();
    for accept in [Accept::Stream, Accept::Json] {
        for server in [Server::LiteLlm { cache: true }, Server::Rushdesk] {
            cached.push(server.closed_loop(peers, &backend.url, (Questions::One, accept)).await?);
        }
    }
    backend.stop().await;
    let mut days = Vec::new();
    if !peers.no_surge {
        for server in [Server::Nginx, Server::LiteLlm { cache: true }, Server::Rushdesk] {
            days.push(server.surge(peers).await?);
        }
    }
    let backend_first_token_ms = alone.first_token.quantiles();
    Ok(Run { backend_first_token_ms, streamed, cached, days })
}

#[derive(Clone, Copy)]
enum Server {
    Nginx,
    LiteLlm {
        cache: bool,
    },
    /// Cache off and no embedder: as little work as LiteLLM does, apart from the journal.
    Gateway,
    /// With its default configuration.
    Rushdesk,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::LiteLlm { .. } => "LiteLLM",
            Self::Gateway => "rushdesk, plain",
            Self::Rushdesk => "rushdesk",
        }
    }

    /// Starts a server in front of this backend. Also returns the name of its model and its token.
    async fn start(
        self,
        peers: &Peers,
        (backend, slots): (&str, usize),
        folder: &Folder,
    ) -> anyhow::Result<(Service, &'static str, String)> {
        let none = || "none".to_owned();
        match self {
            Self::Nginx => {
                let nginx = Service::nginx(backend, &folder.0).await?;
                Ok((nginx.context("nginx is not installed")?, "sim", none()))
            }
            Self::LiteLlm { cache } => {
                let service = litellm::start(&peers.litellm, backend, &folder.0, cache).await?;
                Ok((service, "sim", litellm::MASTER_KEY.to_owned()))
            }
            Self::Gateway | Self::Rushdesk => {
                let mut server = peers.args.server(folder, backend)?;
                server.set("INFERENCE__BACKENDS", crate::rig::Server::one_backend(backend, slots));
                if matches!(self, Self::Gateway) {
                    server.set("CACHE__ENABLED", false);
                    server.set("EMBEDDING__MODEL_DIR", "/nonexistent");
                }
                let service = server.start().await?;
                let api = Api::new(&service.url, drive::PATIENCE)?;
                let visitor = visitors(&api, 1).await?.pop().context("no visitor")?;
                Ok((service, "rushdesk", visitor.access_token))
            }
        }
    }

    async fn closed_loop(
        self,
        peers: &Peers,
        backend: &str,
        asks: (Questions, Accept),
    ) -> anyhow::Result<Row> {
        let (args, folder, http) = (&peers.args, Folder::new()?, crate::http_client().build()?);
        let (service, model, token) = self.start(peers, (backend, 100_000), &folder).await?;
        let target = Completions { url: &service.url, model, token: &token, asks };
        target.warm(&http).await?;
        let before = asked(&http, backend).await?;
        let (idle, window) = (service.process.usage()?, args.window());
        let (counts, usage) = tokio::join!(
            drive::completions(&http, &target, args.streams, window),
            sampled(&service.process, window),
        );
        let side = Side::new(counts, idle, usage?, args.seconds as f64, args.streams);
        service.stop().await;
        let name = match asks.1 {
            Accept::Json => format!("{}, JSON", self.name()),
            Accept::Stream => self.name().to_owned(),
        };
        Ok(Row { name, side, upstream: asked(&http, backend).await? - before })
    }

    /// Shoppers arrive at random times, each with a different question.
    async fn surge(self, peers: &Peers) -> anyhow::Result<Day> {
        let pace = Pace { slots: SLOTS, ..Pace::default() };
        let (backend, folder) = (Service::backend(pace).await?, Folder::new()?);
        let (service, model, token) = self.start(peers, (&backend.url, SLOTS), &folder).await?;
        let plan: Plan = Profile::Burst.plan(pace.capacity());
        let (http, url) = (crate::http_client().build()?, Rc::<str>::from(service.url.as_str()));
        let asks = (Questions::Unique, Accept::Stream);
        Completions { url: &url, model, token: &token, asks }.warm(&http).await?;
        let (token, begun) = (Rc::<str>::from(token), Instant::now());
        let (mut open, mut day) =
            (JoinSet::new(), Day { name: self.name().into(), ..Day::default() });
        for arrival in plan.arrivals(Profile::Burst, 1) {
            let due = begun + arrival.at;
            sleep_until(due).await;
            let (http, url, token) = (http.clone(), url.clone(), token.clone());
            open.spawn_local(async move {
                let target = Completions { url: &url, model, token: &token, asks };
                let answer = target.ask(&http, &arrival.question);
                (arrival.phase, timeout_at(due + PATIENCE, answer).await.ok())
            });
            while let Some(Ok((phase, end))) = open.try_join_next() {
                day.count(phase, end);
            }
        }
        while let Some(Ok((phase, end))) = open.join_next().await {
            day.count(phase, end);
        }
        service.stop().await;
        backend.stop().await;
        Ok(day)
    }
}

/// The number of requests that reached the backend.
async fn asked(http: &reqwest::Client, backend: &str) -> anyhow::Result<u64> {
    let stats: Value = http.get(format!("{backend}/stats")).send().await?.json().await?;
    stats["requests"].as_u64().context("the backend does not count")
}
