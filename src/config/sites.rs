//! `[[sites]]`: the shops that this service serves.

use serde::Deserialize;

use super::{
    assistants::{self, Assistant},
    check::{Check, Section},
    hours::Hours,
    origin::OriginPattern,
    secret::Secret,
    tools::{self, McpServer, Shop, Tool, WebSearch},
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
    /// Names of brands and products that the pages of the site do not have; see `guard::Shop`.
    #[serde(default)]
    pub own_names: Vec<String>,
    /// When the people of the shop are there.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// The language of documents without a locale; English, if there is none.
    #[serde(default)]
    pub language: Option<String>,
    #[serde(default)]
    pub identity_secret: Secret,
    /// See `assistant::Catalog`.
    #[serde(default = "topic_confidence")]
    pub topic_confidence: f32,
    #[serde(default)]
    pub assistants: Vec<Assistant>,
    /// Brings the built-in tools.
    #[serde(default)]
    pub shop: Option<Shop>,
    /// As declared; [`Site::all_tools`] has those that are used.
    #[serde(default)]
    pub tools: Vec<Tool>,
    #[serde(default)]
    pub mcp: Vec<McpServer>,
    /// Brings the tool that searches the web.
    #[serde(default)]
    pub web_search: Option<WebSearch>,
}

/// Of messages that no answer fits, about one in twenty is above it (`make eval-routing`).
pub const fn topic_confidence() -> f32 {
    0.85
}

impl Section for Vec<Site> {
    fn check(&self, check: &mut Check<'_>) {
        check.each("", self, Site::check);
        check.unique("", "id", self, |site| site.id.as_str());
        check.unique("", "site_key", self, |site| &site.site_key);
    }
}

impl Site {
    /// A site with the defaults of the configuration.
    pub fn new(id: SiteId, name: &str, site_key: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            site_key: site_key.to_owned(),
            allowed_origins: Vec::new(),
            number_formats: Vec::new(),
            own_names: Vec::new(),
            hours: None,
            language: None,
            identity_secret: Secret::default(),
            topic_confidence: topic_confidence(),
            assistants: Vec::new(),
            shop: None,
            tools: Vec::new(),
            mcp: Vec::new(),
            web_search: None,
        }
    }

    /// The tools of the site: the built-in ones of its shop, and its own.
    pub fn all_tools(&self) -> Vec<Tool> {
        tools::all(&self.tools, self.shop.as_ref(), self.web_search.as_ref())
    }

    /// The calls of the site's shop that send and check one-time codes.
    pub fn hooks(&self) -> Vec<Tool> {
        self.shop.as_ref().map(tools::hooks).unwrap_or_default()
    }

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
        if let Some(Err(fault)) = self.hours.as_ref().map(Hours::read) {
            check.require("hours", false, fault);
        }
        check.between_0_and_1("topic_confidence", self.topic_confidence);
        assistants::check(&self.assistants, check);
        tools::declared(
            &self.tools,
            self.shop.as_ref(),
            self.web_search.as_ref(),
            &self.mcp,
            check,
        );
        let named = |name: &String| name.chars().any(char::is_alphabetic);
        check.require("own_names", self.own_names.iter().all(named), "must have letters");
        let is_tag = |tag: &str| {
            tag.len() <= 35
                && tag.split('-').all(|part| (1..=8).contains(&part.len()))
                && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        check.require(
            "language",
            self.language.as_deref().is_none_or(is_tag),
            "must be a language tag such as `en` or `de-AT`",
        );
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
             own_names = [\"Rose\", \"-\"]\n\
             {site}identity_secret = \"short\"\ntopic_confidence = 2.0\n\
             assistants = [{{name=\"\", topics=[\"returns\"], temperature=3.0}}, {{name=\"b\", topics=[\"returns\"]}}, \
             {{name=\"b\", topics=[]}}]\n"
        );
        let keys = [
            "sites[0].site_key: must",
            "sites[0].allowed_origins",
            "sites[0].number_formats: `################` has only digits",
            "sites[0].own_names: must",
            "sites[1].site_key: must",
            "sites[1].topic_confidence: must lie",
            "sites[1].assistants[0].name: must",
            "sites[1].assistants[0].temperature: must lie",
            "sites[1].assistants[2].topics: must",
            "sites[1].assistants[2].name: `b` is used twice",
            "sites[1].assistants: `returns` has two",
            "sites[1].identity_secret",
            "sites[1].id: `shop` is used twice",
            "sites[1].site_key: `pk` is used twice",
        ];
        assert_faults(&file, &[], &keys);
    }
}
