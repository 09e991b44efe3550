//! The Erlang-A queue (M/M/n+M): Poisson arrivals, n servers, exponential service times and
//! exponential patience of the callers. Palm 1957; Garnett, Mandelbaum and Reiman, "Designing a
//! Call Center with Impatient Customers", Manufacturing & Service Operations Management 4(3), 2002.

/// The parameters in terms of a shop: arrivals per second, slots, seconds per answer, seconds until
/// a shopper gives up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Queue {
    pub arrivals_per_s: f64,
    pub slots: usize,
    pub answer_s: f64,
    pub patience_s: f64,
}

/// The steady state of the queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steady {
    /// Share of the arrivals that wait.
    pub waits: f64,
    /// Share of the arrivals that give up before they are served.
    pub gives_up: f64,
    /// Mean wait of all arrivals, including those that give up.
    pub wait_s: f64,
    /// Mean share of the slots in use.
    pub busy: f64,
    /// Mean number of waiting arrivals.
    pub queue: f64,
}

/// States this many powers of e below the most likely one are ignored.
const NEGLIGIBLE: f64 = 50.0;
const MOST_STATES: usize = 50_000_000;

impl Queue {
    /// The steady state, by balancing births and deaths. With `j` arrivals inside, arrivals come at
    /// their rate and leave at `min(j, n) / answer + max(j - n, 0) / patience`. Logarithms keep
    /// thousands of slots from overflowing.
    ///
    /// All four numbers must be above 0.
    pub fn steady(&self) -> Steady {
        let (servers, arrivals) = (self.slots as f64, self.arrivals_per_s);
        let leaving = |inside: f64| {
            inside.min(servers) / self.answer_s + (inside - servers).max(0.0) / self.patience_s
        };
        let (mut logs, mut log, mut top) = (vec![0.0_f64], 0.0_f64, 0.0_f64);
        for inside in 1..MOST_STATES {
            log += (arrivals / leaving(inside as f64)).ln();
            top = top.max(log);
            logs.push(log);
            if inside > self.slots && log < top - NEGLIGIBLE {
                break;
            }
        }
        let (mut mass, mut waits, mut busy, mut queue) = (0.0, 0.0, 0.0, 0.0);
        for (inside, log) in logs.iter().enumerate() {
            let weight = (log - top).exp();
            mass += weight;
            busy += weight * inside.min(self.slots) as f64;
            if inside >= self.slots {
                waits += weight;
                queue += weight * (inside - self.slots) as f64;
            }
        }
        let queue = queue / mass;
        Steady {
            waits: waits / mass,
            gives_up: (queue / self.patience_s / arrivals).min(1.0),
            wait_s: queue / arrivals,
            busy: busy / mass / servers,
            queue,
        }
    }

    /// The fewest slots with which at most this share gives up. `slots` of `self` is ignored.
    pub fn fewest_slots(&self, may_give_up: f64) -> usize {
        let holds = |slots| Self { slots, ..*self }.steady().gives_up <= may_give_up;
        let mut high = 1;
        while !holds(high) && high < 1 << 20 {
            high *= 2;
        }
        let mut low = high / 2;
        // Invariant: `low` slots are too few, and `high` slots are enough.
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            if holds(middle) { high = middle } else { low = middle }
        }
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(arrivals_per_s: f64, slots: usize, answer_s: f64, patience_s: f64) -> Queue {
        Queue { arrivals_per_s, slots, answer_s, patience_s }
    }

    #[track_caller]
    fn close(value: f64, expected: f64, within: f64) {
        assert!((value - expected).abs() <= within, "{value} is not {expected}");
    }

    /// The example of Garnett, Mandelbaum and Reiman: 50 agents, 48 calls per minute of one minute
    /// each, and a patience of two minutes. 3.1 % give up; the wait falls from 20.8 s to 3.7 s, the
    /// queue from 17 to 3, and the load from 96 to 93 %.
    #[test]
    fn the_published_example_comes_out() {
        let patient = queue(0.8, 50, 60.0, 1e9).steady();
        close(patient.wait_s, 20.8, 0.1);
        close(patient.queue, 16.7, 0.1);
        close(patient.busy, 0.96, 0.001);
        let impatient = queue(0.8, 50, 60.0, 120.0).steady();
        close(impatient.gives_up, 0.031, 0.0005);
        close(impatient.wait_s, 3.7, 0.1);
        close(impatient.queue, 3.0, 0.1);
        close(impatient.busy, 0.93, 0.002);
    }

    /// Erlang's own tables: 8 erlangs on 10 servers.
    #[test]
    fn without_patience_it_is_erlang_b_and_with_endless_patience_erlang_c() {
        close(queue(8.0, 10, 1.0, 1e-9).steady().gives_up, 0.1217, 0.0001);
        close(queue(8.0, 10, 1.0, 1e9).steady().waits, 0.4092, 0.0001);
    }

    /// If patience is as long as an answer, the queue is M/M/infinity: the number inside is
    /// Poisson.
    #[test]
    fn with_patience_like_an_answer_the_number_inside_is_poisson() {
        let (load, slots) = (20.0_f64, 15);
        let steady = queue(load, slots, 1.0, 1.0).steady();
        let mut term = (-load).exp();
        let mut below = 0.0;
        for inside in 0..slots {
            below += term;
            term *= load / (inside as f64 + 1.0);
        }
        close(steady.waits, 1.0 - below, 1e-9);
    }

    #[test]
    fn far_beyond_capacity_the_slots_are_full_and_the_rest_gives_up() {
        let steady = queue(160.0, 16, 1.38, 10.0).steady();
        close(steady.busy, 1.0, 1e-6);
        close(1.0 - steady.gives_up, 16.0 / 1.38 / 160.0, 1e-4);
        let large = queue(5000.0, 8000, 2.0, 10.0).steady();
        assert!(large.gives_up.is_finite() && large.busy > 0.99, "{large:?}");
    }

    #[test]
    fn the_fewest_slots_hold_and_one_less_does_not() {
        let wanted = queue(10.0, 1, 1.5, 10.0);
        let slots = wanted.fewest_slots(0.01);
        let gives_up = |slots| Queue { slots, ..wanted }.steady().gives_up;
        assert!(gives_up(slots) <= 0.01 && gives_up(slots - 1) > 0.01, "{slots}");
        assert_eq!(queue(0.001, 1, 0.001, 10.0).fewest_slots(0.5), 1);
    }
}
