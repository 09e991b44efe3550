//! The metrics of the cache. Label sets are closed.

use metrics::{counter, gauge};

use super::question::{Disagreement, NotCacheable};
use crate::{
    domain::{CacheTier, Usage},
    telemetry::declare,
};

declare! {
    LOOKUPS: counter "rushdesk_cache_lookups_total" ["tier", "result"]
        "Look-ups by tier (`exact`, `semantic`) and result (`hit`, `miss`)";
    SAVED: counter "rushdesk_cache_saved_tokens_total" ["kind"]
        "Model tokens that hits saved, `prompt` or `completion`, as counted when the answer was generated"
        when "after the first hit on an answer of a model that counts its tokens";
    WRONG: counter "rushdesk_cache_wrong_hits_total" ["tier"]
        "Hits that were rated down; most shoppers do not rate, and one may rate twice"
        when "after the first";
    GUARDED: counter "rushdesk_cache_guarded_total" ["guard"]
        "Similar questions that did not share an answer, by the guard that refused" when "after the first";
    REFUSED: counter "rushdesk_cache_refused_total" ["reason"]
        "Answers that were not cached, by reason" when "after the first";
    REMOVED: counter "rushdesk_cache_removed_total" ["reason"]
        "Entries removed, by reason" when "after the first";
    FOREIGN: counter "rushdesk_cache_foreign_vectors_total" []
        "Vectors of another embedding model that were refused";
    VOTES: counter "rushdesk_cache_votes_total" ["result"]
        "New answers to shareable questions: `first` waits for confirmation, `confirmed` still waits, `shared` serves others from now on, `repeated` is of a visitor who adds nothing, `quota` of one who brought in as many entries as one may"
        when "after the first";
    DOUBTS: counter "rushdesk_cache_doubts_total" []
        "Cached answers that a visitor rated down, or after which they repeated their question";
    ENTRIES: gauge "rushdesk_cache_entries" [] "Entries in the cache of this process"
        when "after the first entry";
    WAITING: gauge "rushdesk_cache_unconfirmed_entries" []
        "Entries among them that wait for confirmation and are not served"
        when "after the first entry";
    BYTES: gauge "rushdesk_cache_bytes" [] "Estimated memory of the entries"
        when "after the first entry";
    CONNECTED: gauge "rushdesk_cache_replication_connected" []
        "1 if this process reads the shared log of the cache" when "in distributed mode";
    REPLICATED: counter "rushdesk_cache_replicated_total" ["direction"]
        "Changes `sent` or `received`" when "in distributed mode, after the first";
    DROPPED: counter "rushdesk_cache_replication_dropped_total" []
        "Entries not shared because Redis was unreachable too long";
    RELOADS: counter "rushdesk_cache_reloads_total" [] "Times that the whole shared cache was read";
    FLIGHTS: counter "rushdesk_flights_total" ["role"]
        "Questions by their part in a shared generation: `lead`, `follow` (same words), `similar` (same meaning), or `alone`";
}

/// Counts a question or an answer that stayed out of the cache.
pub fn refused(why: NotCacheable) {
    counter!(REFUSED, "reason" => why.as_str()).increment(1);
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
    counter!(REMOVED, "reason" => reason).increment(1);
}

pub(super) fn looked_up(tier: CacheTier, hit: bool) {
    let tier = label(tier);
    let result = if hit { "hit" } else { "miss" };
    counter!(LOOKUPS, "tier" => tier, "result" => result).increment(1);
}

pub(super) fn voted(result: &'static str) {
    counter!(VOTES, "result" => result).increment(1);
}

pub(super) fn doubted() {
    counter!(DOUBTS).increment(1);
}

/// A hit saved these tokens.
pub fn saved(usage: Usage) {
    counter!(SAVED, "kind" => "prompt").increment(usage.prompt_tokens.into());
    counter!(SAVED, "kind" => "completion").increment(usage.completion_tokens.into());
}

/// A shopper rated an answer from this tier down.
pub fn wrong(tier: CacheTier) {
    counter!(WRONG, "tier" => label(tier)).increment(1);
}

const fn label(tier: CacheTier) -> &'static str {
    match tier {
        CacheTier::Exact => "exact",
        CacheTier::Semantic => "semantic",
    }
}

pub(super) fn guarded(why: Disagreement) {
    counter!(GUARDED, "guard" => why.as_str()).increment(1);
}

pub(super) fn foreign_vector() {
    counter!(FOREIGN).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub(super) fn size(entries: usize, waiting: usize, bytes: usize) {
    gauge!(ENTRIES).set(entries as f64);
    gauge!(WAITING).set(waiting as f64);
    gauge!(BYTES).set(bytes as f64);
}

pub(super) fn connected(connected: bool) {
    gauge!(CONNECTED).set(f64::from(u8::from(connected)));
}

pub(super) fn sent(changes: u64) {
    counter!(REPLICATED, "direction" => "sent").increment(changes);
}

pub(super) fn received(changes: u64) {
    counter!(REPLICATED, "direction" => "received").increment(changes);
}

pub(super) fn dropped() {
    counter!(DROPPED).increment(1);
}

pub(super) fn reloaded() {
    counter!(RELOADS).increment(1);
}

pub(super) fn flew(role: &'static str) {
    counter!(FLIGHTS, "role" => role).increment(1);
}
