//! Values in the clothes that an attacker, or a hasty hand, gives them.

use super::*;

#[test]
fn what_touches_a_card_does_not_hide_it() {
    assert_hidden(
        Kind::Card,
        &[
            "{4111 1111 1111 1111}x",
            "{4111 1111 1111 1111}X2",
            "{4111 1111 1111 1111}kg",
            "{4111 1111 1111 1111}th",
            "{4111 1111 1111 1111}nd of May",
            "{5555555555554444}x",
            "{5555555555554444}EUR",
            "{378282246310005}pcs",
            "{4111111111111111}-x",
            "{4111-1111-1111-1111}a",
            "${4111 1111 1111 1111}",
            "€{5555555555554444}",
            "2x{4111111111111111}",
            "2x{4111 1111 1111 1111}",
            "x{4111 1111 1111 1111}",
            "3 x{5555 5555 5555 4444}x",
            "Nr{4111111111111111}Stk",
            "{4111111111111111}€",
            "a{4012888888881881}b",
            "_{4111111111111111}_",
        ],
    );
    assert_unchanged(&[
        "INV4111111111111112",
        "order number 4111111111111111",
        "1ZNNZ0CE2082206268",
        "invoice INV-4111111111111111",
        "2x 4006381333931",
        "JD014600006281230000",
    ]);
}

#[test]
fn digits_that_begin_with_a_card_are_masked_whole() {
    assert_hidden(
        Kind::Card,
        &[
            "{41111111111111111227123}",
            "{41111111111111111227}",
            "{4111111111111111122027123}",
            "{5555555555554444123}",
            "{37828224631000512271234}",
            "{41111111111111115555555555554444}",
            "card {55555555555544440129}",
            "{411111111111111112/28}",
        ],
    );
    assert_unchanged(&[
        "00340434161094015902",
        "9400110200881234567890",
        "41111111111111119999123",
        "tracking number 41111111111111111227123",
        "92748999985326513003200012",
        "12345678901234567890",
    ]);
}

#[test]
fn nothing_between_the_digits_hides_a_card() {
    assert_hidden(
        Kind::Card,
        &[
            "{4111&nbsp;1111&nbsp;1111&nbsp;1111}",
            "{4111&NBSP;1111&NBSP;1111&NBSP;1111}",
            "{4111&amp;nbsp;1111&amp;nbsp;1111&amp;nbsp;1111}",
            "{4111<br>1111<br>1111<br>1111}",
            "{4111<br/>1111<br/>1111<br/>1111}",
            "{4111</td><td>1111</td><td>1111</td><td>1111}",
            "{4111<b>1111</b>1111<b>1111}</b>",
            "{4111&#32;1111&#32;1111&#32;1111}",
            "{4111&#x20;1111&#x20;1111&#x20;1111}",
            "{&#52;111&#32;1111 1111 1111}",
            "{4111%201111%201111%201111}",
            "{4111%C2%A01111%C2%A01111%C2%A01111}",
            "{4111+1111+1111+1111}",
            "{4111=1111=1111=1111}",
            "{4111#1111#1111#1111}",
            "{4111💳1111💳1111💳1111}",
            "{4111 dash 1111 dash 1111 dash 1111}",
            "{4111 space 1111 space 1111 space 1111}",
            "{4111 strich 1111 strich 1111 strich 1111}",
            "{4111 and 1111 and 1111 and 1111}",
            "{4111x1111x1111x1111}",
            "{4+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1}",
            "{3782 then 822463 then 10005}",
            "{四一一一一一一一一一一一一一一一}",
            "{四一一一 一一一一 一一一一 一一一一}",
            "{肆壹壹壹壹壹壹壹壹壹壹壹壹壹壹壹}",
            "{4lll 1111 llll 1111} and 1",
            "{4111 1111 llll 1111}",
            "{41I1 1111 11I1 1111}",
            "{4OI2 8888 8888 I88I}",
            "{4Ol2888888881881}",
            "{555S555S555S4444}",
            "{four quadruple one, quadruple one, quadruple one, triple one}",
            "{vier viermal eins viermal eins viermal eins dreifach eins}",
            "{quattro quadruplo uno quadruplo uno quadruplo uno triplo uno}",
        ],
    );
    assert_unchanged(&[
        "10 + 20 + 30 + 40 = 100",
        "120x60x40 cm and 130x60x40 cm",
        "pages 12 and 13 and 14",
        "<b>two</b> tents &amp; 4 pegs",
        "一个帐篷",
        "100% cotton, 50% off",
    ]);
}

