//! For whom a tool is called.

use std::fmt;

use crate::{
    config::Identity,
    domain::{AddressBlock, PrincipalId, SiteId},
};

/// Who asks, as the session knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub site: SiteId,
    pub visitor: PrincipalId,
    /// Where the message came from, if that is known.
    pub from: Option<AddressBlock>,
    /// Signed in, or identified by the shop.
    pub customer: Option<Customer>,
    /// What the shopper has shown for the order that the call names.
    pub proof: Option<Proof>,
    /// A one-time code that the shop had sent to them was typed a short while ago.
    pub code: bool,
}

/// A customer of the shop.
#[derive(Clone, PartialEq, Eq)]
pub struct Customer {
    /// The shop's own id.
    pub id: String,
    pub email: Option<String>,
}

/// That an order is the shopper's own.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    Email(String),
    Postcode(String),
}

impl Caller {
    /// The highest level that the caller has shown without a code.
    pub fn level(&self) -> Identity {
        match (&self.customer, &self.proof) {
            (Some(_), _) => Identity::Customer,
            (None, Some(_)) => Identity::Order,
            (None, None) => Identity::Nobody,
        }
    }

    /// What was shown for an order, as bytes.
    pub(super) fn shown(&self) -> Vec<u8> {
        match &self.proof {
            Some(Proof::Email(email)) => format!("email {email}").into_bytes(),
            Some(Proof::Postcode(code)) => format!("postcode {code}").into_bytes(),
            None => Vec::new(),
        }
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[customer]")
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email(_) => "[e-mail]",
            Self::Postcode(_) => "[postcode]",
        })
    }
}
