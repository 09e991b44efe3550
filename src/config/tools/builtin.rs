//! The tools that every site with a shop has.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{
    declaration::{Identity, ORDER, Shop, Tool, Undo},
    schema::complete,
    web::WebSearch,
};
use crate::config::secret::Secret;

/// Stands for the address of the shop in front of a path.
const SHOP: &str = "{shop}";

#[derive(Deserialize)]
struct List {
    tools: Vec<Tool>,
    /// Calls that no model and no rule chooses.
    hooks: Vec<Tool>,
}

/// As they are declared, without the shop's address.
static DECLARED: LazyLock<List> = LazyLock::new(|| {
    let list = toml::from_str::<List>(include_str!("../../tools/builtin.toml"));
    // A test reads it.
    list.unwrap_or_else(|_| unreachable!())
});

/// Built-in tools whose order has an amount that the shop gives back.
const GIVE_BACK: [&str; 2] = [CANCEL, "start_return"];
const CANCEL: &str = "cancel_order";
/// Takes it back.
const REINSTATE: &str = "reinstate_order";

pub(super) fn is_built_in(name: &str) -> bool {
    DECLARED.tools.iter().any(|tool| tool.name == name)
}

/// Whether the service calls the shop by this name itself.
pub(super) fn is_hook(name: &str) -> bool {
    DECLARED.hooks.iter().any(|tool| tool.name == name)
}

pub(super) fn may_need_code(name: &str) -> bool {
    let personal = |tool: &&Tool| tool.identity != Identity::Nobody;
    // What takes a change back asks for what the change asks for.
    name != REINSTATE && DECLARED.tools.iter().filter(personal).any(|tool| tool.name == name)
}

/// The built-in tools of one shop.
fn of(shop: &Shop) -> impl Iterator<Item = Tool> {
    let reinstates = !shop.reinstate.is_zero();
    let offered = move |tool: &&Tool| reinstates || tool.name != REINSTATE;
    DECLARED.tools.iter().filter(offered).map(move |tool| {
        let mut tool = at(shop, tool);
        let asked_for = if tool.name == REINSTATE { CANCEL } else { tool.name.as_str() };
        if shop.code_for.iter().any(|name| name == asked_for) {
            tool.identity = Identity::Code;
        }
        if reinstates && tool.name == CANCEL {
            let arguments = [(ORDER.to_owned(), format!("{{{ORDER}}}"))].into();
            tool.undo =
                Some(Undo { tool: REINSTATE.to_owned(), within: shop.reinstate, arguments });
        }
        if GIVE_BACK.contains(&tool.name.as_str()) {
            tool.approval.clone_from(&shop.approval);
        }
        tool
    })
}

/// The calls of a shop that send a one-time code and check one.
pub(in crate::config) fn hooks(shop: &Shop) -> Vec<Tool> {
    DECLARED.hooks.iter().map(|tool| at(shop, tool)).collect()
}

fn at(shop: &Shop, tool: &Tool) -> Tool {
    let at = |url: &str| url.replacen(SHOP, shop.url.trim_end_matches('/'), 1);
    let mut tool = Tool { url: at(&tool.url), outcome_url: at(&tool.outcome_url), ..tool.clone() };
    if !shop.key.is_empty() {
        let bearer = Secret::new(format!("Bearer {}", shop.key.expose()));
        tool.headers.insert("authorization".to_owned(), bearer);
    }
    tool
}

/// All tools of one site: a declared one takes the place of the built-in one of its name.
pub(in crate::config) fn all(
    declared: &[Tool],
    shop: Option<&Shop>,
    web: Option<&WebSearch>,
) -> Vec<Tool> {
    let is_declared = |name: &str| declared.iter().any(|own| own.name == name);
    let built_in = shop.map(of).into_iter().flatten().chain(web.map(WebSearch::tool));
    let built_in = built_in.filter(|tool| !is_declared(&tool.name));
    let own = declared.iter().filter(|tool| tool.enabled).cloned().map(|mut tool| {
        tool.parameters = complete(&tool.parameters);
        tool
    });
    built_in.chain(own).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{check::Check, tools::declaration::Effect};

    fn shop() -> Shop {
        let url = "https://shop.example/api/".into();
        let reinstate = Duration::from_secs(600);
        Shop { url, key: Secret::new("k"), code_for: Vec::new(), approval: None, reinstate }
    }

    #[test]
    fn the_built_in_tools_are_valid_and_belong_to_the_shop() {
        let tools = all(&[], Some(&shop()), None);
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
                "reinstate_order",
                "change_address",
                "start_return"
            ]
        );
        let mut faults = Vec::new();
        let mut check = Check::of("tools", &mut faults);
        check.each("", &tools, super::super::check::tool);
        check.each("", &hooks(&shop()), super::super::check::tool);
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
        let tools = all(&[off, own], Some(&shop()), None);
        assert_eq!(tools.len(), 8);
        assert!(tools.iter().all(|tool| tool.name != "cancel_order"));
        let status: Vec<&Tool> = tools.iter().filter(|tool| tool.name == "order_status").collect();
        assert_eq!(status.len(), 1);
        assert_eq!(status[0].url, "https://own/");
        assert!(all(&[], None, None).is_empty());
    }
}
