//! `capacity`: computes slots, replicas, Redis and MySQL for a number of shoppers, from measured
//! figures and a queue with impatient callers. It can also compare that model with a recorded sale
//! day.

mod check;
mod erlang;

use std::{fmt, path::PathBuf, process::ExitCode};

use anyhow::ensure;

use self::erlang::{Queue, Steady};

/// Measured on the machine of `docs/measurements.md`; `docs/capacity.md` explains how.
mod measured {
    /// CPU time of one core for a whole turn.
    pub const CPU_S_PER_TURN: f64 = 0.004_3;
    pub const KIB_PER_STREAM: f64 = 90.0;
    /// From 100,000 idle sessions: 766 MiB minus the idle server's 140.
    pub const KIB_PER_SESSION: f64 = 6.4;
    pub const MIB_IDLE: f64 = 140.0;
    /// CPU time for a turn in distributed mode, including its share of logins, sessions and reads
    /// of the history (`scripts/store-cost.sh`).
    pub const REDIS_CPU_S: f64 = 0.000_52;
    pub const REDIS_COMMANDS: f64 = 58.0;
    pub const REDIS_KIB: f64 = 4.6;
    pub const MYSQL_CPU_S: f64 = 0.000_32;
    /// For data and log.
    pub const MYSQL_KIB: f64 = 9.0;
    pub const MYSQL_LOG_KIB: f64 = 6.4;
    /// Of a replica's core, so that requests do not wait long for the processor.
    pub const MOST_BUSY: f64 = 0.6;
}

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Number of shoppers who open the chat in the busiest hour.
    #[arg(long, required_unless_present = "check")]
    pub shoppers: Option<f64>,
    /// Number of questions per shopper.
    #[arg(long, default_value_t = 3.0)]
    pub questions: f64,
    /// Rate of the busiest minute, relative to the mean of that hour.
    #[arg(long, default_value_t = 3.0)]
    pub peak: f64,
    /// Share of the questions, 0 to 1, that are answered from cache or knowledge.
    #[arg(long, default_value_t = 0.3)]
    pub without_model: f64,
    /// Seconds for which an answer holds a slot. Measure your model under load.
    #[arg(long, default_value_t = 6.0)]
    pub answer_s: f64,
    /// Seconds after which a waiting shopper gives up or is answered without the model.
    #[arg(long, default_value_t = 10.0)]
    pub patience_s: f64,
    /// Share of the questions for the model, 0 to 1, that may be answered otherwise in the busiest
    /// minute.
    #[arg(long, default_value_t = 0.05)]
    pub may_miss: f64,
    /// Answers that one GPU generates at the same time.
    #[arg(long, default_value_t = 16)]
    pub slots_per_gpu: usize,
    /// Cores of one replica.
    #[arg(long, default_value_t = 2.0)]
    pub cores: f64,
    /// CPU-seconds of one turn on your machine (`make bench-turns`).
    #[arg(long, default_value_t = measured::CPU_S_PER_TURN)]
    pub cpu_s_per_turn: f64,
    /// Compares the model with this report of `surge --json` instead.
    #[arg(long)]
    pub check: Option<PathBuf>,
}

