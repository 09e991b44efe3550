//! The tools that every site with a shop has.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{
    declaration::{Shop, Tool},
    schema::complete,
};
use crate::config::secret::Secret;

/// Stands for the address of the shop in front of a path.
const SHOP: &str = "{shop}";

#[derive(Deserialize)]
struct List {
    tools: Vec<Tool>,
}

/// As they are declared, without the shop's address.
static DECLARED: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    let list = toml::from_str::<List>(include_str!("../../tools/builtin.toml"));
    // A test reads it.
    list.map_or_else(|_| unreachable!(), |list| list.tools)
});

pub(super) fn is_built_in(name: &str) -> bool {
    DECLARED.iter().any(|tool| tool.name == name)
}

/// The built-in tools of one shop.
fn of(shop: &Shop) -> impl Iterator<Item = Tool> {
    let at = |url: &str| url.replacen(SHOP, shop.url.trim_end_matches('/'), 1);
    DECLARED.iter().cloned().map(move |mut tool| {
        (tool.url, tool.outcome_url) = (at(&tool.url), at(&tool.outcome_url));
        if !shop.key.is_empty() {
            let bearer = Secret::new(format!("Bearer {}", shop.key.expose()));
            tool.headers.insert("authorization".to_owned(), bearer);
        }
        tool
    })
}

/// All tools of one site: a declared one takes the place of the built-in one of its name.
pub(in crate::config) fn all(declared: &[Tool], shop: Option<&Shop>) -> Vec<Tool> {
    let is_declared = |name: &str| declared.iter().any(|own| own.name == name);
    let built_in = shop.map(of).into_iter().flatten().filter(|tool| !is_declared(&tool.name));
    let own = declared.iter().filter(|tool| tool.enabled).cloned().map(|mut tool| {
        tool.parameters = complete(&tool.parameters);
        tool
    });
    built_in.chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{check::Check, tools::declaration::Effect};

    fn shop() -> Shop {
        Shop { url: "https://shop.example/api/".into(), key: Secret::new("k") }
    }

    #[test]
    fn the_built_in_tools_are_valid_and_belong_to_the_shop() {
        let tools = all(&[], Some(&shop()));
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "order_status",
                "order_list",
                "return_check",
                "product_search",
                "store_finder",
                "cancel_order",
                "change_address",
                "start_return"
            ]
        );
        let mut faults = Vec::new();
        let mut check = Check::of("tools", &mut faults);
        check.each("", &tools, super::super::check::tool);
        assert_eq!(faults, [""; 0]);
        for tool in &tools {
            assert!(tool.url.starts_with("https://shop.example/api/"), "{}", tool.url);
            assert_eq!(tool.headers["authorization"].expose(), "Bearer k");
            let outcome = tool.outcome_url == "https://shop.example/api/actions/{key}";
            assert_eq!(outcome, tool.effect == Effect::Write, "{}", tool.name);
            for (name, property) in tool.parameters["properties"].as_object().unwrap() {
                assert!(property["description"].is_string(), "{}.{name}", tool.name);
            }
        }
    }

    #[test]
    fn a_declared_tool_takes_the_place_of_the_built_in_one_or_takes_it_away() {
        let off = Tool { name: "cancel_order".into(), enabled: false, ..Tool::default() };
        let own =
            Tool { name: "order_status".into(), url: "https://own/".into(), ..Tool::default() };
        let tools = all(&[off, own], Some(&shop()));
        assert_eq!(tools.len(), 7);
        assert!(tools.iter().all(|tool| tool.name != "cancel_order"));
        let status: Vec<&Tool> = tools.iter().filter(|tool| tool.name == "order_status").collect();
        assert_eq!(status.len(), 1);
        assert_eq!(status[0].url, "https://own/");
        assert!(all(&[], None).is_empty());
    }
}
