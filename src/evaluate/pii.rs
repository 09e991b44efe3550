//! Masking, measured span by span.

use std::ops::Range;

use super::{
    options::Options,
    rows::{Row, read},
    score::{Alarms, Recall, Report},
};
use crate::guard::{Found, Seekers, Shop, find_by};

/// Label of the data and the placeholder's.
const MEASURED: [(&str, &str); 18] = [
    ("EMAIL", "EMAIL"),
    ("PHONE", "PHONE"),
    ("CREDIT_CARD", "CARD"),
    ("CARD_PARTIAL", "CARD"),
    ("SSN", "SSN"),
    ("SSN_PARTIAL", "SSN"),
    ("IBAN", "IBAN"),
    ("IP_ADDRESS", "IP"),
    ("PASSWORD", "PASSWORD"),
    ("PIN", "PIN"),
    ("CVV", "CVV"),
    ("TOKEN", "TOKEN"),
    ("ACCOUNT_NUMBER", "ACCOUNT"),
    ("DRIVER_LICENSE", "LICENCE"),
    ("PASSPORT", "PASSPORT"),
    ("PERSON", "NAME"),
    ("ADDRESS", "ADDRESS"),
    ("BIRTH_DATE", "BIRTH_DATE"),
];

/// Personal data that is not looked for. To mask it is no false alarm.
const ALSO_PERSONAL: [&str; 5] = ["ZIP_CODE", "USERNAME", "URL", "TITLE", "DATE_TIME"];

/// A town is personal in an address only.
const TOWN: &str = "LOCATION";
/// Bytes between a town and the rest of an address.
const NEAR: usize = 8;

/// Reads the files and masks every text.
///
/// # Errors
/// If a file cannot be read or a line does not have its shape.
pub fn pii(options: &Options) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for (file, rows) in read(&options.data)? {
        for row in &rows {
            measure(&mut report, &file, row, options.show);
        }
    }
    Ok(report)
}

fn measure(report: &mut Report, file: &str, row: &Row, show: usize) {
    let shop = Shop::default();
    let found = find_by(&row.text, &shop, Seekers::RulesAndTagger);
    let ruled = find_by(&row.text, &shop, Seekers::Rules);
    for span in &row.spans {
        let Some((_, label)) = MEASURED.iter().find(|(kind, _)| *kind == span.kind) else {
            continue;
        };
        let range = row.range(span);
        let key = (file.to_owned(), span.kind.clone());
        let Recall { spans, hidden, named, ruled: by_rules, missed } =
            report.recall.entry(key).or_default();
        *spans += 1;
        *named += usize::from(hides(&row.text, &range, &found, Some(label)));
        *by_rules += usize::from(hides(&row.text, &range, &ruled, None));
        if hides(&row.text, &range, &found, None) {
            *hidden += 1;
        } else if missed.len() < show {
            missed.push(format!("{:?} in {:?}", &row.text[range], row.text));
        }
    }
    let personal = personal(row);
    let wrong = |found: &[Found]| {
        let loose = found.iter().find(|f| !personal.iter().any(|p| touches(p, &f.range)));
        loose.cloned()
    };
    let empty = row.spans.is_empty().then_some(" without spans");
    for name in ["", empty.unwrap_or(" with spans")] {
        let Alarms { rows, alarmed, ruled: by_rules, shown } =
            report.alarms.entry(format!("{file}{name}")).or_default();
        *rows += 1;
        *by_rules += usize::from(wrong(&ruled).is_some());
        if let Some(first) = wrong(&found) {
            *alarmed += 1;
            if shown.len() < show && !name.is_empty() {
                let (kind, what) = (first.kind.label(), &row.text[first.range]);
                shown.push(format!("{kind} {what:?} in {:?}", row.text));
            }
        }
    }
}

/// Where something may be masked.
fn personal(row: &Row) -> Vec<Range<usize>> {
    let named = |kind: &str| ALSO_PERSONAL.contains(&kind) || MEASURED.iter().any(|m| m.0 == kind);
    let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<Range<usize>> {
        let spans = row.spans.iter().filter(|span| wanted(&span.kind));
        spans.map(|span| row.range(span)).collect()
    };
    let (mut personal, addresses) = (of(&named), of(&|kind| kind == "ADDRESS"));
    let near = |town: &Range<usize>| {
        let close = |a: &Range<usize>| a.start <= town.end + NEAR && town.start <= a.end + NEAR;
        addresses.iter().any(close)
    };
    personal.extend(of(&|kind| kind == TOWN).into_iter().filter(near));
    personal
}

/// Whether all letters and digits of a value are hidden, by the kind `label` if it is given.
fn hides(text: &str, value: &Range<usize>, found: &[Found], label: Option<&str>) -> bool {
    let found = || found.iter().filter(|f| label.is_none_or(|label| f.kind.label() == label));
    let mut signs = text[value.clone()].char_indices().filter(|(_, c)| c.is_alphanumeric());
    signs.all(|(at, _)| found().any(|f| f.range.contains(&(value.start + at))))
}

fn touches(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}
