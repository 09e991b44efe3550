//! Secrets, by the words around them or by their shape.

use super::*;

#[test]
fn passwords_are_masked_behind_and_before_their_words() {
    assert_hidden(
        Kind::Password,
        &[
            "my password is {hunter2}",
            "My password is {Sunshine}",
            "password: {hunter2}",
            "password={hunter2}",
            "pw {hunter2}",
            "pwd: {correct-horse}",
            "my password for the shop is {Tr0ub4dor&3}",
            "the password is: {tiger 123}",
            "passwort lautet {geheim99}",
            "mein Passwort ist {sommer}",
            "Kennwort: {Sommer2024!}",
            "mi contraseña es {gatito22}",
            "contraseña: {perro}",
            "mi clave es {perro99}",
            "mot de passe : {soleil75}",
            "mon mot de passe est {soleil}",
            "la mia password è {ciao123}",
            "minha senha é {abacaxi9}",
            "{hunter2} is my password",
            "use {hunter2} as password",
            "password \"{correct horse battery}\"",
            "passcode is {882299}",
            "my new password should be {blue-moon-7}",
            "password's {hunter2}",
            "i changed my password to {hunter3}",
            "passphrase is {xylophone7}",
            "the password that we use is {hunter2}",
            "I changed my password to {sunshine}",
            "my pass is {hunter2}",
            "wachtwoord is {geheim}",
            "mon mdp c'est {soleil75}",
            "my login password was changed to {Xy7!pp}",
            "the wifi password is {guest1234}",
            "I typed my password ({hunter2}) and it failed",
            "try {hunter2}, that's my password",
            "Mein Passwort lautet \"{Katze 77}\"",
        ],
    );
    assert_unchanged(&[
        "I lost my password and I cannot log in",
        "my password is not working",
        "my password is wrong",
        "the password is case sensitive",
        "password reset is broken",
        "what is my password?",
        "how do I change my password",
        "is my password safe with you",
        "mein Passwort ist falsch",
        "mi contraseña no funciona",
        "mon mot de passe est incorrect",
        "la password è sbagliata",
        "minha senha está errada",
        "I forgot my password, please help",
        "change my password, please go on",
        "reset the password of my user profile",
        "password manager is great",
    ]);
}

