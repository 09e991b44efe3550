//! How urgent a question is, by its words: which lane its turn waits in. Pure, and cheap enough for every message.
//!
//! A topic alone is not urgent ("which cards do you take?"); a topic with a sign of trouble is ("my card was declined").
//! English, German, French, Spanish and Italian. Wrong guesses cost a place in the queue, never an answer.

use crate::domain::{Lane, Role};

/// As much of a message as is looked at, in words.
const WORDS: usize = 200;

/// Beginnings of words around paying.
const CHECKOUT: &[&str] = &[
    "checkout",
    "pay",
    "paypal",
    "klarna",
    "coupon",
    "voucher",
    "promo",
    "bezahl",
    "zahlung",
    "kreditkarte",
    "kasse",
    "warenkorb",
    "gutschein",
    "lastschrift",
    "paiement",
    "panier",
    "pagamento",
    "pagar",
    "tarjeta",
    "carrito",
    "carrello",
    "cupón",
    "cupon",
];
/// Whole words around paying that are too short to be beginnings.
const CHECKOUT_WORDS: &[&str] =
    &["card", "cart", "basket", "carte", "pago", "carta", "cassa", "caisse", "karte"];
/// Beginnings of words around what was bought.
const ORDER: &[&str] = &[
    "order",
    "deliver",
    "parcel",
    "package",
    "shipment",
    "shipping",
    "refund",
    "return",
    "tracking",
    "courier",
    "bestell",
    "liefer",
    "paket",
    "sendung",
    "erstattung",
    "rückerstatt",
    "retour",
    "rücksend",
    "command",
    "livraison",
    "colis",
    "rembours",
    "pedido",
    "entrega",
    "paquete",
    "envío",
    "envio",
    "reembols",
    "devoluci",
    "ordin",
    "consegn",
    "pacco",
    "spedizion",
    "rimbors",
];
/// Beginnings of words that say that something is wrong.
const TROUBLE: &[&str] = &[
    "declin",
    "reject",
    "refus",
    "fail",
    "error",
    "problem",
    "wrong",
    "broke",
    "damag",
    "missing",
    "lost",
    "twice",
    "stuck",
    "cannot",
    "never",
    "late",
    "delay",
    "charged",
    "urgent",
    "abgelehnt",
    "fehl",
    "kaputt",
    "beschädigt",
    "falsch",
    "doppelt",
    "verspät",
    "verloren",
    "geht",
    "erreur",
    "problèm",
    "échou",
    "cassé",
    "endommag",
    "manqu",
    "retard",
    "perdu",
    "rechaz",
    "falla",
    "roto",
    "rota",
    "dañad",
    "falta",
    "retras",
    "perdid",
    "errore",
    "rifiut",
    "rotto",
    "danneggi",
    "manca",
    "ritard",
    "pers",
];
/// Whole words that say that something is wrong.
const TROUBLE_WORDS: &[&str] = &[
    "not", "no", "t", "cant", "wont", "doesnt", "didnt", "nicht", "kein", "keine", "pas", "jamais",
    "non", "nunca",
];
/// Whole words that say that something bought is being waited for.
const MINE: &[&str] = &[
    "my", "where", "when", "mein", "meine", "meinen", "meiner", "wo", "wann", "mon", "ma", "mes",
    "où", "quand", "mi", "mis", "dónde", "donde", "cuándo", "mio", "mia", "dove", "quando",
];

/// The lane of a question that somebody of this `role` asks.
pub fn lane(text: &str, role: Role) -> Lane {
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS)
        .collect();
    let begins =
        |stems: &[&str]| words.iter().any(|w| stems.iter().any(|stem| w.starts_with(stem)));
    let holds = |whole: &[&str]| words.iter().any(|word| whole.contains(word));
    let trouble = begins(TROUBLE) || holds(TROUBLE_WORDS);
    let paying = begins(CHECKOUT) || holds(CHECKOUT_WORDS);
    if paying && trouble {
        return Lane::Checkout;
    }
    if begins(ORDER) && (trouble || holds(MINE)) {
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
