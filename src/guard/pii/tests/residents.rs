//! Names, addresses and birth dates of people, and the names of shops, towns and things.

use std::sync::Arc;

use super::*;
use crate::guard::{Pages, Shop, Vault};

#[test]
fn names_are_hidden_in_four_languages_and_in_chat_style() {
    assert_hidden(
        Kind::Name,
        &[
            "my name is {john smith}",
            "My name is {Ann-Marie O'Neil} and I want a refund",
            "this is {ann miller} from graz",
            "{john smith} here",
            "hi, {Priya Sharma} here, where is my parcel",
            "the order was placed by {Katarzyna Nowak}",
            "please change the name to {Robert J. Miller}",
            "mein Name ist {Jürgen Müller}",
            "ich heiße {sabine}",
            "Viele Grüße\n{Thomas Schneider}",
            "Das Paket ist für {Frau Becker}",
            "je m'appelle {Amélie Dubois}",
            "la commande est au nom de {Jean Lefebvre}",
            "me llamo {José García López}",
            "el pedido está a nombre de {lucía fernández}",
            "my name is {vetteyappa}",
        ],
    );
}

#[test]
fn addresses_are_hidden_as_a_whole() {
    assert_hidden(
        Kind::Address,
        &[
            "ship it to {12 baker street london nw1 6xe}",
            "{Lindenstr. 5, 80331 München}",
            "{12 rue de la Paix 75002 Paris}",
            "{Calle Mayor 5, 28013 Madrid}",
            "send it to {PO box 123}",
            "meine Adresse ist {Hauptstraße 12a, 10115 Berlin}",
            "j'habite au {8, avenue Victor Hugo, 69003 Lyon}",
            "vivo en {Avenida de la Constitución 21, 41001 Sevilla}",
            "my address is {221B Baker Street}",
            "please deliver to {742 Evergreen Terrace, Springfield, IL 62704}",
            "my zip code is {90210}",
            "PLZ {80331}",
        ],
    );
}

#[test]
fn birth_dates_are_hidden_by_the_words_before_them() {
    assert_hidden(
        Kind::BirthDate,
        &[
            "née le {3 mars 1985}",
            "geb. {03.04.1985}",
            "dob {3/4/85}",
            "my date of birth is {1985-03-04}",
            "I was born on {March 3rd, 1985}",
            "geboren am {3. April 1985}",
            "fecha de nacimiento: {3 de abril de 1985}",
            "date of birth {03041985}",
        ],
    );
    assert_unchanged(&[
        "I ordered on 3/4/85 and on March 3rd",
        "is there a birthday voucher of 10 EUR",
        "delivered on 12 May 2024",
    ]);
}

#[test]
fn towns_things_and_greetings_are_no_people() {
    assert_unchanged(&[
        "Do you have a store in Berlin?",
        "Is the Vidde 2 in stock in Hamburg",
        "shipping to Norway",
        "do you ship to Paris",
        "do you sell Jack Wolfskin?",
        "is there a summer sale",
        "the rose tent in size Max",
        "may I return it, will it take long",
        "is there a grace period",
        "mark it as returned please",
        "Hello Ben, can you help me?",
        "thanks Julia",
        "order 10482",
        "opening hours Monday to Friday 9 to 18",
        "Wann hat der Laden in München geöffnet?",
        "Meine Jacke ist kaputt, wo ist die Rechnung?",
        "Où est ma commande ? La Tente est cassée",
        "¿Dónde está mi pedido? La Chaqueta está rota",
        "my name is spelled wrong on the invoice",
        "Can I change the address of my order?",
        "2 pairs of court shoes",
        "I paid by PayPal 3 times",
    ]);
}

struct Site;

impl Pages for Site {
    fn say(&self, phrase: &str) -> bool {
        " we sell the anna karlsson tent in our shop at speicherstraße 12 20457 hamburg "
            .contains(&format!(" {phrase} "))
    }
}

#[test]
fn what_the_pages_say_stays_unless_it_was_introduced_as_a_name() {
    let shop = || Shop {
        names: Arc::new(["karl meier".to_owned()]),
        pages: Some(Arc::new(Site)),
        ..Shop::default()
    };
    let mask = |text: &str| Vault::of_shop(shop()).mask(text);
    for text in [
        "is your shop at Speicherstraße 12, 20457 Hamburg?",
        "the parcel for Anna Karlsson",
        "this is Karl Meier",
    ] {
        assert_eq!(mask(text), text);
        assert_ne!(masked(text), text);
    }
    assert_eq!(mask("my name is Anna Karlsson"), "my name is [NAME_1]");
    assert_eq!(mask("I live at Speicherstraße 14, 20457 Hamburg"), "I live at [ADDRESS_1]");
}

#[test]
fn a_person_keeps_one_placeholder_in_a_conversation() {
    let mut vault = Vault::new();
    assert_eq!(vault.mask("my name is John Smith"), "my name is [NAME_1]");
    assert_eq!(vault.mask("john smith here"), "[NAME_1] here");
    assert_eq!(vault.mask("send it to Mary Jones"), "send it to [NAME_2]");
    assert_eq!(vault.shown("[NAME_1]"), Some("John Smith"));
}
