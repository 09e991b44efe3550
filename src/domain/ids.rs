//! Identifiers. Everything a client may name is a UUIDv7; a site is a short slug chosen by the
//! operator.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new UUIDv7: sorts by creation time, 74 bits of it are not predictable.
            #[expect(clippy::new_without_default, reason = "a default id would be a surprise")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

uuid_id!(
    /// One conversation.
    SessionId,
    /// One user message and everything that answers it.
    TurnId,
    /// One message of a conversation.
    MessageId,
    /// A question that is answered later. A turn opens at most one, which has the turn's id.
    TicketId,
    /// Who calls: a visitor, a customer, an agent, an admin or a server key.
    PrincipalId,
    /// A change that was proposed to a shopper.
    ActionId,
    /// That a shopper is to talk to a person.
    HandoffId,
);

/// One shop (tenant): 1 to 40 characters of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct SiteId(Arc<str>);

impl SiteId {
    /// `None` where `text` is not a site slug.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = (1..=40).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        valid.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SiteId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("a site is 1 to 40 characters of a-z, 0-9 and -")
        })
    }
}
