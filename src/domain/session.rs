//! One conversation, without its messages.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ids::{PrincipalId, SessionId, SiteId, TurnId},
    page_context::PageContext,
    time::Timestamp,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    Open,
    Closed,
}

impl SessionState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Who may speak in a session besides the shopper. Serialises as `bot` or `agent:<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    Bot,
    Agent(PrincipalId),
}

impl std::fmt::Display for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bot => f.write_str("bot"),
            Self::Agent(id) => write!(f, "agent:{id}"),
        }
    }
}

impl std::str::FromStr for Controller {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("agent:") {
            Some(id) => id.parse().map(Self::Agent).map_err(|_| "not an agent id"),
            None if text == "bot" => Ok(Self::Bot),
            None => Err("a controller is `bot` or `agent:<id>`"),
        }
    }
}

impl Serialize for Controller {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Controller {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What is known of a session besides its journal. `owner` is never shown to clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionMeta {
    pub id: SessionId,
    pub site_id: SiteId,
    /// The visitor or customer whose session it is.
    #[schema(ignore)]
    pub owner: PrincipalId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// `seq` of the last durable event; 0 before the first.
    pub last_seq: u64,
    pub state: SessionState,
    #[schema(value_type = String)]
    pub controller: Controller,
    /// Grows by one at each change of the controller.
    pub epoch: u32,
    /// BCP 47 language tag.
    pub locale: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Box<PageContext>>,
}

/// Which turn an `Idempotency-Key` of a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    pub key: String,
    /// SHA-256 of the request body's meaning, in lowercase hex.
    pub body_hash: String,
    pub turn_id: TurnId,
    /// W3C `traceparent` of the request that began the turn, where it is traced; for the commit, not
    /// kept by the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// The turn that a session is answering and the process that answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub turn_id: TurnId,
    /// `name/boot`: the replica's configured name and the random id of its process.
    pub replica: String,
}
