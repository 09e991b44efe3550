//! Reads access logs in the common and combined formats, and as JSON lines.

use std::io::BufRead;

use jiff::{Timestamp, Zoned};
use serde_json::Value;

use super::curve::{Curve, Kind};

/// A longer line is not from an access log.
const MAX_LINE_BYTES: u64 = 64 << 10;

/// Reads line by line. Lines that cannot be parsed are counted.
///
/// # Errors
/// If the file cannot be read to its end.
pub fn read(mut lines: impl BufRead) -> anyhow::Result<Curve> {
    let (mut curve, mut line) = (Curve::default(), Vec::new());
    loop {
        line.clear();
        let read = std::io::Read::take(&mut lines, MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(curve);
        }
        if line.last() != Some(&b'\n') && read as u64 == MAX_LINE_BYTES {
            // The rest of it is not a separate line.
            lines.skip_until(b'\n')?;
            curve.bad_lines += 1;
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let entry = if text.starts_with('{') { of_json(text) } else { of_combined(text) };
        match entry {
            Some((second, kind)) => {
                curve.lines += 1;
                curve.add(second, kind, 1.0);
            }
            None => curve.bad_lines += 1,
        }
    }
}

/// `host ident user [10/Oct/2000:13:55:36 -0700] "GET /path HTTP/1.1" 200 2326 ...`
fn of_combined(line: &str) -> Option<(i64, Kind)> {
    let (time, rest) = line.split_once('[')?.1.split_once(']')?;
    let request = rest.trim_start().strip_prefix('"')?.split('"').next()?;
    Some((common_time(time)?, of_request(request)?))
}

fn common_time(text: &str) -> Option<i64> {
    let time = Zoned::strptime("%d/%b/%Y:%H:%M:%S %z", text).ok()?;
    Some(time.timestamp().as_second())
}

/// `GET /path HTTP/1.1`
fn of_request(request: &str) -> Option<Kind> {
    let mut parts = request.split(' ');
    let (method, path) = (parts.next()?, parts.next()?);
    let is_method =
        (1..=16).contains(&method.len()) && method.bytes().all(|b| b.is_ascii_alphabetic());
    (is_method && path.starts_with(['/', 'h', '*'])).then(|| Kind::of(method, path))
}

/// nginx with `escape=json`, Caddy, and most others: a time, and a request as one text or as method
/// and path.
fn of_json(line: &str) -> Option<(i64, Kind)> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let second = ["time_iso8601", "time_local", "msec", "@timestamp", "timestamp", "time", "ts"]
        .iter()
        .find_map(|field| time(entry.get(field)?))?;
    if let Some(request) = entry["request"].as_str() {
        return Some((second, of_request(request)?));
    }
    // Caddy nests it in `request`, and a log of spans in `span`.
    let request = ["request", "span"]
        .iter()
        .find_map(|field| entry.get(field)?.as_object().map(|_| &entry[field]));
    let request = request.unwrap_or(&entry);
    let text = |names: &[&str]| names.iter().find_map(|name| request[name].as_str());
    let method = text(&["request_method", "method"])?;
    let path = text(&["request_uri", "uri", "route", "path", "url"])?;
    Some((second, Kind::of(method, path)))
}

/// Seconds since 1970 as a number or its text, RFC 3339, or the common format.
fn time(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => return seconds(number.as_f64()?),
        Value::String(text) => text.as_str(),
        _ => return None,
    };
    let number = || text.parse::<f64>().ok().and_then(seconds);
    let rfc3339 = || text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    number().or_else(rfc3339).or_else(|| common_time(text))
}

/// Values this large are milliseconds, and smaller ones seconds.
fn seconds(number: f64) -> Option<i64> {
    let seconds = if number > 1e11 { number / 1000.0 } else { number };
    (seconds > 0.0 && seconds < 1e11).then_some(seconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"
203.0.113.9 - alice [10/Oct/2026:13:55:36 +0200] "POST /v1/sessions/0192/messages HTTP/1.1" 200 2326
203.0.113.9 - - [10/Oct/2026:13:55:59 +0200] "POST /v1/sessions HTTP/1.1" 201 90 "https://shop.example/?q=secret" "Mozilla/5.0 \"x\""
2001:db8::1 - - [10/Oct/2026:13:56:00 +0200] "GET /tents?mail=a@example.com HTTP/2.0" 200 1
{"time_iso8601":"2026-10-10T13:56:10+02:00","request":"POST /v1/auth/visitor HTTP/1.1","remote_addr":"203.0.113.9"}
{"msec":"1791633371.123","request_method":"POST","request_uri":"/v1/chat/completions?x"}
{"ts":1791633372.5,"request":{"method":"GET","uri":"/v1/sessions/1/events"}}
{"timestamp":"2026-10-10T11:56:13Z","span":{"method":"POST","route":"/v1/sessions/{id}/messages"}}
garbage
203.0.113.9 - - [10/Oct/2026:13:56:00 +0200] "\x16\x03\x01" 400 0
203.0.113.9 - - [yesterday] "GET / HTTP/1.1" 200 1
{"time":"2026-10-10T13:56:10+02:00"}
{"broken
"#;

    #[test]
    fn each_format_is_read_and_bad_lines_are_counted() {
        let curve = read(LOG.as_bytes()).unwrap();
        assert_eq!((curve.lines, curve.bad_lines), (7, 5));
        let total = curve.total();
        let counts = [total.messages, total.sessions, total.sign_ins, total.reads, total.others];
        assert_eq!(counts, [3.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(curve.length(), 2);
    }

    #[test]
    fn nothing_of_a_person_is_kept() {
        let kept = format!("{:?}", read(LOG.as_bytes()).unwrap());
        for secret in ["203.0.113", "2001:db8", "alice", "secret", "example", "tents", "0192"] {
            assert!(!kept.contains(secret), "{secret} is in {kept}");
        }
    }

    #[test]
    fn an_endless_line_is_one_bad_line() {
        let mut log = vec![b'x'; 300_000];
        log.extend(b"\n10.0.0.1 - - [10/Oct/2026:13:55:36 +0200] \"GET / HTTP/1.1\" 200 1\n");
        let curve = read(log.as_slice()).unwrap();
        assert_eq!((curve.lines, curve.bad_lines), (1, 1));
    }
}
