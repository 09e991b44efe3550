//! `[[sites]]`: the shops that this service serves.

use serde::Deserialize;

use super::{
    check::{Check, Section},
    origin::OriginPattern,
    secret::Secret,
};
use crate::domain::{NumberFormats, SiteId};

/// The site that the embedded mode creates.
pub const DEMO_SITE: &str = "demo";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    pub id: SiteId,
    pub name: String,
    pub site_key: String,
    #[serde(default)]
    /// Each as [`OriginPattern::parse`] reads it.
    pub allowed_origins: Vec<String>,
    /// Of the shop's own numbers; see `domain::NumberFormats`.
    #[serde(default)]
    pub number_formats: Vec<String>,
    #[serde(default)]
    pub identity_secret: Secret,
}

impl Section for Vec<Site> {
    fn check(&self, check: &mut Check<'_>) {
        check.each("", self, Site::check);
        check.unique("", "id", self, |site| site.id.as_str());
        check.unique("", "site_key", self, |site| &site.site_key);
    }
}

impl Site {
    fn check(&self, check: &mut Check<'_>) {
        check.require("site_key", self.site_key.len() >= 4, "must have at least 4 characters");
        for origin in &self.allowed_origins {
            if let Err(fault) = OriginPattern::parse(origin) {
                check.require("allowed_origins", false, format_args!("`{origin}` {fault}"));
            }
        }
        for format in &self.number_formats {
            if let Err(fault) = NumberFormats::new([format.as_str()]) {
                check.require("number_formats", false, format_args!("`{format}` {fault}"));
            }
        }
        let secret = self.identity_secret.expose();
        check.require(
            "identity_secret",
            secret.is_empty() || secret.len() >= 32,
            "must have at least 32 bytes",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::assert_faults;

    #[test]
    fn every_fault_of_every_site_is_reported() {
        let site = "[[sites]]\nid = \"shop\"\nname = \"S\"\nsite_key = \"pk\"\n";
        let file = format!(
            "{site}allowed_origins = [\"https://a.example\", \"b.example\"]\n\
             number_formats = [\"FJ-######\", \"################\"]\n\
             {site}identity_secret = \"short\"\n"
        );
        let keys = [
            "sites[0].site_key: must",
            "sites[0].allowed_origins",
            "sites[0].number_formats: `################` has only digits",
            "sites[1].site_key: must",
            "sites[1].identity_secret",
            "sites[1].id: `shop` is used twice",
            "sites[1].site_key: `pk` is used twice",
        ];
        assert_faults(&file, &[], &keys);
    }
}
