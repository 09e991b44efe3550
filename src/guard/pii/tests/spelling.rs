//! No spelling hides a value.

use super::*;

/// P3, and all else that makes a number look different.
#[test]
fn other_signs_and_groups_do_not_hide_a_card() {
    assert_hidden(
        Kind::Card,
        &[
            "amex {3782 8224 6310 005}",
            "{3782 8224 6310 005}",
            "{4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1}",
            "{4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1}",
            "{4111.1111.1111.1111}",
            "{4111/1111/1111/1111}",
            "{4111_1111_1111_1111}",
            "{4111,1111,1111,1111}",
            "{4111|1111|1111|1111}",
            "{4111  1111   1111 1111}",
            "{4111 - 1111 - 1111 - 1111}",
            "{4111\n1111\n1111\n1111}",
            "{4111·1111·1111·1111}",
            "{4111–1111–1111–1111}",
            "{4111\u{a0}1111\u{202f}1111\u{2009}1111}",
            "{4111\u{200b}1111\u{200b}1111\u{200b}1111}",
            "{41\u{ad}11 1111 1111 1111}",
            "{4111\u{2060}1111\u{feff}11111111}",
            "{４１１１ １１１１ １１１１ １１１１}",
            "{𝟒𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏}",
            "{𝟺𝟷𝟷𝟷𝟷𝟷𝟷𝟷𝟷𝟷𝟷𝟷𝟷𝟷𝟷𝟷}",
            "{④①①① ①①①① ①①①① ①①①①}",
            "{٤١١١ ١١١١ ١١١١ ١١١١}",
            "{४१११ ११११ ११११ ११११}",
            "{4️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣1️⃣}",
            "{41 11 11 11 11 11 11 11}",
            "{41111111 11111111}",
            "{4111 1111 11111111}",
            "{four one one one one one one one one one one one one one one one}",
            "{four triple one, double one double one, one one one one, one one one one}",
            "{vier eins eins eins eins eins eins eins eins eins eins eins eins eins eins eins}",
            "{cuatro uno uno uno uno uno uno uno uno uno uno uno uno uno uno uno}",
            "{quatre un un un un un un un un un un un un un un un}",
            "{quattro uno uno uno uno uno uno uno uno uno uno uno uno uno uno uno}",
            "{four-one-one-one-one-one-one-one-one-one-one-one-one-one-one-one}",
            "{4111 1111 1111 one one one one}",
            "{4111] [1111] [1111] [1111}",
            "{4111\" \"1111\" \"1111\" \"1111}",
            "{❹➀➊❶ ❶❶❶❶ ❶❶❶❶ ❶❶❶❶}",
            "{4111 1111 1111 1112}",
            "{4 1 1 1 - 1 1 1 1 - 1 1 1 1 - 1 1 1 1}",
        ],
    );
}

#[test]
fn other_signs_and_groups_do_not_hide_a_phone() {
    assert_hidden(
        Kind::Phone,
        &[
            "{0 1 7 1 5 5 5 0 1 2 3}",
            "{0-1-7-1-5-5-5-0-1-2-3}",
            "{0171.555.0123}",
            "{0171 - 555 01 23}",
            "{0171–5550123}",
            "{07700_900_123}",
            "{07700\n900123}",
            "{０７７００ ９００１２３}",
            "{𝟎𝟕𝟕𝟎𝟎 𝟗𝟎𝟎𝟏𝟐𝟑}",
            "{07700\u{200b}900\u{200b}123}",
            "{٠٧٧٠٠ ٩٠٠١٢٣}",
            "({+49) 171 5550123}",
            "{0049 171 5550123}",
            "{00491715550123}",
            "{33 6 12 34 56 78}",
            "{1 8004264730}",
            "call {zero seven seven double zero nine double zero one two three}",
            "{null eins sieben eins fünf fünf fünf null eins zwei drei}",
            "{zéro six douze trente-quatre cinquante-six soixante-dix-huit}",
            "{seis uno dos tres cuatro cinco seis siete ocho} es mi móvil",
            "{plus four nine one seven one five five five zero one two three}",
            "call {four one five, five five five, two six seven one}",
            "{four one five dash five five five dash two six seven one}",
            "{0171 fünf fünf fünf 0123}",
            "my courier: {zero one one two three four zero eight two}",
            "{0 1 1 2 3 4 0 8 2} please",
            "{six one two three four four nine zero three} please",
            "{four one five - five five five - two six seven one}",
            "{6123 4724} thanks",
            "{21 23 47 61}",
            "leave it with {912 345 215}",
            "{254 712 121440}",
            "{47 21 23 64 31}",
            "{971 2 234 5163}",
            "{55 11 96124-7444}",
            "{0054 9 11 2345-2186}",
            "{0043 720 1234 56789}",
            "it is {021234605}",
            "{015123454040}",
            "call me on {28 562}",
        ],
    );
}

