//! Which lane is served next: stride scheduling (Waldspurger and Weihl, 1995) over the configured
//! shares.
//!
//! Every grant moves its lane forward by the inverse of its share; the lane that is least far is
//! next. A lane that was empty starts where the others are: it is served at once but saves up
//! nothing while it is empty.

use crate::{config, domain::Lane};

/// The step of one grant to a lane of share 1.
const STRIDE: u64 = 1 << 20;

#[derive(Clone, Copy, Debug)]
pub struct Shares {
    weights: [u32; Lane::ALL.len()],
    passes: [u64; Lane::ALL.len()],
    now: u64,
}

impl Shares {
    pub fn new(config: config::Lanes) -> Self {
        let config::Lanes { checkout, order, paid, browse, background } = config;
        let weights = [checkout, order, paid, browse, background];
        Self { weights, passes: [0; Lane::ALL.len()], now: 0 }
    }

    pub fn of(&self, lane: Lane) -> u32 {
        self.weights[lane.index()]
    }

    /// The lanes in the order in which they may be served now. Lanes without a share come last.
    pub fn order(&self) -> [Lane; Lane::ALL.len()] {
        let mut lanes = Lane::ALL;
        lanes.sort_by_key(|lane| (self.of(*lane) == 0, self.passes[lane.index()], *lane));
        lanes
    }

    /// The first request came into a lane that was empty.
    pub fn woke(&mut self, lane: Lane) {
        let pass = &mut self.passes[lane.index()];
        *pass = (*pass).max(self.now);
    }

    /// A request of this lane was served.
    pub fn served(&mut self, lane: Lane) {
        if let Some(stride) = STRIDE.checked_div(self.of(lane).into()) {
            self.now = self.passes[lane.index()];
            self.passes[lane.index()] += stride;
        }
    }

    /// At most how many requests of lane `other` are served before the `nth` of `lane`, while both
    /// wait.
    pub fn before(&self, other: Lane, lane: Lane, nth: usize) -> usize {
        match (self.of(other) as usize, self.of(lane) as usize) {
            (_, 0) => usize::MAX,
            (0, _) => 0,
            (theirs, own) if other < lane => nth.saturating_mul(theirs).div_ceil(own),
            (theirs, own) => nth.saturating_mul(theirs) / own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_that_all_wait_are_served_by_their_shares() {
        let mut shares = Shares::new(config::Lanes::default());
        let mut served = [0_u32; Lane::ALL.len()];
        for _ in 0..190 {
            let lane = shares.order()[0];
            shares.served(lane);
            served[lane.index()] += 1;
        }
        assert_eq!(served, [80, 40, 40, 30, 0]);
    }

    #[test]
    fn a_lane_that_was_empty_is_next_but_has_saved_nothing_up() {
        let mut shares = Shares::new(config::Lanes::default());
        (0..1000).for_each(|_| shares.served(Lane::Browse));
        shares.woke(Lane::Checkout);
        let first = |shares: &Shares| {
            shares.order().into_iter().find(|l| [Lane::Checkout, Lane::Browse].contains(l))
        };
        assert_eq!(first(&shares), Some(Lane::Checkout));
        let mut in_a_row = 0;
        while first(&shares) == Some(Lane::Checkout) {
            shares.served(Lane::Checkout);
            in_a_row += 1;
        }
        assert!(in_a_row <= 4, "{in_a_row}");
    }
}
