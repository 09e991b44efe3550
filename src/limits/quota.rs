//! The rest of a quota, and a refusal.

use std::time::Duration;

/// The rest of a visitor's quota. It fills the headers of
/// [draft-ietf-httpapi-ratelimit-headers](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/)
/// in their form since revision 08 (structured fields, one item for each policy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests in a full quota.
    pub limit: u32,
    pub remaining: u32,
    /// Time until the quota is full again without further requests.
    pub reset: Duration,
    /// Value of the `RateLimit-Policy` header: `"visitor";q=20;w=720` means 20 requests in 720
    /// seconds.
    pub policy: String,
}

impl Quota {
    /// Value of the `RateLimit` header: `"visitor";r=19;t=36`.
    pub fn header(&self) -> String {
        let seconds = whole_seconds(self.reset);
        format!("\"{}\";r={};t={seconds}", Scope::Visitor.as_str(), self.remaining)
    }
}

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate limit of the {} reached", scope.as_str())]
pub struct Limited {
    /// The request would be admitted after this time, unless others use the quota first.
    pub retry_after: Duration,
    pub scope: Scope,
}

/// The limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Visitor,
    Site,
    Logins,
}

impl Scope {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Site => "site",
            Self::Logins => "logins",
        }
    }
}

/// Rounded up, because a client that retries a moment too early is refused again.
pub(super) fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}
