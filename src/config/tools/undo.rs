//! What is wrong with how a change is taken back.

use std::time::Duration;

use super::{
    declaration::{Effect, Tool, Undo},
    schema::Parameters,
    template::Template,
};
use crate::config::check::Check;

const LONGEST: Duration = Duration::from_hours(24);
/// Nobody reads an offer of less.
const SHORTEST: Duration = Duration::from_mins(1);
const RESULT: &str = "result.";

pub(super) fn is_long_enough(within: Duration) -> bool {
    (SHORTEST..=LONGEST).contains(&within)
}

/// As far as one declaration shows it.
pub(super) fn check(tool: &Tool, undo: &Undo, check: &mut Check<'_>) {
    let writes = tool.effect == Effect::Write;
    check.require("undo", writes, "is only for writes: remove it");
    let other = undo.tool != tool.name;
    check.require("undo.tool", other, "must be another tool");
    check.require("undo.within_s", is_long_enough(undo.within), "must lie between 60 and 86400");
    let parameters = Parameters::of(&tool.parameters);
    for (name, text) in &undo.arguments {
        let key = format!("undo.arguments.{name}");
        match Template::parse(text) {
            Ok(template) => {
                for place in template.places() {
                    let known = place.starts_with(RESULT) || parameters.get(place).is_some();
                    let what = format_args!(
                        "`{place}` is no argument of this tool: use one, or result.NAME for a \
                         value of its result"
                    );
                    check.require(&key, known, what);
                }
            }
            Err(fault) => check.require(&key, false, fault),
        }
    }
}

/// As far as the other tools of the site show it.
pub(super) fn fits(tool: &Tool, undo: &Undo, all: &[Tool], check: &mut Check<'_>) {
    let Some(back) = all.iter().find(|other| other.name == undo.tool) else {
        let what = format_args!("`{}` is no tool of this site", undo.tool);
        check.require("undo.tool", false, what);
        return;
    };
    let writes = back.effect == Effect::Write;
    let what = format_args!("`{}` must be a write", undo.tool);
    check.require("undo.tool", writes, what);
    let asks = back.identity <= tool.identity;
    let what = format_args!("`{}` must not ask for more than this tool does", undo.tool);
    check.require("undo.tool", asks, what);
    let parameters = Parameters::of(&back.parameters);
    for name in parameters.names().filter(|name| parameters.is_required(name)) {
        let given = undo.arguments.contains_key(name);
        let what = format_args!("needs `{name}`, without which `{}` is not called", undo.tool);
        check.require("undo.arguments", given, what);
    }
    for name in undo.arguments.keys() {
        let known = parameters.get(name).is_some();
        let what = format_args!("`{name}` is no argument of `{}`", undo.tool);
        check.require("undo.arguments", known, what);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::{assert_faults, load};

    const FILE: &str = "[[sites]]\nid = \"shop\"\nname = \"S\"\nsite_key = \"pk_s\"\n\
        [[sites.tools]]\nname = \"book\"\ndescription = \"Books a fitting.\"\nmethod = \"POST\"\n\
        url = \"https://a.example/book\"\noutcome_url = \"https://a.example/done/{key}\"\nbody = { day = \"{day}\" }\n\
        undo = { tool = \"unbook\", within_s = 600, arguments = { id = \"{result.id}\", day = \"{day}\" } }\n\
        [sites.tools.parameters]\ntype = \"object\"\nproperties.day = { type = \"string\" }\n\
        [[sites.tools]]\nname = \"unbook\"\ndescription = \"Takes a fitting back.\"\nmethod = \"DELETE\"\n\
        url = \"https://a.example/book/{id}\"\noutcome_url = \"https://a.example/done/{key}\"\nquery = { day = \"{day}\" }\n\
        [sites.tools.parameters]\ntype = \"object\"\nrequired = [\"id\"]\n\
        properties.id = { type = \"string\" }\nproperties.day = { type = \"string\" }\n";

    /// The file with one thing changed.
    #[track_caller]
    fn fault(from: &str, to: &str, expected: &str) {
        assert!(FILE.contains(from), "{from}");
        assert_faults(&FILE.replacen(from, to, 1), &[], &[expected]);
    }

    #[test]
    fn a_change_is_taken_back_by_a_write_of_the_site_that_gets_all_it_needs() {
        let config = load(FILE, &[]).unwrap();
        let tools = config.sites[0].all_tools();
        assert_eq!(tools[0].undo.as_ref().unwrap().tool, "unbook");
        fault(
            "tool = \"unbook\"",
            "tool = \"book\"",
            "sites[0].tools[0].undo.tool: must be another",
        );
        fault(
            "tool = \"unbook\"",
            "tool = \"away\"",
            "sites[0].tools[0].undo.tool: `away` is no tool",
        );
        fault("within_s = 600", "within_s = 10", "sites[0].tools[0].undo.within_s: must lie");
        fault("{result.id}", "{id}", "sites[0].tools[0].undo.arguments.id: `id` is no argument");
        fault("id = \"{result.id}\", ", "", "sites[0].tools[0].undo.arguments: needs `id`");
        fault(
            "day = \"{day}\" } }",
            "x = \"{day}\" } }",
            "sites[0].tools[0].undo.arguments: `x` is no",
        );
        fault(
            "name = \"book\"\n",
            "name = \"book\"\nidentity = \"nobody\"\n",
            "sites[0].tools[0].undo.tool: `unbook` must not ask",
        );
    }

    #[test]
    fn a_shop_says_how_long_it_takes_a_cancellation_back() {
        let site = "[[sites]]\nid = \"shop\"\nname = \"S\"\nsite_key = \"pk_s\"\n";
        let file = |rest: &str| format!("{site}shop = {{ url = \"https://a.example\"{rest} }}\n");
        let tools = load(&file(", reinstate_s = 600"), &[]).unwrap().sites[0].all_tools();
        let cancel = tools.iter().find(|tool| tool.name == "cancel_order").unwrap();
        assert_eq!(cancel.undo.as_ref().unwrap().tool, "reinstate_order");
        let tools = load(&file(""), &[]).unwrap().sites[0].all_tools();
        assert!(tools.iter().all(|tool| tool.undo.is_none() && tool.name != "reinstate_order"));
        assert_faults(&file(", reinstate_s = 5"), &[], &["sites[0].shop.reinstate_s: must"]);
    }
}
