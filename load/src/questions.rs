//! The questions of the simulated shoppers. Lists that Locust's shoppers also use are files in
//! `data/questions`.

use std::sync::LazyLock;

use rand::{Rng, RngExt as _};

const WISHES: [&str; 8] = [
    "How long does the delivery of",
    "Is there a warranty on",
    "What is the washing advice for",
    "Can I exchange",
    "Which sizes are there of",
    "What are the materials of",
    "Is there a discount on",
    "How do I assemble",
];
const THINGS: [&str; 9] = [
    "the oak table",
    "the rain jacket",
    "the desk lamp",
    "the tea kettle",
    "the garden chair",
    "the wool blanket",
    "the phone case",
    "the travel bag",
    "the wall clock",
];
const ENDS: [&str; 7] = [
    "in model",
    "of series",
    "from catalogue page",
    "with article",
    "in variant",
    "of edition",
    "in design",
];

/// A question in a shopper's words that is unique to this pair of numbers. The numbers keep it from
/// matching a similar cached answer.
pub fn unique(stream: usize, turn: usize) -> String {
    let number = stream * 131 + turn;
    let (wish, thing, end) =
        (WISHES[number % 8], THINGS[(number / 8 + turn) % 9], ENDS[(number / 72) % 7]);
    format!("{wish} {thing} {end} {stream}-{turn}?")
}

/// The question of the one-question surge, and four other wordings of it.
pub static ONE_QUESTION: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../data/questions/one.txt").lines().collect());

/// Topics of the demo shop. Its help pages answer the first eighteen but not the others.
static TOPICS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../data/questions/topics.txt").lines().collect());
static ARTICLES: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../data/questions/articles.txt").lines().collect());

/// One of 1,008 questions without a number, so their answers may be shared.
fn shared(number: usize) -> String {
    let (topics, articles) = (TOPICS.len(), ARTICLES.len());
    let article = ARTICLES[number / topics % articles];
    format!("{}?", TOPICS[number % topics].replace("{}", article))
}

/// A question with a unique article number; its answer is never shared.
fn own(number: usize) -> String {
    let question = shared(number.wrapping_mul(37));
    format!("{}, article {}?", question.trim_end_matches('?'), 100_000 + number)
}

/// The questions of a surge: all different, or with a share from a hot set.
#[derive(Clone, Debug)]
pub struct Mix {
    /// Share of the questions, 0 to 1.
    hot_share: f64,
    zipf: Zipf,
}

impl Mix {
    /// `hot_set` is at most 1,008.
    pub fn new(hot_share: f64, hot_set: usize) -> Self {
        Self { hot_share, zipf: Zipf::new(hot_set.max(1)) }
    }

    /// The question of shopper `number`.
    pub fn pick(&self, number: usize, random: &mut impl Rng) -> String {
        if random.random_bool(self.hot_share) {
            shared(self.zipf.pick(random))
        } else {
            own(number)
        }
    }
}

/// Zipf's law with exponent 1: item `k` (from 0) is picked in proportion to `1 / (k + 1)`.
#[derive(Clone, Debug)]
struct Zipf {
    cumulative: Vec<f64>,
}

impl Zipf {
    fn new(items: usize) -> Self {
        let sums = (1..=items).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Self { cumulative: sums.collect() }
    }

    fn pick(&self, random: &mut impl Rng) -> usize {
        let total = self.cumulative.last().copied().unwrap_or(1.0);
        let at = random.random_range(0.0..total);
        self.cumulative.partition_point(|sum| *sum <= at).min(self.cumulative.len() - 1)
    }
}

/// One question in a wording that no other number gives. The phrasing changes, but not the meaning.
/// There are about 50,000.
pub fn wording(number: usize) -> String {
    const OPENINGS: [&str; 14] = [
        "",
        "Hi, ",
        "Hello, ",
        "Hey, ",
        "Good morning, ",
        "Good evening, ",
        "Excuse me, ",
        "Hi there, ",
        "Hello there, ",
        "Hey there, ",
        "Dear team, ",
        "Good day, ",
        "Good afternoon, ",
        "Quick question, ",
    ];
    const ASKS: [&str; 15] = [
        "how long does",
        "can you tell me how long does",
        "could you tell me how long does",
        "please tell me how long does",
        "I would like to know how long does",
        "may I ask how long does",
        "do you know how long does",
        "I want to know how long does",
        "can you say how long does",
        "could you please say how long does",
        "I wonder how long does",
        "please let me know how long does",
        "can I ask how long does",
        "I need to know how long does",
        "would you tell me how long does",
    ];
    const WHATS: [&str; 10] = [
        "delivery",
        "the delivery",
        "a delivery",
        "shipping",
        "the shipping",
        "standard delivery",
        "the standard delivery",
        "standard shipping",
        "your delivery",
        "your shipping",
    ];
    const TAKES: [&str; 4] = ["take", "usually take", "normally take", "generally take"];
    const CLOSINGS: [&str; 6] =
        ["", ", please", ", thanks", ", thank you", ", many thanks", ", thanks a lot"];
    let mut rest = number;
    let mut pick = |words: &[&'static str]| {
        let word = words[rest % words.len()];
        rest /= words.len();
        word
    };
    let (what, ask, opening) = (pick(&WHATS), pick(&ASKS), pick(&OPENINGS));
    let (takes, closing) = (pick(&TAKES), pick(&CLOSINGS));
    format!("{opening}{ask} {what} {takes}{closing}?")
}

/// The number of different [`wording`]s.
pub const WORDINGS: usize = 14 * 15 * 10 * 4 * 6;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn no_two_questions_are_the_same() {
        let mut seen = BTreeSet::new();
        for stream in 0..200 {
            for turn in 0..20 {
                assert!(seen.insert(unique(stream, turn)));
            }
        }
    }

    #[test]
    fn the_hot_set_has_a_thousand_questions_and_an_own_one_is_never_asked_twice() {
        assert_eq!((0..1008).map(shared).collect::<BTreeSet<_>>().len(), 1008);
        assert_eq!((0..20_000).map(own).collect::<BTreeSet<_>>().len(), 20_000);
        assert!(shared(5).ends_with('?') && !shared(5).contains(|c: char| c.is_ascii_digit()));
    }

    #[test]
    fn no_two_wordings_are_the_same() {
        let seen: BTreeSet<_> = (0..WORDINGS).map(wording).collect();
        assert_eq!(seen.len(), WORDINGS);
    }

    #[test]
    fn the_first_item_of_a_zipf_is_picked_twice_as_often_as_the_second() {
        let (zipf, mut random) = (Zipf::new(1000), StdRng::seed_from_u64(1));
        let mut counts = vec![0_u32; 1000];
        (0..100_000).for_each(|_| counts[zipf.pick(&mut random)] += 1);
        let ratio = f64::from(counts[0]) / f64::from(counts[1]);
        assert!((1.8..2.2).contains(&ratio), "{ratio}");
        assert_eq!(counts.iter().sum::<u32>(), 100_000);
    }

    #[test]
    fn a_hot_mix_repeats_itself_and_a_unique_one_never() {
        let questions = |share: f64| {
            let (mix, mut random) = (Mix::new(share, 1000), StdRng::seed_from_u64(2));
            (0..1000).map(|number| mix.pick(number, &mut random)).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(questions(0.0), 1000);
        assert!((400..800).contains(&questions(0.7)));
    }
}
