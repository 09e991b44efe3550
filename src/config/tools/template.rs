//! A text with places for values, such as `/orders/{order_number}`.

/// Text and places in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(String),
}

impl Template {
    /// # Errors
    /// What is wrong with `text`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, behind) = rest.split_at(at);
            let inside = behind.strip_prefix('{').and_then(|behind| behind.split_once('}'));
            let Some((name, after)) = inside.filter(|(name, _)| is_name(name)) else {
                return Err(format!(
                    "`{text}` has a brace that is no place such as {{order_number}}"
                ));
            };
            parts.extend((!before.is_empty()).then(|| Part::Text(before.to_owned())));
            parts.push(Part::Place(name.to_owned()));
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Text(rest.to_owned())));
        Ok(Self(parts))
    }

    /// The names of its places.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Place(name) => Some(name.as_str()),
        })
    }

    /// The name of the place that is the whole text.
    pub fn whole(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Place(name)] => Some(name),
            _ => None,
        }
    }

    /// `None` if a place has no value.
    pub fn filled(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Place(name) => value(name),
        });
        parts.collect()
    }
}

/// Names of arguments, and those with a dot that the service fills itself.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_the_rest_stays() {
        let template = Template::parse("/a/{b}/c{d.e}").unwrap();
        assert_eq!(template.places().collect::<Vec<_>>(), ["b", "d.e"]);
        assert_eq!(template.filled(|name| Some(name.to_uppercase())).unwrap(), "/a/B/cD.E");
        assert_eq!(template.filled(|name| (name == "b").then(String::new)), None);
        assert_eq!(template.whole(), None);
        assert_eq!(Template::parse("{skus}").unwrap().whole(), Some("skus"));
        assert_eq!(Template::parse("").unwrap().filled(|_| None).unwrap(), "");
    }

    #[test]
    fn a_brace_without_a_partner_or_a_name_is_refused() {
        for text in ["{", "}", "a{b", "a}b", "{}", "{a b}", "{{a}}", "{a{b}}", "{ü}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
