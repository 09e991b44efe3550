//! Lanes of the queue, by need of a turn.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The lanes of the queue for a model, most urgent need first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Cannot pay, cannot check out: a sale is being lost right now.
    Checkout,
    /// Trouble with something that was bought.
    Order,
    /// Any other question of a registered customer.
    Paid,
    /// Any other question of a visitor.
    Browse,
    /// No shopper waits for it at the moment: tickets.
    Background,
}

impl Lane {
    pub const ALL: [Self; 5] =
        [Self::Checkout, Self::Order, Self::Paid, Self::Browse, Self::Background];

    /// The label in metrics, equal to the name in JSON.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Order => "order",
            Self::Paid => "paid",
            Self::Browse => "browse",
            Self::Background => "background",
        }
    }

    /// The place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The next more urgent lane, if there is one.
    pub const fn promoted(self) -> Option<Self> {
        match self {
            Self::Checkout => None,
            Self::Order => Some(Self::Checkout),
            Self::Paid => Some(Self::Order),
            Self::Browse => Some(Self::Paid),
            Self::Background => Some(Self::Browse),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_called_the_same_everywhere_and_stands_at_its_place() {
        for (place, lane) in Lane::ALL.into_iter().enumerate() {
            assert_eq!(serde_json::to_value(lane).unwrap(), lane.label());
            assert_eq!(lane.index(), place);
        }
    }
}
