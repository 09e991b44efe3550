//! Secrets in sentences that nobody wrote with a form in mind.

use super::*;

#[test]
fn the_code_of_a_card_stands_right_behind_its_date() {
    assert_hidden(
        Kind::Cvv,
        &[
            "cvv {847} exp 12/27",
            "cvv {847} expiry 12/27",
            "cvc {847} 12/27",
            "cvv 12/27 {847}",
            "Prüfnummer {847}, gültig bis 12/27",
            "security code {847} exp 09/28",
        ],
    );
    for (text, expected) in [
        ("4539 7662 2837 2189 cvc 123 exp 12/27", "[CARD_1] cvc [CVV_1] exp 12/27"),
        ("4539766228372189 cvc 847 12/27", "[CARD_1] cvc [CVV_1] 12/27"),
        ("card 4000 0566 5566 5556 exp 12/28 841", "card [CARD_1] exp 12/28 [CVV_1]"),
        ("card 4000 0566 5566 5556 exp 0429 123", "card [CARD_1] exp 0429 [CVV_1]"),
        ("4000 0566 5566 5556 gültig bis 12/28 841", "[CARD_1] gültig bis 12/28 [CVV_1]"),
        ("4000 0566 5566 5556 exp 09 27 112", "[CARD_1] exp 09 27 [CVV_1]"),
        ("amex 3782 822463 10005 exp 08/29 4321", "amex [CARD_1] exp 08/29 [CVV_1]"),
        ("5555555555554444 vence 09/2027 112", "[CARD_1] vence 09/2027 [CVV_1]"),
        ("5555555555554444 valable jusqu'au 09/27 112", "[CARD_1] valable jusqu'au 09/27 [CVV_1]"),
        ("5555555555554444 caduca 12/28 841", "[CARD_1] caduca 12/28 [CVV_1]"),
        ("5555555555554444 scade 12/28 841", "[CARD_1] scade 12/28 [CVV_1]"),
        ("5555555555554444 ważna do 12/28 841", "[CARD_1] ważna do 12/28 [CVV_1]"),
        ("4111 1111 1111 1111 on 12/28 149 EUR", "[CARD_1] on 12/28 149 EUR"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
    assert_unchanged(&[
        "order 10234 paid by card 12/11 149 EUR",
        "charged 12/28 149 twice on my card",
        "my order 1234567 from 12/11/2026",
    ]);
}

#[test]
fn a_password_is_masked_wherever_it_stands_in_a_text_about_passwords() {
    assert_hidden(
        Kind::Password,
        &[
            "{Maple9tree} doesn't work as password",
            "{Maple9tree} won't work as a password",
            "{Maple9tree} geht nicht als Passwort",
            "{Maple9tree} is what I enter as password",
            "set it to {Maple9tree} please, my password I mean",
            "the one I type in is {Maple9tree} and it says wrong password",
            "my password is the same one as before i.e. {Maple9tree}",
            "password same as my dog, {Rex2011}",
            "{Maple9tree} is the password I enter, no luck",
            "{Maple9tree} doesnt work, why? it is my password since 2019",
            "der Shop nimmt {Sonne2024} nicht als Passwort an",
            "le mot de passe ne marche pas avec {Soleil75x}",
            "la contraseña no la acepta: probé {Gatito22}",
            "non accetta la password, ho messo {Ciao1234}",
            "wachtwoord wordt geweigerd, ik typ {Zomer2024}",
            "hasło nie działa, wpisuję {Lato2024x}",
            "a senha falha, digito {Verao2024}",
            "account @x / {blue_moon_77}",
            "pass: {sunshine}",
            "curl -u admin:{S3cr3tsh0p} https://api.example.org/v1",
        ],
    );
    for (text, expected) in [
        ("login lena.b / Maple9tree", "login [NAME_1].b / [PASSWORD_1]"),
        ("user lena.b, Maple9tree", "user [NAME_1].b, [PASSWORD_1]"),
        ("lena@example.org\nMaple9tree", "[EMAIL_1]\n[PASSWORD_1]"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
    assert_unchanged(&[
        "I can't reset my password on my iPhone15",
        "my password works on android14 but not on windows11",
        "my password is wrong, order FJ-10234",
        "password not accepted, order FJ10234",
        "my password fails and FJ-10234 is late",
        "the password page shows error 404",
        "password resets of 250ml bottles",
    ]);
}

#[test]
fn what_a_browser_keeps_of_a_visit_is_masked() {
    assert_hidden(
        Kind::Token,
        &[
            "set-cookie: {auth=qwe8rty7uio6}",
            "cookie: {session=qwe8rty7uio6pas5}",
            "sid={qwe8rty7uio6pas5}",
            "PHPSESSID={qwe8rty7uio6pas5}",
            "sessionid: {qwe8rty7uio6pas5}",
            "JSESSIONID={0A1B2C3D4E5F6071}",
            "Cookie: theme=dark; session_id={abcdef12345678}",
            "connect.sid={s%3AabC123def456}",
            "csrf token {9f8e7d6c5b4a}",
            "cookie {PHPSESSID=26d9f0a1b2c3d4e5}",
            "backup code {8k3d-92mx}",
            "recovery code: {8k3d-92mx-71la}",
            "it posts to https:{//hooks.slack.com/services/T02AB3CD4/B05EF6GH7/x8Kd92LmQpXz7VbN2t}",
        ],
    );
    assert_unchanged(&[
        "a box of cookies 24 pieces",
        "cookies with 250g of oats",
        "cookie cutter 12cm",
        "session 12 is full",
        "is the SID lamp 300 lm waterproof?",
    ]);
}

#[test]
fn a_card_with_signs_in_its_middle_is_masked_whole() {
    assert_hidden(
        Kind::Card,
        &[
            "{4000 05** **** 5556}",
            "{400005******5556}",
            "{4000-05xx-xxxx-5556}",
            "{4000 05XX XXXX 5556}",
            "{4000-05##-####-5556}",
            "{400005XXXXXX5556}",
            "{4000 •••• •••• 5556}",
            "card {4000********5556} was charged",
            "it says {4000.05**.****.5556}",
            "mit {400005xxxxxx5556} bezahlt",
            "{four zero zero zero zero five six six five five six six five five five six}",
            "{4 0 0 0 0 5 6 6 5 5 6 6 5 5 5 6}",
            "card {4 1 7 2 9 3 5 6 8 0 1 2 3 4 5 6}",
        ],
    );
    assert_unchanged(&["4000 x 5000 mm tarp", "1920x1080 display", "3 x 4 x 5 x 6 m", "2x2x2x2x2"]);
}

#[test]
fn numbers_of_people_and_banks_need_no_form() {
    assert_hidden(Kind::Ssn, &["ss# {219099999}", "ss # {219-09-9999}"]);
    assert_hidden(
        Kind::Passport,
        &[
            "pass no {533380006}",
            "age proof: {C01X00T478}",
            "id for age check {C01X00T478}",
            "Altersnachweis {C01X00T478}",
            "preuve d'âge : {C01X00T478}",
            "prueba de edad {C01X00T478}",
        ],
    );
    assert_hidden(
        Kind::Ssn,
        &[
            "nric {S8472916G}",
            "curp {FEML870415MDFRRC08}",
            "rut {16.384.729-9}",
            "tc kimlik no {38472910688}",
            "pan card {BKQPS4829L} for gst",
            "мой ИНН {772849301703}",
        ],
    );
    assert_hidden(
        Kind::Account,
        &[
            "NIB {0002 0123 1234 5678 9015 4}",
            "o meu NIB é {000201231234567890154}",
            "nr konta {61 1090 1014 0000 0712 1981 2874}",
            "nr konta {61109010140000071219812874}",
            "расчётный счёт {40817810938160925982}",
        ],
    );
    assert_hidden(
        Kind::Iban,
        &[
            "my iban without the country is {37 0400 4400 0532 0130 00}",
            "iban (ohne DE): {89 3704 0044 0532 0130 00}",
            "last digits of my iban: {3000}",
            "die letzten vier der iban: {3000}",
        ],
    );
    assert_hidden(
        Kind::Phone,
        &[
            "call me at {oh seven seven hundred nine hundred four five six}",
            "call me: {zero seven seven double zero nine hundred four five six}",
            "phone {07700 nine hundred 456}",
            "my tel is {0171 triple five 0123}",
        ],
    );
    assert_hidden(
        Kind::Email,
        &[
            "{lenabrook\"@\"example.org}",
            "my gmail is {lenabrook1987}",
            "my gmail address is {lenabrook1987}",
            "my e-mail: {lena1987}",
        ],
    );
    assert_unchanged(&[
        "is ski pass no 2 cheaper",
        "age check for whisky 12 years",
        "one hundred twenty days to return?",
        "two hundred euros for a tent?",
        "email me at noon",
        "my mail box is full 3days ago",
    ]);
}

#[test]
fn people_are_found_in_scripts_without_capitals_and_in_towns() {
    assert_hidden(
        Kind::BirthDate,
        &[
            "生日{1990年7月14日}",
            "出生日期: {1990-07-14}",
            "生年月日は{1988年4月12日}です",
            "生年月日 {昭和63年4月12日}",
            "تاريخ الميلاد {14/03/1988}",
            "дата рождения {15.04.1987}",
            "nasci a {30/10/1995}",
        ],
    );
    assert_hidden(Kind::Name, &["Меня зовут {Светлана Орлова}", "получатель {Дмитрий Соколов}"]);
    assert_hidden(Kind::Email, &["моя почта {anna77 собака mail точка ru}"]);
    assert_hidden(
        Kind::Address,
        &[
            "{Am Bahnhof 3, 53111 Bonn}",
            "{am markt 7, 04109 leipzig}",
            "{Zum Sportplatz 4, 26121 Oldenburg}",
        ],
    );
    assert_unchanged(&["am Montag 3 Pakete", "im Juni 5 Tage", "auf 10 Meter"]);
}

#[test]
fn goods_and_sentences_in_lower_case_are_no_people() {
    assert_unchanged(&[
        "entregam em lisboa",
        "zmiana adresu dostawy",
        "das passwort ist zu kurz",
        "kurtka damska czarna",
        "buty zimowe 43",
        "karl lagerfeld tasche noch da?",
        "michael kors handtasche 199€",
        "harry potter book 7",
        "levis 501 w32 l34",
        "king size bed",
        "art.nr. 502.843.91 in schwarz?",
        "Bosch GSR 18V-55",
        "farbe RAL 7016 matt",
        "toner brother tn-2420",
        "lufttemperatur bis -20 °C geeignet?",
        "the led strip 5050 rgb 12v",
    ]);
}

#[test]
fn amounts_and_sizes_are_no_addresses() {
    assert_unchanged(&[
        "149.90 + 12.90 = 162.80 right?",
        "are there 12 left or 30 right",
        "size 80 right or 85 left",
        "is it usb 3.2 gen 2x2?",
        "Jacke in 3XL statt 2XL",
        "tarp 3x4 m or 4x5 m",
        "is the trail 4000 m or 5000 m high",
        "watt hours 99.9 mAh",
    ]);
}
