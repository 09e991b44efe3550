//! The cache's telemetry. Label sets are closed.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use super::{Disagreement, NotCacheable};
use crate::domain::CacheTier;

/// Registers what the metrics mean.
pub fn describe() {
    describe_counter!("rushdesk_cache_lookups_total", "Look-ups by tier and result (hit, miss)");
    describe_counter!(
        "rushdesk_cache_guarded_total",
        "Similar questions that a guard kept apart, by guard"
    );
    describe_counter!(
        "rushdesk_cache_refused_total",
        "Questions and answers kept out of the cache, by reason"
    );
    describe_counter!("rushdesk_cache_removed_total", "Entries that left, by reason");
    describe_counter!(
        "rushdesk_cache_foreign_vectors_total",
        "Vectors refused because another embedder made them"
    );
    describe_gauge!("rushdesk_cache_entries", "Entries held by this process");
    describe_gauge!(
        "rushdesk_cache_bytes",
        "Memory of the entries held by this process, estimated"
    );
    describe_gauge!(
        "rushdesk_cache_replication_connected",
        "1 while this process follows the shared log"
    );
    describe_counter!("rushdesk_cache_replicated_total", "Changes by direction (sent, received)");
    describe_counter!(
        "rushdesk_cache_replication_dropped_total",
        "Entries not shared because Redis was away too long"
    );
    describe_counter!("rushdesk_cache_reloads_total", "Times the whole shared cache was read");
    describe_counter!(
        "rushdesk_flights_total",
        "Questions that asked to fly, by role (lead, follow, alone, kindred)"
    );
}

/// Counts a question or an answer that stayed out of the cache.
pub fn refused(why: NotCacheable) {
    counter!("rushdesk_cache_refused_total", "reason" => why.as_str()).increment(1);
}

/// Why an entry left.
#[derive(Clone, Copy)]
pub(super) enum Gone {
    Expired,
    Evicted,
    Replaced,
    Purged,
    Distrusted,
    Reloaded,
}

pub(super) fn gone(why: Gone) {
    let reason = match why {
        Gone::Expired => "expired",
        Gone::Evicted => "evicted",
        Gone::Replaced => "replaced",
        Gone::Purged => "purged",
        Gone::Distrusted => "distrusted",
        Gone::Reloaded => "reloaded",
    };
    counter!("rushdesk_cache_removed_total", "reason" => reason).increment(1);
}

pub(super) fn looked_up(tier: CacheTier, hit: bool) {
    let tier = match tier {
        CacheTier::Exact => "exact",
        CacheTier::Semantic => "semantic",
    };
    let result = if hit { "hit" } else { "miss" };
    counter!("rushdesk_cache_lookups_total", "tier" => tier, "result" => result).increment(1);
}

pub(super) fn guarded(why: Disagreement) {
    counter!("rushdesk_cache_guarded_total", "guard" => why.as_str()).increment(1);
}

pub(super) fn foreign_vector() {
    counter!("rushdesk_cache_foreign_vectors_total").increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub(super) fn size(entries: usize, bytes: usize) {
    gauge!("rushdesk_cache_entries").set(entries as f64);
    gauge!("rushdesk_cache_bytes").set(bytes as f64);
}

pub(super) fn connected(connected: bool) {
    gauge!("rushdesk_cache_replication_connected").set(f64::from(u8::from(connected)));
}

pub(super) fn sent(changes: u64) {
    counter!("rushdesk_cache_replicated_total", "direction" => "sent").increment(changes);
}

pub(super) fn received(changes: u64) {
    counter!("rushdesk_cache_replicated_total", "direction" => "received").increment(changes);
}

pub(super) fn dropped() {
    counter!("rushdesk_cache_replication_dropped_total").increment(1);
}

pub(super) fn reloaded() {
    counter!("rushdesk_cache_reloads_total").increment(1);
}

pub(super) fn flew(role: &'static str) {
    counter!("rushdesk_flights_total", "role" => role).increment(1);
}
