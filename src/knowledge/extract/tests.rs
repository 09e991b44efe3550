use jiff::civil::{Date, date};

use super::*;
use crate::knowledge::chunk::Kind as Form;

const DAY: Date = date(2026, 6, 15);

fn passage(id: &str, heading: &str, text: &str) -> Passage {
    Passage {
        document_id: id.into(),
        title: "Help".into(),
        url: Some(format!("https://shop.example/{id}")),
        locale: None,
        heading: heading.into(),
        text: text.into(),
        tags: Vec::new(),
        kind: Form::Prose,
        ordinal: 0,
        score: 1.0,
        confidence: 0.9,
        coverage: 0.9,
        cosine: Some(0.6),
    }
}

fn setting(language: &str, today: Date) -> Setting<'_> {
    Setting { today, language, least: 0.45, crosses: false }
}

fn asked(question: &str, passages: &[Passage], setting: &Setting<'_>) -> Option<Extract> {
    let found = Found { question: question.into(), passages: passages.to_vec() };
    extract(&[vec![found]], setting)
}

fn answer(question: &str, passages: &[Passage]) -> Option<String> {
    asked(question, passages, &setting("en", DAY)).map(|extract| extract.text)
}

fn prices() -> [Passage; 1] {
    [passage(
        "shipping",
        "Shipping costs",
        "Shipping to Belgium and France costs 7.90 EUR and is free from 120 EUR. \
         Shipping to all other countries of the European Union costs 11.90 EUR. \
         Shipping to Norway costs 16.90 EUR.",
    )]
}

fn stores() -> Vec<Passage> {
    let store = |(ordinal, city, street): (u32, &str, &str)| Passage {
        ordinal,
        ..passage(
            "stores",
            city,
            &format!("The store in {city} is at {street}. It opens at 10:00."),
        )
    };
    [(0, "Hamburg", "Speicherweg 8"), (1, "Munich", "Isarblick 21")].map(store).to_vec()
}

#[test]
fn the_price_of_a_country_is_that_of_its_region_and_never_of_another_one() {
    let sweden = answer("how much is shipping to Sweden for an order of 140 EUR?", &prices());
    assert!(sweden.as_ref().is_some_and(|text| text.contains("11.90")), "{sweden:?}");
    assert!(!sweden.unwrap().contains("7.90"));
    assert!(answer("how much is shipping to France?", &prices()).unwrap().contains("7.90"));
    assert_eq!(answer("how much is shipping to Japan?", &prices()), None);
}

#[test]
fn a_city_without_a_store_gets_the_cities_that_have_one() {
    let berlin = asked("do you have a store in berlin", &stores(), &setting("en", DAY)).unwrap();
    assert!(berlin.text.contains("no store in Berlin"), "{}", berlin.text);
    assert!(berlin.text.contains("Hamburg, Munich") && !berlin.text.contains("Isarblick"));
    assert_eq!(berlin.citations.len(), 2);
    assert!(answer("do you have a store in munich?", &stores()).unwrap().contains("Isarblick"));
    let german = asked("Gibt es eine Filiale in Berlin?", &stores(), &setting("de", DAY));
    assert_eq!(german, None, "an English page is not quoted to a German");
}

#[test]
fn a_rule_that_holds_today_is_told() {
    let text = "You have 30 days to return goods. \
        For goods bought between 1 November and 24 December you have until 31 January.";
    let pages = [passage("returns", "How long you can return goods", text)];
    let on = |day| asked("how long can I return goods?", &pages, &setting("en", day)).unwrap().text;
    assert!(on(date(2026, 11, 29)).contains("31 January"));
    assert!(on(DAY).contains("30 days"));
}

#[test]
fn each_question_gets_its_answer_with_a_source_and_what_has_none_is_said() {
    let found = |question: &str, passages: &[Passage]| {
        vec![Found { question: question.into(), passages: passages.to_vec() }]
    };
    let gifts =
        [passage("gifts", "How long a gift card is valid", "A gift card is valid for 3 years.")];
    let both = [
        found("how much is shipping to Norway", &prices()),
        found("how long is a gift card valid", &gifts),
    ];
    let both = extract(&both, &setting("en", DAY)).unwrap();
    assert!(both.text.contains("16.90 EUR") && both.text.contains("3 years"));
    let ids: Vec<&str> = both.citations.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids, ["1", "2"]);
    let half = [found("how long is a gift card valid", &gifts), found("how old are you", &[])];
    let half = extract(&half, &setting("en", DAY)).unwrap();
    assert!(half.text.contains("nothing about the rest"), "{}", half.text);
}

#[test]
fn a_question_for_a_span_of_time_is_not_answered_without_one() {
    let pages = [passage("returns", "Returns", "You can return boots in a store.")];
    assert_eq!(answer("how long can I return boots?", &pages), None);
}

#[test]
fn a_quote_is_a_part_of_its_passage() {
    let extract = asked("how much is shipping to Norway?", &prices(), &setting("en", DAY)).unwrap();
    assert!(prices()[0].text.contains(&extract.citations[0].quote));
    assert_eq!(extract.text, extract.citations[0].quote);
    assert_eq!(extract.citations[0].url.as_deref(), Some("https://shop.example/shipping"));
}

/// With a model that compares languages.
fn across(question: &str, language: &str, passages: &[Passage]) -> Option<String> {
    let setting = Setting { crosses: true, ..setting(language, DAY) };
    asked(question, passages, &setting).map(|extract| extract.text)
}

#[test]
fn an_english_page_answers_in_another_language_by_what_its_words_mean() {
    let shipping = prices();
    for (language, question) in [
        ("de", "Was kostet der Versand nach Norwegen?"),
        ("es", "¿cuánto cuesta el envío a Noruega?"),
    ] {
        let text = across(question, language, &shipping).unwrap();
        assert!(text.contains("16.90") && !text.contains("7.90"), "{question}: {text}");
    }
    let berlin = across("habt ihr einen Laden in Berlin?", "de", &stores()).unwrap();
    assert!(berlin.starts_with("Auf unseren Seiten steht kein Geschäft in Berlin"), "{berlin}");
}

#[test]
fn of_two_languages_the_own_one_answers_unless_the_other_is_surer() {
    let german = Passage {
        locale: Some("de".into()),
        ..passage("versand", "Versandkosten", "Der Versand nach Norwegen kostet 16,90 EUR.")
    };
    let question = "Was kostet der Versand nach Norwegen?";
    let pages = [prices()[0].clone(), german.clone()];
    assert!(across(question, "de", &pages).unwrap().contains("16,90"));
    let returns =
        Passage { coverage: 0.1, cosine: Some(0.3), text: "Wir versenden gern.".into(), ..german };
    assert!(across(question, "de", &[prices()[0].clone(), returns]).unwrap().contains("16.90"));
    let spanish = Passage { locale: Some("es".into()), ..prices()[0].clone() };
    assert!(across(question, "de", &[spanish.clone(), prices()[0].clone()]).is_some());
}
