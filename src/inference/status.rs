//! How the pool is, as plain values.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Lane;

/// What a breaker does with a request. (Circuit breakers call these closed, open and half open.)
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
    /// Their prompt and answer tokens.
    pub queued_tokens: u64,
    /// Estimated wait of a request that came now, in milliseconds; 0 while a slot is free.
    pub wait_ms: u64,
    /// How long the one that has waited longest has, in milliseconds.
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
    /// Requests in flight there at most, as configured.
    pub slots: usize,
    /// And as learned; never more.
    pub slots_learned: usize,
    pub in_flight: usize,
    pub breaker: BreakerState,
    /// By its health route; routing needs this and a breaker that does not refuse.
    pub healthy: bool,
}
