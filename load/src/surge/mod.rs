//! `surge`: a sale day. For half a minute, shoppers arrive at twenty times the usual rate, on a
//! backend that can serve one in fourteen. The result of each visit is recorded.
//!
//! The server runs on one core with its default configuration; load and backend run on the other.

mod aftermath;
mod chart;
pub mod profile;
mod report;
mod shopper;
mod watch;

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::Duration,
};

use anyhow::{Context as _, anyhow, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};

use self::{
    profile::{Plan, Profile},
    report::SurgeReport,
    shopper::Visit,
};
use crate::{
    replay::{Api, Visitor},
    rig::{Folder, Output, Pace, Server, Service, pin_self, visitors},
};

/// How long a visit may last after the last arrival.
const LAST_VISIT: Duration = Duration::from_secs(105);
/// An access token must stay valid for the day and its aftermath.
const TOKEN_LIFE_S: u64 = 86_400;

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The rushdesk program, built with --release.
    #[arg(long)]
    pub server_bin: PathBuf,
    #[arg(long, value_enum, default_value = "burst")]
    pub profile: Profile,
    /// Slots of the simulated backend.
    #[arg(long, default_value_t = 16)]
    pub slots: usize,
    /// Arrivals per second before and after the burst, and during it; by default those of the
    /// profile.
    #[arg(long)]
    pub base: Option<f64>,
    #[arg(long)]
    pub burst: Option<f64>,
    /// Lengths of the three phases in seconds; by default those of the profile.
    #[arg(long)]
    pub before_s: Option<f64>,
    #[arg(long)]
    pub burst_s: Option<f64>,
    #[arg(long)]
    pub after_s: Option<f64>,
    /// Seconds after the day in which tickets may still be answered.
    #[arg(long, default_value_t = 60)]
    pub ticket_wait_s: u64,
    /// Seed for the times of arrivals and their questions.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Further settings of the server, as RUSHDESK__SECTION__KEY=VALUE; can be repeated.
    #[arg(long)]
    pub env: Vec<String>,
    /// Writes the chart to this file.
    #[arg(long)]
    pub chart: Option<PathBuf>,
    /// Writes the report to this file as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Shows the server's log.
    #[arg(long)]
    pub loud: bool,
}

/// Runs a day and prints its report. Exit code 1: an admitted turn has no end, or a ticket was
/// lost.
///
/// # Errors
/// If a process does not start or ends early.
pub async fn main(args: &Args) -> anyhow::Result<ExitCode> {
    pin_self().await?;
    let report = run(args).await?;
    print!("{report}");
    if let Some(path) = &args.chart {
        write(path, chart::svg(&report).as_bytes())?;
        println!("chart: {}", path.display());
    }
    if let Some(path) = &args.json {
        write(path, &serde_json::to_vec_pretty(&report)?)?;
    }
    Ok(if report.has_failed() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

impl Args {
    fn plan(&self, capacity: f64) -> anyhow::Result<Plan> {
        let own = self.profile.plan(capacity);
        let plan = Plan {
            base: self.base.unwrap_or(own.base),
            burst: self.burst.unwrap_or(own.burst),
            before_s: self.before_s.unwrap_or(own.before_s),
            burst_s: self.burst_s.unwrap_or(own.burst_s),
            after_s: self.after_s.unwrap_or(own.after_s),
        };
        let all = [plan.base, plan.burst, plan.before_s, plan.burst_s, plan.after_s];
        ensure!(all.iter().all(|value| *value >= 0.0), "a rate or a length is negative");
        ensure!(plan.burst * plan.burst_s >= 1.0, "no shopper comes in the burst");
        Ok(plan)
    }
}

async fn run(args: &Args) -> anyhow::Result<SurgeReport> {
    ensure!(args.slots > 0, "--slots must be at least 1");
    let pace = Pace { slots: args.slots, ..Pace::default() };
    let plan = args.plan(pace.capacity())?;
    let folder = Folder::new()?;
    let backend = Service::backend(pace).await?;
    let backends = Server::one_backend(&backend.url, args.slots);
    let mut settings = Server::embedded(&args.server_bin, &folder.0, &backends)?;
    settings.pin();
    settings.set("AUTH__ACCESS_TTL_S", TOKEN_LIFE_S);
    settings.set_pairs(&args.env)?;
    if args.loud {
        settings.output = Output::Terminal;
    }
    let server = settings.start().await?;
    let api = Rc::new(Api::new(&server.url, Duration::from_secs(30))?);
    let arrivals = plan.arrivals(args.profile, args.seed);
    eprintln!("{} shoppers get ready", arrivals.len());
    let mut shoppers = visitors(&api, arrivals.len()).await?;
    // Shoppers with the common question already have their sessions open, so that the questions
    // arrive within one second.
    let mut sessions = match args.profile.is_one_question() {
        true => sessions(&api, &mut shoppers).await?,
        false => Vec::new(),
    };
    eprintln!("the day begins: {:.0} s", plan.length().as_secs_f64());
    // The monitor has its own connection, so that it does not wait behind shoppers.
    let monitor = crate::http_client().build()?;
    let begun = Instant::now();
    let visits = RefCell::new(Vec::with_capacity(arrivals.len()));
    let day = async {
        let mut open = JoinSet::new();
        for (arrival, visitor) in arrivals.into_iter().zip(shoppers) {
            let due = begun + arrival.at;
            sleep_until(due).await;
            let (api, session) = (api.clone(), sessions.pop());
            open.spawn_local(
                async move { shopper::visit(&api, &visitor, session, arrival, due).await },
            );
            while let Some(Ok(visit)) = open.try_join_next() {
                visits.borrow_mut().push(visit);
            }
        }
        let over = begun + plan.length() + LAST_VISIT;
        while let Ok(Some(Ok(visit))) = timeout_at(over, open.join_next()).await {
            visits.borrow_mut().push(visit);
        }
    };
    let watched = watch::watch(&monitor, &server, &backend, begun, begun + plan.length());
    let ((), mut samples) = tokio::join!(day, watched);
    samples.push(watch::look(&monitor, &server, &backend, begun).await);
    let mut visits: Vec<Visit> = visits.into_inner();
    visits.sort_by_key(|visit| visit.at);
    eprintln!("the day is over; checking open turns and tickets");
    let wait = Duration::from_secs(args.ticket_wait_s);
    let after = aftermath::aftermath(&api, &visits, wait).await;
    server.stop().await;
    backend.stop().await;
    let capacity = (pace.capacity(), args.slots);
    Ok(SurgeReport::new(args.profile, plan, args.seed, capacity, &visits, samples, after))
}

async fn sessions(api: &Api, visitors: &mut [Visitor]) -> anyhow::Result<Vec<String>> {
    let mut sessions: Vec<String> = stream::iter(visitors)
        .map(|visitor| async move {
            api.session(visitor).await.map_err(|failed| anyhow!("no session: {failed:?}"))
        })
        .buffered(16)
        .try_collect()
        .await?;
    // They are taken from the end, so this restores their order.
    sessions.reverse();
    Ok(sessions)
}
