//! The orders and customers at the start.

use jiff::{Timestamp, ToSpan as _, civil::Date};
use serde::Serialize;

use super::{
    fault::FAULTS,
    wares::{self, Price},
};

/// Who ordered, and what shows it.
#[derive(Debug)]
pub struct Customer {
    pub id: &'static str,
    pub email: &'static str,
    pub postcode: &'static str,
    town: &'static str,
}

pub const CUSTOMERS: [Customer; 4] = [
    Customer { id: "c-1001", email: "anna@example.com", postcode: "18055", town: "Rostock, DE" },
    Customer { id: "c-1002", email: "ben@example.com", postcode: "80331", town: "Munich, DE" },
    Customer { id: "c-1003", email: "carla@example.com", postcode: "6020", town: "Innsbruck, AT" },
    Customer { id: "c-1004", email: "dewi@example.com", postcode: "SW1A 1AA", town: "London, GB" },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Processing,
    Shipped,
    Delivered,
    Cancelled,
    Returned,
}

#[derive(Clone, Debug, Serialize)]
pub struct Item {
    pub sku: &'static str,
    pub name: &'static str,
    pub quantity: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<&'static str>,
}

/// An order as the interface shows it, and whose it is.
#[derive(Clone, Debug, Serialize)]
pub struct Order {
    #[serde(skip)]
    pub customer: usize,
    /// Its goods are excluded from returns.
    #[serde(skip)]
    pub final_sale: bool,
    pub number: String,
    pub placed_at: Date,
    pub status: Status,
    pub items: Vec<Item>,
    pub total: Price,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_at: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Since when it is cancelled, if that was done here: it can be taken back for a while.
    #[serde(skip)]
    pub cancelled_at: Option<Timestamp>,
    pub can_cancel: bool,
    pub can_change_address: bool,
}

/// Number, customer, state, days since it was placed, and what was ordered: SKU, quantity, size.
type Row = (u32, usize, Kind, i64, &'static [(&'static str, u32, &'static str)]);

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Processing,
    Shipped,
    /// It should have come by now.
    Late,
    Delivered,
    FinalSale,
    Cancelled,
    Returned,
}

use Kind::{Cancelled, Delivered, FinalSale, Late, Processing, Returned, Shipped};

const ROWS: [Row; 34] = [
    (10234, 0, Shipped, 4, &[("VIDDE-2", 1, ""), ("LYNG-0", 1, "Regular")]),
    (10235, 0, Late, 12, &[("BRE-MID", 1, "42")]),
    (10236, 0, Delivered, 9, &[("GLO", 1, ""), ("GAS-230", 2, "")]),
    (10237, 0, Delivered, 60, &[("STORM", 1, "M")]),
    (10238, 0, Cancelled, 14, &[("STI-45", 1, "")]),
    (10239, 0, Returned, 30, &[("DUN", 1, "L")]),
    (10240, 0, Processing, 0, &[("VIDDE-2", 1, "")]),
    (10241, 0, Processing, 1, &[("MOSE", 2, ""), ("LYS", 1, "")]),
    (10242, 1, Processing, 0, &[("LYNG-0", 1, "Long")]),
    (10243, 1, Processing, 2, &[("TIND", 1, "44")]),
    (10244, 1, Shipped, 3, &[("STORM", 1, "L"), ("VIND", 1, "L")]),
    (10245, 1, Shipped, 2, &[("BRE-MID", 1, "43.5")]),
    (10246, 1, Late, 11, &[("STI-45", 1, "")]),
    (10247, 1, Delivered, 6, &[("BRE-MID", 1, "41"), ("SOCKS", 3, "39-42")]),
    (10248, 1, Delivered, 20, &[("DUN", 1, "M")]),
    (10249, 1, FinalSale, 8, &[("SOCKS", 2, "43-46")]),
    (10250, 1, Cancelled, 7, &[("GLO", 1, "")]),
    (10251, 1, Returned, 33, &[("TIND", 1, "42")]),
    (10252, 2, Processing, 0, &[("AVA-SET", 1, "")]),
    (10253, 2, Processing, 1, &[("DUN", 1, "S")]),
    (10254, 2, Shipped, 3, &[("MOSE", 1, "")]),
    (10255, 2, Late, 13, &[("VIDDE-3", 1, "")]),
    (10256, 2, Delivered, 5, &[("LYS", 1, ""), ("GAS-230", 4, "")]),
    (10257, 2, Delivered, 90, &[("STI-45", 1, "")]),
    (10258, 2, FinalSale, 4, &[("AVA-SET", 1, "")]),
    (10259, 2, Cancelled, 3, &[("VIND", 1, "M")]),
    (10260, 2, Returned, 25, &[("STORM", 1, "S")]),
    (10261, 3, Processing, 1, &[("VIDDE-2", 1, "")]),
    (10262, 3, Shipped, 6, &[("BRE-MID", 1, "40")]),
    (10263, 3, Late, 20, &[("LYNG-0", 1, "Regular")]),
    (10264, 3, Delivered, 10, &[("TIND", 1, "45")]),
    (10265, 3, Delivered, 15, &[("DUN", 1, "XL"), ("SOCKS", 1, "43-46")]),
    (10266, 3, Cancelled, 9, &[("MOSE", 1, "")]),
    (10267, 3, Returned, 40, &[("VIND", 1, "S")]),
];

