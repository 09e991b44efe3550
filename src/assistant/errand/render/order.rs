//! Orders.

use jiff::civil::Date;
use serde_json::Value;

use super::{
    super::{text::fill, vocabulary::sentences},
    day, found, lists, money,
};
use crate::{
    domain::{Card, Details, Field, Language},
    words::Errands,
};

/// One order: the asked thing first.
pub fn one(order: &Value, today: Date, language: Language) -> Option<(String, Vec<Card>)> {
    let said: &Errands = sentences(language);
    let facts = Facts::of(order, today, language)?;
    let late = day::at(order, "expected_at").is_some_and(|day| day < today);
    let template = match facts.status.as_str() {
        "shipped" if late => said.late,
        "processing" => said.processing,
        "shipped" => said.shipped,
        "delivered" => said.delivered,
        "cancelled" => said.cancelled,
        "returned" => said.returned,
        _ => said.unknown_state,
    };
    // A day that has passed is no day on which something will come.
    let expected = facts.expected.as_deref().filter(|_| !late || facts.status == "shipped");
    let mut text = fill(
        template,
        &[
            ("number", Some(&facts.number)),
            ("placed", facts.placed.as_deref()),
            ("shipped", facts.shipped.as_deref()),
            ("carrier", facts.carrier.as_deref()),
            ("expected", expected),
            ("delivered", facts.delivered.as_deref()),
            ("state", Some(&facts.status)),
        ],
    );
    if facts.status == "shipped" && facts.tracking.is_some() {
        text.push(' ');
        text.push_str(&fill(said.tracking, &[("tracking", facts.tracking.as_deref())]));
    }
    let text = tidy(&text);
    Some((text, vec![facts.card(order, language)]))
}

/// The newest orders of a customer.
pub fn list(output: &Value, today: Date, language: Language) -> Option<(String, Vec<Card>)> {
    let said: &Errands = sentences(language);
    let orders = found::list(output, "orders")?;
    let facts: Vec<(Facts, &Value)> = orders
        .iter()
        .filter_map(|order| Some((Facts::of(order, today, language)?, order)))
        .collect();
    match facts.as_slice() {
        [] => Some((said.no_orders.unwrap_or_default().to_owned(), Vec::new())),
        [(_, order)] => one(order, today, language),
        several => {
            let line = |(facts, order): &(Facts, &Value)| {
                let state = state_name(&facts.status, language);
                let total = money::of(order.get("total"), language);
                let line = fill(
                    said.order_line,
                    &[
                        ("number", Some(&facts.number)),
                        ("placed", facts.placed.as_deref()),
                        ("state", Some(&state)),
                        ("total", total.as_deref()),
                    ],
                );
                format!("- {line}")
            };
            let lines: Vec<String> = several.iter().map(line).collect();
            let text = format!("{}\n{}", said.orders.unwrap_or_default(), lines.join("\n"));
            Some((text, several.iter().map(|(facts, order)| facts.card(order, language)).collect()))
        }
    }
}

/// What is said of an order, in words.
struct Facts {
    number: String,
    status: String,
    placed: Option<String>,
    shipped: Option<String>,
    expected: Option<String>,
    delivered: Option<String>,
    carrier: Option<String>,
    tracking: Option<String>,
}

impl Facts {
    fn of(order: &Value, today: Date, language: Language) -> Option<Self> {
        let day = |key| day::text(order, key, today, language);
        Some(Self {
            number: found::text(order, "number")?,
            status: found::text(order, "status")?,
            placed: day("placed_at"),
            shipped: day("shipped_at"),
            expected: day("expected_at"),
            delivered: day("delivered_at"),
            carrier: found::text(order, "carrier"),
            tracking: found::text(order, "tracking_number"),
        })
    }

    fn card(&self, order: &Value, language: Language) -> Card {
        let said: &Errands = sentences(language);
        let values = [
            (said.state, Some(state_name(&self.status, language))),
            (said.items, lists::items(order, language)),
            (said.total, money::of(order.get("total"), language)),
            (said.expected, self.expected.clone().filter(|_| self.status == "shipped")),
            (said.carrier, self.carrier.clone()),
            (said.tracking_number, self.tracking.clone()),
        ];
        let fields = values
            .into_iter()
            .filter_map(|(label, value)| Some(Field::new(label.unwrap_or_default(), value?)));
        Card::Order(Details {
            title: format!("{} {}", said.order.unwrap_or_default(), self.number),
            fields: fields.collect(),
            url: found::link(order, "tracking_url"),
        })
    }
}

/// The name of a state; one that is not of the interface is shown as it is.
fn state_name(status: &str, language: Language) -> String {
    let said: &Errands = sentences(language);
    let name = match status {
        "processing" => said.is_processing,
        "shipped" => said.is_shipped,
        "delivered" => said.is_delivered,
        "cancelled" => said.is_cancelled,
        "returned" => said.is_returned,
        _ => None,
    };
    name.unwrap_or(status).to_owned()
}

/// An abbreviation before the end of a sentence needs no second full stop.
fn tidy(text: &str) -> String {
    text.replace("..", ".")
}
