//! `[[sites.mcp]]`: servers of the Model Context Protocol, and which of their tools a site has.

use std::{collections::BTreeSet, time::Duration};

use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    address,
    bounds::{bounds, is_tool_name},
    declaration::{Effect, Identity, Tool},
    places::{CUSTOMER, strings},
    template::Template,
};
use crate::config::{check::Check, secret::Secret, spans::millis};

const MOST_SERVERS: usize = 16;
const MOST_TOOLS: usize = 64;
/// In characters; the name of a tool stands behind it.
const LONGEST_NAME: usize = 24;

/// A server that offers tools by streamable HTTP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpServer {
    /// In front of the names of its tools.
    pub name: String,
    pub url: String,
    /// Sent as a bearer token, if there is one.
    #[serde(default)]
    pub key: Secret,
    /// Those that the site has; the others do not exist.
    #[serde(default)]
    pub tools: Vec<McpTool>,
}

/// One tool that the site allows. What is left out is what harms least.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct McpTool {
    /// As the server calls it.
    pub name: String,
    /// In place of what the server says; empty: what the server says, cleaned.
    pub description: String,
    pub identity: Identity,
    pub effect: Effect,
    /// Of name, description and schema as they were when somebody read them; empty: those that the
    /// server offers first after a start.
    pub fingerprint: String,
    /// Values that the service fills in and that no model sees; `{customer.id}` is the customer.
    pub arguments: Map<String, Value>,
    #[serde(rename = "timeout_ms", deserialize_with = "millis")]
    pub timeout: Duration,
    #[serde(rename = "cache_ms", deserialize_with = "millis")]
    pub cache: Duration,
    pub max_bytes: usize,
    pub max_calls: usize,
}

impl Default for McpTool {
    fn default() -> Self {
        let Tool { identity, effect, timeout, cache, max_bytes, max_calls, .. } = Tool::default();
        Self {
            name: String::new(),
            description: String::new(),
            identity,
            effect,
            fingerprint: String::new(),
            arguments: Map::new(),
            timeout,
            cache,
            max_bytes,
            max_calls,
        }
    }
}

impl McpTool {
    /// The name that models see: `Track-Parcel` of the server `parcels` is `parcels_track_parcel`.
    pub fn full_name(&self, server: &str) -> String {
        let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        format!("{server}_{}", self.name.chars().map(word).collect::<String>())
    }
}

/// The servers of one site, whose other tools have the names in `taken`.
pub(super) fn check(servers: &[McpServer], mut taken: BTreeSet<String>, check: &mut Check<'_>) {
    let few = servers.len() <= MOST_SERVERS;
    check.require("mcp", few, format_args!("may have at most {MOST_SERVERS} items"));
    check.unique("mcp", "name", servers, |server| &server.name);
    check.each("mcp", servers, server);
    for (at, one) in servers.iter().enumerate() {
        for tool in &one.tools {
            let name = tool.full_name(&one.name);
            let what = format_args!("`{name}` is the name of another tool");
            check.require(&format!("mcp[{at}].tools"), taken.insert(name.clone()), what);
        }
    }
}

fn server(server: &McpServer, check: &mut Check<'_>) {
    let is_name = is_tool_name(&server.name) && server.name.len() <= LONGEST_NAME;
    let what =
        format_args!("must have 1 to {LONGEST_NAME} characters of a-z, 0-9 and _, a letter first");
    check.require("name", is_name, what);
    address::base(&server.url, "url", check);
    let is_value = HeaderValue::from_str(server.key.expose()).is_ok();
    check.require("key", is_value, "has a character that a header cannot have");
    let few = server.tools.len() <= MOST_TOOLS;
    check.require("tools", few, format_args!("may have at most {MOST_TOOLS} items"));
    check.unique("tools", "name", &server.tools, |tool| &tool.name);
    check.each("tools", &server.tools, |declared, check| tool(declared, &server.name, check));
}

