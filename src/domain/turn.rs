//! How a turn was answered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::MessageId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// Exact cache.
    Exact,
    /// Semantic cache.
    Semantic,
    /// Shared with an identical question in flight.
    Coalesced,
    /// Straight from the shop's documents, without a model.
    Knowledge,
    Tool,
    Model,
    Human,
    Template,
}

impl Route {
    pub const ALL: [Self; 8] = [
        Self::Exact,
        Self::Semantic,
        Self::Coalesced,
        Self::Knowledge,
        Self::Tool,
        Self::Model,
        Self::Human,
        Self::Template,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Semantic => "semantic",
            Self::Coalesced => "coalesced",
            Self::Knowledge => "knowledge",
            Self::Tool => "tool",
            Self::Model => "model",
            Self::Human => "human",
            Self::Template => "template",
        }
    }
}

/// Service level, 0 (full service) to 4 (tickets).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(transparent)]
pub struct ServiceLevel(pub u8);

impl ServiceLevel {
    pub const FULL: Self = Self(0);
    /// Short answers, no reasoning.
    pub const SHORT: Self = Self(1);
    /// Also a smaller model.
    pub const SMALL: Self = Self(2);
    /// Also passages and older cached answers before the model.
    pub const KNOWLEDGE: Self = Self(3);
    /// Also a ticket for what cannot be answered now.
    pub const TICKET: Self = Self(4);
}

/// What a turn is doing now, in words a shopper may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Searching,
    Thinking,
    Writing,
}

/// A passage that supports an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Citation {
    /// Number of the citation in its answer, from `1`.
    pub id: String,
    pub document_id: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub quote: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CacheTier {
    Exact,
    Semantic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CacheInfo {
    /// Whether the question had the same words or the same meaning.
    pub tier: CacheTier,
    /// Milliseconds since the answer was made; absent if it was still being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
    /// The cache entry: the id of the message that was first answered with this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<MessageId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    pub prompt_tokens: u32,
    pub completion_tokens: u32,
}

/// Milliseconds; a step that did not happen is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Timings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embed_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrieve_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u64>,
    #[serde(default)]
    pub total_ms: u64,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    Stop,
    Length,
    ToolCalls,
    ContentFilter,
}
