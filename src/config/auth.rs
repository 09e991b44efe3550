//! `[auth]`: tokens, passwords, and the identity providers of a shop's staff.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{
    address::is_safe,
    check::{Check, Section},
    secret::Secret,
    spans::seconds,
};
use crate::domain::SiteId;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub jwt_secret: Secret,
    pub jwt_secret_file: PathBuf,
    pub issuer: String,
    pub audience: String,
    #[serde(rename = "access_ttl_s", deserialize_with = "seconds")]
    pub access_ttl: Duration,
    #[serde(rename = "refresh_ttl_s", deserialize_with = "seconds")]
    pub refresh_ttl: Duration,
    #[serde(rename = "reset_ttl_s", deserialize_with = "seconds")]
    pub reset_ttl: Duration,
    pub password_workers: usize,
    pub operator_sites: Vec<SiteId>,
    #[serde(default)]
    pub oidc: Vec<Oidc>,
}

/// An identity provider whose users are staff of a site.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    pub site: SiteId,
    pub issuer: String,
    pub audience: String,
    pub jwks_url: String,
    pub role_claim: String,
    #[serde(default)]
    pub admin: Vec<String>,
    #[serde(default)]
    pub agent: Vec<String>,
}

impl Auth {
    /// Whether a signing secret is configured.
    pub(super) fn signs(&self) -> bool {
        self.has_file() || !self.jwt_secret.is_empty()
    }

    fn has_file(&self) -> bool {
        !self.jwt_secret_file.as_os_str().is_empty()
    }
}

impl Section for Auth {
    fn check(&self, check: &mut Check<'_>) {
        let secret = self.jwt_secret.expose();
        check.require(
            "jwt_secret_file",
            secret.is_empty() || !self.has_file(),
            "give either it or auth.jwt_secret",
        );
        check.require(
            "jwt_secret",
            secret.is_empty() || secret.len() >= 32,
            "must have at least 32 bytes; `openssl rand -hex 32` makes one",
        );
        check.require(
            "jwt_secret",
            !["change", "example", "secret-secret"].iter().any(|word| secret.contains(word)),
            "is an example; `openssl rand -hex 32` makes a real one",
        );
        check.not_zero("reset_ttl_s", self.reset_ttl);
        check.not_zero("password_workers", self.password_workers);
        check.each("oidc", &self.oidc, Oidc::check);
        check.unique("oidc", "issuer", &self.oidc, |provider| &provider.issuer);
    }
}

impl Oidc {
    fn check(&self, check: &mut Check<'_>) {
        check.require(
            "issuer",
            !self.issuer.is_empty(),
            "must be the `iss` of the provider's tokens",
        );
        check.require(
            "audience",
            !self.audience.is_empty(),
            "must be an `aud` that only tokens for this service have",
        );
        check.require(
            "jwks_url",
            is_safe(&self.jwks_url),
            "must be an https:// address, or http:// on this machine",
        );
        check.require(
            "role_claim",
            !self.role_claim.is_empty(),
            "must name the claim that holds a person's roles",
        );
        check.require(
            "agent",
            !(self.admin.is_empty() && self.agent.is_empty()),
            "give values of `role_claim` for `agent`, `admin` or both",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::assert_faults;

    #[test]
    fn a_secret_is_long_no_example_and_given_once() {
        assert_faults("[auth]\njwt_secret = \"short\"", &[], &["auth.jwt_secret"]);
        let example = "[auth]\njwt_secret = \"please-change-this-secret-before-you-start\"";
        assert_faults(example, &[], &["auth.jwt_secret"]);
        let twice = [("RUSHDESK__AUTH__JWT_SECRET", "0123456789abcdef0123456789abcdef")];
        assert_faults("[auth]\njwt_secret_file = \"keys\"", &twice, &["auth.jwt_secret_file"]);
    }

    #[test]
    fn every_fault_of_every_provider_is_reported() {
        let provider = "[[auth.oidc]]\nsite = \"demo\"\nissuer = \"i\"\naudience = \"\"\n\
             jwks_url = \"http://id.example\"\nrole_claim = \"\"\n";
        let keys = [
            "auth.oidc[0].audience",
            "auth.oidc[0].jwks_url",
            "auth.oidc[0].role_claim",
            "auth.oidc[0].agent",
            "auth.oidc[1].audience",
            "auth.oidc[1].jwks_url",
            "auth.oidc[1].role_claim",
            "auth.oidc[1].agent",
            "auth.oidc[1].issuer: `i` is used twice",
        ];
        assert_faults(&format!("{provider}{provider}"), &[], &keys);
    }
}