/// Prints a plan, or a comparison.
///
/// # Errors
/// If a number is invalid, or the report cannot be read.
pub fn main(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.check {
        Some(path) => print!("{}", check::Check::of(path, args.patience_s)?),
        None => print!("{}", Plan::of(args)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// The resources for the busiest minute.
#[derive(Clone, Copy, Debug)]
struct Plan {
    questions_per_s: f64,
    for_model_per_s: f64,
    queue: Queue,
    steady: Steady,
    gpus: usize,
    replicas: usize,
    streams: f64,
    ram_mib: f64,
    /// Questions in the busiest hour.
    questions: f64,
}

impl Plan {
    fn of(args: &Args) -> anyhow::Result<Self> {
        let shoppers = args.shoppers.unwrap_or(0.0);
        for (name, value) in [
            ("--shoppers", shoppers),
            ("--questions", args.questions),
            ("--answer-s", args.answer_s),
            ("--patience-s", args.patience_s),
            ("--cores", args.cores),
            ("--cpu-s-per-turn", args.cpu_s_per_turn),
        ] {
            ensure!(value > 0.0 && value.is_finite(), "{name} must be above 0");
        }
        ensure!(args.peak >= 1.0, "--peak must be at least 1");
        ensure!((0.0..1.0).contains(&args.without_model), "--without-model must be 0 to below 1");
        ensure!(args.may_miss > 0.0 && args.may_miss < 1.0, "--may-miss must be between 0 and 1");
        ensure!(args.slots_per_gpu > 0, "--slots-per-gpu must be above 0");
        let questions_per_s = shoppers * args.questions / 3600.0 * args.peak;
        let for_model_per_s = questions_per_s * (1.0 - args.without_model);
        let (answer_s, patience_s) = (args.answer_s, args.patience_s);
        let queue = Queue { arrivals_per_s: for_model_per_s, slots: 1, answer_s, patience_s };
        ensure!(
            for_model_per_s * answer_s < 100_000.0,
            "more than 100,000 answers at once: plan each region for itself"
        );
        let slots = queue.fewest_slots(args.may_miss);
        let queue = Queue { slots, ..queue };
        let steady = queue.steady();
        let cores = questions_per_s * args.cpu_s_per_turn / measured::MOST_BUSY;
        // One more than the load needs, so that one may be lost or replaced.
        let replicas = (cores / args.cores).ceil().max(1.0) as usize + 1;
        // Questions that are being answered, and those that wait.
        let streams = steady.queue + steady.busy * slots as f64;
        let ram_mib = measured::MIB_IDLE
            + (streams * measured::KIB_PER_STREAM + shoppers * measured::KIB_PER_SESSION)
                / 1024.0
                / (replicas as f64 - 1.0).max(1.0);
        let gpus = slots.div_ceil(args.slots_per_gpu);
        Ok(Self {
            questions_per_s,
            for_model_per_s,
            queue,
            steady,
            gpus,
            replicas,
            streams,
            ram_mib,
            questions: shoppers * args.questions,
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steady, queue, .. } = self;
        writeln!(f, "in the busiest minute")?;
        writeln!(
            f,
            "  questions                {:>10.1} /s, {:.1} /s of them for the model",
            self.questions_per_s, self.for_model_per_s
        )?;
        writeln!(
            f,
            "  slots of the model       {:>10} ({} GPUs), {:.0} % busy",
            queue.slots,
            self.gpus,
            steady.busy * 100.0
        )?;
        writeln!(
            f,
            "  without the model        {:>10.1} % of its questions: knowledge or ticket",
            steady.gives_up * 100.0
        )?;
        writeln!(
            f,
            "  wait for a slot          {:>10.1} s in the mean, {:.0} % wait at all",
            steady.wait_s,
            steady.waits * 100.0
        )?;
        writeln!(
            f,
            "  replicas                 {:>10} (one of them to spare), {:.0} MiB each, {:.0} streams in all",
            self.replicas, self.ram_mib, self.streams
        )?;
        let per_s = self.questions_per_s;
        writeln!(
            f,
            "  Redis                    {:>10.0} commands/s, {:.0} % of a core, {:.0} MiB for the turns of the hour",
            per_s * measured::REDIS_COMMANDS,
            per_s * measured::REDIS_CPU_S * 100.0,
            self.questions * measured::REDIS_KIB / 1024.0
        )?;
        writeln!(
            f,
            "  MySQL                    {:>10.2} MiB/s of log, {:.0} % of a core, {:.0} MiB of data in the hour",
            per_s * measured::MYSQL_LOG_KIB / 1024.0,
            per_s * measured::MYSQL_CPU_S * 100.0,
            self.questions * measured::MYSQL_KIB / 1024.0
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn plan(line: &str) -> anyhow::Result<Plan> {
        let words = ["capacity"].into_iter().chain(line.split_whitespace());
        Plan::of(&Line::try_parse_from(words).unwrap().args)
    }

    #[test]
    fn a_plan_follows_its_load() {
        let small = plan("--shoppers 12000 --questions 3 --peak 1 --without-model 0").unwrap();
        assert!((small.questions_per_s - 10.0).abs() < 1e-9);
        // 60 answers at the same time are needed; slightly fewer are enough if one in twenty may
        // miss.
        assert!((50..70).contains(&small.queue.slots), "{small}");
        assert!(small.steady.gives_up <= 0.05 && small.replicas == 2, "{small}");
        let cached = plan("--shoppers 12000 --questions 3 --peak 1 --without-model 0.5").unwrap();
        assert!(cached.queue.slots < small.queue.slots * 6 / 10, "{cached}");
        let large = plan("--shoppers 1200000 --answer-s 2").unwrap();
        assert!(large.replicas > 5 && large.gpus > 100, "{large}");
    }

    #[test]
    fn a_number_that_makes_no_sense_is_named() {
        for (line, word) in [
            ("--shoppers 0", "--shoppers"),
            ("--shoppers 10 --peak 0.5", "--peak"),
            ("--shoppers 10 --without-model 1", "--without-model"),
            ("--shoppers 10 --may-miss 0", "--may-miss"),
            ("--shoppers 10000000000", "region"),
        ] {
            let error = plan(line).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
