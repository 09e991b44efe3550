//! `bench peers`: LiteLLM's proxy, nginx and Rushdesk with the same requests, backend and core, one after the other.
//!
//! All speak `POST /v1/chat/completions`, since that is what they have in common. What only Rushdesk does (sessions,
//! journal, knowledge, tickets) is shown in rows of its own.

use std::{fmt, path::PathBuf, rc::Rc, time::Duration};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    Args,
    drive::{self, Accept, Completions, Questions},
    report::{Side, heading, median, row},
    sampled,
};
use crate::{
    replay::{Api, Quantiles},
    rig::{Folder, Pace, Service, litellm, program, visitors},
    surge::profile::{Phase, Plan, Profile},
};

/// Who has no whole answer by then leaves.
const PATIENCE: Duration = Duration::from_secs(10);
const SLOTS: usize = 16;

#[derive(clap::Args, Clone, Debug)]
pub struct Peers {
    #[command(flatten)]
    pub args: Args,
    /// LiteLLM's program, where `scripts/peers.sh` installs it.
    #[arg(long, default_value = "target/peers/bin/litellm")]
    pub litellm: PathBuf,
    /// Leaves the surge out.
    #[arg(long)]
    pub no_surge: bool,
}

/// One server under the same load.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub name: String,
    pub side: Side,
    /// Requests that reached the backend meanwhile, settling included.
    pub upstream: u64,
}

