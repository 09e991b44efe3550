//! What can be sent back.

use jiff::civil::Date;
use serde_json::Value;

use super::{
    super::{text::fill, vocabulary::sentences},
    day, found, lists,
};
use crate::{
    domain::{Card, Language},
    words::Errands,
};

/// Until when what can go back, and the question which of it. The next message is read against
/// these lines, so each has the form `- Name (SKU)`.
pub fn check(output: &Value, today: Date, language: Language) -> Option<(String, Vec<Card>)> {
    let said: &Errands = sentences(language);
    let number = found::text(output, "number")?;
    let until = day::text(output, "until", today, language);
    let values = [("number", Some(number.as_str())), ("until", until.as_deref())];
    if !output.get("returnable")?.as_bool()? {
        let template = match found::text(output, "reason").as_deref() {
            Some("not_delivered") => said.return_not_delivered,
            Some("too late" | "too_late") => said.return_too_late,
            Some("final sale" | "final_sale") => said.return_final_sale,
            Some("already returned" | "already_returned") => said.return_already_returned,
            Some("cancelled") => said.return_cancelled,
            _ => said.return_refused,
        };
        return Some((fill(template, &values), Vec::new()));
    }
    let line = |item: &Value| {
        let (name, sku) = (lists::item(item)?, found::text(item, "sku")?);
        Some(format!("- {name} ({sku})"))
    };
    let lines: Vec<String> =
        found::list(output, "items").unwrap_or_default().iter().filter_map(line).collect();
    if lines.is_empty() {
        return Some((fill(said.return_refused, &values), Vec::new()));
    }
    let text = format!(
        "{}\n{}\n{}",
        fill(said.returnable, &values),
        lines.join("\n"),
        if lines.len() == 1 { said.this_item } else { said.which_items }.unwrap_or_default()
    );
    Some((text, Vec::new()))
}
