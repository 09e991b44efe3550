//! Triage of one message with its vector: the head decides, a rule decides, another language.
//!
//! `cargo bench --bench triage`

use std::hint::black_box;

use divan::Bencher;
use rushdesk::triage::{Prior, Seen, head, triage};

fn main() {
    // Reads the word lists and the head once.
    black_box(triage("hello", None, &Prior::default()));
    divan::main();
}

fn measure(bencher: Bencher<'_, '_>, text: &str) {
    let vector = [0.05_f32; 384];
    let seen = Seen { vector: &vector, head: head("all-MiniLM-L6-v2") };
    bencher.bench_local(|| black_box(triage(black_box(text), Some(seen), &Prior::default())));
}

#[divan::bench]
fn by_the_head(bencher: Bencher<'_, '_>) {
    measure(bencher, "How long do I have to send something back that I bought today?");
}

#[divan::bench]
fn by_a_rule(bencher: Bencher<'_, '_>) {
    measure(bencher, "You are not helping, I want to talk to a human.");
}

#[divan::bench]
fn by_words(bencher: Bencher<'_, '_>) {
    measure(bencher, "Wo ist mein Paket? Es sollte gestern schon ankommen.");
}

#[divan::bench]
fn long(bencher: Bencher<'_, '_>) {
    measure(bencher, &"The tent came without its poles, and nobody answers the phone. ".repeat(16));
}
