//! Numbers of people, near words of a shop and near their own words.

use super::*;

/// P1
#[test]
fn words_of_a_shop_near_a_number_do_not_make_it_one_of_the_shop() {
    assert_hidden(
        Kind::Card,
        &[
            "please send the refund to {4111 1111 1111 1111}",
            "refund my order to {4111111111111111} please",
            "my order was paid with {5555-5555-5555-4444}",
            "I bought the item with {378282246310005}",
            "the delivery was charged to {4012 8888 8888 1881} twice",
            "return for {5105105105105100}, where is my refund?",
            "order 12345 was paid by {4111 1111 1111 1111}",
            "cancel the purchase, it was {6011 1111 1111 1117}",
            "refund {4111111111111111}",
            "parcel never came, I want my money back on {3530 1113 3330 0000}",
            "my order {4111 1111 1111 1111} was never shipped",
            "Bestellung bitte auf {4111 1111 1111 1111} erstatten",
            "el reembolso del pedido a {4111 1111 1111 1111} por favor",
            "remboursez la commande sur {4111 1111 1111 1111}",
            "#{4111 1111 1111 1111}",
        ],
    );
    assert_hidden(
        Kind::Ssn,
        &[
            "the item for {123-45-6789}",
            "my delivery needs {123-45-6789} at customs",
            "refund to {078-05-1120}",
            "parcel for {219-09-9999} please",
            "I ordered with {457-55-5462}",
            "customs asked for {123 45 6789} to release the parcel",
            "return label: {123.45.6789}",
            "the package, {123-45-6789}, is held",
            "invoice address is wrong, {123-45-6789} is me",
            "Zoll will {123-45-6789} für das Paket",
        ],
    );
    assert_hidden(
        Kind::Phone,
        &[
            "my parcel, text {07700 900123} when here",
            "the order is late, {0171 5550123}",
            "courier for my delivery should use {(415) 555-2671}",
            "refund please, {07700900123}",
            "about the order: {+44 7700 900123}",
            "where is the item I bought, {415-555-2671}",
            "delivery on Monday, driver can ring {07700 900 123}",
            "parcel at the neighbour {020 7946 0958}",
            "my return is at the post office, {06 12 34 56 78}",
            "ticket is closed but reach me on {0151 23456789}",
            "Paket bitte abgeben, {0171/5550123}",
            "el paquete no llega, {612 345 678}",
            "ma commande est en retard, {06.12.34.56.78}",
            "in case you need it {07700 900123}",
            "order {07700 900123}",
        ],
    );
}

/// P2
#[test]
fn a_word_that_is_glued_to_a_number_does_not_hide_it() {
    assert_hidden(
        Kind::Phone,
        &[
            "tel.{01715550123}",
            "tel:{01715550123}",
            "Tel.:{0171/5550123}",
            "phone{07700900123}",
            "mob.{07700 900123}",
            "ph.{415-555-2671}",
            "handy.{01715550123}",
            "call:{4155552671}",
            "whatsapp-{07700900123}",
            "tél.{06 12 34 56 78}",
            "no.{07700900123}",
        ],
    );
    assert_hidden(
        Kind::Card,
        &[
            "card no.{4111111111111111}",
            "card:{4111111111111111}",
            "card#{4111 1111 1111 1111}",
            "cc{4111111111111111}",
            "visa{4111111111111111}",
            "card-{4111-1111-1111-1111}",
            "nr.{4111111111111111}",
            "Kartennr.{4111111111111111}",
            "cardnumber={4111111111111111}",
            "{4111111111111111}please",
            "carta.{4111111111111111}",
        ],
    );
    assert_hidden(
        Kind::Iban,
        &[
            "IBAN{DE89370400440532013000}",
            "iban:{DE89370400440532013000}",
            "IBAN.{GB29NWBK60161331926819}",
            "iban={FR1420041010050500013M02606}",
            "(IBAN{NL91ABNA0417164300})",
            "myiban{ES9121000418450200051332}",
            "IBAN-{AT611904300234573201}",
            "iban#{CH9300762011623852957}",
            "IBANNR:{DE89370400440532013000}",
            "IBAN/{IT60X0542811101000000123456}",
        ],
    );
}

