//! `replay`: drives a running Rushdesk with conversations and checks all promises of its streams
//! and its history.
//!
//! Exit codes: 0 all is well, 1 a promise was broken, 2 it could not run, 3 the server is gone (its
//! acknowledgements are in the ledger; `--verify` searches for them when it is back).

mod api;
mod check;
mod data;
mod event;
mod follower;
mod judge;
mod ledger;
mod line;
mod message;
mod reading;
mod report;
mod talker;
mod verify;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

pub use self::{
    api::{Api, Failed, Visitor},
    check::Violation,
    event::{Event, Problem},
    judge::Contradiction,
    report::{Latency, Quantiles, Report},
};
use self::{
    data::Conversation,
    follower::Audience,
    ledger::{Entry, Expected, Ledger},
    reading::Readings,
    talker::Talker,
};

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Address of the running server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Public key of the site.
    #[arg(long, default_value = "pk_demo")]
    pub site_key: String,
    /// Conversations, one JSON object per line.
    #[arg(long, default_value = "load/data/sample_100.jsonl")]
    pub data: PathBuf,
    /// Number of conversations; by default the whole file. A larger number repeats it.
    #[arg(long)]
    pub conversations: Option<usize>,
    /// Conversations at the same time. Each has its own visitor.
    #[arg(long, default_value_t = 64)]
    pub concurrency: usize,
    #[arg(long, value_enum, default_value = "mixed")]
    pub transport: TransportChoice,
    /// Share of the streams, 0 to 1, that are cut at a random point and resumed.
    #[arg(long, default_value_t = 0.10)]
    pub cut: f64,
    /// Seed for which streams are cut, and where.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Writes acknowledged messages to this file, synced line by line.
    #[arg(long)]
    pub ledger: Option<PathBuf>,
    /// Sends nothing, and checks that everything in this ledger exists.
    #[arg(long, alias = "verify-only", conflicts_with = "ledger")]
    pub verify: Option<PathBuf>,
    /// Each session is followed at this address, too, and its pages are read there; may be given several times, once for
    /// each replica. All that anybody read is then held against the final list of the session.
    #[arg(long, value_name = "URL")]
    pub follow: Vec<String>,
    /// Writes the report to this file as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Seconds for which the server may be unreachable before it counts as gone.
    #[arg(long, default_value_t = 30)]
    pub patience_s: u64,
    /// Seconds within which a turn must end.
    #[arg(long, default_value_t = 120)]
    pub turn_timeout_s: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TransportChoice {
    Sse,
    Ws,
    /// Every other conversation over a WebSocket.
    Mixed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Sse,
    Socket,
}

impl TransportChoice {
    fn of(self, number: usize) -> Transport {
        match self {
            Self::Ws => Transport::Socket,
            Self::Mixed if number % 2 == 1 => Transport::Socket,
            Self::Sse | Self::Mixed => Transport::Sse,
        }
    }
}

/// Share of the followers' connections that are cut, where any are: they are few and long.
const FOLLOWER_CUT: f64 = 0.5;

/// What all shoppers of a replay share.
struct Run {
    api: Api,
    site_key: String,
    transport: TransportChoice,
    cut: f64,
    seed: u64,
    turn_timeout: Duration,
    ledger: Option<Ledger>,
    follow: Vec<String>,
    readings: Readings,
    audiences: RefCell<BTreeMap<String, Audience>>,
    /// Frames of the last turn that was read whole: a cut strikes at random within as many.
    usual_frames: Cell<usize>,
}

impl Run {
    /// Lets others read along in a new session, where that was asked for.
    fn gather_audience(&self, session_id: &str, visitor: &Visitor, number: usize) {
        let seed = self.seed.wrapping_add((number as u64).wrapping_mul(0x9e37_79b9));
        let token = &visitor.access_token;
        let cut = if self.cut > 0.0 { FOLLOWER_CUT } else { 0.0 };
        let (http, urls, readings) = (&self.api.http, &self.follow, &self.readings);
        let audience = Audience::gather(http, urls, session_id, token, cut, seed, readings);
        self.audiences.borrow_mut().insert(session_id.to_owned(), audience);
    }
}

