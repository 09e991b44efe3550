//! What is wrong with a declaration. Every fault says what to do.

use std::collections::BTreeSet;

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::{
    address,
    bounds::{bounds, is_tool_name},
    builtin::{all, is_built_in, is_hook, may_need_code},
    declaration::{Approval, Effect, Identity, Method, ORDER, Shop, Tool},
    mcp::{self, McpServer},
    places,
    schema::{self, Parameters, complete},
    template::Template,
    undo,
    web::WebSearch,
};
use crate::{
    config::check::Check,
    domain::{Amount, is_invisible},
};

const MOST: usize = 64;
const DESCRIPTION_CHARS: usize = 1_000;
const NAME: &str = "must have 1 to 64 characters of a-z, 0-9 and _, a letter first";
const HOOK: &str = "is what the service itself calls of a shop: choose another name";
const KEY: &str = "key";

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
pub(in crate::config) fn declared(
    tools: &[Tool],
    shop: Option<&Shop>,
    web: Option<&WebSearch>,
    servers: &[McpServer],
    check: &mut Check<'_>,
) {
    if let Some(shop) = shop {
        address::base(&shop.url, "shop.url", check);
        let is_value = HeaderValue::from_str(shop.key.expose()).is_ok();
        check.require("shop.key", is_value, "has a character that a header cannot have");
        for name in &shop.code_for {
            let what = format_args!("`{name}` is no built-in tool that asks who the shopper is");
            check.require("shop.code_for", may_need_code(name), what);
        }
        shop.approval.iter().for_each(|limit| approval(limit, "shop.approval", check));
        let reinstates = shop.reinstate.is_zero() || undo::is_long_enough(shop.reinstate);
        check.require("shop.reinstate_s", reinstates, "must be 0, or lie between 60 and 86400");
    }
    if let Some(web) = web {
        web.check(check);
    }
    check.require("tools", tools.len() <= MOST, format_args!("may have at most {MOST} items"));
    check.unique("tools", "name", tools, |tool| &tool.name);
    check.each("tools", tools, |declared, check| match declared.enabled {
        true => {
            tool(declared, check);
            check.require("name", !is_hook(&declared.name), HOOK);
            let sends = declared.identity != Identity::Code || shop.is_some();
            let what = "`code` needs `shop` of the site, which sends the codes";
            check.require("identity", sends, what);
        }
        false => check.require(
            "name",
            shop.is_some() && is_built_in(&declared.name),
            "only a built-in tool of a site with `shop` can be taken away; remove this block",
        ),
    });
    let all = all(tools, shop, web);
    check.each("tools", tools, |declared, check| {
        if let Some(back) =
            declared.undo.as_ref().filter(|back| declared.enabled && back.tool != declared.name)
        {
            undo::fits(declared, back, &all, check);
        }
    });
    let taken: BTreeSet<String> = all.into_iter().map(|tool| tool.name).collect();
    mcp::check(servers, taken, check);
}

/// One tool that is enabled.
pub(super) fn tool(tool: &Tool, check: &mut Check<'_>) {
    check.require("name", is_tool_name(&tool.name), NAME);
    let chars = tool.description.trim().chars().count();
    check.require(
        "description",
        (1..=DESCRIPTION_CHARS).contains(&chars),
        format_args!("must say in 1 to {DESCRIPTION_CHARS} characters what the tool is for"),
    );
    let is_unseen = |c: &char| is_invisible(*c) || (c.is_control() && *c != '\n');
    if let Some(unseen) = tool.description.chars().find(is_unseen) {
        let code = u32::from(unseen);
        let what = format_args!("has a character that nobody sees, U+{code:04X}: remove it");
        check.require("description", false, what);
    }
    schema::check(&tool.parameters, check);
    effect(tool, check);
    bounds(tool.timeout, tool.cache, tool.max_bytes, tool.max_calls, check);
    if let Some(limit) = &tool.approval {
        let writes = tool.effect == Effect::Write;
        check.require("approval", writes, "is only for writes: remove it");
        approval(limit, "approval", check);
    }
    if let Some(back) = &tool.undo {
        undo::check(tool, back, check);
    }
    headers(tool, check);
    places::check(tool, check);
    if tool.identity == Identity::Order {
        let parameters = Parameters::of(&tool.parameters);
        let named = parameters.is_required(ORDER) && parameters.is_scalar(ORDER);
        let what = format_args!("`order` needs a required argument `{ORDER}`");
        check.require("identity", named, what);
    }
}

/// A tool that an admin wrote, in the form of `[[sites.tools]]`.
///
/// # Errors
/// Every fault, each with its key.
pub fn written_tool(declaration: &Value) -> Result<Tool, Vec<String>> {
    let declared = read_tool(declaration)?;
    let mut faults = Vec::new();
    tool(&declared, &mut Check::of("tool", &mut faults));
    let faults: Vec<String> =
        faults.into_iter().map(|fault| fault.replacen("tool.", "", 1)).collect();
    if faults.is_empty() { Ok(declared) } else { Err(faults) }
}

/// As [`written_tool`], of a draft: it has a name and no unknown key, and the rest may be missing.
///
/// # Errors
/// The first fault, with its key.
pub fn read_tool(declaration: &Value) -> Result<Tool, Vec<String>> {
    let declared: Result<Tool, _> = serde_path_to_error::deserialize(declaration);
    let mut declared = declared.map_err(|error| {
        let (path, what) = (error.path().to_string(), error.inner().to_string());
        vec![if path == "." { what } else { format!("{path}: {what}") }]
    })?;
    if !is_tool_name(&declared.name) {
        return Err(vec![format!("name: {NAME}")]);
    }
    if is_hook(&declared.name) {
        return Err(vec![format!("name: {HOOK}")]);
    }
    declared.parameters = complete(&declared.parameters);
    Ok(declared)
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

fn approval(limit: &Approval, key: &str, check: &mut Check<'_>) {
    let is_amount = Amount::parse(&limit.above).is_some();
    check.require(key, is_amount, "needs `above`, an amount such as \"100.00\"");
    let is_currency =
        limit.currency.len() == 3 && limit.currency.bytes().all(|b| b.is_ascii_uppercase());
    check.require(key, is_currency, "needs `currency`, three letters such as \"EUR\"");
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
        fault("gift_card", "check_code", "sites[0].tools[0].name: is what the service");
        fault("gift card.", "gift\u{200b} card.", "sites[0].tools[0].description: has a");
        fault("gift card.", "gift\\u001b card.", "sites[0].tools[0].description: has a");
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
        for url in [
            "https://{code}.example/",
            "https://shop.example{code}",
            "{code}",
            "https://a.example:{code}/",
        ] {
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
