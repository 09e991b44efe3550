//! The output filter on an answer of 400 deltas, compared with filtering the whole text again after
//! each delta.
//!
//! `cargo bench --bench output_filter`

use std::hint::black_box;

use divan::{Bencher, counter::BytesCount};
use rushdesk::guard::{OutputFilter, mask};

const MOST: usize = 64 << 10;

fn main() {
    divan::main();
}

fn deltas() -> Vec<String> {
    let sentence = "Your parcel to [EMAIL_1] left us, see [the page](https://shop.example/track) for 2 < 3 days. ";
    let text = sentence.repeat(20);
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(5).map(|piece| piece.iter().collect()).collect()
}

#[divan::bench]
fn streaming(bencher: Bencher<'_, '_>) {
    let (deltas, masked) = (deltas(), mask("My mail is eva@example.com"));
    let bytes: usize = deltas.iter().map(String::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        let mut filter = OutputFilter::new(&masked.vault, MOST);
        for delta in &deltas {
            black_box(filter.push(delta));
        }
        black_box(filter.finish())
    });
}

#[divan::bench]
fn naive_whole_text_again(bencher: Bencher<'_, '_>) {
    let (deltas, masked) = (deltas(), mask("My mail is eva@example.com"));
    let bytes: usize = deltas.iter().map(String::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        let mut text = String::new();
        for delta in &deltas {
            text.push_str(delta);
            let mut filter = OutputFilter::new(&masked.vault, MOST);
            black_box(filter.push(&text));
        }
    });
}
