//! Chooses which of the waiting texts form the next batch. Pure: lengths in, positions out.
//!
//! All texts of a batch are padded to the longest, and padding costs as much as text. So a batch
//! holds texts of similar length and at most `budget` tokens, counting padding. The oldest text is
//! always in it, so no text starves.

/// What a batch may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tokens, counting padding. A longer text goes alone.
    pub budget: usize,
    /// Number of texts; with a small number some are left for idle threads.
    pub texts: usize,
}

/// Positions of the next batch in `lengths`, ascending. `lengths` has the tokens of each waiting
/// text, oldest first.
pub fn choose(lengths: &[usize], limits: Limits) -> Vec<usize> {
    let Some(&oldest) = lengths.first() else { return Vec::new() };
    let mut near: Vec<usize> =
        (1..lengths.len()).filter(|&position| similar(oldest, lengths[position])).collect();
    // The sort is stable: of two texts with equally similar lengths the older comes first.
    near.sort_by_key(|&position| lengths[position].abs_diff(oldest));

    let mut batch = vec![0];
    let mut longest = oldest;
    for position in near {
        let padded = longest.max(lengths[position]);
        if batch.len() >= limits.texts || padded * (batch.len() + 1) > limits.budget {
            break;
        }
        longest = padded;
        batch.push(position);
    }
    batch.sort_unstable();
    batch
}

/// False if the padding would cost more than a batch saves.
fn similar(a: usize, b: usize) -> bool {
    const SLACK: usize = 4;
    let (short, long) = if a < b { (a, b) } else { (b, a) };
    long <= short + short / 2 + SLACK
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDE: Limits = Limits { budget: 1024, texts: usize::MAX };

    #[test]
    fn nothing_waiting_gives_no_batch() {
        assert!(choose(&[], WIDE).is_empty());
    }

    #[test]
    fn a_lone_text_is_a_batch_even_beyond_the_budget() {
        assert_eq!(choose(&[300], Limits { budget: 256, ..WIDE }), [0]);
    }

    #[test]
    fn texts_of_similar_length_go_together_and_others_wait() {
        assert_eq!(choose(&[10, 200, 12, 9, 80], WIDE), [0, 2, 3]);
    }

    #[test]
    fn padding_counts_against_the_budget() {
        // Two texts of 10 and one of 14: with the long one the batch would have 42 tokens.
        assert_eq!(choose(&[10, 14, 10], Limits { budget: 41, ..WIDE }), [0, 2]);
    }

    #[test]
    fn a_batch_leaves_texts_for_idle_threads() {
        assert_eq!(choose(&[8; 10], Limits { texts: 5, ..WIDE }).len(), 5);
    }

    proptest! {
        #[test]
        fn every_batch_holds_the_oldest_and_keeps_its_limits(
            lengths in proptest::collection::vec(1_usize..600, 1..80),
            budget in 1_usize..2000,
            texts in 1_usize..40,
        ) {
            let batch = choose(&lengths, Limits { budget, texts });
            prop_assert_eq!(batch[0], 0);
            prop_assert!(batch.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(batch.len() <= texts);
            let longest = batch.iter().map(|&position| lengths[position]).max().unwrap();
            prop_assert!(batch.len() == 1 || longest * batch.len() <= budget);
        }

        #[test]
        fn all_texts_are_served_in_the_end(
            mut lengths in proptest::collection::vec(1_usize..600, 0..80),
        ) {
            let mut served = 0;
            let all = lengths.len();
            while !lengths.is_empty() {
                let batch = choose(&lengths, WIDE);
                served += batch.len();
                for position in batch.into_iter().rev() {
                    lengths.remove(position);
                }
            }
            prop_assert_eq!(served, all);
        }
    }
}
