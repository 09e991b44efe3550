//! What tokens say, as strict types: a missing claim or one of the wrong type does not parse.

use serde::{Deserialize, Serialize};

use crate::domain::{Principal, PrincipalId, Role, SiteId, Timestamp};

/// Claims of an access token. Times are seconds since the Unix epoch, as RFC 7519 has them.
#[derive(Serialize, Deserialize)]
pub struct AccessClaims {
    pub iss: String,
    pub aud: String,
    pub sub: PrincipalId,
    pub site: SiteId,
    pub role: Role,
    pub iat: i64,
    pub exp: i64,
    pub jti: String,
}

/// Claims of a shop's identity token; the shop may add others, which are ignored.
#[derive(Deserialize)]
pub struct IdentityClaims {
    pub iss: String,
    pub sub: String,
    pub email: Option<String>,
    pub exp: i64,
}

/// An access token that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub principal: Principal,
    /// Without the leeway: a stream that outlives it must end.
    pub expires_at: Timestamp,
}

/// Who a shop says that its shopper is. `sub` is unique only together with the site and `iss`.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    pub iss: String,
    pub sub: String,
    /// As the shop wrote it; not checked.
    pub email: Option<String>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let email = self.email.as_ref().map(|email| format!("[{} chars]", email.chars().count()));
        f.debug_struct("Identity")
            .field("iss", &self.iss)
            .field("sub", &format_args!("[{} chars]", self.sub.chars().count()))
            .field("email", &email)
            .finish()
    }
}
