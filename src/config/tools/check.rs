//! What is wrong with a declaration. Every fault says what to do.

use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};

use super::{
    address,
    builtin::is_built_in,
    declaration::{Effect, Identity, Method, Shop, Tool},
    places,
    schema::{self, Parameters},
    template::Template,
};
use crate::config::check::Check;

const MOST: usize = 64;
const DESCRIPTION_CHARS: usize = 1_000;
const LONGEST_CALL: Duration = Duration::from_secs(30);
/// A result may be of a person who asks to be erased.
const LONGEST_CACHE: Duration = Duration::from_secs(60);
const MOST_BYTES: usize = 1_048_576;
const KEY: &str = "key";
/// The argument that names the order of a tool of level `order`. Wrong guesses are counted by it.
const ORDER: &str = "order_number";

/// Headers that the service sets itself, or that would change what a request is.
const OWN_HEADERS: [&str; 15] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "te",
    "transfer-encoding",
    "upgrade",
    "x-customer-id",
    "x-order-email",
    "x-order-postcode",
    "x-request-id",
];

/// The tools of one site.
pub(in crate::config) fn declared(tools: &[Tool], shop: Option<&Shop>, check: &mut Check<'_>) {
    if let Some(shop) = shop {
        address::base(&shop.url, "shop.url", check);
        let is_value = HeaderValue::from_str(shop.key.expose()).is_ok();
        check.require("shop.key", is_value, "has a character that a header cannot have");
    }
    check.require("tools", tools.len() <= MOST, format_args!("may have at most {MOST} items"));
    check.unique("tools", "name", tools, |tool| &tool.name);
    check.each("tools", tools, |declared, check| match declared.enabled {
        true => tool(declared, check),
        false => check.require(
            "name",
            shop.is_some() && is_built_in(&declared.name),
            "only a built-in tool of a site with `shop` can be taken away; remove this block",
        ),
    });
}

/// One tool that is enabled.
pub(super) fn tool(tool: &Tool, check: &mut Check<'_>) {
    let is_name = tool.name.len() <= 64
        && tool.name.starts_with(|c: char| c.is_ascii_lowercase())
        && tool.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    check.require(
        "name",
        is_name,
        "must have 1 to 64 characters of a-z, 0-9 and _, a letter first",
    );
    let chars = tool.description.trim().chars().count();
    check.require(
        "description",
        (1..=DESCRIPTION_CHARS).contains(&chars),
        format_args!("must say in 1 to {DESCRIPTION_CHARS} characters what the tool is for"),
    );
    schema::check(&tool.parameters, check);
    effect(tool, check);
    bounds(tool, check);
    headers(tool, check);
    places::check(tool, check);
    if tool.identity == Identity::Order {
        let parameters = Parameters::of(&tool.parameters);
        let named = parameters.is_required(ORDER) && parameters.is_scalar(ORDER);
        let what = format_args!("`order` needs a required argument `{ORDER}`");
        check.require("identity", named, what);
    }
}

fn effect(tool: &Tool, check: &mut Check<'_>) {
    match tool.effect {
        Effect::Read => {
            let reads = matches!(tool.method, Method::Get | Method::Post);
            check.require(
                "method",
                reads,
                "must be GET or POST for a read: set effect = \"write\"",
            );
            let none = tool.outcome_url.is_empty();
            check.require("outcome_url", none, "is only for writes: remove it");
        }
        Effect::Write => {
            let writes = tool.method != Method::Get;
            check.require("method", writes, "cannot be GET for a write: set effect = \"read\"");
            let once = tool.cache.is_zero();
            check.require("cache_ms", once, "must be 0 for a write, which is never repeated");
            if !tool.outcome_url.is_empty() {
                address::template(&tool.outcome_url, "outcome_url", check);
            }
            let keyed = Template::parse(&tool.outcome_url)
                .is_ok_and(|template| template.places().eq([KEY]));
            check.require(
                "outcome_url",
                keyed,
                "must be where the target tells what became of a write, with {key} for its key",
            );
        }
    }
    let has_body = !tool.body.is_empty();
    check.require("body", !has_body || tool.method != Method::Get, "cannot be sent with GET");
}

fn bounds(tool: &Tool, check: &mut Check<'_>) {
    let called = (Duration::from_millis(1)..=LONGEST_CALL).contains(&tool.timeout);
    check.require("timeout_ms", called, "must lie between 1 and 30000");
    check.require("cache_ms", tool.cache <= LONGEST_CACHE, "may be at most 60000");
    let bytes = (1..=MOST_BYTES).contains(&tool.max_bytes);
    check.require("max_bytes", bytes, format_args!("must lie between 1 and {MOST_BYTES}"));
    check.not_zero("max_calls", tool.max_calls);
}

