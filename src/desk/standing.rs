//! How long somebody waits for a person.

use std::time::Duration;

use crate::{
    archive::DeskRows,
    domain::{HandoffId, PrincipalId},
};

/// With fewer measured handling times nothing is estimated.
const ENOUGH: usize = 5;

/// A desk at one moment.
pub struct Standing {
    /// Conversations that those on duty take at once.
    capacity: u64,
    /// Of those, how many they have.
    talking: u64,
    is_staffed: bool,
    queued: Vec<HandoffId>,
    /// Of those, how many go before the others.
    urgent: usize,
    /// The median time from taking a conversation over to its end.
    handling: Option<Duration>,
}

/// Whether an agent could take one more conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Free,
    Away,
    /// They have as many as they take.
    Full {
        capacity: u64,
    },
}

impl Room {
    pub fn of(rows: &DeskRows, agent: PrincipalId) -> Self {
        let Some(here) = rows.agents.iter().find(|known| known.agent_id == agent) else {
            return Self::Away;
        };
        let has = rows.accepted.iter().filter(|row| row.agent_id == Some(agent)).count() as u64;
        let capacity = here.capacity.0;
        if has < capacity { Self::Free } else { Self::Full { capacity } }
    }
}

/// What somebody who waits is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// 1 is the next one.
    pub position: u32,
    /// Absent if somebody is free, or too little was measured.
    pub eta: Option<Duration>,
}

impl Wait {
    pub fn eta_ms(&self) -> Option<u64> {
        self.eta.map(|eta| u64::try_from(eta.as_millis()).unwrap_or(u64::MAX))
    }
}

impl Standing {
    pub fn of(rows: &DeskRows) -> Self {
        let here = |agent: PrincipalId| rows.agents.iter().any(|known| known.agent_id == agent);
        let talking = rows.accepted.iter().filter(|row| row.agent_id.is_some_and(here)).count();
        let handled = rows.handled.iter().filter_map(|row| {
            let (from, to) = (row.accepted_at?.as_millis(), row.ended_at?.as_millis());
            u64::try_from(to - from).ok().map(Duration::from_millis)
        });
        Self {
            capacity: rows.agents.iter().map(|agent| agent.capacity.0).sum(),
            talking: talking as u64,
            is_staffed: !rows.agents.is_empty(),
            queued: rows.queued.iter().map(|row| row.id).collect(),
            urgent: rows.queued.iter().filter(|row| row.urgent).count(),
            handling: median(handled.collect()),
        }
    }

    /// Whether anybody of the shop takes conversations.
    pub fn is_staffed(&self) -> bool {
        self.is_staffed
    }

    /// For one who asks now.
    pub fn next(&self) -> Wait {
        self.wait(self.queued.len())
    }

    /// For one whose agent leaves now: at the front of the queue.
    pub fn back(&self) -> Wait {
        self.wait(self.urgent)
    }

    /// For one who waits.
    pub fn of_handoff(&self, id: HandoffId) -> Option<Wait> {
        self.queued.iter().position(|queued| *queued == id).map(|at| self.wait(at))
    }

    /// `ahead`: how many wait before. Each place of the desk is free again after a handling time,
    /// so with `capacity` places one of them is after every `capacity`-th part of it.
    fn wait(&self, ahead: usize) -> Wait {
        let position = ahead as u64 + 1;
        let free = self.capacity.saturating_sub(self.talking);
        let turns = position.saturating_sub(free);
        let eta = self.handling.filter(|_| turns > 0 && self.capacity > 0).map(|handling| {
            #[expect(clippy::cast_precision_loss, reason = "queues and desks are small")]
            let share = turns as f64 / self.capacity as f64;
            handling.mul_f64(share)
        });
        Wait { position: u32::try_from(position).unwrap_or(u32::MAX), eta }
    }
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied().filter(|_| times.len() >= ENOUGH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(capacity: u64, talking: u64, waiting: usize, handling: Option<u64>) -> Standing {
        let queued = (0..waiting).map(|_| HandoffId::new()).collect();
        let handling = handling.map(Duration::from_secs);
        Standing { capacity, talking, is_staffed: capacity > 0, queued, urgent: 0, handling }
    }

    fn next(standing: &Standing) -> (u32, Option<u64>) {
        let Wait { position, eta } = standing.next();
        (position, eta.map(|eta| eta.as_secs()))
    }

    #[test]
    fn the_estimate_follows_position_capacity_and_handling_time() {
        for (capacity, talking, waiting, expected) in [
            (2, 2, 0, (1, Some(150))),
            (2, 2, 3, (4, Some(600))),
            (1, 1, 0, (1, Some(300))),
            // Somebody is free: nothing is counted off.
            (2, 1, 0, (1, None)),
            (2, 1, 1, (2, Some(150))),
            (0, 0, 4, (5, None)),
        ] {
            let standing = standing(capacity, talking, waiting, Some(300));
            assert_eq!(next(&standing), expected, "{capacity} {talking} {waiting}");
        }
        assert_eq!(next(&standing(1, 1, 2, None)), (3, None), "nothing was measured");
    }

    #[test]
    fn a_position_is_that_in_the_queue() {
        let standing = standing(1, 1, 3, Some(60));
        let places = standing.queued.iter().map(|id| standing.of_handoff(*id).unwrap().position);
        assert_eq!(places.collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(standing.of_handoff(HandoffId::new()), None);
    }

    #[test]
    fn one_whose_agent_leaves_comes_before_those_that_nobody_had() {
        let standing = Standing { urgent: 1, ..standing(1, 1, 3, Some(60)) };
        assert_eq!((standing.back().position, standing.next().position), (2, 4));
    }

    #[test]
    fn a_few_measured_times_are_too_few() {
        let times =
            |seconds: &[u64]| median(seconds.iter().map(|s| Duration::from_secs(*s)).collect());
        assert_eq!(times(&[1, 2, 3, 4]), None);
        assert_eq!(times(&[900, 1, 3, 2, 4]), Some(Duration::from_secs(3)));
    }
}
