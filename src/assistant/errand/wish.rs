//! What a shopper wants done. A rule of the shop is no errand: "how long does delivery take?" is
//! for its pages, "where is my order?" is for a tool.

use super::{
    product,
    said::{ORDER, Said},
    vocabulary::Concept,
};

/// Something that a tool does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Status,
    List,
    Check,
    Cancel,
    Address,
    Return,
    Products,
    Stores,
    /// The shopper asks about a parcel, which only its carrier knows.
    Parcel,
    /// Something was not in the parcel, which a person looks into.
    Missing,
}

/// "Please cancel" and "order status" say all in so few words.
const ALONE: usize = 3;
/// So many words stand between a thing and the order that it is from: "the lamp from order FJ-1".
const OF_ORDER: std::ops::RangeInclusive<usize> = 2..=4;

impl Wish {
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Status | Self::Parcel | Self::Missing => "order_status",
            Self::List => "order_list",
            Self::Check => "return_check",
            Self::Cancel => "cancel_order",
            Self::Address => "change_address",
            Self::Return => "start_return",
            Self::Products => "product_search",
            Self::Stores => "store_finder",
        }
    }

    /// It is about one order, and only for the shopper whose order it is.
    pub const fn is_about_order(self) -> bool {
        matches!(self, Self::Status | Self::Check | Self::Cancel | Self::Address | Self::Return)
    }
}

/// `None` if the message is no errand by itself. `known`: an order was named before.
pub fn wish(said: &Said, known: bool) -> Option<Wish> {
    let sentences: Vec<usize> = (0..said.sentences().count()).collect();
    let found = sentences.iter().find_map(|sentence| in_sentence(said, *sentence, known));
    found.or_else(|| wrong(said)).or_else(|| by_number(said))
}

/// What came of a named order is broken, wrong or not whole.
fn wrong(said: &Said) -> Option<Wish> {
    let blocked = said.says(Concept::Negated) || said.says(Concept::General);
    if said.orders.is_empty() || blocked {
        return None;
    }
    if is_at_fault(said) {
        return Some(Wish::Return);
    }
    said.says(Concept::Missing).then_some(Wish::Missing)
}

/// The shop has sent something broken or wrong.
pub fn is_at_fault(said: &Said) -> bool {
    matches!(said.reason, Some("damaged" | "wrong_item" | "not_as_described"))
}

/// Whether only a part of an order is to be cancelled, which shops do not offer: "only the lamp",
/// "the lamp from order FJ-1".
pub fn is_in_part(said: &Said) -> bool {
    let excepts = said.says(Concept::Except);
    let limits = excepts || said.says(Concept::Only) && !said.says(Concept::All);
    let order = (0..said.len()).find(|at| said.word(*at) == ORDER);
    let cancel = said.about(Concept::Cancel).map(|hit| hit.start).min();
    said.about(Concept::Goods).any(|thing| {
        let of_order = order.is_some_and(|at| OF_ORDER.contains(&at.saturating_sub(thing.end)));
        limits || of_order && cancel.is_some_and(|at| at < thing.start)
    })
}

fn in_sentence(said: &Said, sentence: usize, known: bool) -> Option<Wish> {
    let with_order = with_order(said, sentence, known);
    with_order.or_else(|| in_shop(said, sentence))
}

