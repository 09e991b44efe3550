//! German and Spanish questions to the demo shop, and what its translations say.

use std::{collections::BTreeMap, env};

use super::{
    demo::Shop,
    model::{self, Vectors},
};
use crate::{
    embedding::{EmbedderHandle, messages::Role},
    knowledge::{
        index::Index,
        query::{Meaning, Query},
        search::search,
    },
};

/// The language of a question, and the document that answers it, without its language.
const ASKED: [(&str, &str, &str); 40] = [
    ("de", "Was kostet der Versand nach Schweden?", "shipping-costs"),
    ("de", "ab wann ist der Versand kostenlos?", "shipping-costs"),
    ("de", "Wie lange dauert die Lieferung nach Österreich?", "delivery-times"),
    ("de", "kommt mein Paket noch vor Weihnachten an", "delivery-times"),
    ("de", "Wie lange kann ich etwas zurückgeben?", "returns"),
    ("de", "was kostet eine Rücksendung aus Frankreich", "returns"),
    ("de", "Wann bekomme ich mein Geld zurück?", "refunds"),
    ("de", "bekomme ich den Expresszuschlag erstattet", "refunds"),
    ("de", "Wo ist mein Paket?", "order-tracking"),
    ("de", "Wie sieht eine Sendungsnummer aus?", "order-tracking"),
    ("de", "Kann ich auf Rechnung kaufen?", "payment-methods"),
    ("de", "geht auch Ratenzahlung", "payment-methods"),
    ("de", "Wann hat der Laden in Hamburg geöffnet?", "stores"),
    ("de", "kann man in Innsbruck parken?", "stores"),
    ("de", "Mein Paket kam beschädigt an, was nun?", "lost-or-damaged-parcel"),
    ("de", "zugestellt laut Sendungsverfolgung, aber ich habe nichts", "lost-or-damaged-parcel"),
    ("de", "Wie erreiche ich den Kundenservice telefonisch?", "contact"),
    ("de", "welche sprachen spricht euer team", "contact"),
    ("de", "Welche Größe brauche ich bei einem Fuß von 255 mm?", "boot-sizes"),
    ("de", "wie messe ich meinen fuß", "boot-sizes"),
    ("es", "¿Cuánto cuesta el envío a España?", "shipping-costs"),
    ("es", "a partir de cuánto es gratis el envío", "shipping-costs"),
    ("es", "¿Cuánto tarda el envío a Portugal?", "delivery-times"),
    ("es", "llega antes de navidad si pido ahora", "delivery-times"),
    ("es", "¿Cuántos días tengo para devolver algo?", "returns"),
    ("es", "cuanto cuesta una devolucion desde españa", "returns"),
    ("es", "¿Cuándo recibo mi dinero?", "refunds"),
    ("es", "me reembolsan el suplemento exprés", "refunds"),
    ("es", "¿Dónde está mi pedido?", "order-tracking"),
    ("es", "como es un numero de seguimiento", "order-tracking"),
    ("es", "¿Aceptan American Express?", "payment-methods"),
    ("es", "puedo pagar a plazos", "payment-methods"),
    ("es", "¿A qué hora abre la tienda de Múnich?", "stores"),
    ("es", "se admiten perros en las tiendas", "stores"),
    ("es", "Mi paquete ha llegado dañado, ¿qué hago?", "lost-or-damaged-parcel"),
    ("es", "dice entregado pero no tengo nada", "lost-or-damaged-parcel"),
    ("es", "¿Cuál es su teléfono?", "contact"),
    ("es", "en que idiomas atienden", "contact"),
    ("es", "¿Qué talla necesito para un pie de 255 mm?", "boot-sizes"),
    ("es", "las botas me quedan anchas de talón", "boot-sizes"),
];

/// What the German and the Spanish pages do not say.
const UNKNOWN: [(&str, &str); 10] = [
    ("de", "Wie wird das Wetter morgen in Oslo?"),
    ("de", "Wer hat die Wahl gewonnen?"),
    ("de", "Erzähl mir einen Witz"),
    ("de", "wie backe ich ein Brot mit Sauerteig"),
    ("de", "Was ist die Hauptstadt von Australien?"),
    ("es", "¿Qué tiempo hará mañana en Oslo?"),
    ("es", "¿Quién ganó las elecciones?"),
    ("es", "cuéntame un chiste"),
    ("es", "cómo hago pan con masa madre"),
    ("es", "¿Cuál es la capital de Australia?"),
];

/// How many questions find their document first, and are sure of it; and how many of those that
/// have no answer are sure of one.
struct Found {
    right: usize,
    sure: usize,
    wrong: usize,
    loud: usize,
}

