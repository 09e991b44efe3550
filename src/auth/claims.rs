//! The contents of tokens, as strict types: parsing fails if a claim is missing or has the wrong
//! type.

use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::{Principal, PrincipalId, Role, SiteId, Timestamp};

/// Claims of an access token. Times are seconds since the Unix epoch, as in RFC 7519.
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

/// Claims of a shop's identity token. Additional claims are ignored.
#[derive(Deserialize)]
pub struct IdentityClaims {
    pub iss: String,
    pub aud: Option<Audience>,
    pub sub: String,
    pub email: Option<String>,
    pub exp: i64,
    #[serde(default, deserialize_with = "instant")]
    pub iat: Option<i64>,
    #[serde(default, deserialize_with = "instant")]
    pub nbf: Option<i64>,
}

/// Seconds since the epoch, which may have a fraction (RFC 7519, 2). `null` is none.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let seconds = Option::<f64>::deserialize(deserializer)?;
    Ok(seconds.map(|seconds| seconds.floor() as i64))
}

/// Whom a token is for; RFC 7519 allows one name or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Several(several) => several.iter().any(|one| one == name),
        }
    }
}

/// A valid access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub principal: Principal,
    /// Without the leeway. A stream that outlives it must end.
    pub expires_at: Timestamp,
}

/// The shopper's identity according to the shop. `sub` is unique only together with the site and
/// `iss`.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    pub iss: String,
    pub sub: String,
    /// As sent by the shop; not checked.
    pub email: Option<String>,
    /// When the token was issued, or the earliest time at which it can have been if it does not say.
    pub issued_from: Timestamp,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let email = self.email.as_ref().map(|email| format!("[{} chars]", email.chars().count()));
        f.debug_struct("Identity")
            .field("iss", &self.iss)
            .field("sub", &format_args!("[{} chars]", self.sub.chars().count()))
            .field("email", &email)
            .field("issued_from", &self.issued_from)
            .finish()
    }
}
