//! Fills sentences in.

/// `{name}` becomes the value of that name. What stands in `<` and `>` is left out if a value in it
/// is missing.
pub fn fill(template: Option<&str>, values: &[(&str, Option<&str>)]) -> String {
    let template = template.unwrap_or_default();
    let mut text = String::new();
    for (at, part) in template.split('<').enumerate() {
        match part.split_once('>') {
            Some((optional, rest)) if at > 0 => {
                if let Some(optional) = filled(optional, values) {
                    text.push_str(&optional);
                }
                text.push_str(&filled(rest, values).unwrap_or_default());
            }
            _ => text.push_str(&filled(part, values).unwrap_or_default()),
        }
    }
    text
}

/// `None` if a value is missing.
fn filled(text: &str, values: &[(&str, Option<&str>)]) -> Option<String> {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        let value = values.iter().find(|(known, _)| *known == name).and_then(|(_, value)| *value);
        filled.push_str(value.filter(|value| !value.is_empty())?);
        filled.push_str(rest);
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_left_out_with_the_words_around_it() {
        let template = Some("Order {number} was sent< on {day}>< with {carrier}>.");
        let number = ("number", Some("FJ-1"));
        assert_eq!(fill(template, &[number]), "Order FJ-1 was sent.");
        assert_eq!(
            fill(template, &[number, ("carrier", Some("<{day}>"))]),
            "Order FJ-1 was sent with <{day}>."
        );
    }
}
