//! The fitted weights, and the best labels for all tokens together (Viterbi, 1967).

use super::features::{BITS, Features};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    Nothing,
    Name,
    Address,
}

const LABELS: [Label; 3] = [Label::Nothing, Label::Name, Label::Address];

/// Little-endian: nine weights of a label after another, what counts for `Nothing` and for
/// `Address`, each of four bytes; then for each hash a byte for `Name` and one for `Address`.
static WEIGHTS: &[u8; HEAD + 2 * (1 << BITS)] = include_bytes!("weights.bin");
const HEAD: usize = 4 * 11;

type Scores = [i32; LABELS.len()];

pub(super) fn best(tokens: &[Features]) -> Vec<Label> {
    let mut best: Scores = [0; LABELS.len()];
    // For each token and label, the best label before it.
    let mut from: Vec<[usize; LABELS.len()]> = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        let scores = scores(token);
        if index == 0 {
            best = scores;
            from.push([0; LABELS.len()]);
            continue;
        }
        let (mut next, mut back) = (scores, [0; LABELS.len()]);
        for to in 0..LABELS.len() {
            let way = |from: usize| best[from] + head(from * LABELS.len() + to);
            back[to] = (1..LABELS.len()).fold(0, |top, i| if way(i) > way(top) { i } else { top });
            next[to] += way(back[to]);
        }
        best = next;
        from.push(back);
    }
    let mut label = (1..LABELS.len()).fold(0, |top, i| if best[i] > best[top] { i } else { top });
    let mut labels = Vec::with_capacity(tokens.len());
    for back in from.iter().rev() {
        labels.push(LABELS[label]);
        label = back[label];
    }
    labels.reverse();
    labels
}

fn scores(token: &Features) -> Scores {
    let mut scores = [head(9), 0, head(10)];
    for hash in token {
        let at = HEAD + 2 * usize::from(*hash);
        scores[1] += i32::from(WEIGHTS[at].cast_signed());
        scores[2] += i32::from(WEIGHTS[at + 1].cast_signed());
    }
    scores
}

fn head(index: usize) -> i32 {
    let at = 4 * index;
    i32::from_le_bytes([WEIGHTS[at], WEIGHTS[at + 1], WEIGHTS[at + 2], WEIGHTS[at + 3]])
}
