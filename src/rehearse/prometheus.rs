//! Reads the response of Prometheus to `/api/v1/query_range`, saved as JSON.

use std::io::BufRead;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::curve::{Curve, Kind};

/// An export of a day by the minute has a few hundred kilobytes.
const MAX_BYTES: u64 = 256 << 20;

#[derive(Deserialize)]
struct Export {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    metric: Labels,
    values: Vec<(f64, String)>,
}

#[derive(Default, Deserialize)]
struct Labels {
    #[serde(rename = "__name__")]
    name: Option<String>,
    method: Option<String>,
    route: Option<String>,
}

/// Whether the first line belongs to an export and not to a log with JSON lines.
///
/// # Errors
/// If the file cannot be read.
pub fn is_export(file: &mut impl BufRead) -> anyhow::Result<bool> {
    let begin = String::from_utf8_lossy(file.fill_buf()?);
    let begin: String = begin.chars().filter(|c| !c.is_whitespace()).take(40).collect();
    Ok(begin.starts_with("{\"status\":\"success\",\"data\"") || begin.starts_with("{\"data\":{"))
}

/// Reads rates (requests per second) or raw counters. They differ in the metric name, which
/// `rate()` removes. A series without `route` counts as messages.
///
/// # Errors
/// If it is not the response to a range query.
pub fn read(file: impl BufRead) -> anyhow::Result<Curve> {
    let export: Export =
        serde_json::from_reader(file.take(MAX_BYTES)).context("not the JSON of Prometheus")?;
    ensure!(
        export.data.result_type == "matrix",
        "a `{}`: ask /api/v1/query_range, not /api/v1/query",
        export.data.result_type
    );
    let mut curve = Curve::default();
    for series in export.data.result {
        let kind = match (&series.metric.method, &series.metric.route) {
            (_, None) => Kind::Message,
            (method, Some(route)) => Kind::of(method.as_deref().unwrap_or("POST"), route),
        };
        let is_counter = series.metric.name.is_some_and(|name| name.ends_with("_total"));
        for pair in series.values.windows(2) {
            let [(from, before), (to, after)] = pair else { continue };
            let (Ok(before), Ok(after)) = (before.parse::<f64>(), after.parse::<f64>()) else {
                curve.bad_lines += 1;
                continue;
            };
            let count = match is_counter {
                // A counter that fell was restarted.
                true if after >= before => after - before,
                true => after,
                false => f64::midpoint(before, after) * (to - from),
            };
            if count.is_finite() && count >= 0.0 && to > from {
                curve.lines += 1;
                spread(&mut curve, kind, count, (*from, *to));
            } else {
                curve.bad_lines += 1;
            }
        }
    }
    Ok(curve)
}

/// A step may be longer than a minute; its requests are spread evenly over the minutes.
fn spread(curve: &mut Curve, kind: Kind, count: f64, (from, to): (f64, f64)) {
    let steps = ((to - from) / 60.0).ceil().clamp(1.0, 1440.0);
    for step in 0..steps as u64 {
        let at = from + (to - from) * (step as f64 + 0.5) / steps;
        curve.add(at as i64, kind, count / steps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> anyhow::Result<Curve> {
        read(text.as_bytes())
    }

    #[test]
    fn rates_and_counters_become_requests_by_minute() {
        let curve = of(r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"method":"POST","route":"/v1/sessions/{id}/messages"},
             "values":[[600,"1"],[660,"1"],[780,"3"]]},
            {"metric":{"__name__":"rushdesk_http_requests_total","method":"POST","route":"/v1/sessions"},
             "values":[[600,"100"],[660,"130"],[720,"5"],[780,"NaN"]]}]}}"#)
        .unwrap();
        let total = curve.total();
        // 60 in the first minute, 2 per second over the next two; 30 sessions, then 5 after a
        // restart.
        assert!((total.messages - 300.0).abs() < 1e-6, "{total:?}");
        assert!((total.sessions - 35.0).abs() < 1e-6, "{total:?}");
        assert_eq!((curve.lines, curve.bad_lines, curve.length()), (4, 1, 3));
    }

    #[test]
    fn an_instant_query_is_told_from_a_range_query() {
        let error = of(r#"{"data":{"resultType":"vector","result":[]}}"#).unwrap_err();
        assert!(error.to_string().contains("query_range"), "{error}");
        assert!(of(r#"{"data":3}"#).is_err());
    }

    #[test]
    fn an_export_is_told_from_a_log_of_json_lines() {
        let is = |text: &str| is_export(&mut text.as_bytes()).unwrap();
        assert!(is("{ \"status\": \"success\", \"data\": {"));
        assert!(!is("{\"time\":\"2026-10-10T13:56:10+02:00\",\"status\":200}"));
        assert!(!is(""));
    }
}
