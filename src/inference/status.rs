//! The state of the pool, as plain values.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Lane;

/// How a breaker treats requests. (Circuit breakers call these states closed, open and half open.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BreakerState {
    Passing,
    Refusing,
    Probing,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PoolStatus {
    /// Requests that wait for a slot.
    pub queued: usize,
    /// Prompt and answer tokens of these requests.
    pub queued_tokens: u64,
    /// Estimated wait of a request that arrives now, in milliseconds; 0 while a slot is free.
    pub wait_ms: u64,
    /// How long the oldest waiting request has waited, in milliseconds.
    pub oldest_wait_ms: u64,
    pub lanes: Vec<LaneStatus>,
    pub closing: bool,
    pub backends: Vec<BackendStatus>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LaneStatus {
    pub lane: Lane,
    pub queued: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BackendStatus {
    pub name: String,
    pub model: String,
    /// Most requests in flight there, as configured.
    pub slots: usize,
    /// The same as learned; never more than configured.
    pub slots_learned: usize,
    pub in_flight: usize,
    pub breaker: BreakerState,
    /// By its health route. Routing needs this and a breaker that does not refuse.
    pub healthy: bool,
}