#[test]
fn letters_that_touch_a_number_do_not_hide_it() {
    assert_hidden(
        Kind::Phone,
        &[
            "{07700 900123}thanks",
            "{+43 664 1234567}x",
            "{07700900123}pls",
            "x{07700 900123}",
            "{0171 5550123}danke",
            "call {415-555-2671}now",
            "{(415) 555-2671}x",
            "{+44 7700 900123}ok",
            "https://wa.me/{436641234567}",
            "wa.me/{436641234567}?text=hi",
            "<a href=\"tel:{436641234567}\">",
            "sms:{436641234567}",
            "https://api.whatsapp.com/send?phone={436641234567}",
            "tel:{+43-664-1234567}",
            "{O77OO 9OO123}",
            "{0664&nbsp;1234567}",
            "{0664<br>123 4567}",
        ],
    );
    assert_hidden(
        Kind::Ssn,
        &[
            "{123-45-6789}x",
            "{123-45-6789}thanks",
            "x{123-45-6789}",
            "ssn{123-45-6789}please",
            "{123 45 6789}th",
            "{123&nbsp;45&nbsp;6789}",
            "{123&#45;45&#45;6789}",
        ],
    );
    assert_hidden(
        Kind::Ip,
        &[
            "{192.168.1.44}x",
            "{203.0.113.9}is mine",
            "ip{203.0.113.9}",
            "IP:{203.0.113.9}please",
            "{203.0.113.9}_",
            "from {198.51.100.7}ok.",
            "{203&period;0&period;113&period;9}",
        ],
    );
    assert_unchanged(&["version 2.4.1.0b", "pegs 2.4.1.0beta", "v2.4.1.0rc", "1500 2000 2500ml"]);
}

#[test]
fn no_letters_hide_an_iban() {
    assert_hidden(
        Kind::Iban,
        &[
            "{DЕ89370400440532013000}",
            "{DЕ89 3704 0044 0532 0130 00}",
            "{ΑТ61 1904 3002 3457 3201}",
            "{DE89&nbsp;3704&nbsp;0044&nbsp;0532&nbsp;0130&nbsp;00}",
            "{DE89%203704%200044%200532%200130%2000}",
            "{DE89<br>3704<br>0044<br>0532<br>0130<br>00}",
            "iban {D E eight nine three seven zero four zero zero four four zero five three two zero one three zero zero zero}",
            "IBAN: {DE acht neun drei sieben null vier null null vier vier null fünf drei zwei null eins drei null null null}",
            "my iban is {GB two nine NWBK six zero one six one three three one nine two six eight one nine}",
            "{GB29 NWВK 6016 1331 9268 19}",
        ],
    );
}

#[test]
fn no_spelling_hides_an_email_address() {
    assert_hidden(
        Kind::Email,
        &[
            "{a n n @ e x a m p l e . c o m}",
            "{a n n @ example.com}",
            "my mail is {a n n . s @ e x a m p l e . c o m}",
            "{\"ann smith\"@example.com}",
            "write to {\"ann\"@example.com}",
            "{ann@@example.com}",
            "{ann@example.\ncom}",
            "{ann@example\n.com}",
            "{ann@exam\nple.com}",
            "{ann\n@example.com}",
            "{annATexampleDOTcom}",
            "mail: {annatexampledotcom}",
            "{ann.smithATexampleDOTde}",
            "{ann&commat;example&period;com}",
            "{ann&#64;example.com}",
            "{ann%40example%2Ecom}",
            "{аnn@exаmple.com}",
        ],
    );
    assert_unchanged(&["@shop said hello", "is what a dotcom does", "look @ this\nshop now"]);
}
