//! When shoppers arrive: at a base rate, in a burst, and at the base rate again, independent of the
//! server's speed.

use std::time::Duration;

use clap::ValueEnum;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde::Serialize;

use crate::questions::{Mix, ONE_QUESTION};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// All questions are different.
    Burst,
    /// 70 % of the questions come from a hot set of 1,000.
    Hot,
    /// Three times the backend's capacity for five minutes.
    Triple,
    /// All shoppers ask the same question within a second, in one wording.
    One,
    /// The same, in five wordings.
    Paraphrases,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Before,
    Burst,
    After,
}

/// A rate in arrivals per second and how long it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Plan {
    pub base: f64,
    pub burst: f64,
    pub before_s: f64,
    pub burst_s: f64,
    pub after_s: f64,
}

/// One arrival.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub at: Duration,
    pub phase: Phase,
    pub question: String,
}

impl Profile {
    pub fn plan(self, capacity: f64) -> Plan {
        let plan = Plan { base: 8.0, burst: 160.0, before_s: 20.0, burst_s: 30.0, after_s: 40.0 };
        match self {
            Self::Burst | Self::Hot => plan,
            Self::Triple => Plan { burst: 3.0 * capacity, burst_s: 300.0, ..plan },
            Self::One | Self::Paraphrases => {
                Plan { base: 0.0, burst: 1000.0, before_s: 1.0, burst_s: 1.0, after_s: 5.0 }
            }
        }
    }

    pub fn is_one_question(self) -> bool {
        matches!(self, Self::One | Self::Paraphrases)
    }

    fn questions(self) -> impl FnMut(usize, &mut StdRng) -> String {
        let mix = Mix::new(if self == Self::Hot { 0.7 } else { 0.0 }, 1000);
        move |number, random| match self {
            Self::One => ONE_QUESTION[0].to_owned(),
            Self::Paraphrases => ONE_QUESTION[number % ONE_QUESTION.len()].to_owned(),
            Self::Burst | Self::Hot | Self::Triple => mix.pick(number, random),
        }
    }
}

impl Plan {
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.before_s + self.burst_s + self.after_s)
    }

    pub fn burst(&self) -> (Duration, Duration) {
        let end = self.before_s + self.burst_s;
        (Duration::from_secs_f64(self.before_s), Duration::from_secs_f64(end))
    }

    /// All arrivals in order: a Poisson process in each phase.
    pub fn arrivals(&self, profile: Profile, seed: u64) -> Vec<Arrival> {
        let mut random = StdRng::seed_from_u64(seed);
        let (mut arrivals, mut begin) = (Vec::new(), 0.0);
        let mut question = profile.questions();
        for (phase, rate, length) in [
            (Phase::Before, self.base, self.before_s),
            (Phase::Burst, self.burst, self.burst_s),
            (Phase::After, self.base, self.after_s),
        ] {
            // The gaps of a Poisson process are exponential. For a rate of 0 the first gap is
            // infinite.
            let gap = |random: &mut StdRng| -(1.0 - random.random::<f64>()).ln() / rate;
            let mut at = begin + gap(&mut random);
            while at < begin + length {
                let question = question(arrivals.len(), &mut random);
                arrivals.push(Arrival { at: Duration::from_secs_f64(at), phase, question });
                at += gap(&mut random);
            }
            begin += length;
        }
        arrivals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_brings_about_twenty_times_the_base_in_order() {
        let plan = Profile::Burst.plan(11.6);
        let arrivals = plan.arrivals(Profile::Burst, 1);
        let count = |phase| arrivals.iter().filter(|arrival| arrival.phase == phase).count();
        assert!((120..200).contains(&count(Phase::Before)), "{}", count(Phase::Before));
        assert!((4600..5000).contains(&count(Phase::Burst)), "{}", count(Phase::Burst));
        assert!((250..390).contains(&count(Phase::After)), "{}", count(Phase::After));
        assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
        assert!(arrivals.iter().all(|arrival| arrival.at < plan.length()));
    }

    #[test]
    fn the_same_seed_gives_the_same_day() {
        let plan = Profile::Hot.plan(11.6);
        let day = |seed| -> Vec<_> {
            plan.arrivals(Profile::Hot, seed).into_iter().map(|a| (a.at, a.question)).collect()
        };
        assert_eq!(day(3), day(3));
        assert_ne!(day(3), day(4));
    }

    #[test]
    fn one_question_has_one_wording_and_its_paraphrases_five() {
        let wordings = |profile: Profile| {
            let arrivals = profile.plan(1.0).arrivals(profile, 1);
            let texts: std::collections::BTreeSet<_> =
                arrivals.into_iter().map(|arrival| arrival.question).collect();
            texts.len()
        };
        assert_eq!((wordings(Profile::One), wordings(Profile::Paraphrases)), (1, 5));
    }
}
