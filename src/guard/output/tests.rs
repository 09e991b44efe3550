use proptest::prelude::*;

use super::*;
use crate::guard::mask;

fn filtered(vault: &Vault, pieces: &[&str], max_bytes: usize) -> (String, bool) {
    let mut filter = OutputFilter::new(vault, max_bytes);
    let mut shown: String = pieces.iter().map(|piece| filter.push(piece)).collect();
    let tail = filter.finish();
    shown.push_str(&tail.text);
    (shown, tail.truncated)
}

fn shown(text: &str) -> String {
    filtered(&Vault::new(), &[text], 1 << 20).0
}

fn vault() -> Vault {
    mask("ann@example.com bob@example.com call 415-555-2671").vault
}

#[test]
fn a_placeholder_split_over_deltas_is_restored_and_never_shows_in_half() {
    let vault = vault();
    let mut filter = OutputFilter::new(&vault, 1000);
    assert_eq!(filter.push("We wrote to [EMA"), "We wrote to ");
    assert_eq!(filter.push("IL_"), "");
    assert_eq!(filter.push("1] and [EMAIL_2"), "ann@example.com and ");
    assert_eq!(filter.push("]."), "bob@example.com.");
    assert_eq!(filter.finish(), Tail { text: String::new(), truncated: false });
}

#[test]
fn a_placeholder_of_nobody_stays_as_it_is() {
    let (text, _) = filtered(&vault(), &["[EMAIL_9] [EMAIL_1 [PHONE_1]"], 1000);
    assert_eq!(text, "[EMAIL_9] [EMAIL_1 415-555-2671");
}

#[test]
fn only_harmless_links_stay_links() {
    for (text, expected) in [
        ("see [this](https://shop.example/a(b)).", "see [this](https://shop.example/a(b))."),
        ("[mail](mailto:a@b.example)", "[mail](mailto:a@b.example)"),
        ("[page](/returns#how)", "[page](/returns#how)"),
        ("[1] and [2](#two)", "[1] and [2](#two)"),
        ("[go](javascript:alert(1)) now", "go now"),
        ("[go]( JaVaScRiPt:alert(1) \"t\")", "go"),
        ("[go](<javascript:alert(1)>)", "go"),
        ("[go](java&#115;cript:alert(1))", "go"),
        ("[go](javascript&colon;alert(1))", "go"),
        ("[go](\u{1}javascript:alert(1))", "go"),
        ("![x](data:text/html;base64,AAAA)", "! x"),
        ("[a [b] c](vbscript:x)", "a [b] c"),
        ("[![i](https://a.example/i.png)](javascript:x)", "![i](https://a.example/i.png)"),
        ("[x [y](javascript:a) z](https://a.example)", "[x y z](https://a.example)"),
        ("[go]: javascript:alert(1)\n[go]", "go\n[go]"),
        ("[go]: https://a.example\n", "[go]: https://a.example\n"),
        ("<javascript:alert(1)> <https://a.example>", "javascript:alert(1) <https://a.example>"),
        ("1 < 2 and <b>", "1 < 2 and <b>"),
        ("an open [bracket", "an open [bracket"),
        (r"\[no](javascript:x)", r"\[no]"),
        (r"\\[go](javascript:x)", r"\\ go"),
        ("[a][](x:y)(javascript:q)", "[a] (javascript:q)"),
        ("[a][(javascript:q](x:y))", "[a] (javascript:q )"),
        ("[a][:](x:y) javascript:q", "[a] : javascript:q"),
        ("<<javascript:x>>", "< javascript:x >"),
        ("<a[](x:y)b:c>", "<a b:c>"),
        ("<[javascript:[>](](x:y)", "< javascript:[>]"),
        ("see [go](x:y).", "see go."),
        ("[[](](x:y)javascript:q)", "[] javascript:q)"),
        ("[[a]:](x:y) javascript:q", "[a] javascript:q"),
        ("[](<<x:y>(>)", "[] < x:y (>)"),
        ("an open [a](b", "an open [a](b"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn a_label_too_long_to_hold_loses_its_bad_link_too() {
    let label = "word ".repeat(400);
    assert_eq!(shown(&format!("[{label}](javascript:x)!")), format!("[{label}]!"));
}

#[test]
fn a_target_that_begins_too_late_to_be_seen_is_no_link() {
    for gap in [100, 2040, 2048, 3000, 5000] {
        let text = format!("[go]({}javascript:x) and", " ".repeat(gap));
        let whole = shown(&text);
        assert!(!whole.contains("](") && whole.contains("go"), "{gap}");
        let split: Vec<&str> = text.split_inclusive(' ').collect();
        assert_eq!(filtered(&Vault::new(), &split, 1 << 20).0, whole, "{gap}");
    }
}

#[test]
fn control_characters_are_dropped() {
    assert_eq!(shown("a\u{0}\u{7}\u{1b}[31mb\r\n\tc\u{85}"), "a[31mb\n\tc");
}

#[test]
fn the_length_is_bounded_at_a_character_and_the_cut_is_reported() {
    assert_eq!(filtered(&Vault::new(), &["ab", "cé", "f"], 4), ("abc".to_owned(), true));
    assert_eq!(filtered(&Vault::new(), &["ab", "cd"], 4), ("abcd".to_owned(), false));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_output(
        parts in prop::collection::vec(
            prop_oneof![
                Just("[EMAIL_1]"), Just("[EMAIL_"), Just("[PHONE_1]"), Just("["), Just("]"), Just("("),
                Just(")"), Just("](javascript:"), Just("](https://a.example)"), Just("<"), Just(">"),
                Just(":"), Just("\\"), Just(" "), Just("\n"), Just("é"), Just("javascript:x"), Just("word"),
            ],
            0..24,
        ),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        max_bytes in prop_oneof![Just(100_000_usize), 0..80_usize],
    ) {
        let text = parts.concat();
        let mut points: Vec<usize> =
            cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
        points.extend([0, text.len()]);
        points.sort_unstable();
        let pieces: Vec<&str> = points.windows(2).map(|w| &text[w[0]..w[1]]).collect();
        let vault = vault();
        prop_assert_eq!(filtered(&vault, &pieces, max_bytes), filtered(&vault, &[&text], max_bytes));
    }

    #[test]
    fn no_link_with_a_foreign_scheme_survives(
        text in r"(\[|\]|\(|\)|<|>|\\|:|!|`|[a-c ]|\n|javascript:|\]\(|\]\(x:y\)|\[\]\(x:y\)|<x:y>|: |http://a){0,24}"
    ) {
        let shown = shown(&text);
        let dangerous = pulldown_cmark::Parser::new(&shown).find_map(|event| match event {
            pulldown_cmark::Event::Start(
                pulldown_cmark::Tag::Link { dest_url, .. } | pulldown_cmark::Tag::Image { dest_url, .. },
            ) => {
                let scheme = dest_url.split(['/', '?', '#']).next().unwrap_or("").to_owned();
                let fine = ["http:", "https:", "mailto:"].iter().any(|s| dest_url.starts_with(s));
                (scheme.contains(':') && !fine).then(|| dest_url.to_string())
            }
            _ => None,
        });
        prop_assert_eq!(dangerous, None, "{:?} -> {:?}", text, shown);
    }
}
