//! What a shopper wants done. A rule of the shop is no errand: "how long does delivery take?" is
//! for its pages, "where is my order?" is for a tool.

use super::{said::Said, slots, vocabulary::Concept};

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
}

/// "Please cancel" and "order status" say all in so few words.
const ALONE: usize = 3;

impl Wish {
    pub const fn tool(self) -> &'static str {
        match self {
            Self::Status | Self::Parcel => "order_status",
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
    found.or_else(|| by_number(said))
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
    let ruled = about(Concept::General);
    let listed = about(Concept::List) && !about(Concept::Other) && said.orders.is_empty();
    let asked = about(Concept::Cancel)
        || about(Concept::Status) && (said.len() == 1 || said.says(Concept::Called));
    let alone = said.len() <= ALONE && asked && !elsewhere;
    let own = said.says(Concept::Own) || known || alone;
    if about(Concept::Negated) || !(number || own && !ruled) {
        return (listed && !ruled).then_some(Wish::List);
    }
    let parcel = said.orders.is_empty() && !said.parcels.is_empty();
    if about(Concept::Cancel) {
        Some(Wish::Cancel)
    } else if about(Concept::Address) && !about(Concept::Other) {
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
    let sized = slots::size(said).is_some();
    let priced = said.about(Concept::Under).any(|hit| is_number(said.word(hit.end)));
    let thing = about(Concept::Goods) || named_product(said, sentence);
    let asked = about(Concept::Search) && (thing || (sized || priced) && !ruled);
    // "Tents under 500"
    let plain = about(Concept::Goods) && (sized || priced) && !ruled && said.reason.is_none();
    (asked || plain).then_some(Wish::Products)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
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

/// A name with a number of few digits, such as "Vidde 2".
fn named_product(said: &Said, sentence: usize) -> bool {
    let Some(words) = said.sentences().nth(sentence) else { return false };
    let sizes: Vec<usize> = said.about(Concept::Size).map(|words| words.end).collect();
    let prices: Vec<usize> = said.about(Concept::Under).map(|words| words.end).collect();
    let light = said.others(&[Concept::Light, Concept::Search, Concept::Size]);
    words.clone().skip(1).any(|at| {
        let word = said.word(at);
        let number = word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit());
        number
            && !sizes.contains(&at)
            && !prices.contains(&at)
            && light.contains(&(at - 1))
            && said.typed(&[at - 1]).starts_with(|c: char| c.is_alphabetic())
    })
}