/// Runs and prints the report.
///
/// # Errors
/// If it cannot start: arguments, files.
pub async fn main(args: &Args) -> anyhow::Result<ExitCode> {
    let report = run(args).await?;
    print!("{report}");
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(match (report.has_failed(), report.server_gone) {
        (true, _) => ExitCode::from(1),
        (false, true) => ExitCode::from(3),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Replays, or verifies a ledger.
///
/// # Errors
/// If it cannot start: arguments, files.
pub async fn run(args: &Args) -> anyhow::Result<Report> {
    ensure!((0.0..=1.0).contains(&args.cut), "--cut is a share from 0 to 1");
    ensure!(args.concurrency > 0, "--concurrency must be at least 1");
    let begun = Instant::now();
    let run = Rc::new(Run {
        api: Api::new(&args.url, Duration::from_secs(args.patience_s))?,
        site_key: args.site_key.clone(),
        transport: args.transport,
        cut: args.cut,
        seed: args.seed,
        turn_timeout: Duration::from_secs(args.turn_timeout_s),
        ledger: args.ledger.as_deref().map(Ledger::open).transpose()?,
        follow: args.follow.iter().map(|url| url.trim_end_matches('/').to_owned()).collect(),
        readings: Readings::new(!args.follow.is_empty()),
        audiences: RefCell::default(),
        usual_frames: Cell::new(8),
    });
    let sessions = match &args.verify {
        Some(path) => read_ledger(&run, path)?,
        None => {
            let conversations = data::load(&args.data, args.conversations)?;
            run.api.tally.borrow_mut().report.conversations = conversations.len() as u64;
            converse(&run, &conversations, args.concurrency).await
        }
    };
    verify_all(&run, &sessions, args.concurrency).await;
    let mut report = run.api.tally.take().finish(begun.elapsed());
    report.server_gone = run.api.is_gone();
    Ok(report)
}

fn read_ledger(run: &Run, path: &Path) -> anyhow::Result<Vec<Expected>> {
    let sessions = ledger::read(path)?;
    let report = &mut run.api.tally.borrow_mut().report;
    report.conversations = sessions.len() as u64;
    report.acknowledged = sessions.iter().map(|session| session.acknowledged.len() as u64).sum();
    Ok(sessions)
}

async fn converse(
    run: &Rc<Run>,
    conversations: &[Conversation],
    concurrency: usize,
) -> Vec<Expected> {
    let expected = RefCell::new(Vec::new());
    stream::iter(conversations.iter().enumerate())
        .for_each_concurrent(concurrency, |(number, conversation)| {
            let (run, expected) = (run.clone(), &expected);
            Box::pin(async move {
                if run.api.is_gone() {
                    return;
                }
                let mut talker = match Talker::arrive(run.clone(), number).await {
                    Ok(talker) => talker,
                    Err(failed) => return note_failure(&run, &conversation.id, failed),
                };
                for text in &conversation.messages {
                    if let Err(failed) = talker.say(text).await {
                        note_failure(&run, &conversation.id, failed);
                        break;
                    }
                }
                expected.borrow_mut().push(talker.expected);
            })
        })
        .await;
    expected.into_inner()
}

fn note_failure(run: &Run, conversation: &str, failed: Failed) {
    let mut tally = run.api.tally.borrow_mut();
    match failed {
        // Already counted.
        Failed::Gone => {}
        Failed::Refused(problem) => {
            tally.report.find(|| format!("conversation {conversation}: refused, {}", problem.code));
        }
        Failed::Broken(error) => {
            tally.count_error("broken_answer");
            tally.report.find(|| format!("conversation {conversation}: {error:#}"));
        }
    }
}

async fn verify_all(run: &Rc<Run>, sessions: &[Expected], concurrency: usize) {
    stream::iter(sessions)
        .for_each_concurrent(concurrency, |expected| async move {
            let mut report = Report::default();
            let outcome = match run.api.is_gone() {
                true => Err(Failed::Gone),
                false => Box::pin(verify::verify(run, expected, &mut report)).await,
            };
            let outcome = match (outcome, &run.ledger) {
                (Ok(events), Some(ledger)) => {
                    let session_id = expected.session_id.clone();
                    let list = Entry::List { session_id, events };
                    ledger.note(&list).await.map_err(Failed::Broken)
                }
                (outcome, _) => outcome.map(drop),
            };
            if let Err(failed) = outcome {
                if report == Report::default() {
                    report.unverified = expected.acknowledged.len() as u64;
                }
                note_failure(run, &expected.session_id, failed);
            }
            run.api.tally.borrow_mut().report.add(report);
        })
        .await;
}
