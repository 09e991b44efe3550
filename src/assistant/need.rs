//! The urgency of a question by its words, which decides the lane of its turn. Pure, and cheap
//! enough for every message.
//!
//! A topic alone is not urgent ("which cards do you take?"); a topic with a sign of trouble is ("my
//! card was declined"). The words of all languages are searched. A wrong guess costs a place in the
//! queue, never an answer.

use std::sync::LazyLock;

use crate::{
    domain::{Lane, Role},
    words::{self, Need, Patterns},
};

/// How many words of a message are read.
const WORDS: usize = 200;

static NEED: LazyLock<Need> = LazyLock::new(words::all);

/// The lane of a question from a caller with this `role`.
pub fn lane(text: &str, role: Role) -> Lane {
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS)
        .collect();
    let any = |of: &Patterns| words.iter().any(|word| of.matches(word));
    let trouble = any(&NEED.trouble);
    if any(&NEED.checkout) && trouble {
        return Lane::Checkout;
    }
    if any(&NEED.order) && (trouble || any(&NEED.mine)) {
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
    fn trouble_with_paying_is_the_most_urgent_in_five_languages() {
        for text in [
            "My card was declined!",
            "I can't pay, the checkout shows an error",
            "The coupon does not work",
            "Die Zahlung wurde abgelehnt",
            "Ich kann nicht bezahlen",
            "Le paiement a échoué",
            "Mi tarjeta no funciona",
            "Il pagamento è stato rifiutato",
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
