//! What the shop knows: its orders, and which actions were done.

use std::{collections::HashMap, path::Path};

use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned, civil::Date};
use serde_json::{Value, json};

use super::{
    data::{CUSTOMERS, Order, Status, orders},
    journal::{Deed, Entry, Journal, Outcome},
};

/// Days in which goods can go back.
const RETURN_DAYS: i64 = 30;
/// How long a cancellation is taken back.
const REINSTATES: SignedDuration = SignedDuration::from_mins(10);
/// Keys of actions that are remembered.
const MOST_ACTIONS: usize = 100_000;

/// Who asks, as the headers say.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    pub customer: Option<String>,
    pub email: Option<String>,
    pub postcode: Option<String>,
}

impl Asker {
    /// Whether an order is theirs. A customer who is signed in counts alone.
    fn owns(&self, order: &Order) -> bool {
        let Some(owner) = CUSTOMERS.get(order.customer) else { return false };
        let plain = |code: &str| code.replace([' ', '-'], "").to_lowercase();
        match (&self.customer, &self.email, &self.postcode) {
            (Some(id), _, _) => id == owner.id,
            (None, Some(email), _) => email.trim().eq_ignore_ascii_case(owner.email),
            (None, None, Some(code)) => plain(code) == plain(owner.postcode),
            (None, None, None) => false,
        }
    }
}

/// Why nothing was done.
#[derive(Debug)]
pub enum Refused {
    NotFound,
    Because(String),
    /// The key was used for another action.
    OtherAction,
    /// The journal cannot be written.
    Failed(anyhow::Error),
}

pub struct Book {
    orders: HashMap<String, Order>,
    actions: HashMap<String, Entry>,
    journal: Journal,
    /// Of the orders' dates.
    today: Date,
}

impl Book {
    /// `more` orders are added to the usual ones.
    pub fn open(journal: Option<&Path>, more: u32) -> anyhow::Result<Self> {
        let (journal, entries) = Journal::open(journal)?;
        let today = Zoned::now().date();
        let all = orders(today, more).into_iter().map(|order| (order.number.clone(), order));
        let mut book = Self { orders: all.collect(), actions: HashMap::new(), journal, today };
        for entry in entries {
            book.keep(entry);
        }
        Ok(book)
    }

    /// The order, if it belongs to who asks. It is looked up in upper case.
    pub fn order(&self, number: &str, asker: &Asker) -> Option<&Order> {
        self.orders.get(&number.to_uppercase()).filter(|order| asker.owns(order))
    }