/// A burst of 160 a second for half a minute in front of 11.6 answers a second.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Day {
    pub name: String,
    /// Shoppers of the burst.
    pub offered: u64,
    /// Whole answers of the model within [`PATIENCE`], and those from cache or knowledge.
    pub by_model: u64,
    pub without_model: u64,
    /// Tickets, which are a promise and no answer.
    pub tickets: u64,
    pub refused: u64,
    /// Left without a whole answer, or cut off.
    pub left: u64,
    /// After the burst: shoppers, and how many of them were answered in time.
    pub after: u64,
    pub after_answered: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Run {
    pub backend_first_token_ms: Quantiles,
    pub streamed: Vec<Row>,
    pub cached: Vec<Row>,
    pub days: Vec<Day>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PeersReport {
    pub streams: usize,
    pub seconds: u64,
    pub versions: Vec<String>,
    pub runs: Vec<Run>,
}

/// Versions of what is compared.
///
/// # Errors
/// When one is not installed.
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
    /// Cache off and no embedder: as little as LiteLLM does, the journal aside.
    Gateway,
    /// As it comes.
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

    /// A fresh one in front of this backend, with the model's name and the token that it takes.
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

    /// Shoppers come when they want to, each with a question of its own.
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

/// Requests that the backend has seen.
async fn asked(http: &reqwest::Client, backend: &str) -> anyhow::Result<u64> {
    let stats: Value = http.get(format!("{backend}/stats")).send().await?.json().await?;
    stats["requests"].as_u64().context("the backend does not count")
}

impl Day {
    /// `end`: the route or the error; none where the shopper left.
    fn count(&mut self, phase: Phase, end: Option<Result<String, String>>) {
        let is_answered = matches!(&end, Some(Ok(route)) if route != "template");
        match phase {
            Phase::Before => return,
            Phase::After => {
                self.after += 1;
                self.after_answered += u64::from(is_answered);
                return;
            }
            Phase::Burst => self.offered += 1,
        }
        match end.as_ref().map(|end| end.as_deref()) {
            Some(Ok("completion" | "model")) => self.by_model += 1,
            Some(Ok("template")) => self.tickets += 1,
            Some(Ok(_)) => self.without_model += 1,
            Some(Err(error)) if error == "http_429" || error == "http_503" => self.refused += 1,
            Some(Err(_)) | None => self.left += 1,
        }
    }
}

impl PeersReport {
    /// The medians of one table, in the order of its rows.
    fn medians(
        &self,
        rows: impl Fn(&Run) -> &[Row],
        of: impl Fn(&Run, &Side) -> f64,
    ) -> Vec<(String, f64)> {
        let Some(first) = self.runs.first() else { return Vec::new() };
        let names = rows(first).iter().map(|row| row.name.clone()).enumerate();
        let value = |at: usize, run: &Run| rows(run).get(at).map(|row| of(run, &row.side));
        names
            .map(|(at, name)| {
                (name, median(self.runs.iter().filter_map(|run| value(at, run)).collect()))
            })
            .collect()
    }
}

impl fmt::Display for PeersReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.versions.join("; "))?;
        writeln!(
            f,
            "each alone on core 0, load and simulated backend on core 1; {} streams in a closed loop, {} s a window;
60 tokens, the first after 200 ms, then one each 20 ms; POST /v1/chat/completions with a key for all.
LiteLLM: one worker, no database, LITELLM_MODE=PRODUCTION, errors logged only, cache of type local where one is on.
nginx: one process, keep-alive, proxy_buffering off. Rushdesk: its defaults without limits; `plain` has no cache and no
embedder, `turns` are whole turns with sessions, retrieval and a journal on disk.",
            self.streams, self.seconds
        )?;
        heading(f)?;
        for (number, run) in self.runs.iter().enumerate() {
            for line in run.streamed.iter().chain(&run.cached) {
                row(f, number + 1, &line.name, &line.side)?;
            }
        }
        writeln!(f, "\nmedians: streamed answers, each question its own")?;
        let cpu = self.medians(
            |run| &run.streamed,
            |_, side| if side.answers > 0 { side.cpu_s_per_1000_answers } else { 0.0 },
        );
        let added = |of: fn(&Quantiles) -> f64| {
            self.medians(
                |run| &run.streamed,
                move |run, side| of(&side.first_token_ms) - of(&run.backend_first_token_ms),
            )
        };
        let (p50, p99) = (added(|q| q.p50), added(|q| q.p99));
        for (((name, cpu), (_, p50)), (_, p99)) in cpu.into_iter().zip(p50).zip(p99) {
            if cpu == 0.0 {
                writeln!(f, "  {name:<18} no answer")?;
                continue;
            }
            writeln!(
                f,
                "  {name:<18} {cpu:>8.2} CPU-s per 1,000, first token + {p50:.1} / {p99:.1} ms (p50 / p99)"
            )?;
        }
        writeln!(f, "medians: the same question from the cache")?;
        let hits = |_: &Run, side: &Side| {
            if side.cpu_s > 0.0 { side.answers as f64 / side.cpu_s } else { 0.0 }
        };
        for (at, (name, hits)) in self.medians(|run| &run.cached, hits).into_iter().enumerate() {
            let upstream: u64 =
                self.runs.iter().filter_map(|run| Some(run.cached.get(at)?.upstream)).sum();
            writeln!(
                f,
                "  {name:<18} {hits:>8.0} answers per CPU-s ({upstream} requests reached the backend)"
            )?;
        }
        for (number, run) in self.runs.iter().enumerate() {
            for day in &run.days {
                writeln!(
                    f,
                    "surge {} {:<10} of {} in the burst: {} by the model in time, {} from knowledge or cache, {} tickets, {} refused, {} left; after it {} of {} answered",
                    number + 1,
                    day.name,
                    day.offered,
                    day.by_model,
                    day.without_model,
                    day.tickets,
                    day.refused,
                    day.left,
                    day.after_answered,
                    day.after
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shoppers_are_counted_by_phase_and_end() {
        let mut day = Day::default();
        for (phase, end) in [
            (Phase::Before, None),
            (Phase::Burst, Some(Ok("completion"))),
            (Phase::Burst, Some(Ok("model"))),
            (Phase::Burst, Some(Ok("knowledge"))),
            (Phase::Burst, Some(Ok("template"))),
            (Phase::Burst, Some(Err("http_503"))),
            (Phase::Burst, Some(Err("connection"))),
            (Phase::Burst, None),
            (Phase::After, Some(Ok("template"))),
            (Phase::After, Some(Ok("model"))),
        ] {
            day.count(phase, end.map(|end| end.map(str::to_owned).map_err(str::to_owned)));
        }
        let burst = (day.by_model, day.without_model, day.tickets, day.refused, day.left);
        assert_eq!((day.offered, burst), (7, (2, 1, 1, 1, 2)));
        assert_eq!((day.after, day.after_answered), (2, 1));
    }

    #[test]
    fn the_table_has_a_line_for_each_server_and_its_median() {
        let row = |name: &str, cpu: f64| Row {
            name: name.into(),
            upstream: 0,
            side: Side { cpu_s_per_1000_answers: cpu, cpu_s: 2.0, answers: 10, ..Side::default() },
        };
        let run = |cpu| Run {
            backend_first_token_ms: Quantiles::default(),
            streamed: vec![row("nginx", cpu), row("LiteLLM", 70.0 * cpu)],
            cached: vec![row("LiteLLM", 1.0)],
            days: vec![Day { name: "nginx".into(), offered: 9, ..Day::default() }],
        };
        let report = PeersReport {
            streams: 10,
            seconds: 5,
            versions: vec!["a 1".into()],
            runs: vec![run(3.0), run(1.0), run(2.0)],
        };
        let text = report.to_string();
        for words in [
            "nginx                  2.00 CPU-s",
            "140.00 CPU-s",
            "5 answers per CPU-s",
            "surge 3 nginx",
        ] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
    }
}
