//! Who calls.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{PrincipalId, SiteId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Anonymous shopper.
    Visitor,
    /// Registered or shop-verified shopper.
    Customer,
    /// Staff who answer shoppers.
    Agent,
    /// Staff who operate the site.
    Admin,
    /// The shop's own backend, by API key.
    Server,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Customer => "customer",
            Self::Agent => "agent",
            Self::Admin => "admin",
            Self::Server => "server",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Visitor, Self::Customer, Self::Agent, Self::Admin, Self::Server]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Principal {
    pub id: PrincipalId,
    pub role: Role,
    pub site_id: SiteId,
}