fn headers(tool: &Tool, check: &mut Check<'_>) {
    for (name, value) in &tool.headers {
        let own = OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str());
        let is_name = name.parse::<HeaderName>().is_ok();
        let what = format_args!("`{name}` is no header, or one that the service sets itself");
        check.require("headers", is_name && !own, what);
        let is_value = HeaderValue::from_str(value.expose()).is_ok();
        let what = format_args!("`{name}` has a character that a header cannot have");
        check.require("headers", is_value, what);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::{assert_faults, load};

    const SITE: &str = "[[sites]]\nid = \"shop\"\nname = \"S\"\nsite_key = \"pk_s\"\n";
    const GIFT: &str = "[[sites.tools]]\nname = \"gift_card\"\ndescription = \"What is on a gift card.\"\n\
         effect = \"read\"\nidentity = \"nobody\"\nurl = \"https://shop.example/gifts/{code}\"\n\
         query = { currency = \"{currency}\", detail = \"yes\" }\nheaders = { x-api-key = \"secret\" }\n\
         [sites.tools.parameters]\ntype = \"object\"\nrequired = [\"code\"]\n\
         properties.code = { type = \"string\", pattern = \"^[A-Z0-9]{8}$\" }\n\
         properties.currency = { type = \"string\" }\n";

    fn file(tool: &str) -> String {
        format!("{SITE}shop = {{ url = \"https://shop.example/api\" }}\n{tool}")
    }

    /// The gift card with one line changed.
    #[track_caller]
    fn fault(from: &str, to: &str, expected: &str) {
        assert!(GIFT.contains(from), "{from}");
        assert_faults(&file(&GIFT.replacen(from, to, 1)), &[], &[expected]);
    }

    #[test]
    fn a_declaration_is_read_with_the_schema_as_it_stands() {
        let config = load(&file(GIFT), &[]).unwrap();
        let tools = config.sites[0].all_tools();
        assert_eq!(tools.len(), 9, "with those of the shop");
        let gift = tools.last().unwrap();
        assert_eq!(gift.parameters["properties"]["code"]["pattern"], "^[A-Z0-9]{8}$");
        assert!(!format!("{gift:?}").contains("\"secret\""), "{gift:?}");
    }

    #[test]
    fn a_built_in_tool_is_taken_away_and_another_name_is_a_fault() {
        let off = |name: &str| format!("[[sites.tools]]\nname = \"{name}\"\nenabled = false\n");
        let config = load(&file(&off("cancel_order")), &[]).unwrap();
        assert_eq!(config.sites[0].all_tools().len(), 7);
        assert_faults(
            &file(&off("cancle_order")),
            &[],
            &["sites[0].tools[0].name: only a built-in"],
        );
        let without_shop = format!("{SITE}{}", off("cancel_order"));
        assert_faults(&without_shop, &[], &["sites[0].tools[0].name: only a built-in"]);
    }

    #[test]
    fn what_a_call_could_not_do_is_refused() {
        fault("gift_card", "Gift card", "sites[0].tools[0].name: must");
        fault("What is on a gift card.", " ", "sites[0].tools[0].description: must");
        fault("https://shop", "ftp://shop", "sites[0].tools[0].url: must begin");
        fault("https://shop", "https://u:p@shop", "sites[0].tools[0].url: must have no user");
        fault("gifts/{code}", "../{code}", "sites[0].tools[0].url: must have a path");
        fault("/{code}\"", "/{code}?a=b\"", "sites[0].tools[0].url: must have no `?`");
        fault("{code}\"", "{code\"", "sites[0].tools[0].url: `");
        fault("required = [\"code\"]\n", "", "sites[0].tools[0].url: `code` stands");
        fault("detail = \"yes\"", "x = \"{x}\"", "sites[0].tools[0].query.x: `x` is not among");
        fault(
            "detail = \"yes\"",
            "x = \"{customer.id}\"",
            "sites[0].tools[0].query.x: {customer.id}",
        );
        fault("x-api-key", "Host", "sites[0].tools[0].headers: `Host`");
        fault("\"secret\"", "\"a\\r\\nb\"", "sites[0].tools[0].headers: `x-api-key`");
        fault(
            "identity = \"nobody\"",
            "identity = \"order\"",
            "sites[0].tools[0].identity: `order`",
        );
        fault(
            "currency = \"{currency}\", ",
            "",
            "sites[0].tools[0].parameters: `currency` is sent",
        );
        fault("^[A-Z0-9]{8}$", "(a", "sites[0].tools[0].parameters: ");
        fault("^[A-Z0-9]{8}$", "(?=a)", "sites[0].tools[0].parameters: ");
        fault(
            "type = \"string\" }",
            "type = \"string\", \"$ref\" = \"https://a.example/b\" }",
            "sites[0].tools[0].parameters: ",
        );
        fault(
            "required = [\"code\"]",
            "required = [\"code\", \"pin\"]",
            "sites[0].tools[0].parameters: `pin`",
        );
        fault("identity =", "timeout_ms = 90000\nidentity =", "sites[0].tools[0].timeout_ms");
        fault("identity =", "cache_ms = 90000\nidentity =", "sites[0].tools[0].cache_ms");
        fault("identity =", "max_calls = 0\nidentity =", "sites[0].tools[0].max_calls");
        fault("identity =", "urls = 1\nidentity =", "sites[0].tools[0].urls: unknown key");
        fault("identity =", "body.a = \"b\"\nidentity =", "sites[0].tools[0].body: cannot");
    }

    #[test]
    fn places_stand_in_the_path_only() {
        for url in
            ["https://{code}.example/", "https://shop.example{code}", "{code}", "https://a:{code}/"]
        {
            fault("https://shop.example/gifts/{code}", url, "sites[0].tools[0].");
        }
    }

    #[test]
    fn what_is_left_out_is_what_harms_least() {
        let faults = load(&file("[[sites.tools]]\nname = \"a\"\n"), &[]).unwrap_err().to_string();
        assert!(faults.contains("method: cannot be GET for a write"), "{faults}");
        let posted = GIFT.replacen("effect = \"read\"", "method = \"POST\"", 1);
        assert_faults(&file(&posted), &[], &["sites[0].tools[0].outcome_url: must be where"]);
    }

    #[test]
    fn the_shop_is_an_address_without_a_query() {
        for url in
            ["shop.example", "file:///x", "https://shop.example/?a", "https://u@shop.example"]
        {
            let file = format!("{SITE}shop = {{ url = \"{url}\" }}\n");
            assert_faults(&file, &[], &["sites[0].shop.url: must"]);
        }
    }
}