fn tool(tool: &McpTool, server: &str, check: &mut Check<'_>) {
    let is_name = !tool.name.is_empty()
        && tool.name.bytes().all(|byte| byte.is_ascii_graphic())
        && is_tool_name(&tool.full_name(server));
    let what =
        "must be the server's name of the tool, at most 64 characters with that of the server";
    check.require("name", is_name, what);
    check.require(
        "effect",
        tool.effect == Effect::Read,
        "must be \"read\": MCP cannot tell what became of a call whose answer was lost, so no \
         change is made over it",
    );
    let is_print = tool.fingerprint.is_empty()
        || tool.fingerprint.len() == 32
            && tool.fingerprint.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    check.require("fingerprint", is_print, "must be what `rushdesk tools check` prints");
    for text in strings(&Value::Object(tool.arguments.clone())) {
        match Template::parse(&text) {
            Ok(template) => {
                let known = template.places().all(|place| place == CUSTOMER);
                let what = format_args!("may have no other place than {{{CUSTOMER}}}");
                check.require("arguments", known, what);
                let told =
                    template.places().next().is_none() || tool.identity == Identity::Customer;
                let what = format_args!("{{{CUSTOMER}}} needs identity = \"customer\"");
                check.require("arguments", told, what);
            }
            Err(fault) => check.require("arguments", false, fault),
        }
    }
    bounds(tool.timeout, tool.cache, tool.max_bytes, tool.max_calls, check);
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::{assert_faults, load};

    const SITE: &str = "[[sites]]\nid = \"shop\"\nname = \"S\"\nsite_key = \"pk_s\"\n\
         shop = { url = \"https://shop.example/api\" }\n\
         [[sites.mcp]]\nname = \"parcels\"\nurl = \"https://parcels.example/mcp\"\n";

    fn fault(tools: &str, expected: &str) {
        assert_faults(&format!("{SITE}tools = [{tools}]\n"), &[], &[expected]);
    }

    #[test]
    fn a_tool_of_a_server_has_the_name_of_the_server_in_front() {
        let tools = "{ name = \"Track-Parcel\", effect = \"read\" }";
        let config = load(&format!("{SITE}tools = [{tools}]\n"), &[]).unwrap();
        let server = &config.sites[0].mcp[0];
        assert_eq!(server.tools[0].full_name(&server.name), "parcels_track_parcel");
        assert_eq!(server.tools[0].identity, crate::config::Identity::Customer, "the strictest");
    }

    #[test]
    fn each_fault_of_a_server_says_what_to_do() {
        fault("{ name = \"a\" }", "sites[0].mcp[0].tools[0].effect: must be \"read\": MCP cannot");
        fault("{ name = \"a\", effect = \"write\" }", "sites[0].mcp[0].tools[0].effect");
        fault("{ name = \"a b\", effect = \"read\" }", "sites[0].mcp[0].tools[0].name");
        fault(
            "{ name = \"a\", effect = \"read\", fingerprint = \"abc\" }",
            "sites[0].mcp[0].tools[0].fingerprint",
        );
        fault(
            "{ name = \"a\", effect = \"read\", arguments = { id = \"{customer_id}\" } }",
            "sites[0].mcp[0].tools[0].arguments: may have no other place",
        );
        fault(
            "{ name = \"a\", effect = \"read\", identity = \"nobody\", arguments = { id = \"{customer.id}\" } }",
            "sites[0].mcp[0].tools[0].arguments: {customer.id} needs",
        );
        fault(
            "{ name = \"a\", effect = \"read\", timeout_ms = 90000 }",
            "sites[0].mcp[0].tools[0].timeout_ms",
        );
        fault(
            "{ name = \"a-b\", effect = \"read\" }, { name = \"a_b\", effect = \"read\" }",
            "sites[0].mcp[0].tools: `parcels_a_b` is the name of another tool",
        );
        let shadows = SITE.replace("\"parcels\"", "\"order\"");
        let file = format!("{shadows}tools = [{{ name = \"status\", effect = \"read\" }}]\n");
        let expected = "sites[0].mcp[0].tools: `order_status` is the name of another tool";
        assert_faults(&file, &[], &[expected]);
        for url in ["parcels.example", "file:///x", "https://u:p@parcels.example/mcp"] {
            let file = SITE.replace("https://parcels.example/mcp", url);
            assert_faults(&file, &[], &["sites[0].mcp[0].url: must"]);
        }
    }
}
