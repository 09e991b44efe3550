//! `[guard]`: what happens to a sentence of a model that no source supports.

use serde::Deserialize;

use super::check::{Check, Section};
use crate::domain::SiteId;

/// When sentences are checked against sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grounding {
    /// Of sites with documents.
    Knowledge,
    Always,
    Off,
}

/// What happens to a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuardAction {
    /// The answer ends with an honest sentence in its place.
    Block,
    /// The shop's own sentence stands in its place, or an honest one.
    Replace,
    /// It is shown, and noted.
    Flag,
}

impl GuardAction {
    pub const ALL: [Self; 3] = [Self::Block, Self::Replace, Self::Flag];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Replace => "replace",
            Self::Flag => "flag",
        }
    }
}

/// A key for each rule, and the same keys of a site, which may be missing.
macro_rules! actions {
    ($($key:ident,)+) => {
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Guard {
            pub grounding: Grounding,
            $(pub $key: GuardAction,)+
            /// Decisions of one site that are kept; 0: none.
            pub decisions_per_site: u32,
            #[serde(default)]
            pub sites: Vec<GuardSite>,
        }

        impl Guard {
            pub fn actions(&self) -> GuardActions {
                GuardActions { $($key: self.$key,)+ }
            }
        }

        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct GuardActions {
            $(pub $key: GuardAction,)+
        }

        /// What one site does differently.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct GuardSite {
            pub site: SiteId,
            #[serde(default)]
            pub grounding: Option<Grounding>,
            $(#[serde(default)] $key: Option<GuardAction>,)+
            #[serde(default)]
            pub competitors_named: Vec<String>,
        }

        impl GuardSite {
            /// The actions of the site, over those of all sites.
            pub fn over(&self, all: GuardActions) -> GuardActions {
                GuardActions { $($key: self.$key.unwrap_or(all.$key),)+ }
            }
        }
    };
}

actions! {
    numbers,
    places,
    availability,
    permissions,
    promises,
    orders,
    links,
    personal_data,
    competitors,
    secrets,
    uncited,
}

impl Section for Guard {
    fn check(&self, check: &mut Check<'_>) {
        check.unique("sites", "site", &self.sites, |own| own.site.as_str());
        check.each("sites", &self.sites, |own, check| {
            let short = own.competitors_named.iter().any(|name| name.trim().chars().count() < 2);
            check.require("competitors_named", !short, "a name must have at least 2 characters");
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::assert_faults;

    #[test]
    fn a_site_is_named_once_and_its_competitors_have_names() {
        let site = "[[guard.sites]]\nsite = \"shop\"\n";
        let file = format!("{site}competitors_named = [\"x\"]\n{site}");
        assert_faults(
            &file,
            &[],
            &[
                "guard.sites[0].competitors_named: a name must",
                "guard.sites[1].site: `shop` is used twice",
            ],
        );
    }
}