#[test]
fn the_end_of_a_card_or_of_a_social_security_number_is_masked_behind_its_words() {
    assert_hidden(
        Kind::Card,
        &[
            "last four {4821}",
            "the last 4 digits are {4821}",
            "last four digits of my card: {4821}",
            "my card ending in {4821}",
            "visa ending {4821}",
            "card ends with {4821}",
            "**** **** **** {4821}",
            "xxxx-xxxx-xxxx-{4821}",
            "•••• {4821}",
            "visa {4821} was charged twice",
            "letzte vier Ziffern {4821}",
            "meine Karte endet auf {4821}",
            "Endziffern {4821}",
            "tarjeta terminada en {4821}",
            "últimos cuatro dígitos {4821}",
            "carte se terminant par {4821}",
            "les quatre derniers chiffres : {4821}",
            "le ultime quattro cifre sono {4821}",
            "os últimos quatro dígitos são {4821}",
            "{4821} are the last four digits",
            "last four {four eight two one}",
            "last 4: {4 8 2 1}",
            "last 4 {4821}",
            "mastercard x{4821}",
            "last four digits of the card I used: {4821}",
        ],
    );
    assert_hidden(
        Kind::Ssn,
        &[
            "last four of my social {4821}",
            "ssn ending in {4821}",
            "my ssn ends with {4821}",
            "last 4 of ssn is {4821}",
            "social security last four: {4821}",
            "the last four digits of my social security number are {4821}",
            "SSN: {123456789}",
            "my social security number is {123 45 6789}",
            "ssn {4821}",
            "{123456789} is my ssn",
            "soc sec number {123456789}",
            "PESEL {44051401359}",
            "BSN {123456782}",
            "cpf {123.456.789-09}",
            "ssn {one two three dash four five dash six seven eight nine}",
        ],
    );
    assert_unchanged(&[
        "my order ending in 4821",
        "the tracking number ends with 4821",
        "last order was in 2024",
        "the last 4 orders",
        "I bought it in 2023",
        "my warranty ends in 2026",
        "the sale is ending in 2026",
    ]);
}

#[test]
fn documents_and_accounts_are_masked_behind_their_words() {
    assert_hidden(
        Kind::Passport,
        &[
            "my passport number is {925665416}",
            "passport {C01X00T47}",
            "passport no. {AB1234567}",
            "passport: {12AB34567}",
            "UK passport {502135326}",
            "passport number {AAA123456}",
            "Reisepass {C01X00T47}",
            "Passnummer: {C4VK6PT8R}",
            "pasaporte {AAA123456}",
            "passeport n° {12AB34567}",
            "passaporto {YA1234567}",
            "passaporte {FZ123456}",
            "{925665416} is my passport number",
            "passport {AB 1234567}",
        ],
    );
    assert_hidden(
        Kind::Licence,
        &[
            "my driver's license is {D1234567}",
            "drivers licence {MORGA657054SM9IJ}",
            "driving licence: {MORGA 657054 SM9IJ}",
            "driver license number {S123-4567-8901}",
            "DL {12345678}",
            "driver's license no. {WDLABCD456DG}",
            "Führerschein {B072RRE2I55}",
            "permis de conduire {123456789012}",
            "carnet de conducir {12345678Z}",
            "patente di guida {U1A234567B}",
            "carta de condução {P1234567}",
            "driver's licence {A1234-56789-01234}",
            "DL# {I1234562}",
            "patente n. {U1H123456X}",
            "my driver's licence is {SMITH 901151 AB9CD}",
            "rijbewijs {5123456789}",
        ],
    );
    assert_hidden(
        Kind::Account,
        &[
            "my account number is {12345678}",
            "account no. {0012 3456 7890}",
            "sort code {12-34-56}",
            "routing number {021000021}",
            "Kontonummer {532013000}",
            "BLZ {37040044}",
            "número de cuenta {0049 1500 05}",
            "numéro de compte {00012345678}",
            "numero di conto {000000123456}",
            "número da conta {123456}",
            "bank account {12345678}",
            "refund it to my account {12345678}",
            "acc no {123456}",
            "Konto {532013000}",
        ],
    );
    assert_unchanged(&[
        "do you sell passport covers for 25 euros",
        "I have a driver's license but no card",
        "order 12345678 with a passport wallet",
        "passport holder, order 12345678",
        "a passport cover 12 cm wide",
        "a license plate frame 30x20",
    ]);
}

