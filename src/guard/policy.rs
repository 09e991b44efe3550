//! What may be wrong with a sentence of a model, and what a site does about it.

use crate::{
    config::{self, GuardAction},
    domain::SiteId,
};

macro_rules! rules {
    ($($(#[$about:meta])* $rule:ident $key:ident,)+) => {
        /// What may be wrong with a sentence of a model.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Rule {
            $($(#[$about])* $rule,)+
        }

        impl Rule {
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            /// The name of its key in `[guard]`, and of its label in metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$rule => stringify!($key),)+
                }
            }
        }

        impl Policy {
            pub fn action(&self, rule: Rule) -> GuardAction {
                match rule {
                    $(Rule::$rule => self.actions.$key,)+
                }
            }
        }
    };
}

rules! {
    /// A number, price, date, percentage or duration that no source has there.
    Numbers numbers,
    /// A place or another name that no source has.
    Places places,
    /// Whether goods can be had.
    Availability availability,
    /// A yes or no about what the shop does or allows.
    Permissions permissions,
    /// What only a tool or a person can do.
    Promises promises,
    /// What is with the shopper's own order, without a tool's result.
    Orders orders,
    /// An address that is not the shop's.
    Links links,
    /// A number of a person, or a placeholder that stands for nothing.
    PersonalData personal_data,
    /// A name of the site's list.
    Competitors competitors,
    /// A key, or the instructions of the model.
    Secrets secrets,
    /// Another statement that no source supports.
    Uncited uncited,
}

/// What one site does.
#[derive(Clone, Debug)]
pub struct Policy {
    actions: config::GuardActions,
    /// Names that no answer says, in lower case.
    pub competitors: Vec<String>,
    /// Of the site itself.
    pub hosts: Vec<String>,
    pub grounding: config::Grounding,
}

impl Policy {
    /// `hosts`: those of the site's own pages.
    pub fn of(guard: &config::Guard, site: &SiteId, hosts: Vec<String>) -> Self {
        let own = guard.sites.iter().find(|own| own.site == *site);
        let lower = |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect();
        Self {
            actions: own.map_or(guard.actions(), |own| own.over(guard.actions())),
            competitors: own.map(|own| lower(&own.competitors_named)).unwrap_or_default(),
            hosts,
            grounding: own.and_then(|own| own.grounding).unwrap_or(guard.grounding),
        }
    }
}
