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
#[error("rate limit reached: {}", scope.as_str())]
pub struct Limited {
    /// The request would be admitted after this time, unless others use the quota first.
    pub retry_after: Duration,
    pub scope: Scope,
}

/// The limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Messages of a visitor.
    Visitor,
    /// Messages of a site.
    Site,
    AddressMessages,
    NewVisitors,
    /// New visitors without a proof of work.
    FreeVisitors,
    AddressVisitors,
    Logins,
    AddressLogins,
    Refreshes,
    VisitorRefreshes,
    AddressRefreshes,
    /// New sessions of a visitor.
    VisitorSessions,
    AddressSessions,
    /// New sessions of a site.
    SiteSessions,
    /// Requests of a visitor for sessions, without the messages.
    VisitorReads,
    AddressReads,
    /// Requests for sessions of a site, without the messages.
    SiteReads,
    /// A solved challenge is used once.
    Proof,
    /// Guesses of a password. Unlike the others it has no rate: its waits grow.
    Account,
}

impl Scope {
    /// The limits that have a rate, each at the index of its number.
    pub const COUNTED: [Self; 18] = [
        Self::Visitor,
        Self::Site,
        Self::AddressMessages,
        Self::NewVisitors,
        Self::FreeVisitors,
        Self::AddressVisitors,
        Self::Logins,
        Self::AddressLogins,
        Self::Refreshes,
        Self::VisitorRefreshes,
        Self::AddressRefreshes,
        Self::VisitorSessions,
        Self::AddressSessions,
        Self::SiteSessions,
        Self::VisitorReads,
        Self::AddressReads,
        Self::SiteReads,
        Self::Proof,
    ];

    /// The label in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Site => "site",
            Self::AddressMessages => "address_messages",
            Self::NewVisitors => "new_visitors",
            Self::FreeVisitors => "free_visitors",
            Self::AddressVisitors => "address_visitors",
            Self::Logins => "logins",
            Self::AddressLogins => "address_logins",
            Self::Refreshes => "refreshes",
            Self::VisitorRefreshes => "visitor_refreshes",
            Self::AddressRefreshes => "address_refreshes",
            Self::VisitorSessions => "visitor_sessions",
            Self::AddressSessions => "address_sessions",
            Self::SiteSessions => "site_sessions",
            Self::VisitorReads => "visitor_reads",
            Self::AddressReads => "address_reads",
            Self::SiteReads => "site_reads",
            Self::Proof => "proof",
            Self::Account => "account",
        }
    }
}

/// Rounded up, because a client that retries a moment too early is refused again.
pub(super) fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}