/// An order that [`super::Args::orders`] adds.
#[derive(Clone, Debug)]
pub struct Added {
    pub number: String,
    pub customer: &'static Customer,
    /// It can go back. Otherwise it is not sent yet.
    pub is_delivered: bool,
}

/// The first number of those that are added; the last one is below those that show faults.
const FIRST_ADDED: u32 = 20_000;
pub const MOST_ADDED: u32 = 60_000;

/// One of the orders that are added. Every third one was delivered.
pub fn added(place: u32) -> Added {
    let (number, customer) = (format!("FJ-{}", FIRST_ADDED + place), &CUSTOMERS[owner(place)]);
    Added { number, customer, is_delivered: place % 3 == 2 }
}

fn owner(place: u32) -> usize {
    place as usize % CUSTOMERS.len()
}

/// All orders, as of `today`, with `more` that are added.
pub fn orders(today: Date, more: u32) -> Vec<Order> {
    let added = (0..more).map(|place| {
        let (kind, age) = if added(place).is_delivered { (Delivered, 6) } else { (Processing, 1) };
        order((FIRST_ADDED + place, owner(place), kind, age, &[("VIDDE-2", 1, "")]), today)
    });
    let faulty = FAULTS.iter().map(|(number, _)| {
        let mut order = order((0, 0, Processing, 1, &[("VIDDE-2", 1, "")]), today);
        (*number).clone_into(&mut order.number);
        order
    });
    ROWS.into_iter().map(|row| order(row, today)).chain(faulty).chain(added).collect()
}

fn order((number, customer, kind, age, wares): Row, today: Date) -> Order {
    let day = |after: i64| today.saturating_add(after.days());
    let placed = -age;
    let sent = matches!(kind, Shipped | Late | Delivered | FinalSale | Returned);
    let came = matches!(kind, Delivered | FinalSale | Returned);
    let items: Vec<Item> = wares
        .iter()
        .map(|(sku, quantity, size)| Item {
            sku,
            name: wares::name(sku),
            quantity: *quantity,
            size: (!size.is_empty()).then_some(*size),
        })
        .collect();
    let tracking = sent.then(|| format!("FJ{:012}", u64::from(number) * 7_919_311));
    let status = match kind {
        Processing => Status::Processing,
        Shipped | Late => Status::Shipped,
        Delivered | FinalSale => Status::Delivered,
        Cancelled => Status::Cancelled,
        Returned => Status::Returned,
    };
    let expected = match kind {
        Processing => Some(placed + 4),
        Shipped => Some(1),
        Late => Some(placed + 5),
        _ => None,
    };
    Order {
        customer,
        final_sale: kind == FinalSale,
        number: format!("FJ-{number}"),
        placed_at: day(placed),
        status,
        total: wares::total(wares),
        items,
        carrier: sent.then_some("DHL"),
        tracking_url: tracking
            .as_ref()
            .map(|number| format!("https://fjellheim.example/track?number={number}")),
        tracking_number: tracking,
        shipped_at: sent.then(|| day(placed + 1)),
        expected_at: expected.map(day),
        delivered_at: came.then(|| day(placed + 3)),
        destination: CUSTOMERS.get(customer).map(|customer| customer.town.to_owned()),
        cancelled_at: None,
        can_cancel: status == Status::Processing,
        can_change_address: status == Status::Processing,
    }
}
