//! The journal and the sessions of several replicas over one archive, driven by seeds.
//!
//! The code that runs here is that of the service: `Journal`, `Session`, `open` and the end of a
//! turn, over an archive in a file. The actor around them is written again without its mailbox, and
//! goes on one poll at a time, so that everything that may happen between two calls of a store does
//! happen. Steps and their answers are lost or come late, reads fail, processes crash or are taken
//! for dead while they run. What must hold stands in `ledger.rs` and is checked after each step.
//!
//! `RUSHDESK_SEEDS=100000` runs more seeds, `RUSHDESK_SEED=7` runs one and tells what happened.

mod actor;
mod chance;
mod fate;
mod handlers;
mod job;
mod ledger;
mod process;
mod rest;
mod wire;
mod world;

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use self::{ledger::Counts, world::World};
use crate::{
    archive::{
        Archive,
        steps::{self, Steps},
    },
    config::{Config, Sources},
};

const SEEDS: u64 = 10_000;
/// A young machine's clock must not run out of the past.
const PAST: Duration = Duration::from_hours(2);

/// An archive and the runtime that it lives on, for many seeds.
struct Stage {
    runtime: Runtime,
    archive: Archive,
    _steps: Steps,
    _folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive.db");
        let archive = runtime.block_on(async {
            tokio::time::advance(PAST).await;
            let store = Config::load(&Sources::default()).unwrap().store;
            let archive = Archive::open_sqlite(&path, &store).await.unwrap();
            archive.migrate().await.unwrap();
            archive.do_not_sync().await;
            archive.ping().await.unwrap();
            archive
        });
        Self { _steps: steps::begin(), runtime, archive, _folder: folder }
    }

    /// What happened, and whether all of it was right.
    fn play(&self, seed: u64, with_diary: bool) -> (Counts, Vec<String>, thread::Result<()>) {
        // The time of this runtime; but only the world moves it on.
        let _inside = self.runtime.enter();
        let mut world = World::new(seed, &self.runtime, &self.archive, with_diary);
        let played = catch_unwind(AssertUnwindSafe(|| world.run()));
        (world.counts(), world.diary(), played)
    }
}

fn number(name: &str) -> Option<u64> {
    Some(env::var(name).ok()?.parse().unwrap())
}

#[test]
fn whatever_a_seed_does_the_journal_stays_whole() {
    if let Some(seed) = number("RUSHDESK_SEED") {
        let (counts, diary, played) = Stage::new().play(seed, true);
        println!("{}\n{counts:?}", diary.join("\n"));
        assert!(played.is_ok(), "seed {seed} fails");
        return;
    }
    let seeds = number("RUSHDESK_SEEDS").unwrap_or(SEEDS);
    let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let play_many = || {
        let stage = Stage::new();
        let mut sum = Counts::default();
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                break;
            }
            let (counts, _, played) = stage.play(seed, false);
            sum.add(&counts);
            if played.is_err() {
                failed.store(true, Ordering::Relaxed);
                println!("seed {seed} fails; RUSHDESK_SEED={seed} tells what it does");
            }
        }
        sum
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut sum = Counts::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(play_many)).collect();
        workers.into_iter().for_each(|worker| sum.add(&worker.join().unwrap()));
    });
    println!("{sum:?}");
    assert!(!failed.into_inner());
    assert!(seeds < SEEDS || sum.has_seen_all(), "too little happened: {sum:?}");
}

#[test]
fn a_seed_does_the_same_each_time() {
    let diaries = || {
        let stage = Stage::new();
        (0..50).map(|seed| stage.play(seed, true).1).collect::<Vec<_>>()
    };
    let first = diaries();
    assert!(first.iter().all(|diary| !diary.is_empty()));
    // On another thread, where no steps are taken yet.
    assert_eq!(thread::scope(|scope| scope.spawn(diaries).join().unwrap()), first);
}
