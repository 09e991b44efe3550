mod asking;
mod languages;
mod newcomer;
mod parts;
mod rendering;

use jiff::civil::{Date, date};
use serde_json::{Map, Value, json};

use super::{Call, Errand, Heard, Rendered, plan, render};
use crate::domain::{Intent, Language, NumberFormats, Topic};

const TODAY: Date = date(2026, 11, 29);

fn formats() -> NumberFormats {
    NumberFormats::new(["FJ-#####", "FJ############"]).unwrap()
}

/// What is planned for the last message, each with the answer before the next one.
fn planned(earlier: &[(&str, Option<&str>)], text: &str) -> Option<Errand> {
    let intent = Intent { topic: Topic::General, confidence: 0.0, also: Vec::new() };
    plan(&Heard {
        text,
        earlier,
        intent: &intent,
        language: Language::En,
        formats: &formats(),
        signed_in: false,
        value: &|_| None,
        consent: &yes_or_no,
        has: &|_| true,
    })
}

/// Who uses it reads more of a message than these.
fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[track_caller]
fn called(errand: Option<Errand>) -> Vec<Call> {
    match errand {
        Some(Errand::Call(calls)) => calls,
        other => panic!("no call: {other:?}"),
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn shown(tool: &str, arguments: Value, output: &Value, language: Language) -> Rendered {
    render(tool, &object(arguments), output, TODAY, language).unwrap()
}

fn order(status: &str) -> Value {
    json!({
        "number": "FJ-10234", "placed_at": "2026-11-25", "status": status,
        "items": [
            {"sku": "VIDDE-2", "name": "Vidde 2", "quantity": 1},
            {"sku": "BRE-MID", "name": "Bre Mid", "quantity": 2, "size": "42"},
        ],
        "total": {"amount": "1828.80", "currency": "EUR"},
        "carrier": "DHL", "tracking_number": "00340434", "shipped_at": "2026-11-27",
        "tracking_url": "https://dhl.example/t?n=00340434",
        "expected_at": "2026-12-01", "delivered_at": "2026-11-28",
        "can_cancel": false, "can_change_address": false,
    })
}
