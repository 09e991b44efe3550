//! One answer of 60 pieces for 100 readers: cursors into one log, compared with a channel for each
//! reader.
//!
//! `cargo bench --bench cursor`

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has no result")]

use std::hint::black_box;

use divan::{Bencher, counter::ItemsCount};
use rushdesk::{
    domain::{Fact, Live, SessionId, TurnId},
    log::{Writer, frame::Place},
};
use tokio::{runtime::Runtime, sync::mpsc};

const READERS: usize = 100;
const PIECES: u32 = 60;
const PIECE: &str = "within two ";

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[divan::bench]
fn cursors(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let (session, turn) = (SessionId::new(), TurnId::new());
    let place = Place { session_id: session, turn_id: turn, epoch: 0, base_seq: 1 };
    let frames = READERS * PIECES as usize;
    bencher.counter(ItemsCount::new(frames)).bench_local(|| {
        runtime.block_on(async {
            let writer = Writer::new(place, 1 << 20);
            let mut readers: Vec<_> = (0..READERS).map(|_| writer.log().read(None)).collect();
            for _ in 0..PIECES {
                assert!(writer.push_text(PIECE));
                for reader in &mut readers {
                    black_box(reader.next().await);
                }
            }
            writer.end(Fact::cancelled(String::new()));
        });
    });
}

#[divan::bench]
fn naive_channel_for_each_reader(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let frames = READERS * PIECES as usize;
    bencher.counter(ItemsCount::new(frames)).bench_local(|| {
        runtime.block_on(async {
            let mut readers: Vec<_> = (0..READERS).map(|_| mpsc::channel::<Live>(64)).collect();
            for index in 0..PIECES {
                let delta = Live::AnswerDelta { index, text: PIECE.to_owned() };
                for (sender, _) in &readers {
                    sender.send(delta.clone()).await.unwrap();
                }
                for (_, reader) in &mut readers {
                    let delta = reader.recv().await.unwrap();
                    black_box(serde_json::to_vec(&delta).unwrap());
                }
            }
        });
    });
}
