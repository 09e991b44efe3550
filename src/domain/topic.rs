//! What a message can be about.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a message belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
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

/// What the service understood of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Intent {
    pub topic: Topic,
    /// The share of such messages for which the group of the topic is right, 0 to 1.
    pub confidence: f32,
    /// Other topics of the message, likeliest first.
    pub also: Vec<Topic>,
}

impl Intent {
    /// The shopper wants to talk to a person, or says that only a person can help.
    pub fn wants_person(&self) -> bool {
        self.topic == Topic::Human || self.also.contains(&Topic::Human)
    }
}

/// What a message says that asks nothing, in order of weight: "ok, thanks, bye" is a farewell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SmallTalk {
    /// "ok", or a thumb up.
    Nod,
    /// "yes please": as much as "ok", unless something was offered.
    Assent,
    Greeting,
    Thanks,
    Farewell,
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
}
