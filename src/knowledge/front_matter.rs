//! The block of `key: value` lines between two `---` lines at the top of a file.

/// A longer block is not a header but text that starts with a rule.
const MAX_LINES: usize = 32;

/// The header of a file, and the text below it.
#[derive(Debug, PartialEq, Eq)]
pub struct FrontMatter<'a> {
    fields: Vec<(&'a str, &'a str)>,
    pub body: &'a str,
}

impl<'a> FrontMatter<'a> {
    /// Reads the header of `text`. Without a header, the whole text is the body.
    pub fn read(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        header(text).unwrap_or_else(|| Self::none(text))
    }

    /// For a file whose format has no header.
    pub const fn none(text: &'a str) -> Self {
        Self { fields: Vec::new(), body: text }
    }

    /// The value of `key`, without surrounding quotes; `None` if it is missing or empty.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let (_, value) = self.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        Some(unquoted(value)).filter(|value| !value.is_empty())
    }

    /// The comma-separated values of `key`, with or without brackets.
    pub fn list(&self, key: &str) -> Vec<String> {
        let value = self.get(key).unwrap_or("");
        let value = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(value);
        let items = value.split(',').map(|item| unquoted(item.trim()));
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}

fn header(text: &str) -> Option<FrontMatter<'_>> {
    let mut rest = text;
    (line(&mut rest)? == "---").then_some(())?;
    let mut fields = Vec::new();
    for _ in 0..=MAX_LINES {
        let line = line(&mut rest)?;
        if line == "---" {
            return Some(FrontMatter { fields, body: rest });
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once(':')?;
        fields.push((key.trim(), value.trim()));
    }
    None
}

fn line<'a>(rest: &mut &'a str) -> Option<&'a str> {
    if rest.is_empty() {
        return None;
    }
    let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
    *rest = after;
    Some(line.trim_end())
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_gives_its_fields_and_the_text_below() {
        let file = FrontMatter::read(
            "---\r\nTitle: \"Returns: how\"\r\ntags: [a, 'b c']\nurl:\n# note\n---\nBody\n---\n",
        );
        assert_eq!(file.get("title"), Some("Returns: how"));
        assert_eq!(file.list("tags"), ["a", "b c"]);
        assert_eq!(file.get("url"), None);
        assert_eq!(file.body, "Body\n---\n");
    }

    #[test]
    fn a_text_that_only_begins_with_a_rule_is_all_body() {
        for text in ["---\nno header here\n---\n", "---\nkey: value\n", "key: value\n---\n", ""] {
            assert_eq!(FrontMatter::read(text).body, text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s)(---\n)?[ -~\n:-]{0,200}(\n---\n)?\\PC{0,50}") {
            let file = FrontMatter::read(&text);
            prop_assert!(text.ends_with(file.body));
        }
    }
}
