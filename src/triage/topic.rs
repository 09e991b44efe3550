//! What a message can be about.

use serde::{Deserialize, Serialize};

/// Where a message belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Something does not work: site, app, device, sign-in.
    Technical,
    /// Payments, charges, invoices, refunds.
    Billing,
    Orders,
    /// Sending back, exchange, damage, warranty.
    Returns,
    Shipping,
    Account,
    Product,
    /// The shop itself: hours, places, offers, terms.
    General,
    Smalltalk,
    OutOfScope,
    /// A person is needed: the shopper asks for one, or complains.
    Human,
}

/// Groups of topics on which accuracy and confidence are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coarse {
    Technical,
    Billing,
    General,
    OutOfScope,
    Human,
    /// The text does not say what it is about. Never an answer of triage, only a label of data.
    Unknown,
}

impl Topic {
    pub const ALL: [Self; 11] = [
        Self::Technical,
        Self::Billing,
        Self::Orders,
        Self::Returns,
        Self::Shipping,
        Self::Account,
        Self::Product,
        Self::General,
        Self::Smalltalk,
        Self::OutOfScope,
        Self::Human,
    ];

    /// The name in JSON.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Technical => "technical",
            Self::Billing => "billing",
            Self::Orders => "orders",
            Self::Returns => "returns",
            Self::Shipping => "shipping",
            Self::Account => "account",
            Self::Product => "product",
            Self::General => "general",
            Self::Smalltalk => "smalltalk",
            Self::OutOfScope => "out_of_scope",
            Self::Human => "human",
        }
    }

    pub const fn coarse(self) -> Coarse {
        match self {
            Self::Technical => Coarse::Technical,
            Self::Billing | Self::Returns => Coarse::Billing,
            Self::OutOfScope => Coarse::OutOfScope,
            Self::Human => Coarse::Human,
            Self::Orders
            | Self::Shipping
            | Self::Account
            | Self::Product
            | Self::General
            | Self::Smalltalk => Coarse::General,
        }
    }
}

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
    fn a_topic_is_called_the_same_everywhere_and_stands_at_its_place() {
        for (place, topic) in Topic::ALL.into_iter().enumerate() {
            assert_eq!(serde_json::to_value(topic).unwrap(), topic.label());
            assert_eq!(topic as usize, place);
        }
    }

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
