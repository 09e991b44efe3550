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
