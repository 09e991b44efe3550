//! Values from a shop, made harmless.

use serde_json::Value;

use crate::domain::is_invisible;

/// Longest value, in characters.
const LONGEST: usize = 160;
const LONGEST_TYPED: usize = 300;
const LONGEST_LINK: usize = 500;
/// No list of a shop is shown further.
pub const MOST: usize = 10;

/// Text of one line. Numbers are written out; `None` if there is nothing to see.
pub fn line(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => clean(text),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// What a shopper typed, with its placeholders.
pub fn typed(value: Option<&Value>) -> Option<String> {
    let text: String = value?.as_str()?.chars().filter(|c| !is_invisible(*c)).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let text: String = words.join(" ").chars().take(LONGEST_TYPED).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// The text at this key.
pub fn text(value: &Value, key: &str) -> Option<String> {
    line(value.get(key))
}

/// A link of the web.
pub fn link(value: &Value, key: &str) -> Option<String> {
    let link = value.get(key)?.as_str()?.trim();
    let lower = link.get(..8).unwrap_or(link).to_ascii_lowercase();
    let web = lower.starts_with("https://") || lower.starts_with("http://");
    let plain = link.chars().all(|c| c.is_ascii_graphic() && !"<>\"'`()[]{}\\^|".contains(c));
    (web && plain && link.len() <= LONGEST_LINK).then(|| link.to_owned())
}

pub fn list<'a>(value: &'a Value, key: &str) -> Option<&'a [Value]> {
    let list = value.get(key)?.as_array()?;
    Some(&list[..list.len().min(MOST)])
}

pub fn strings(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten().take(MOST);
    list.filter_map(|value| line(Some(value))).collect()
}

/// Signs that make links, pictures or code of a text mean nothing here.
fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    for (count, c) in text.chars().filter(|c| !is_invisible(*c)).enumerate() {
        if count == LONGEST {
            cleaned.push('…');
            break;
        }
        cleaned.push(match c {
            c if c.is_whitespace() || c.is_control() => ' ',
            '<' => '‹',
            '>' => '›',
            '[' => '(',
            ']' => ')',
            '`' | '|' | '*' | '\\' => ' ',
            c => c,
        });
    }
    let words: Vec<&str> = cleaned.split_whitespace().collect();
    // A link in a text is not the shop's to place there.
    let words = words.into_iter().filter(|word| !word.contains("://"));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_comes_from_a_shop_is_cut_and_cannot_be_a_link() {
        let read = |text: &str| line(Some(&json!(text))).unwrap_or_default();
        assert_eq!(read("a\u{202e}b\u{0}\nc  d"), "ab c d");
        assert_eq!(read("[Click](https://evil.example) **now**"), "now");
        assert_eq!(read(&"x".repeat(500)).chars().count(), LONGEST + 1);
        assert_eq!(line(Some(&json!(12))), Some("12".into()));
        assert_eq!(line(Some(&json!({"a": 1}))), None);
        assert_eq!(line(Some(&json!("\u{200b} "))), None);
    }

    #[test]
    fn only_links_of_the_web_stay() {
        let at = |url: &str| link(&json!({ "url": url }), "url");
        assert!(at("https://dhl.example/t?n=1").is_some());
        for url in
            ["javascript:alert(1)", "data:text/html,x", "https://a b", "https://a/\u{202e}", "/x"]
        {
            assert_eq!(at(url), None, "{url}");
        }
    }
}
