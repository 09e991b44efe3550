//! The stores, as the pages of the demo shop have them.

use serde::Serialize;

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Store {
    pub name: &'static str,
    pub address: &'static str,
    pub hours: &'static str,
    pub phone: &'static str,
    #[serde(skip)]
    postcode: u32,
    /// Towns to which it is the nearest.
    #[serde(skip)]
    towns: &'static [&'static str],
}

const HOURS: &str = "Mon–Fri 10:00–19:00, Sat 10:00–18:00";
const PHONE: &str = "+49 381 555 0140";

const STORES: [Store; 4] = [
    Store {
        name: "Rostock",
        address: "Hafenstrasse 12, 18055 Rostock, Germany",
        hours: HOURS,
        phone: PHONE,
        postcode: 18_055,
        towns: &["rostock", "berlin", "schwerin", "stralsund", "leipzig", "dresden"],
    },
    Store {
        name: "Hamburg",
        address: "Speicherweg 8, 20457 Hamburg, Germany",
        hours: HOURS,
        phone: PHONE,
        postcode: 20_457,
        towns: &[
            "hamburg",
            "hambourg",
            "hamburgo",
            "amburgo",
            "汉堡",
            "ハンブルク",
            "هامبورغ",
            "bremen",
            "kiel",
            "lübeck",
            "hannover",
            "köln",
        ],
    },
    Store {
        name: "Munich",
        address: "Isarblick 21, 80469 Munich, Germany",
        hours: HOURS,
        phone: PHONE,
        postcode: 80_469,
        towns: &[
            "munich",
            "münchen",
            "monaco di baviera",
            "múnich",
            "munique",
            "monachium",
            "慕尼黑",
            "ミュンヘン",
            "ميونخ",
            "augsburg",
            "nürnberg",
            "stuttgart",
        ],
    },
    Store {
        name: "Innsbruck",
        address: "Nordkettenplatz 3, 6020 Innsbruck, Austria",
        hours: HOURS,
        phone: PHONE,
        postcode: 6_020,
        towns: &[
            "innsbruck",
            "salzburg",
            "wien",
            "vienna",
            "vienne",
            "viena",
            "因斯布鲁克",
            "bozen",
            "zürich",
        ],
    },
];

/// The nearest ones first, as far as `near` is a place that is known.
pub fn near(near: Option<&str>, limit: usize) -> Vec<Store> {
    let mut stores = STORES.to_vec();
    let near = near.unwrap_or_default().trim().to_lowercase();
    let code: String = near.chars().filter(char::is_ascii_digit).collect();
    let distance = |store: &Store| {
        if store.towns.iter().any(|town| near.contains(town)) {
            return 0;
        }
        match (code.len(), code.parse::<u32>()) {
            // Codes of Austria have four digits, those of Germany five.
            (4 | 5, Ok(number)) if (store.postcode >= 10_000) == (code.len() == 5) => {
                1 + store.postcode.abs_diff(number)
            }
            _ => u32::MAX,
        }
    };
    stores.sort_by_key(distance);
    stores.truncate(limit);
    stores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_store_comes_first() {
        for (place, store) in [
            ("80331", "Munich"),
            ("München", "Munich"),
            ("20095 Hamburg", "Hamburg"),
            ("6020", "Innsbruck"),
            ("Vienna", "Innsbruck"),
            ("Berlin", "Rostock"),
            ("Atlantis", "Rostock"),
        ] {
            assert_eq!(near(Some(place), 3)[0].name, store, "{place}");
        }
        assert_eq!(near(None, 10).len(), 4);
    }
}
