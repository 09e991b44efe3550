//! The urgency of a question by its words, which decides the lane of its turn. Pure, and cheap
//! enough for every message.
//!
//! A topic alone is not urgent ("which cards do you take?"); a topic with a sign of trouble is ("my
//! card was declined"). The words of all languages are searched. A wrong guess costs a place in the
//! queue, never an answer.

use std::sync::LazyLock;

use super::{phrases::Phrases, text::Message};
use crate::{
    domain::{Lane, Role},
    words,
};

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Checkout,
    Order,
    Trouble,
    Mine,
}

static PHRASES: LazyLock<Phrases<Sign>> = LazyLock::new(|| {
    let all: words::Need = words::all();
    let lists = [
        (all.checkout, Sign::Checkout),
        (all.order, Sign::Order),
        (all.trouble, Sign::Trouble),
        (all.mine, Sign::Mine),
    ];
    lists.into_iter().flat_map(|(list, sign)| list.lines().map(move |line| (line, sign))).collect()
});

/// The lane of a question from a caller with this `role`.
pub fn lane(text: &str, role: Role) -> Lane {
    let hits = PHRASES.find(&Message::new(text));
    let any = |sign| hits.iter().any(|hit| hit.tag == sign);
    let trouble = any(Sign::Trouble);
    if any(Sign::Checkout) && trouble {
        return Lane::Checkout;
    }
    if any(Sign::Order) && (trouble || any(Sign::Mine)) {
        return Lane::Order;
    }
    match role {
        Role::Visitor => Lane::Browse,
        Role::Customer | Role::Agent | Role::Admin | Role::Server => Lane::Paid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_with_paying_is_the_most_urgent_in_every_language() {
        for text in [
            "My card was declined!",
            "I can't pay, the checkout shows an error",
            "The coupon does not work",
            "Die Zahlung wurde abgelehnt",
            "Ich kann nicht bezahlen",
            "Le paiement a échoué",
            "Mi tarjeta no funciona",
            "Il pagamento è stato rifiutato",
            "Mijn betaling is geweigerd",
            "Nie mogę zapłacić kartą",
            "O pagamento foi recusado",
            "我的信用卡付款失败了",
            "支払いができません",
            "تم رفض الدفع",
        ] {
            assert_eq!(lane(text, Role::Visitor), Lane::Checkout, "{text}");
        }
    }

    #[test]
    fn trouble_with_what_was_bought_comes_next() {
        for text in [
            "Where is my order 4711?",
            "The parcel arrived damaged",
            "I never got my refund",
            "Wo ist meine Bestellung?",
            "Ma commande n'est pas arrivée",
            "¿Dónde está mi pedido?",
            "Dove è il mio pacco? La consegna è in ritardo",
            "Waar is mijn pakket?",
            "Gdzie jest moja paczka?",
            "Onde está o meu pedido?",
            "我的包裹在哪里",
            "注文はどこですか",
            "أين طلبي",
        ] {
            assert_eq!(lane(text, Role::Visitor), Lane::Order, "{text}");
        }
    }

    #[test]
    fn a_topic_without_trouble_waits_with_the_others_of_its_kind() {
        for text in ["Which payment methods do you take?", "Do you deliver to Norway?", "Hello", ""]
        {
            assert_eq!(lane(text, Role::Visitor), Lane::Browse, "{text}");
            assert_eq!(lane(text, Role::Customer), Lane::Paid, "{text}");
        }
    }
}
