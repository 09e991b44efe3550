//! Who may speak in a session.

use serde::{Deserialize, Serialize};

use super::ids::PrincipalId;

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
