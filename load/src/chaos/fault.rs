//! What is broken, and where: one table.

use std::fmt;

use clap::{ValueEnum, builder::PossibleValue};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One process with SQLite.
    Embedded,
    /// Two replicas with MariaDB and Redis.
    Distributed,
}

/// In the order of [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    ServerKilled,
    ReplicaPaused,
    RollingRestart,
    BackendKilled,
    BackendStalls,
    BackendGarbage,
    BackendCut,
    DiskFull,
    RedisKilled,
    RedisFrozen,
    RedisEmptied,
    RedisOldAof,
    RedisCutOne,
    RedisReplyDropped,
    SqlKilled,
    SqlFrozen,
    SqlCutOne,
    SqlReplyDropped,
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// A second or so.
    Moment,
    /// Long enough to be noticed by a time limit of the model or by a full disk.
    Seconds,
    /// Long enough to be noticed by the time limits of the stores.
    Cut,
    /// As `--freeze-s` says.
    Freeze,
    /// As `--pause-s` says.
    Pause,
}

/// One row of the table.
struct Row {
    fault: Fault,
    name: &'static str,
    modes: &'static [Mode],
    lasts: Lasts,
    about: &'static str,
}

const BOTH: &[Mode] = &[Mode::Embedded, Mode::Distributed];
const EMBEDDED: &[Mode] = &[Mode::Embedded];
const DISTRIBUTED: &[Mode] = &[Mode::Distributed];

const fn row(
    fault: Fault,
    name: &'static str,
    modes: &'static [Mode],
    lasts: Lasts,
    about: &'static str,
) -> Row {
    Row { fault, name, modes, lasts, about }
}

#[rustfmt::skip]
const TABLE: [Row; 18] = [
    row(Fault::ServerKilled, "server-killed", BOTH, Lasts::Moment,
        "kill -9 of one server"),
    row(Fault::ReplicaPaused, "replica-paused", DISTRIBUTED, Lasts::Pause,
        "SIGSTOP of one replica for --pause-s, then SIGCONT: it is taken for dead, and wakes up"),
    row(Fault::RollingRestart, "rolling-restart", DISTRIBUTED, Lasts::Moment,
        "one replica after the other is asked to end and started again"),
    row(Fault::BackendKilled, "backend-killed", BOTH, Lasts::Moment,
        "kill -9 of one of two backends, mid-stream"),
    row(Fault::BackendStalls, "backend-stalls", EMBEDDED, Lasts::Seconds,
        "one backend accepts and never answers"),
    row(Fault::BackendGarbage, "backend-garbage", EMBEDDED, Lasts::Moment,
        "one backend sends what is no JSON"),
    row(Fault::BackendCut, "backend-cut", EMBEDDED, Lasts::Moment,
        "one backend ends its answers without their end"),
    row(Fault::DiskFull, "disk-full", EMBEDDED, Lasts::Seconds,
        "no room left under SQLite"),
    row(Fault::RedisKilled, "redis-killed", DISTRIBUTED, Lasts::Moment,
        "kill -9 of Redis, started again on its log"),
    row(Fault::RedisFrozen, "redis-frozen", DISTRIBUTED, Lasts::Freeze,
        "SIGSTOP of Redis for --freeze-s"),
    row(Fault::RedisEmptied, "redis-emptied", DISTRIBUTED, Lasts::Moment,
        "kill -9 of Redis, its log removed, started again"),
    row(Fault::RedisOldAof, "redis-old-aof", DISTRIBUTED, Lasts::Moment,
        "kill -9 of Redis, started again on its log of two seconds before"),
    row(Fault::RedisCutOne, "redis-cut-one", DISTRIBUTED, Lasts::Cut,
        "one replica cannot reach Redis, the other can; its connections are closed or silent"),
    row(Fault::RedisReplyDropped, "redis-reply-dropped", DISTRIBUTED, Lasts::Cut,
        "Redis executes what one replica sends, the replies are lost, then its connections are closed"),
    row(Fault::SqlKilled, "sql-killed", DISTRIBUTED, Lasts::Moment,
        "kill -9 of MariaDB"),
    row(Fault::SqlFrozen, "sql-frozen", DISTRIBUTED, Lasts::Freeze,
        "SIGSTOP of MariaDB for --freeze-s"),
    row(Fault::SqlCutOne, "sql-cut-one", DISTRIBUTED, Lasts::Cut,
        "one replica cannot reach MariaDB, the other can; its connections are closed or silent"),
    row(Fault::SqlReplyDropped, "sql-reply-dropped", DISTRIBUTED, Lasts::Cut,
        "MariaDB executes what one replica sends, the replies are lost, then its connections are closed"),
];

impl Mode {
    /// What can be broken there, in the order of the rounds.
    pub fn faults(self) -> impl Iterator<Item = Fault> {
        TABLE.iter().filter(move |row| row.modes.contains(&self)).map(|row| row.fault)
    }
}

impl Fault {
    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    pub fn lasts(self) -> Lasts {
        self.row().lasts
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

impl ValueEnum for Fault {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Fault; TABLE.len()] = {
            let mut all = [Fault::ServerKilled; TABLE.len()];
            let mut place = 0;
            while place < all.len() {
                all[place] = TABLE[place].fault;
                place += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let Row { name, modes, about, .. } = self.row();
        let modes: Vec<String> = modes.iter().map(Mode::to_string).collect();
        Some(PossibleValue::new(*name).help(format!("{about} [{}]", modes.join(", "))))
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
        f.write_str(self.row().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_stands_at_its_place_under_the_name_that_json_has() {
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!(row.fault as usize, place, "{}", row.name);
            assert_eq!(serde_json::to_value(row.fault).unwrap(), row.name);
            assert_eq!(Fault::from_str(row.name, false), Ok(row.fault));
        }
    }
}
