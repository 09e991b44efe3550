//! How likely each topic is.

use crate::domain::Topic;

/// How likely each topic is. What is missing to one is the share of "the text does not say".
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares([f32; Topic::ALL.len()]);

impl Shares {
    pub fn of(&self, topic: Topic) -> f32 {
        self.0[topic as usize]
    }

    pub fn add(&mut self, topic: Topic, share: f32) {
        self.0[topic as usize] += share;
    }

    pub fn sum(&self) -> f32 {
        self.0.iter().sum()
    }

    pub fn scale(mut self, factor: f32) -> Self {
        self.0.iter_mut().for_each(|share| *share *= factor);
        self
    }

    /// The likeliest group and, of its topics, the likeliest one; and the share of the group.
    pub fn best(&self) -> (Topic, f32) {
        let group = |topic: Topic| -> f32 {
            Topic::ALL
                .into_iter()
                .filter(|t| t.coarse() == topic.coarse())
                .map(|t| self.of(t))
                .sum()
        };
        let key = |topic: Topic| (group(topic), self.of(topic));
        let mut best = Topic::General;
        for topic in Topic::ALL {
            if key(topic) > key(best) {
                best = topic;
            }
        }
        (best, group(best))
    }

    /// Topics with at least this share, likeliest first.
    pub fn over(&self, share: f32) -> Vec<Topic> {
        let mut over: Vec<Topic> =
            Topic::ALL.into_iter().filter(|topic| self.of(*topic) >= share).collect();
        over.sort_by(|a, b| self.of(*b).total_cmp(&self.of(*a)));
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_a_group_win_together() {
        let mut shares = Shares::default();
        shares.add(Topic::Technical, 0.4);
        shares.add(Topic::Orders, 0.25);
        shares.add(Topic::Shipping, 0.3);
        assert_eq!(shares.best(), (Topic::Shipping, 0.55));
        assert_eq!(shares.over(0.28), [Topic::Technical, Topic::Shipping]);
        assert_eq!(Shares::default().best(), (Topic::General, 0.0));
    }
}
