//! What a request counts for: the limits that it takes from, and the names of their counters.

use super::quota::Scope;
use crate::domain::{AddressBlock, PrincipalId, SiteId};

/// One request of a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub scope: Scope,
    /// The counter. What stands in braces is the same for all claims of one request, so that they
    /// share a slot of a Redis cluster.
    pub name: String,
}

/// What tokens are asked for. Each has budgets of its own, so a flood of one leaves the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// A new visitor.
    Visitors,
    /// A sign-in, a registration, an identity token, or a new password.
    Logins,
    Refreshes,
}

impl Claim {
    fn new(scope: Scope, owner: impl std::fmt::Display, name: &str) -> Self {
        Self { scope, name: format!("{{limits:{owner}}}:{name}") }
    }

    /// A message: of the visitor, of the block of addresses if it is known, and of the site. The
    /// site comes last, so a refused visitor does not use it up.
    pub fn message(site: &SiteId, visitor: PrincipalId, from: Option<AddressBlock>) -> Vec<Self> {
        let mut claims = vec![Self::new(Scope::Visitor, site, &format!("v:{visitor}"))];
        claims.extend(
            from.map(|from| Self::new(Scope::AddressMessages, site, &format!("a:{}", from.name()))),
        );
        claims.push(Self::new(Scope::Site, site, "messages"));
        claims
    }

    /// A new session: of the visitor and the block of addresses if they are known, and of the site.
    pub fn session(
        site: &SiteId,
        visitor: Option<PrincipalId>,
        from: Option<AddressBlock>,
    ) -> Vec<Self> {
        let of_visitor = visitor.map(|id| (Scope::VisitorSessions, format!("s:{id}")));
        let of_address = from.map(|from| (Scope::AddressSessions, format!("sa:{}", from.name())));
        let of_site = Some((Scope::SiteSessions, "sessions".to_owned()));
        Self::all(site, [of_visitor, of_address, of_site])
    }

    /// A request for a session that is there: as for a new one.
    pub fn read(
        site: &SiteId,
        visitor: Option<PrincipalId>,
        from: Option<AddressBlock>,
    ) -> Vec<Self> {
        let of_visitor = visitor.map(|id| (Scope::VisitorReads, format!("g:{id}")));
        let of_address = from.map(|from| (Scope::AddressReads, format!("ga:{}", from.name())));
        let of_site = Some((Scope::SiteReads, "reads".to_owned()));
        Self::all(site, [of_visitor, of_address, of_site])
    }

    fn all(site: &SiteId, claims: [Option<(Scope, String)>; 3]) -> Vec<Self> {
        let claims = claims.into_iter().flatten();
        claims.map(|(scope, name)| Self::new(scope, site, &name)).collect()
    }

    /// A request for tokens, of a block of addresses. It counts before the body is read, so it
    /// names no site.
    pub fn of_address(budget: Budget, from: AddressBlock) -> Self {
        let (scope, name) = match budget {
            Budget::Visitors => (Scope::AddressVisitors, "visitors"),
            Budget::Logins => (Scope::AddressLogins, "logins"),
            Budget::Refreshes => (Scope::AddressRefreshes, "refreshes"),
        };
        Self::new(scope, from.name(), name)
    }

    /// A request for tokens, of a site.
    pub fn of_site(budget: Budget, site: &SiteId) -> Self {
        let (scope, name) = match budget {
            Budget::Visitors => (Scope::NewVisitors, "visitors"),
            Budget::Logins => (Scope::Logins, "logins"),
            Budget::Refreshes => (Scope::Refreshes, "refreshes"),
        };
        Self::new(scope, site, name)
    }

    /// A new visitor without a proof of work.
    pub fn free_visitor(site: &SiteId) -> Self {
        Self::new(Scope::FreeVisitors, site, "free")
    }

    /// A refresh, of the principal.
    pub fn refresh(site: &SiteId, of: PrincipalId) -> Self {
        Self::new(Scope::VisitorRefreshes, site, &format!("r:{of}"))
    }

    /// The use of a solved challenge.
    pub fn proof(site: &SiteId, id: &str) -> Self {
        Self::new(Scope::Proof, site, &format!("p:{id}"))
    }
}
