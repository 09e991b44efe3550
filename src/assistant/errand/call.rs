//! What an errand comes to: a question to the shopper, or calls of tools.

use serde_json::{Map, Value};

use crate::domain::{ActionId, Choice};

/// What is done about a message that is an errand.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    /// Something is missing, or nothing can be done.
    Ask {
        wanted: Wanted,
        /// In the language of the shopper.
        text: String,
        choices: Vec<Choice>,
    },
    /// One call, or one for each order.
    Call(Vec<Call>),
    /// A change that was made is to be taken back.
    Undo {
        /// Changes of the conversation, the newest last.
        made: Vec<ActionId>,
        /// Orders that the message names.
        orders: Vec<String>,
        /// What the message means if it is about none of them.
        otherwise: Option<Box<Errand>>,
    },
}

impl Errand {
    /// Something went wrong with an order, or cannot be helped here.
    pub fn is_sorry(&self) -> bool {
        match self {
            Self::Ask { wanted, .. } => *wanted == Wanted::Person,
            Self::Call(calls) => calls.iter().any(|call| call.sorry),
            Self::Undo { .. } => false,
        }
    }
}

/// What the shopper is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Order,
    /// The e-mail address or the postcode of the order.
    Proof,
    OrderAndProof,
    Address,
    Items,
    Product,
    Place,
    /// Whether the whole order is meant.
    Whole,
    /// Nothing any more: a person has to help.
    Person,
    /// Nothing any more: the shopper does not want it.
    Nothing,
}

impl Wanted {
    /// It stands in what the shop has sent to the shopper.
    pub const fn is_known_to_the_shopper(self) -> bool {
        matches!(self, Self::Order | Self::Proof | Self::OrderAndProof)
    }
}

/// One use of a tool. Values may hold placeholders, such as `[ADDRESS_1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub tool: &'static str,
    pub arguments: Map<String, Value>,
    pub proof: Option<Proof>,
    /// Items that the shopper calls by another name than the list does.
    pub pick: Option<Pick>,
    /// What came was broken, or not what was ordered.
    pub sorry: bool,
    /// It looks up what can go back, and the shopper has already said what shall.
    pub named: Option<Named>,
}

/// What a message says of a return before its items were listed. It keeps its placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub text: String,
    pub reason: &'static str,
}

/// Items that are still to be found by what the shopper calls them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// What they are called, one by one.
    pub queries: Vec<String>,
    /// They are left out, and the others are meant.
    pub except: bool,
    /// SKUs that may be meant.
    pub among: Vec<String>,
    /// SKUs that are meant in any case.
    pub chosen: Vec<String>,
}

impl Pick {
    /// The items that are meant. `found` are the SKUs of the shop's products for each query. `None`
    /// if one query fits no item, or nothing is left.
    pub fn resolve(&self, found: &[Vec<String>]) -> Option<Vec<String>> {
        let fits = |skus: &Vec<String>, sku: &String| skus.contains(sku);
        let each = found.iter().all(|skus| self.among.iter().any(|sku| fits(skus, sku)));
        if found.is_empty() || !each {
            return None;
        }
        let named = |sku: &String| found.iter().any(|skus| fits(skus, sku));
        let picked = self.among.iter().filter(|sku| named(sku) != self.except);
        let mut all: Vec<String> = self.chosen.clone();
        all.extend(picked.filter(|sku| !self.chosen.contains(sku)).cloned());
        (!all.is_empty()).then_some(all)
    }
}

/// What shows that an order belongs to the shopper, as it was typed, or its placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    Email(String),
    Postcode(String),
}
