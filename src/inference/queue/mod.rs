//! Which requests wait for a slot, and which is next: plain state, without an actor or a clock of
//! its own.
//!
//! Lanes share the slots by configured weights (`shares`). A lane is fair between sites, then
//! between the parties of a site, and orders the requests of one party by earliest deadline
//! ([`line`]). A party is a block of addresses, or a visitor whose address is not known. The queue
//! is bounded by entries, by tokens, per visitor and per block of addresses. A request that cannot
//! be in time by the forecast is refused at once; a waiting request is refused when the forecast
//! turns against it. When the queue is full, the lane most over its share loses an entry, from its
//! site with the most entries.
//!
//! Never: an entry over the bounds after a method returned, an entry granted after its deadline or
//! after its receiver is gone, or a method that visits more than a bounded number of entries.

mod arrivals;
mod entries;
mod line;
mod ring;
mod shares;
mod standing;
#[cfg(test)]
mod tests;
mod waiting;

pub use self::{
    entries::{Dismissed, Entry},
    waiting::{Bounds, Next, Place, Queue},
};