#[test]
fn words_between_a_password_and_its_name_do_not_hide_it() {
    assert_hidden(
        Kind::Password,
        &[
            "my password is now {hunter2}",
            "my password is still {sunshine}",
            "my password is actually {hunter2}",
            "my password is probably {sunshine}",
            "my password has been {hunter2}",
            "my password might be {hunter2}",
            "my password is not {hunter2}",
            "my password is incorrect, I used {hunter2}",
            "my password isn't working, I typed {hunter2}",
            "mi contraseña sigue siendo {gatito22}",
            "the password is {s e c r e t}",
            "password {tiger 123}",
            "my password was originally {sunshine}",
            "mein Passwort ist jetzt {sommer24}",
            "mein Passwort ist noch {sommer}",
            "mein Kennwort lautet aktuell {sommer}",
            "mon mot de passe est maintenant {soleil}",
            "mi contraseña es ahora {gatito}",
            "la mia password è ora {ciao123}",
            "mijn wachtwoord is nu {geheim}",
            "moje hasło to teraz {tajne99}",
            "minha senha é agora {abacaxi}",
            "my password is wrong, it was {hunter2}",
            "my password is not working: {hunter2}",
            "my password does not work ({hunter2})",
            "mein Passwort ist falsch, es war {sommer24}",
            "password rejected - {hunter2}",
            "my password is {correct horse battery staple}",
            "my password is {blue moon tiger}",
            "my passphrase is {purple monkey dishwasher}",
            "my p@ssword is {hunter2}",
            "p@ssw0rd: {hunter2}",
            "my pa$$word is {hunter2}",
            "p a s s w o r d: {hunter2}",
            "p.a.s.s.w.o.r.d is {hunter2}",
            "my раssword is {hunter2}",
            "my pаsswоrd: {hunter2}",
            "p a s s w o r d : {h u n t e r 2}",
            "password: <b>{hunter2}</b>",
        ],
    );
    for (text, expected) in [
        ("ann@example.com:hunter2", "[EMAIL_1]:[PASSWORD_1]"),
        ("ann@example.com:sunshine", "[EMAIL_1]:[PASSWORD_1]"),
        ("ann@example.com/hunter2", "[EMAIL_1]/[PASSWORD_1]"),
        ("ann@example.com | hunter2", "[EMAIL_1] | [PASSWORD_1]"),
        ("user ann@example.com pass hunter2", "user [EMAIL_1] pass [PASSWORD_1]"),
        (
            "changed my password from \"abc def\" to \"ghi jkl\"",
            "changed my password from \"[PASSWORD_1]\" to \"[PASSWORD_2]\"",
        ),
        ("login: ann / hunter2", "login: [NAME_1] / [PASSWORD_1]"),
        ("login: ann/sunshine", "login: [NAME_1]/[PASSWORD_1]"),
        ("credentials are ann and hunter2", "credentials are ann and [PASSWORD_1]"),
        ("my login is ann:hunter2", "my login is [NAME_1]:[PASSWORD_1]"),
        ("Zugangsdaten: ann / sommer24", "[NAME_1] / [PASSWORD_1]"),
        ("usuario: ana / gatito22", "usuario: [NAME_1] / [PASSWORD_1]"),
        ("login ann@example.com / hunter2", "login [EMAIL_1] / [PASSWORD_1]"),
        (
            "I changed my password from hunter1 to hunter2",
            "I changed my password from [PASSWORD_1] to [PASSWORD_2]",
        ),
        (
            "my password was changed from sunshine to moonlight",
            "my password was changed from [PASSWORD_1] to [PASSWORD_2]",
        ),
        (
            "habe mein Passwort von sommer1 auf winter2 geändert",
            "habe mein Passwort von [PASSWORD_1] auf [PASSWORD_2] geändert",
        ),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
    assert_unchanged(&[
        "my password is still not working",
        "change my password right now!!",
        "my password is now invalid",
        "my password is already taken",
        "my password has been reset",
        "mein Passwort ist noch gültig?",
        "mein Passwort ist immer noch falsch",
        "mon mot de passe est toujours incorrect",
        "my password is wrong, order FJ123456",
        "my password is not accepted, my order number is AB12345",
        "I changed my password from the app to the website",
        "the login page is broken",
        "I cannot login with my phone",
        "somebody at the login desk",
        "my password is really annoying",
    ]);
}

#[test]
fn codes_of_cards_are_masked_in_whole_sentences() {
    assert_hidden(
        Kind::Cvv,
        &[
            "the CVV of my card is {123}",
            "security code on my card is {123}",
            "the code on the back of my card: {123}",
            "the three digits on the back of my card are {123}",
            "the number on the back is {123}",
            "CVC of the visa: {123}",
            "Die Prüfnummer meiner Karte ist {123}",
            "der Code auf der Rückseite meiner Karte ist {123}",
            "die drei Ziffern auf der Rückseite: {123}",
            "le code au dos de ma carte est {123}",
            "le cryptogramme de ma carte est le {123}",
            "les trois chiffres au dos sont {123}",
            "el código de seguridad de mi tarjeta es {123}",
            "los tres dígitos del reverso son {123}",
            "il codice di sicurezza della carta è {123}",
            "le tre cifre sul retro della carta sono {123}",
            "de beveiligingscode van mijn kaart is {123}",
            "de code op de achterkant van mijn kaart is {123}",
            "kod zabezpieczający karty to {123}",
            "kod z tyłu karty: {123}",
            "o código de segurança do meu cartão é {123}",
            "os três dígitos no verso do cartão são {123}",
            "c v v {123}",
            "{123} is the code on the back of my card",
        ],
    );
    for (text, expected) in [
        ("4111 1111 1111 1111 exp 12/27 code 123", "[CARD_1] exp 12/27 code [CVV_1]"),
        ("4111 1111 1111 1111, exp. 12/27, 123", "[CARD_1], exp. 12/27, [CVV_1]"),
        ("4111111111111111\nexp 12/27\ncode 123", "[CARD_1]\nexp 12/27\ncode [CVV_1]"),
        ("4111111111111111\n12/27\n123", "[CARD_1]\n12/27\n[CVV_1]"),
        ("4111111111111111, the code is 123", "[CARD_1], the code is [CVV_1]"),
        (
            "378282246310005 valid thru 12/2027 code 1234",
            "[CARD_1] valid thru 12/2027 code [CVV_1]",
        ),
        ("4111 1111 1111 1111 gültig bis 12/27 und 123", "[CARD_1] gültig bis 12/27 und [CVV_1]"),
        ("4111+1111+1111+1111 exp 12/27 code 123", "[CARD_1] exp 12/27 code [CVV_1]"),
        ("4111 1111 1111 1111 for order number 1234", "[CARD_1] for order number 1234"),
        ("4111 1111 1111 1111 was charged 129 EUR", "[CARD_1] was charged 129 EUR"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn one_time_codes_are_masked() {
    assert_hidden(
        Kind::Pin,
        &[
            "my code is {482193}",
            "the code is {482193}",
            "{482193} is the code I got by sms",
            "the code you sent me is {482193}",
            "the code I got is {482193}",
            "TAN: {482193}",
            "TAN {482193}",
            "meine TAN ist {482193}",
            "mTAN {482193}",
            "mein Code ist {482193}",
            "der Code per SMS ist {482193}",
            "mon code est {482193}",
            "le code reçu par SMS est {482193}",
            "mi código es {482193}",
            "el código que recibí es {482193}",
            "il mio codice è {482193}",
            "mijn code is {482193}",
            "mój kod to {482193}",
            "meu código é {482193}",
            "p i n {4821}",
        ],
    );
    assert_unchanged(&[
        "tan boots 42",
        "my discount code is SAVE10",
        "my article code 123456",
        "the tan tent",
    ]);
}

#[test]
fn short_tokens_are_masked_behind_their_words() {
    assert_hidden(
        Kind::Token,
        &[
            "api key {7f3a9c}",
            "access token {abc123}",
            "my api key is {7f3a9c}",
            "secret: {sunshine}",
            "client_secret={abc12}",
            "token: {xyzzy}",
            "clé API : {7f3a9c}",
            "API-Schlüssel: {7f3a9c}",
            "clave secreta: {7f3a9c}",
            "{5f4dcc3b5aa765d61d8327deb882cf99}",
            "it says {da39a3ee5e6b4b0d3255bfef95601890afd80709} there",
        ],
    );
    assert_unchanged(&[
        "the api key is missing",
        "order id 507f1f77bcf86cd799439011",
        "token: see below",
        "the secret of good boots",
        "my access token expired",
        "is there a secret?",
    ]);
}

#[test]
fn pins_and_codes_are_masked_behind_their_words() {
    assert_hidden(
        Kind::Pin,
        &[
            "my pin is {4821}",
            "PIN: {4821}",
            "pin code {482193}",
            "the PIN number is {4821}",
            "OTP {482913}",
            "the verification code is {482 913}",
            "my one-time code: {482913}",
            "Geheimzahl {4821}",
            "meine PIN lautet {4821}",
            "mi pin es {4821}",
            "mon code pin est {4821}",
            "il codice pin è {4821}",
            "meu pin é {4821}",
            "{4821} is my pin",
            "pin {4 8 2 1}",
            "my pin is {four eight two one}",
            "2FA code {992 113}",
            "the code you texted me is {884213}",
        ],
    );
    assert_hidden(
        Kind::Cvv,
        &[
            "cvv {123}",
            "CVC: {123}",
            "cvv2 {123}",
            "cvc2: {1234}",
            "the security code is {123}",
            "security code on the back is {123}",
            "Prüfnummer {123}",
            "Sicherheitscode: {123}",
            "código de seguridad {123}",
            "cryptogramme {123}",
            "codice di sicurezza {123}",
            "código de segurança {123}",
            "{123} is the cvv",
            "cvv is {one two three}",
            "security number {737}",
            "the three digits on the back are {737}",
        ],
    );
}

#[test]
fn tokens_and_keys_are_masked_by_their_shape_or_their_words() {
    assert_hidden(
        Kind::Token,
        &[
            "{ghp_16C7e42F292c6912E7710c838347Ae178B4a}",
            "{AKIAIOSFODNN7EXAMPLE}",
            "it says {sk_live_4eC39HqLyjWDarjtT1zdp7dc} is invalid",
            "key {sk-proj-abcDEF1234567890abcDEF1234567890}",
            "{eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk}",
            "{xoxb-123456789012-abcdefABCDEF}",
            "{glpat-abcDEF123456ghiJKL78}",
            "{AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY}",
            "{shpat_0123456789abcdef0123456789abcdef}",
            "Authorization: Bearer {abc123def456ghi789}",
            "api key: {5f4dcc3b5aa765d6}",
            "api_key={5f4dcc3b5aa765d6}",
            "my access token is {9b74c9897bac770ffc02}",
            "client secret {Zx8Qw3Er7Ty2Ui5O}",
            "the token is {Kj3hG8fD2sA9pL4mN7bV1cX6zQ5wE0rT}",
            "{Kj3hG8fD2sA9pL4mN7bV1cX6zQ5wE0rT}",
            "{hf_abcDEFghiJKLmnoPQRstu1234}",
            "clave api: {5f4dcc3b5aa765d6}",
            "https://shop.example/?token={5f4dcc3b5aa765d61d83}",
            "stripe key {rk_live_abcdefghijklmnop}",
            "{glpat-abcdefghijklmnopqrst}",
            "{-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----}",
        ],
    );
    assert_unchanged(&[
        "is there an api key for my shop",
        "my token is invalid",
        "https://shop.example/products/the-very-long-name-of-a-rain-jacket-in-blue-2024",
        "internationalization and responsibilities",
        "the secret of good boots",
    ]);
}

#[test]
fn what_opens_an_account_is_a_password_without_the_word_for_it() {
    assert_hidden(
        Kind::Password,
        &[
            "мой пароль {hunter22}",
            "Пароль: {солнце7}",
            "{hunter22} is what I use to log in",
            "I log in with {hunter22}",
            "I sign in using {sunshine99}",
            "to log in I type {Blue42moon}",
            "ich melde mich mit {sommer24} an",
            "je me connecte avec {soleil75}",
            "security answer: {Fluffy}",
            "geheime Antwort: {Bello}",
            "respuesta secreta: {luna}",
            "密保答案：{小白}",
        ],
    );
    assert_unchanged(&[
        "I log in with Facebook",
        "I log in with order number FJ-10234",
        "can I sign in with 2 devices",
        "log in with Google does not work",
        "entro con mi cuenta y no carga",
        "ich melde mich mit der App an",
    ]);
}