#[test]
fn an_address_of_the_network_is_masked() {
    assert_hidden(
        Kind::Ip,
        &[
            "my ip is {203.0.113.9}",
            "{198.51.100.7} was blocked",
            "ip:{203.0.113.9}",
            "http://{203.0.113.9}/login",
            "blocked {2001:db8:0:1::5}",
            "blocked from {203.0.113.9}",
            "the app is blocked, it shows {203.0.113.9}",
            "my ip is {17c2:4f61:9a4c:ee10:f349:6d4d:77bf:e5e9}",
            "from 10.0.0-{203.0.113.9}",
        ],
    );
}

#[test]
fn an_address_never_takes_a_number_of_the_shop_with_it() {
    let numbers = std::sync::Arc::new(crate::domain::NumberFormats::new(["FJ-#####"]).unwrap());
    let shop = Shop { numbers, ..Shop::default() };
    for text in [
        "Bestellung FJ-10234, PLZ 80331",
        "Bestellung FJ-10234, 80331 München",
        "pedido FJ-10234, código postal 28013 Madrid",
        "order FJ-10234, Hauptstr. 5, 80331 Munich",
    ] {
        let masked = crate::guard::Vault::of_shop(shop.clone()).mask(text);
        assert!(masked.contains("FJ-10234"), "{masked}");
    }
}

#[test]
fn streets_are_masked_with_flat_postcode_and_town() {
    assert_hidden(
        Kind::Address,
        &[
            "{ul. Marszałkowska 10 m. 5, 00-590 Warszawa}",
            "proszę wysłać na {al. Jerozolimskie 44/12, 00-024 Warszawa}",
            "mieszkam przy {ul. Długa 12, 31-147 Kraków}",
            "{rue de la Paix 12, 75002 Paris}",
            "{12 rue des Lilas, 69003 Lyon}",
            "{av. Victor Hugo 8, 75016 Paris}",
            "{C/ Mayor 5, 28013 Madrid}",
            "{Via Roma 12, 00184 Roma}",
            "{Rua Augusta 100, 1100-053 Lisboa}",
            "{Prinsengracht 263, 1016 GV Amsterdam}",
            "{Lindenstraße 5 Whg 3, 10969 Berlin}",
        ],
    );
}

#[test]
fn names_and_addresses_of_other_scripts_are_masked() {
    assert_hidden(
        Kind::Name,
        &[
            "我叫{王小明}，订单没收到",
            "私の名前は{田中太郎}です",
            "{佐藤}と申します",
            "اسمي {محمد علي}",
        ],
    );
    assert_hidden(
        Kind::Address,
        &[
            "我住在{北京市朝阳区建国路88号}",
            "住所は{東京都渋谷区神南1-2-3}です",
            "{〒150-0041 東京都渋谷区神南1丁目2番3号}",
        ],
    );
    assert_unchanged(&["اسمي مكتوب خطأ", "你的名字是什么", "北京市有3家店吗", "2-3日かかりますか"]);
}

#[test]
fn nouns_mountains_and_countries_are_nobody() {
    assert_unchanged(&[
        "Welche Schlafsäcke habt ihr?",
        "Wie warm ist der Schlafsack?",
        "Ist der Kocher windfest?",
        "Suche Stirnlampe für Kinder",
        "Is the Nordlys waterproof?",
        "Marlene 3",
        "Is the Marlene 3 waterproof?",
        "Mont Blanc",
        "I want to climb Mont Blanc, which boots?",
        "Stavanger, Norway",
        "Do you ship to Stavanger, Norway?",
        "Kilimanjaro, Tanzania",
        "Which is lighter, the Fjell 2 or the Skog 3?",
    ]);
}