    /// Where a one-time code goes: to whoever made the order, or is signed in.
    pub fn address(&self, order: Option<&str>, asker: &Asker) -> Option<&'static str> {
        let customer = match (order, &asker.customer) {
            (Some(number), _) => CUSTOMERS.get(self.order(number, asker)?.customer),
            (None, Some(id)) => CUSTOMERS.iter().find(|customer| customer.id == id),
            (None, None) => None,
        };
        customer.map(|customer| customer.email)
    }

    /// The newest orders of a customer.
    pub fn orders_of(&self, customer: &str, limit: usize) -> Vec<&Order> {
        let owns = |order: &&Order| CUSTOMERS.get(order.customer).is_some_and(|c| c.id == customer);
        let usual = |order: &&Order| !order.number.starts_with("FJ-9");
        let mut orders: Vec<&Order> = self.orders.values().filter(owns).filter(usual).collect();
        orders.sort_by(|a, b| (b.placed_at, &b.number).cmp(&(a.placed_at, &a.number)));
        orders.truncate(limit);
        orders
    }

    pub fn return_options(&self, order: &Order) -> Value {
        let base = |returnable: bool| json!({"number": order.number, "returnable": returnable, "items": []});
        match self.until(order) {
            Ok(until) => {
                let mut options = base(true);
                options["until"] = json!(until);
                options["items"] = json!(order.items);
                options["total"] = json!(order.total);
                options
            }
            Err(reason) => {
                let mut options = base(false);
                options["reason"] = json!(reason);
                options
            }
        }
    }

    /// The last day on which the order can go back, or why it cannot.
    fn until(&self, order: &Order) -> Result<Date, &'static str> {
        match order.status {
            Status::Processing | Status::Shipped => Err("not_delivered"),
            Status::Cancelled => Err("cancelled"),
            Status::Returned => Err("already_returned"),
            Status::Delivered if order.final_sale => Err("final_sale"),
            Status::Delivered => {
                let delivered = order.delivered_at.unwrap_or(order.placed_at);
                let until = delivered.saturating_add(RETURN_DAYS.days());
                if until < self.today { Err("too_late") } else { Ok(until) }
            }
        }
    }

    /// Does an action once. The same key again gives the same result.
    pub fn act(
        &mut self,
        key: &str,
        number: &str,
        asker: &Asker,
        deed: Deed,
    ) -> Result<Value, Refused> {
        let Some(order) = self.order(number, asker).cloned() else { return Err(Refused::NotFound) };
        if let Some(known) = self.actions.get(key).cloned() {
            let again = Entry { status: Outcome::Repeated, ..known.clone() };
            self.journal.write(&again).map_err(Refused::Failed)?;
            let same =
                known.deed.as_ref() == Some(&deed) && known.order.as_ref() == Some(&order.number);
            return match (&known.result, &known.reason) {
                (Some(result), _) if same => Ok(result.clone()),
                (None, Some(reason)) if same || known.deed.is_none() => {
                    Err(Refused::Because(reason.clone()))
                }
                _ => Err(Refused::OtherAction),
            };
        }
        let (status, result, reason) = match self.outcome(&order, &deed) {
            Ok(result) => (Outcome::Done, Some(result), None),
            Err(reason) => (Outcome::Failed, None, Some(reason.to_owned())),
        };
        let entry = Entry {
            key: key.to_owned(),
            status,
            order: Some(order.number),
            deed: Some(deed),
            result: result.clone(),
            reason: reason.clone(),
            at: Timestamp::now(),
        };
        self.write(entry).map_err(Refused::Failed)?;
        result.ok_or_else(|| Refused::Because(reason.unwrap_or_default()))
    }

    /// What became of an action. A key that is not known is refused from now on.
    pub fn action(&mut self, key: &str) -> anyhow::Result<Option<Entry>> {
        if let Some(known) = self.actions.get(key).filter(|known| known.deed.is_some()) {
            return Ok(Some(known.clone()));
        }
        if !self.actions.contains_key(key) {
            let reason = Some("too_late".to_owned());
            self.write(Entry {
                key: key.to_owned(),
                status: Outcome::Failed,
                order: None,
                deed: None,
                result: None,
                reason,
                at: Timestamp::now(),
            })?;
        }
        Ok(None)
    }

    fn outcome(&self, order: &Order, deed: &Deed) -> Result<Value, &'static str> {
        match deed {
            Deed::Cancel | Deed::Address(_) => match order.status {
                Status::Processing if *deed == Deed::Cancel => Ok(json!({"refund": order.total})),
                Status::Processing => Ok(json!({})),
                Status::Cancelled => Err("already_cancelled"),
                Status::Shipped => Err("already_shipped"),
                Status::Delivered | Status::Returned => Err("too_late"),
            },
            Deed::Reinstate => {
                let open = order
                    .cancelled_at
                    .is_some_and(|at| Timestamp::now().duration_since(at) < REINSTATES);
                match order.status {
                    Status::Cancelled if open => Ok(json!({"total": order.total})),
                    Status::Cancelled => Err("too_late"),
                    _ => Err("not_cancelled"),
                }
            }
            Deed::Return(skus) | Deed::ReturnSome(skus, _) => {
                let until = self.until(order)?;
                let known = |sku: &String| order.items.iter().any(|item| item.sku == sku);
                let some = match deed {
                    Deed::ReturnSome(skus, some) => order.items.iter().any(|item| {
                        skus.len() == 1 && item.sku == skus[0] && (1..=item.quantity).contains(some)
                    }),
                    _ => true,
                };
                if skus.is_empty() || !some || !skus.iter().all(known) {
                    return Err("unknown_item");
                }
                let number = format!("R-{}", order.number.trim_start_matches("FJ-"));
                Ok(json!({
                    "return_number": number,
                    "label_url": format!("https://fjellheim.example/labels/{number}.pdf"),
                    "until": until,
                }))
            }
        }
    }

    fn write(&mut self, entry: Entry) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.actions.len() < MOST_ACTIONS,
            "too many actions: start the shop again"
        );
        self.journal.write(&entry)?;
        self.keep(entry);
        Ok(())
    }

    fn keep(&mut self, entry: Entry) {
        if entry.status == Outcome::Repeated {
            return;
        }
        let arrives = self.today.saturating_add(4.days());
        let order = entry.order.as_ref().and_then(|number| self.orders.get_mut(number));
        if let (Outcome::Done, Some(order), Some(deed)) = (entry.status, order, &entry.deed) {
            match deed {
                Deed::Cancel => {
                    order.status = Status::Cancelled;
                    (order.can_cancel, order.can_change_address) = (false, false);
                    order.expected_at = None;
                    order.cancelled_at = Some(entry.at);
                }
                Deed::Reinstate => {
                    order.status = Status::Processing;
                    (order.can_cancel, order.can_change_address) = (true, true);
                    order.expected_at = Some(arrives);
                    order.cancelled_at = None;
                }
                Deed::Address(address) => order.destination = Some(address.clone()),
                Deed::Return(_) | Deed::ReturnSome(..) => order.status = Status::Returned,
            }
        }
        self.actions.insert(entry.key.clone(), entry);
    }
}