#[test]
fn signs_in_words_do_not_hide_an_address() {
    assert_hidden(
        Kind::Email,
        &[
            "{ann＠example.com}",
            "{ann﹫example．com}",
            "{ann at example dot com}",
            "{ann AT example DOT com}",
            "{ann (at) example (dot) com}",
            "{ann[at]example[dot]com}",
            "{ann <at> example <dot> com}",
            "{ann(at)example.com}",
            "{ann @ example.com}",
            "{ann @ example . com}",
            "{ann@example dot com}",
            "{ann dot smith at example dot co dot uk}",
            "{ann.smith at mail.example dot com}",
            "{ann underscore smith at example dot com}",
            "my email is {ann at example.com}",
            "{ann ät example punkt de}",
            "{ann (ät) example (punkt) de}",
            "{ann klammeraffe example punkt de}",
            "{ann bei example punkt de}",
            "{ana arroba ejemplo punto es}",
            "{anne arobase exemple point fr}",
            "{anna chiocciola esempio punto it}",
            "{ana arroba exemplo ponto com}",
            "{ann\u{200b}@exam\u{ad}ple.com}",
            "{𝐚𝐧𝐧@𝐞𝐱𝐚𝐦𝐩𝐥𝐞.𝐜𝐨𝐦}",
            "{ann%40example.com}",
            "{ann@example,com}",
            "{jürgen@müller.example}",
            "{kate1990_at_example_dot_museum}",
            "{ann-at-example-dot-com}",
            "{ann *at* example *dot* com}",
            "{ann[at]example[dot]museum}",
            "{ann arroba ejemplo punto museum}",
            "my mail is {ann at example dot museum}",
            "{o dot neil plus shop at example dot com}",
            "{ann at my dash example dot com}",
            "{ann at shop dot example}",
            "{ann at shop dot com}",
            "contact: {ann at icloud.com}",
            "{ann @ mail . example . com}",
            "{ann@\nexample.com}",
        ],
    );
    assert_unchanged(&[
        "look at this point is it clear",
        "find us at example.com",
        "I ordered at example.com yesterday",
        "meet me at dot com",
        "the store at 10.30",
        "is it available at shop.example or not",
        "look at the dot on the page",
        "we sell at amazon.com",
        "arrived at store.",
        "the website crashed at one point today, no mail came",
        "I stare at the dot in the middle",
        "we met at 5 p.m. at gate 12",
    ]);
}

#[test]
fn separators_do_not_hide_an_iban() {
    assert_hidden(
        Kind::Iban,
        &[
            "{DE89.3704.0044.0532.0130.00}",
            "{DE89\n3704\n0044\n0532\n0130\n00}",
            "{DE89 3704 0044\n0532 0130 00}",
            "{DE89-3704-0044-0532-0130-00}",
            "{DE89/3704/0044/0532/0130/00}",
            "{DE 89 3704 0044 0532 0130 00}",
            "{D E 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0}",
            "{de89 3704 0044 0532 0130 00}",
            "{DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00}",
            "{DE89\u{200b}370400440532013000}",
            "{ＤＥ８９３７０４００４４０５３２０１３０００}",
            "{GB29 NWBK 6016 1331 9268 19}",
            "{FR14 2004 1010 0505 0001 3M02 606}",
            "Iban: {DE88 3704 0044 0532 0130 00}",
            "mein IBAN ist {DE89 3704 0044 0532 0130}",
            "{DE89 3704 0044 0532 0130 01}",
            "iban: {NO93 8601 1117 948}",
            "{DE89'3704'0044'0532'0130'00}",
            "{QA52ISOH19B2CAG94F6G7J89BC26I}",
            "{GI03 ASRN J82C C01I 782A E47}",
        ],
    );
}

#[test]
fn other_signs_do_not_hide_an_address_of_the_network() {
    assert_hidden(
        Kind::Ip,
        &[
            "{203[.]0[.]113[.]9}",
            "{203(.)0(.)113(.)9}",
            "{203 dot 0 dot 113 dot 9}",
            "{203 [dot] 0 [dot] 113 [dot] 9}",
            "{203 . 0 . 113 . 9}",
            "{２０３．０．１１３．９}",
            "{203.\u{200b}0.\u{200b}113.\u{200b}9}",
            "{𝟐𝟎𝟑.𝟎.𝟏𝟏𝟑.𝟗}",
            "{203。0。113。9}",
            "{203 punkt 0 punkt 113 punkt 9}",
        ],
    );
}

#[test]
fn other_signs_do_not_hide_a_social_security_number() {
    assert_hidden(
        Kind::Ssn,
        &[
            "{123–45–6789}",
            "{123 - 45 - 6789}",
            "{123‑45‑6789}",
            "{123-\u{200b}45-\u{200b}6789}",
            "{１２３-４５-６７８９}",
            "{𝟏𝟐𝟑-𝟒𝟓-𝟔𝟕𝟖𝟗}",
            "{123\n45\n6789}",
            "{1 2 3 - 4 5 - 6 7 8 9}",
            "{one two three - four five - six seven eight nine}",
            "{one two three dash four five dash six seven eight nine}",
            "{123·45·6789}",
            "{123_45_6789}",
        ],
    );
}

#[test]
fn an_address_of_a_mail_provider_needs_no_ending() {
    assert_hidden(
        Kind::Email,
        &[
            "write to {anna at gmail}",
            "reach me under {anna at outlook}",
            "send it to {anna77 at icloud} please",
            "meine Mail ist {anna bei gmail}",
        ],
    );
    assert_unchanged(&["look at gmail", "does it arrive at outlook"]);
}

#[test]
fn an_address_ends_where_the_script_changes() {
    assert_hidden(
        Kind::Email,
        &[
            "メールは{anna@example.com}です",
            "我的邮箱是{anna@example.com}请回复",
            "邮箱 {用户@例子.公司}",
        ],
    );
}
