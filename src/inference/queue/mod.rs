//! Who waits for a slot, and who is next: plain state, no actor, no clock of its own.
//!
//! Lanes by need share the slots (`shares`); inside a lane it is fair between sites, then between
//! the visitors of a site, and the requests of one visitor go by earliest deadline ([`line`]).
//! Bounded by entries, by tokens and for each visitor. A request that by the forecast cannot be in
//! time is refused at once, and so is one that waits when the forecast turns against it. When the
//! queue is full the lane that is most over its share gives way, and in it the greediest site.
//!
//! Never: an entry beyond the bounds after a verb returned, an entry handed out whose deadline
//! passed or whose receiver is gone, a verb that looks at more than a bounded number of entries.

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
