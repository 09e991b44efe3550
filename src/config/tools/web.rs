//! `sites.web_search`: a private search of the web, which becomes a tool like the others.

use std::{collections::BTreeMap, time::Duration};

use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::json;

use super::{
    address,
    declaration::{Effect, Identity, Tool},
};
use crate::config::{check::Check, secret::Secret};

pub(super) const NAME: &str = "web_search";
const MOST: usize = 10;

/// A server with the interface of SearXNG: `GET /search?q=…&format=json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebSearch {
    /// Base address, without a `/` at its end.
    pub url: String,
    /// Sent as a bearer token, if there is one.
    #[serde(default)]
    pub key: Secret,
    /// Of one search.
    #[serde(default = "five")]
    pub results: usize,
}

const fn five() -> usize {
    5
}

impl WebSearch {
    pub(super) fn tool(&self) -> Tool {
        let bearer = || {
            let bearer = Secret::new(format!("Bearer {}", self.key.expose()));
            ("authorization".to_owned(), bearer)
        };
        let pairs = [("q", "{query}"), ("format", "json"), ("safesearch", "1")];
        Tool {
            name: NAME.to_owned(),
            description:
                "Searches the public web. Use it only if neither the passages nor another \
                          tool has the answer. The query must not name people."
                    .to_owned(),
            parameters: json!({"type": "object", "required": ["query"], "properties": {
                "query": {"type": "string", "minLength": 2, "maxLength": 200, "description": "A few words."}
            }}),
            identity: Identity::Nobody,
            effect: Effect::Read,
            url: format!("{}/search", self.url.trim_end_matches('/')),
            query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            headers: BTreeMap::from_iter((!self.key.is_empty()).then(bearer)),
            cache: Duration::from_secs(30),
            max_bytes: 1_048_576,
            web_results: Some(self.results),
            ..Tool::default()
        }
    }

    pub(super) fn check(&self, check: &mut Check<'_>) {
        address::base(&self.url, "web_search.url", check);
        let is_value = HeaderValue::from_str(self.key.expose()).is_ok();
        check.require("web_search.key", is_value, "has a character that a header cannot have");
        let few = (1..=MOST).contains(&self.results);
        check.require("web_search.results", few, format_args!("must lie between 1 and {MOST}"));
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::{assert_faults, load};

    const SITE: &str = "[[sites]]\nid = \"shop\"\nname = \"S\"\nsite_key = \"pk_s\"\n";

    #[test]
    fn a_site_searches_the_web_only_if_it_says_where() {
        assert!(load(SITE, &[]).unwrap().sites[0].all_tools().is_empty());
        let file = format!("{SITE}web_search = {{ url = \"https://search.example/\" }}\n");
        let tools = load(&file, &[]).unwrap().sites[0].all_tools();
        assert_eq!(tools[0].url, "https://search.example/search");
        assert_eq!(tools[0].web_results, Some(5));
    }

    #[test]
    fn a_declared_tool_cannot_pass_for_a_search_of_the_web() {
        let rest = "description = \"d\", effect = \"read\", url = \"https://a.example/\"";
        let file = format!("{SITE}tools = [{{ name = \"a\", {rest}, web_results = 3 }}]\n");
        assert_faults(&file, &[], &["sites[0].tools[0].web_results: unknown key"]);
        for (search, fault) in [
            ("url = \"search.example\"", "sites[0].web_search.url: must"),
            ("url = \"https://a.example\", results = 0", "sites[0].web_search.results: must lie"),
            ("url = \"http://10.0.0.1\"", "sites[0].web_search.url: is a private"),
        ] {
            assert_faults(&format!("{SITE}web_search = {{ {search} }}\n"), &[], &[fault]);
        }
    }
}