fn ask(shop: &Shop, index: &Index, vectors: &Vectors, meaning: Meaning) -> Found {
    let mut found = Found { right: 0, sure: 0, wrong: 0, loud: 0 };
    let first = |language, text| {
        let query =
            Query { vector: vectors.of(text), locale: Some(language), meaning, ..Query::new(text) };
        search(index, &query, 1).pop()
    };
    for (language, text, document) in ASKED {
        let Some(passage) = first(language, text) else { continue };
        let id = passage.document_id.rsplit('/').next().unwrap_or_default();
        let sure = passage.confidence >= shop.threshold;
        let right = id == document;
        found.right += usize::from(right);
        found.sure += usize::from(right && sure);
        found.wrong += usize::from(!right && sure);
        if !right || !sure {
            println!("{text}: {} {:.2}", passage.document_id, passage.confidence);
        }
    }
    for (language, text) in UNKNOWN {
        let confidence = first(language, text).map_or(0.0, |passage| passage.confidence);
        found.loud += usize::from(confidence >= shop.threshold);
        if confidence >= shop.threshold {
            println!("sure of {text}: {confidence:.2}");
        }
    }
    let Found { right, sure, wrong, loud } = found;
    let (all, unknown) = (ASKED.len(), UNKNOWN.len());
    println!(
        "first {right} of {all}, sure {sure}, sure and wrong {wrong}; sure of {loud} of {unknown} unknown"
    );
    found
}

#[test]
fn pages_in_the_language_of_the_question_are_found_and_no_others() {
    let shop = Shop::read();
    let index = shop.index(&Vectors::default());
    let found = ask(&shop, &index, &Vectors::default(), Meaning::STANDARD);
    assert!(found.right >= 38 && found.wrong <= 1 && found.loud == 0);
    for (language, text) in [("de", "Wie wasche ich eine Daunenjacke?"), ("fr", "Norway shipping")]
    {
        let query = Query { locale: Some(language), ..Query::new(text) };
        for passage in search(&index, &query, 5) {
            assert_eq!(passage.locale.as_deref(), Some(language), "{text}");
        }
    }
}

#[actix::test]
async fn vectors_of_an_english_model_do_not_spoil_other_languages() {
    let Some(embedder) = model::start() else { return };
    let shop = Shop::read();
    let vectors = vectors(&embedder, &shop).await;
    embedder.stop().await;
    let found = ask(&shop, &shop.index(&vectors), &vectors, Meaning::from(&*embedder.card));
    assert!(found.right >= 38 && found.wrong <= 1 && found.loud == 0);
}

/// By command, since the model is large: `make eval-languages`.
#[actix::test]
async fn a_multilingual_model_finds_pages_in_other_languages() {
    let Some(folder) = env::var_os("RUSHDESK_TEST_MULTILINGUAL_DIR") else {
        println!("RUSHDESK_TEST_MULTILINGUAL_DIR is not set: nothing is measured");
        return;
    };
    let embedder = model::start_in(folder.into()).unwrap();
    let mut shop = Shop::read();
    let vectors = vectors(&embedder, &shop).await;
    embedder.stop().await;
    let meaning = Meaning::from(&*embedder.card);
    println!("all pages");
    let found = ask(&shop, &shop.index(&vectors), &vectors, meaning);
    assert!(found.right >= 38 && found.wrong <= 1 && found.loud <= 1);
    println!("English pages only");
    shop.keep(|document| document.locale.is_none());
    let found = ask(&shop, &shop.index(&vectors), &vectors, meaning);
    // Other English pages, above all the frequent questions, answer some of them, too.
    assert!(found.right >= 20 && found.loud <= 1);
}

async fn vectors(embedder: &EmbedderHandle, shop: &Shop) -> Vectors {
    let questions = ASKED.iter().map(|(_, text, _)| *text);
    let questions = questions.chain(UNKNOWN.iter().map(|(_, text)| *text)).map(str::to_owned);
    let mut vectors = model::vectors_as(Role::Passage, embedder, shop.passages()).await;
    vectors.join(model::vectors(embedder, questions).await);
    vectors
}

/// The numbers of a text, each as often as it occurs; a decimal comma is a point.
fn numbers(text: &str) -> BTreeMap<String, usize> {
    let chars: Vec<char> = text.chars().collect();
    let is_digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let mut numbers = BTreeMap::new();
    let mut number = String::new();
    for (at, c) in chars.iter().enumerate() {
        let joins = matches!(c, '.' | ',' | ':') && !number.is_empty() && is_digit(at + 1);
        if c.is_ascii_digit() || joins {
            number.push(if *c == ',' { '.' } else { *c });
        } else if !number.is_empty() {
            *numbers.entry(std::mem::take(&mut number)).or_default() += 1;
        }
    }
    numbers
}

#[test]
fn a_translation_has_the_numbers_of_its_english_page() {
    let shop = Shop::read();
    let text = |id: &str| shop.text(id).unwrap_or_else(|| panic!("{id} is missing"));
    for language in ["de", "es"] {
        let translations = shop.ids().filter_map(|id| id.strip_prefix(language)?.strip_prefix('/'));
        let translations: Vec<&str> = translations.collect();
        assert_eq!(translations.len(), 10, "{language}");
        for id in translations {
            let translated = format!("{language}/{id}");
            let numbers_there = numbers(&text(&translated));
            assert_eq!(numbers_there, numbers(&text(id)), "{translated}");
            assert!(numbers_there.len() > 3, "{translated}");
            assert_eq!(shop.locale(&translated), Some(language));
        }
    }
}
