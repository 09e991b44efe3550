//! The results for the shoppers of each phase and of each second.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::quantiles;
use crate::{
    replay::Quantiles,
    surge::{
        profile::Phase,
        shopper::{End, PATIENCE, Visit},
    },
};

/// The shoppers of one phase.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PhaseFigures {
    pub offered: u64,
    /// Visits with a useful end within ten seconds, and those of them with an answer.
    pub useful: u64,
    pub answered_in_time: u64,
    pub by_end: BTreeMap<String, u64>,
    /// From the arrival to a whole answer.
    pub answer_ms: Quantiles,
    /// The same for all shoppers; one without an answer counts as ten seconds or more.
    pub whole_ms: Quantiles,
    /// From the question to the first word.
    pub first_token_ms: Quantiles,
}

/// The events of one second of the day, by the time at which they happened.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Second {
    pub offered: u64,
    pub ended: BTreeMap<String, u64>,
}

pub fn phases(visits: &[Visit]) -> BTreeMap<Phase, PhaseFigures> {
    let mut phases = BTreeMap::new();
    for phase in [Phase::Before, Phase::Burst, Phase::After] {
        let of_phase: Vec<&Visit> = visits.iter().filter(|visit| visit.phase == phase).collect();
        let answered = of_phase.iter().filter(|visit| visit.route().is_some());
        let mut by_end = BTreeMap::new();
        for visit in &of_phase {
            *by_end.entry(label(&visit.end)).or_insert(0) += 1;
        }
        let count = |is: fn(&Visit) -> bool| of_phase.iter().filter(|visit| is(visit)).count();
        let figures = PhaseFigures {
            offered: of_phase.len() as u64,
            useful: count(Visit::is_useful) as u64,
            answered_in_time: count(Visit::is_answered_in_time) as u64,
            by_end,
            answer_ms: quantiles(answered.map(|visit| visit.ended)),
            whole_ms: quantiles(of_phase.iter().map(|visit| match visit.route() {
                Some(_) => visit.ended,
                None => visit.ended.max(PATIENCE),
            })),
            first_token_ms: quantiles(of_phase.iter().filter_map(|visit| visit.first_token)),
        };
        phases.insert(phase, figures);
    }
    phases
}

pub fn seconds(visits: &[Visit], length: Duration) -> Vec<Second> {
    let mut seconds = vec![Second::default(); length.as_secs_f64().ceil() as usize];
    for visit in visits {
        if let Some(second) = seconds.get_mut(visit.at.as_secs() as usize) {
            second.offered += 1;
        }
        if let Some(second) = seconds.get_mut((visit.at + visit.ended).as_secs() as usize) {
            *second.ended.entry(label(&visit.end)).or_default() += 1;
        }
    }
    seconds
}

fn label(end: &End) -> String {
    match end {
        End::Answered(route) => route.clone(),
        End::Ticket => "ticket".into(),
        End::Refused { .. } => "refused".into(),
        End::Failed(code) => format!("failed {code}"),
        End::Left => "left".into(),
        End::Broken(why) => format!("broken {why}"),
    }
}
