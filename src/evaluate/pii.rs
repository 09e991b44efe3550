//! Masking, measured span by span.

use std::ops::Range;

use super::{
    options::Options,
    rows::{Row, read},
    score::{Alarms, Recall, Report},
};
use crate::{
    domain::NumberFormats,
    guard::{Found, find},
};

/// Label of the data and the placeholder's.
const MEASURED: [(&str, &str); 15] = [
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
];

/// Personal data that is not looked for. To mask it is no false alarm.
const ALSO_PERSONAL: [&str; 5] = ["PERSON", "ADDRESS", "ZIP_CODE", "USERNAME", "URL"];

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
    let found = find(&row.text, &NumberFormats::default());
    for span in &row.spans {
        let Some((_, label)) = MEASURED.iter().find(|(kind, _)| *kind == span.kind) else {
            continue;
        };
        let range = row.range(span);
        let key = (file.to_owned(), span.kind.clone());
        let Recall { spans, hidden, named, missed } = report.recall.entry(key).or_default();
        *spans += 1;
        let over: Vec<&Found> = found.iter().filter(|f| covers(&f.range, &range)).collect();
        *named += usize::from(over.iter().any(|f| f.kind.label() == *label));
        if !over.is_empty() {
            *hidden += 1;
        } else if missed.len() < show {
            missed.push(format!("{:?} in {:?}", &row.text[range], row.text));
        }
    }
    let personal: Vec<Range<usize>> = row
        .spans
        .iter()
        .filter(|span| {
            ALSO_PERSONAL.contains(&span.kind.as_str())
                || MEASURED.iter().any(|(kind, _)| *kind == span.kind)
        })
        .map(|span| row.range(span))
        .collect();
    let Alarms { rows, alarmed, shown } = report.alarms.entry(file.to_owned()).or_default();
    *rows += 1;
    let touches =
        |f: &Found| personal.iter().any(|p| p.start < f.range.end && f.range.start < p.end);
    let wrong: Vec<&Found> = found.iter().filter(|f| !touches(f)).collect();
    if let Some(first) = wrong.first() {
        *alarmed += 1;
        if shown.len() < show {
            let (kind, what) = (first.kind.label(), &row.text[first.range.clone()]);
            shown.push(format!("{kind} {what:?} in {:?}", row.text));
        }
    }
}

fn covers(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
