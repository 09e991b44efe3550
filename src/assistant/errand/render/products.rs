//! Products, with price and stock.

use serde_json::{Map, Value};

use super::{
    super::{text::fill, vocabulary::sentences},
    found, lists, money,
};
use crate::{
    domain::{Card, Details, Field, Language},
    words::Errands,
};

/// Products that are described one by one.
const MOST: usize = 5;

pub fn list(
    arguments: &Map<String, Value>,
    output: &Value,
    language: Language,
) -> Option<(String, Vec<Card>)> {
    let said: &Errands = sentences(language);
    let size = found::typed(arguments.get("size"));
    let products: Vec<Product> = found::list(output, "products")?
        .iter()
        .filter_map(|product| Product::of(product, language))
        .take(MOST)
        .collect();
    let text = match products.as_slice() {
        [] => {
            let query = found::typed(arguments.get("query"));
            fill(said.no_products, &[("query", query.as_deref())])
        }
        [product] => product.sentence(size.as_deref(), language),
        several => {
            let line = |product: &Product| format!("- {}", product.line(size.as_deref(), language));
            let lines: Vec<String> = several.iter().map(line).collect();
            format!("{}\n{}", said.products.unwrap_or_default(), lines.join("\n"))
        }
    };
    Some((text, products.into_iter().map(|product| product.card(language)).collect()))
}

struct Product {
    name: String,
    price: Option<String>,
    /// Sizes of which there are some.
    sizes: Vec<String>,
    /// Whether there is any, in whatever size.
    any: bool,
    stores: Vec<String>,
    url: Option<String>,
}

impl Product {
    fn of(product: &Value, language: Language) -> Option<Self> {
        let left = |entry: &&Value| entry.get("quantity").and_then(Value::as_i64).unwrap_or(0) > 0;
        let stock: Vec<&Value> =
            found::list(product, "stock").unwrap_or_default().iter().filter(left).collect();
        let stores = found::list(product, "stores").unwrap_or_default().iter().filter(left);
        Some(Self {
            name: found::text(product, "name")?,
            price: money::of(product.get("price"), language),
            sizes: stock.iter().filter_map(|entry| found::text(entry, "size")).collect(),
            any: !stock.is_empty(),
            stores: stores.filter_map(|store| found::text(store, "name")).collect(),
            url: found::link(product, "url"),
        })
    }

    fn has(&self, size: &str) -> bool {
        self.sizes.iter().any(|has| has.eq_ignore_ascii_case(size))
    }

    fn sentence(&self, size: Option<&str>, language: Language) -> String {
        let said: &Errands = sentences(language);
        let sizes = lists::join(&self.sizes, language);
        let sized = size.filter(|_| !self.any || !self.sizes.is_empty());
        let template = match sized {
            _ if !self.any => said.sold_out,
            Some(size) if self.has(size) => said.in_stock_in_size,
            Some(_) => said.sold_out_in_size,
            None => said.in_stock,
        };
        let values = [
            ("name", Some(self.name.as_str())),
            ("price", self.price.as_deref()),
            ("size", size),
            ("sizes", Some(sizes.as_str())),
        ];
        let mut text = fill(template, &values);
        if !self.stores.is_empty() {
            let stores = lists::join(&self.stores, language);
            text = format!("{text} {}", fill(said.in_stores, &[("stores", Some(&stores))]));
        }
        text
    }

    fn line(&self, size: Option<&str>, language: Language) -> String {
        let said: &Errands = sentences(language);
        if size.is_some() || !self.any {
            let alone = Self {
                stores: Vec::new(),
                sizes: self.sizes.clone(),
                name: self.name.clone(),
                price: self.price.clone(),
                url: None,
                any: self.any,
            };
            return alone.sentence(size, language);
        }
        let sizes = lists::join(&self.sizes, language);
        let values = [
            ("name", Some(self.name.as_str())),
            ("price", self.price.as_deref()),
            ("sizes", Some(sizes.as_str())),
        ];
        fill(said.product_line, &values)
    }

    fn card(self, language: Language) -> Card {
        let said: &Errands = sentences(language);
        let sizes = Some(lists::join(&self.sizes, language)).filter(|sizes| !sizes.is_empty());
        let values = [(said.price, self.price), (said.sizes_in_stock, sizes)];
        let fields = values
            .into_iter()
            .filter_map(|(label, value)| Some(Field::new(label.unwrap_or_default(), value?)));
        Card::Product(Details { title: self.name, fields: fields.collect(), url: self.url })
    }
}
