//! Masking of messages of 500 characters: without anything to mask, with numbers of the shop, with
//! personal data, and in another script.
//!
//! `cargo bench --bench masking`

use std::hint::black_box;

use divan::{Bencher, counter::CharsCount};
use rushdesk::guard::{Seekers, Shop, find_by, look, mask};

const CHARS: usize = 500;

fn main() {
    // Reads the word lists once.
    black_box((mask("hello"), look("hello", None)));
    divan::main();
}

/// The sentence again and again, 500 characters of it.
fn message(sentence: &str) -> String {
    sentence.chars().cycle().take(CHARS).collect()
}

fn measure(bencher: Bencher<'_, '_>, sentence: &str) {
    let text = message(sentence);
    bencher.counter(CharsCount::new(CHARS)).bench_local(|| black_box(mask(black_box(&text))));
}

#[divan::bench]
fn plain(bencher: Bencher<'_, '_>) {
    measure(bencher, "The blue tent came without its poles, and the two pegs are bent. What now? ");
}

/// The screen against attacks, on the same message.
#[divan::bench]
fn screen_of_plain(bencher: Bencher<'_, '_>) {
    let text =
        message("The blue tent came without its poles, and the two pegs are bent. What now? ");
    bencher.counter(CharsCount::new(CHARS)).bench_local(|| black_box(look(black_box(&text), None)));
}

#[divan::bench]
fn numbers_of_the_shop(bencher: Bencher<'_, '_>) {
    measure(bencher, "Order 10482 of 12 May for 129.90 EUR, tracking FJ123456789012, is late. ");
}

#[divan::bench]
fn personal(bencher: Bencher<'_, '_>) {
    let sentence = "Refund to 4111 1111 1111 1111, call 07700 900123 or write to ann@example.com. ";
    measure(bencher, sentence);
}

/// What the tagger of names and addresses adds to the rules.
#[divan::bench(args = [Seekers::Rules, Seekers::RulesAndTagger])]
fn people(bencher: Bencher<'_, '_>, seekers: Seekers) {
    let text = message("My name is Ann Miller, please ship it to 12 Baker Street, London. ");
    let shop = Shop::default();
    bencher
        .counter(CharsCount::new(CHARS))
        .bench_local(|| black_box(find_by(black_box(&text), &shop, seekers)));
}

#[divan::bench]
fn spelled_out(bencher: Bencher<'_, '_>) {
    measure(bencher, "call zero one seven one five five five zero one, ann at example dot com; ");
}

#[divan::bench]
fn not_ascii(bencher: Bencher<'_, '_>) {
    measure(bencher, "Mein Päckchen wäre für Größe ４２ und käme später; wann trifft es ein? ");
}
