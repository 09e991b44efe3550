//! HTTP clients for addresses that are not model backends. A response is bounded in time and size,
//! and comes from the requested address, since redirects are not followed.

mod fetcher;
mod outbound;
mod resolver;
#[cfg(test)]
mod tests;

pub use self::{
    fetcher::{FetchError, Fetcher},
    outbound::{Answer, Outbound, OutboundError, Reply, Wanted, media_type},
    resolver::Reach,
};
