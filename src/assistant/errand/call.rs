//! What an errand comes to: a question to the shopper, or calls of tools.

use serde_json::{Map, Value};

use crate::domain::Choice;

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
    /// Nothing any more: a person has to help.
    Person,
}

/// One use of a tool. Values may hold placeholders, such as `[ADDRESS_1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub tool: &'static str,
    pub arguments: Map<String, Value>,
    pub proof: Option<Proof>,
}

/// What shows that an order belongs to the shopper, as it was typed, or its placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    Email(String),
    Postcode(String),
}
