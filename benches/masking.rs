//! Masking of messages of 500 characters: without anything to mask, with numbers of the shop, with
//! personal data, and in another script.
//!
//! `cargo bench --bench masking`

use std::hint::black_box;

use divan::{Bencher, counter::CharsCount};
use rushdesk::guard::mask;

const CHARS: usize = 500;

fn main() {
    // Reads the word lists once.
    black_box(mask("hello"));
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

#[divan::bench]
fn numbers_of_the_shop(bencher: Bencher<'_, '_>) {
    measure(bencher, "Order 10482 of 12 May for 129.90 EUR, tracking FJ123456789012, is late. ");
}

#[divan::bench]
fn personal(bencher: Bencher<'_, '_>) {
    let sentence = "Refund to 4111 1111 1111 1111, call 07700 900123 or write to ann@example.com. ";
    measure(bencher, sentence);
}

#[divan::bench]
fn spelled_out(bencher: Bencher<'_, '_>) {
    measure(bencher, "call zero one seven one five five five zero one, ann at example dot com; ");
}

#[divan::bench]
fn not_ascii(bencher: Bencher<'_, '_>) {
    measure(bencher, "Mein Päckchen wäre für Größe ４２ und käme später; wann trifft es ein? ");
}
