//! The text of a simulated answer. It is derived from the question, so that an answer in the wrong
//! place is noticed.

const OPENING: [&str; 6] = [" I", " am", " a", " simulator", ",", " and"];
const WORDS: [&str; 32] = [
    " parcel", " order", " return", " refund", " the", " a", " of", " with", " your", " our",
    " shop", " label", " street", " evening", " carrier", " page", " colour", " size", " sends",
    " finds", " keeps", " opens", " brings", " takes", " gladly", " soon", " often", " then",
    " green", " small", " careful", " kind",
];

/// Pieces (tokens) of one answer. The same question and seed give the same text.
pub struct Lorem {
    tag: String,
    state: u64,
}

impl Lorem {
    pub fn new(question: &str, seed: u64) -> Self {
        let hash = fnv1a(question.as_bytes());
        Self { tag: letters(hash), state: hash ^ splitmix(seed) }
    }

    /// `sim:<letters>:`, then a statement that it is a simulator, then words. No piece needs
    /// escaping in JSON.
    pub fn piece(&self, index: usize) -> &str {
        match index {
            0 => "sim:",
            1 => &self.tag,
            _ if index < 2 + OPENING.len() => OPENING[index - 2],
            _ => {
                let mixed = splitmix(self.state.wrapping_add(index as u64));
                WORDS[(mixed % WORDS.len() as u64) as usize]
            }
        }
    }

    pub fn text(&self, tokens: usize) -> String {
        (0..tokens).map(|index| self.piece(index)).collect()
    }
}

/// Ten letters and a colon. Digits could be taken for a card number and masked.
fn letters(mut hash: u64) -> String {
    let mut tag: String = std::iter::repeat_with(|| {
        let letter = char::from(b'a' + (hash % 26) as u8);
        hash /= 26;
        letter
    })
    .take(10)
    .collect();
    tag.push(':');
    tag
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn splitmix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_depends_on_its_question_and_says_what_it_is() {
        let one = Lorem::new("where is my order?", 1).text(40);
        assert_eq!(one, Lorem::new("where is my order?", 1).text(40));
        let other = Lorem::new("where is my parcel?", 1).text(40);
        assert_ne!(one[..14], other[..14]);
        assert!(one.starts_with("sim:") && one.contains("simulator"));
    }

    #[test]
    fn the_seed_changes_the_words_and_keeps_the_tag() {
        let (one, other) = (Lorem::new("hello", 1).text(60), Lorem::new("hello", 2).text(60));
        assert_eq!(one[..15], other[..15]);
        assert_ne!(one, other);
    }

    #[test]
    fn no_piece_needs_escaping() {
        let lorem = Lorem::new("\"quoted\"\n\\", 3);
        assert!(lorem.text(500).bytes().all(|b| b.is_ascii_alphabetic() || b" :,".contains(&b)));
    }
}
