//! What a shopper was looking at when the conversation began.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest address of a page, in characters.
const PAGE_CHARS: usize = 500;
/// Longest article or order number, in characters.
const ID_CHARS: usize = 64;
/// Most articles of a cart.
const CART_ITEMS: usize = 30;

/// As the shop's page says. It comes from a browser, so it is a hint and proves nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PageContext {
    /// The address of the page, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The article that the page shows, at most 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// The articles in the cart, at most 30.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cart: Vec<CartItem>,
    /// The order that the page shows, at most 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CartItem {
    /// At most 64 characters.
    pub sku: String,
    #[serde(default = "one")]
    pub quantity: u32,
}

const fn one() -> u32 {
    1
}

/// A field that cannot be kept, and what it must be.
pub struct BadField(pub &'static str, pub String);

impl PageContext {
    /// # Errors
    /// The first field that is too long.
    pub fn check(&self) -> Result<(), BadField> {
        let fits = |text: &str, most| !text.trim().is_empty() && text.chars().count() <= most;
        let texts = [
            ("context.page", &self.page, PAGE_CHARS),
            ("context.sku", &self.sku, ID_CHARS),
            ("context.order_id", &self.order_id, ID_CHARS),
        ];
        for (name, text, most) in texts {
            if text.as_ref().is_some_and(|text| !fits(text, most)) {
                return Err(BadField(name, format!("must have 1 to {most} characters")));
            }
        }
        if self.cart.len() > CART_ITEMS {
            return Err(BadField("context.cart", format!("may have at most {CART_ITEMS} items")));
        }
        if !self.cart.iter().all(|item| fits(&item.sku, ID_CHARS)) {
            let detail = format!("each `sku` must have 1 to {ID_CHARS} characters");
            return Err(BadField("context.cart", detail));
        }
        Ok(())
    }

    /// Its words: the last part of the page's path, the article and the order.
    pub fn words(&self) -> String {
        let page = self.page.as_deref().map(slug).unwrap_or_default();
        let parts = [Some(page), self.sku.clone(), self.order_id.clone()];
        let parts: Vec<String> =
            parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }
}

/// `https://shop.example/tents/vidde-2.html?colour=red` is "vidde 2".
fn slug(page: &str) -> String {
    let path = page.split(['?', '#']).next().unwrap_or_default();
    let path = path
        .split_once("://")
        .map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    let last = last.rsplit_once('.').map_or(last, |(name, _)| name);
    let words = last.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Names the fields only.
impl fmt::Debug for PageContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { page, sku, cart, order_id } = self;
        f.debug_struct("PageContext")
            .field("page", &page.is_some())
            .field("sku", &sku.is_some())
            .field("cart", &cart.len())
            .field("order_id", &order_id.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(page: &str) -> PageContext {
        PageContext { page: Some(page.into()), ..PageContext::default() }
    }

    #[test]
    fn the_last_part_of_the_path_says_what_the_page_is_about() {
        for (page, words) in [
            ("https://shop.example/tents/vidde-2.html?colour=red#top", "vidde 2"),
            ("/products/down_jacket/", "down jacket"),
            ("https://shop.example/", ""),
            ("https://shop.example", ""),
            ("", ""),
        ] {
            assert_eq!(of(page).words(), words, "{page}");
        }
        let all = PageContext {
            sku: Some("TNT-2".into()),
            order_id: Some("FJ-1".into()),
            ..of("/vidde")
        };
        assert_eq!(all.words(), "vidde TNT-2 FJ-1");
    }

    #[test]
    fn what_is_too_long_or_empty_is_named() {
        let named = |context: &PageContext| context.check().err().map(|BadField(name, _)| name);
        assert_eq!(named(&of("/x")), None);
        assert_eq!(named(&of(&"x".repeat(501))), Some("context.page"));
        let of_order = |id: &str| PageContext { order_id: Some(id.into()), ..of("/x") };
        assert_eq!(named(&of_order(" ")), Some("context.order_id"));
        let item = |sku: &str| CartItem { sku: sku.into(), quantity: 1 };
        let cart = |cart| PageContext { cart, ..PageContext::default() };
        assert_eq!(named(&cart(vec![item("a"); 31])), Some("context.cart"));
        assert_eq!(named(&cart(vec![item(&"a".repeat(65))])), Some("context.cart"));
    }
}
