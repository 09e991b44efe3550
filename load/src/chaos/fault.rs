//! What is broken, and where.

use std::{fmt, str::FromStr};

use clap::ValueEnum;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One process with SQLite.
    Embedded,
    /// Two replicas with MariaDB and Redis.
    Distributed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// `kill -9` of one server.
    ServerKilled,
    /// `kill -9` of one of two backends, mid-stream.
    BackendKilled,
    /// One backend accepts and never answers.
    BackendStalls,
    /// One backend sends what is no JSON.
    BackendGarbage,
    /// One backend ends its answers without their end.
    BackendCut,
    /// No room left under SQLite.
    DiskFull,
    /// `kill -9` of Redis.
    RedisKilled,
    /// SIGSTOP of Redis.
    RedisFrozen,
    /// `kill -9` of MariaDB.
    SqlKilled,
    /// SIGSTOP of MariaDB.
    SqlFrozen,
    /// One replica after the other is asked to end and started again.
    RollingRestart,
}

impl Mode {
    /// What can be broken there, in the order of the rounds.
    pub fn faults(self) -> &'static [Fault] {
        match self {
            Self::Embedded => &[
                Fault::ServerKilled,
                Fault::BackendKilled,
                Fault::BackendStalls,
                Fault::BackendGarbage,
                Fault::BackendCut,
                Fault::DiskFull,
            ],
            Self::Distributed => &[
                Fault::ServerKilled,
                Fault::RedisKilled,
                Fault::SqlKilled,
                Fault::RedisFrozen,
                Fault::SqlFrozen,
                Fault::BackendKilled,
                Fault::RollingRestart,
            ],
        }
    }
}

impl Fault {
    pub fn is_freeze(self) -> bool {
        matches!(self, Self::RedisFrozen | Self::SqlFrozen)
    }

    /// Whether it takes some seconds until it is felt.
    pub fn is_slow(self) -> bool {
        matches!(self, Self::DiskFull | Self::BackendStalls)
    }

    /// The model name of the simulator that shows this fault.
    pub fn model(self) -> Option<&'static str> {
        match self {
            Self::BackendStalls => Some("sim-stall"),
            Self::BackendGarbage => Some("sim-garbage"),
            Self::BackendCut => Some("sim-cut-5"),
            _ => None,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "embedded",
            Self::Distributed => "distributed",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServerKilled => "server killed",
            Self::BackendKilled => "backend killed",
            Self::BackendStalls => "backend stalls",
            Self::BackendGarbage => "backend garbage",
            Self::BackendCut => "backend cut",
            Self::DiskFull => "disk full",
            Self::RedisKilled => "redis killed",
            Self::RedisFrozen => "redis frozen",
            Self::SqlKilled => "sql killed",
            Self::SqlFrozen => "sql frozen",
            Self::RollingRestart => "rolling restart",
        })
    }
}

/// A fault to leave out, in every mode or in one: `backend-killed`, `distributed:redis-killed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exclusion {
    mode: Option<Mode>,
    fault: Fault,
}

impl Exclusion {
    pub fn covers(self, mode: Mode, fault: Fault) -> bool {
        self.fault == fault && self.mode.is_none_or(|only| only == mode)
    }
}

impl FromStr for Exclusion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mode, fault) = match text.split_once(':') {
            Some((mode, fault)) => (Some(Mode::from_str(mode, false)?), fault),
            None => (None, text),
        };
        Ok(Self { mode, fault: Fault::from_str(fault, false)? })
    }
}

/// One round to come: its fault and the seed of its moment and its load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub mode: Mode,
    pub fault: Fault,
    pub seed: u64,
}

/// `rounds` rounds, or each fault once for 0: every fault in turn, each mode in one go, each round with a seed of its own.
pub fn plan(pairs: &[(Mode, Fault)], rounds: usize, seed: u64) -> Vec<Planned> {
    let rounds = if rounds == 0 { pairs.len() } else { rounds };
    let all = pairs.iter().cycle().take(rounds).enumerate();
    let mut planned: Vec<Planned> = all
        .map(|(round, &(mode, fault))| Planned {
            mode,
            fault,
            seed: seed.wrapping_add(round as u64),
        })
        .collect();
    planned.sort_by_key(|round| round.mode);
    planned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Vec<(Mode, Fault)> {
        [Mode::Embedded, Mode::Distributed]
            .into_iter()
            .flat_map(|mode| mode.faults().iter().map(move |&fault| (mode, fault)))
            .collect()
    }

    #[test]
    fn the_short_form_has_each_fault_once_and_each_mode_in_one_go() {
        let planned = plan(&pairs(), 0, 7);
        assert_eq!(planned.len(), 13);
        assert!(planned.is_sorted_by_key(|round| round.mode));
        assert_eq!(
            planned[0],
            Planned { mode: Mode::Embedded, fault: Fault::ServerKilled, seed: 7 }
        );
    }

    #[test]
    fn an_exclusion_covers_one_mode_or_all() {
        let here: Exclusion = "distributed:backend-killed".parse().unwrap();
        assert!(here.covers(Mode::Distributed, Fault::BackendKilled));
        assert!(!here.covers(Mode::Embedded, Fault::BackendKilled));
        assert!(!here.covers(Mode::Distributed, Fault::SqlFrozen));
        let everywhere: Exclusion = "backend-killed".parse().unwrap();
        assert!(everywhere.covers(Mode::Embedded, Fault::BackendKilled));
        assert!("backend-hurt".parse::<Exclusion>().is_err());
        assert!("cluster:backend-killed".parse::<Exclusion>().is_err());
    }

    #[test]
    fn the_long_form_takes_the_faults_in_turn_with_seeds_of_their_own() {
        let planned = plan(&pairs(), 100, 7);
        assert_eq!(planned.len(), 100);
        let count = |fault| planned.iter().filter(|round| round.fault == fault).count();
        assert!((7..=8).contains(&count(Fault::RedisFrozen)));
        let seeds: std::collections::BTreeSet<_> = planned.iter().map(|round| round.seed).collect();
        assert_eq!(seeds.len(), 100);
    }
}
