//! Stores, the nearest one first.

use serde_json::{Map, Value};

use super::{
    super::{text::fill, vocabulary::sentences},
    found,
};
use crate::{
    domain::{Card, Language},
    words::Errands,
};

pub fn list(
    arguments: &Map<String, Value>,
    output: &Value,
    language: Language,
) -> Option<(String, Vec<Card>)> {
    let said: &Errands = sentences(language);
    let stores = found::list(output, "stores")?;
    let written = |template: Option<&str>, store: &Value| {
        let [name, address, hours, phone] =
            ["name", "address", "hours", "phone"].map(|key| found::text(store, key));
        let values = [
            ("name", name.as_deref()),
            ("address", address.as_deref()),
            ("hours", hours.as_deref()),
            ("phone", phone.as_deref()),
        ];
        fill(template, &values)
    };
    let near = found::typed(arguments.get("near"));
    let text = match stores {
        [] => said.no_stores.unwrap_or_default().to_owned(),
        all => {
            let there: Vec<&Value> = match &near {
                Some(near) => all.iter().filter(|store| is_there(store, near)).collect(),
                None => Vec::new(),
            };
            let nearest = near.as_ref().filter(|near| has_digits(near)).and_then(|_| all.first());
            let lines = |stores: &[&Value]| {
                let line = |store: &&Value| format!("- {}", written(said.store_line, store));
                stores.iter().map(line).collect::<Vec<_>>().join("\n")
            };
            let every: Vec<&Value> = all.iter().collect();
            let of_all = || format!("{}\n{}", said.all_stores.unwrap_or_default(), lines(&every));
            match (there.as_slice(), nearest, &near) {
                ([store], _, _) => written(said.stores_near, store),
                ([], Some(store), _) => written(said.stores_near, store),
                ([], None, Some(_)) => {
                    format!("{} {}", said.no_stores.unwrap_or_default(), of_all())
                }
                ([], None, None) => of_all(),
                (several, _, _) => {
                    format!("{}\n{}", said.all_stores.unwrap_or_default(), lines(several))
                }
            }
        }
    };
    Some((text, Vec::new()))
}

/// A shop sorts by distance only if it knows the place, and does not say whether it does. So a store
/// is called the nearest one only if its name or address has the place, or the place is a postcode.
fn is_there(store: &Value, near: &str) -> bool {
    let place = near.trim().to_lowercase();
    let named = ["name", "address"].iter().filter_map(|key| found::text(store, key));
    named.into_iter().any(|text| text.to_lowercase().contains(&place))
}

fn has_digits(place: &str) -> bool {
    place.bytes().filter(u8::is_ascii_digit).count() >= 4
}