/// What is wanted of an order.
fn with_order(said: &Said, sentence: usize, known: bool) -> Option<Wish> {
    let about = |concept| said.is_about(sentence, concept);
    let elsewhere =
        [Concept::Other, Concept::Goods, Concept::Stores, Concept::Search].into_iter().any(about);
    let known = known && !elsewhere;
    // A rule of the shop is about no order, unless one is named.
    let number = !said.orders.is_empty() || known && about(Concept::It);
    let ruled = said.is_about_beyond(sentence, Concept::General, Concept::Status);
    let listed = about(Concept::List) && !about(Concept::Other) && said.orders.is_empty();
    let asked = about(Concept::Cancel)
        || about(Concept::Status) && (said.len() == 1 || said.says(Concept::Called));
    let alone = said.len() <= ALONE && asked && !elsewhere;
    let own = said.says(Concept::Own) || known || alone;
    // "Why did you cancel it?", "do not cancel it": where the order is answers both.
    let held = number && (about(Concept::Held) || about(Concept::Negated));
    if held && (about(Concept::Cancel) || about(Concept::Address)) {
        return Some(Wish::Status);
    }
    if held && about(Concept::GiveBack) {
        return Some(Wish::Check);
    }
    if about(Concept::Negated) || !(number || own && !ruled) {
        let ruled = said.is_about_beyond(sentence, Concept::General, Concept::List);
        return (listed && !ruled).then_some(Wish::List);
    }
    let parcel = said.orders.is_empty() && !said.parcels.is_empty();
    if about(Concept::Cancel) {
        Some(Wish::Cancel)
    } else if about(Concept::Address)
        && !said.is_about_beyond(sentence, Concept::Other, Concept::Address)
    {
        Some(Wish::Address)
    } else if about(Concept::GiveBack) {
        Some(if ruled { Wish::Check } else { Wish::Return })
    } else if listed {
        Some(Wish::List)
    } else if about(Concept::Status) && !about(Concept::Other) {
        Some(if parcel { Wish::Parcel } else { Wish::Status })
    } else {
        None
    }
}

/// What is wanted of the shop's products and stores.
fn in_shop(said: &Said, sentence: usize) -> Option<Wish> {
    let about = |concept| said.is_about(sentence, concept);
    let blocked = [Concept::Other, Concept::GiveBack, Concept::Cancel].into_iter().any(about)
        || said.says(Concept::Own)
        || !said.orders.is_empty();
    if blocked {
        return None;
    }
    if about(Concept::Stores) {
        return Some(Wish::Stores);
    }
    let ruled = about(Concept::General);
    let sized = product::size(said).is_some();
    let priced = product::price(said).is_some();
    let thing = about(Concept::Goods) || named_product(said, sentence);
    let asked = about(Concept::Search) && (thing || (sized || priced) && !ruled);
    // "Tents under 500"
    let plain = about(Concept::Goods) && (sized || priced) && !ruled && said.reason.is_none();
    (asked || plain).then_some(Wish::Products)
}

/// A message that names a number and nothing else that could be wanted.
fn by_number(said: &Said) -> Option<Wish> {
    let blocked = [Concept::Other, Concept::Negated].into_iter().any(|concept| said.says(concept));
    // A rule of the shop is not asked for with an address.
    let ruled = said.says(Concept::General) && said.masks("EMAIL").next().is_none();
    match (said.orders.is_empty(), said.parcels.is_empty()) {
        _ if blocked || ruled => None,
        (false, _) => Some(Wish::Status),
        (true, false) => Some(Wish::Parcel),
        (true, true) => None,
    }
}

/// A name, or one with a number of few digits, such as "Vidde 2".
fn named_product(said: &Said, sentence: usize) -> bool {
    let Some(words) = said.sentences().nth(sentence) else { return false };
    let sizes: Vec<usize> = said.about(Concept::Size).map(|words| words.end).collect();
    let prices: Vec<usize> = said.about(Concept::Under).map(|words| words.end).collect();
    let light = said.others(&[Concept::Light, Concept::Search, Concept::Size]);
    let free = said.others(&[Concept::Light, Concept::Search, Concept::Size, Concept::General]);
    let named = |at: usize| {
        let letters = said.word(at).bytes().all(|b| b.is_ascii_lowercase());
        free.contains(&at) && letters && said.is_named(at)
    };
    let ruled = said.is_about(sentence, Concept::General);
    !ruled && words.clone().skip(1).any(named)
        || words.clone().skip(1).any(|at| {
            let word = said.word(at);
            let number = word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit());
            number
                && !sizes.contains(&at)
                && !prices.contains(&at)
                && light.contains(&(at - 1))
                && said.typed(&[at - 1]).starts_with(|c: char| c.is_alphabetic())
        })
}
