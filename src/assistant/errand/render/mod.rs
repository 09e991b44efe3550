//! What a tool has found or done, in words and cards. What comes from a shop is untrusted: it is cut,
//! control characters are taken out, and only links of the web stay.

pub mod found;
pub mod lists;
pub mod money;

mod day;
mod done;
mod order;
mod products;
mod returns;
mod stores;

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::domain::{Card, Language};

/// An answer in words, and boxes under it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    pub text: String,
    pub cards: Vec<Card>,
}

/// `None` if the tool is not built in, or its output does not have the shape of the interface.
pub fn render(
    tool: &str,
    arguments: &Map<String, Value>,
    output: &Value,
    today: Date,
    language: Language,
) -> Option<Rendered> {
    let (text, cards) = match tool {
        "order_status" => order::one(output, today, language)?,
        "order_list" => order::list(output, today, language)?,
        "return_check" => returns::check(output, today, language)?,
        "product_search" => products::list(arguments, output, language)?,
        "store_finder" => stores::list(arguments, output, language)?,
        "cancel_order" => done::cancelled(arguments, output, language)?,
        "reinstate_order" => done::reinstated(arguments, language)?,
        "change_address" => done::address_changed(arguments, language)?,
        "start_return" => done::return_started(output, today, language)?,
        _ => return None,
    };
    Some(Rendered { text, cards })
}
