//! Limits second requests to a share of all requests (Finagle's retry budget).

/// How many second requests can be saved up.
const SAVED: f64 = 10.0;

#[derive(Clone, Copy, Debug)]
pub struct Budget {
    share: f64,
    balance: f64,
}

impl Budget {
    /// Every request adds `share` of a second one; 0 allows none.
    pub fn new(share: f64) -> Self {
        Self { share, balance: 0.0 }
    }

    pub fn asked(&mut self) {
        self.balance = (self.balance + self.share).min(SAVED);
    }

    /// A failed request is sent again. This is never refused but leaves less for hedges.
    pub fn asked_again(&mut self) {
        self.balance = (self.balance - 1.0).max(-SAVED);
    }

    /// Whether a second request may run next to the first.
    pub fn has_one(&self) -> bool {
        self.balance >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_in_ten_may_be_asked_twice() {
        let mut budget = Budget::new(0.1);
        let mut second = 0;
        for _ in 0..1000 {
            budget.asked();
            if budget.has_one() {
                budget.asked_again();
                second += 1;
            }
        }
        assert!((98..=100).contains(&second), "{second}");
    }

    #[test]
    fn retries_use_the_budget_up_and_without_a_share_there_is_none() {
        let mut budget = Budget::new(0.1);
        (0..100).for_each(|_| budget.asked());
        assert!(budget.has_one());
        (0..20).for_each(|_| budget.asked_again());
        (0..100).for_each(|_| budget.asked());
        assert!(!budget.has_one());
        let mut none = Budget::new(0.0);
        (0..1000).for_each(|_| none.asked());
        assert!(!none.has_one());
    }
}
