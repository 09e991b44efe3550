//! Which rounds there will be.

use std::str::FromStr;

use clap::ValueEnum as _;

use super::fault::{Fault, Mode};

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
            .flat_map(|mode| mode.faults().map(move |fault| (mode, fault)))
            .collect()
    }

    #[test]
    fn the_short_form_has_each_fault_once_and_each_mode_in_one_go() {
        let planned = plan(&pairs(), 0, 7);
        assert_eq!(planned.len(), 20);
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
        assert_eq!(count(Fault::RedisFrozen), 5);
        let seeds: std::collections::BTreeSet<_> = planned.iter().map(|round| round.seed).collect();
        assert_eq!(seeds.len(), 100);
    }
}
