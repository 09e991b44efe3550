//! Splits documents into passages: at headings first, then paragraphs, then sentences.
//!
//! A passage never crosses a heading, keeps its sentences whole and stores the headings above it. A
//! question of an FAQ is one passage with its answer.

use super::{
    blocks::{Block, is_name},
    faq::FaqPair,
    sentence::sentences,
};

/// The content of a document, ready to be split into passages.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Blocks(Vec<Block>),
    Faq(Vec<FaqPair>),
}

/// The kind of a passage, which decides how it is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Prose,
    /// The heading is a question and the text its answer.
    Faq,
}

/// A passage without its document, position and vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub kind: Kind,
    /// The headings above it, outermost first, joined by ` › `; or the question.
    pub heading: String,
    pub text: String,
}

/// Separates two headings of a path.
pub const PATH: &str = " › ";

/// Passages of at most `max_chars` characters, in reading order. An FAQ answer stays whole, so it
/// may be longer.
pub(super) fn chunks(content: &Content, max_chars: usize) -> Vec<Chunk> {
    match content {
        Content::Faq(pairs) => pairs
            .iter()
            .map(|pair| Chunk {
                kind: Kind::Faq,
                heading: pair.question.trim().to_owned(),
                text: pair.answer.trim().to_owned(),
            })
            .collect(),
        Content::Blocks(blocks) => {
            let mut cutter = Cutter::new(max_chars.max(1));
            blocks.iter().for_each(|block| cutter.add(block));
            cutter.finish()
        }
    }
}

struct Cutter {
    max_chars: usize,
    chunks: Vec<Chunk>,
    /// The current headings, outermost first.
    path: Vec<(u8, String)>,
    /// Whether the innermost heading has text or a heading below it.
    used: bool,
    text: String,
    length: usize,
}

impl Cutter {
    fn new(max_chars: usize) -> Self {
        Self {
            max_chars,
            chunks: Vec::new(),
            path: Vec::new(),
            used: true,
            text: String::new(),
            length: 0,
        }
    }

    fn add(&mut self, block: &Block) {
        match block {
            Block::Heading { level, text } => self.heading(*level, text),
            Block::Paragraph(text) => self.paragraph(text, "\n\n"),
            Block::Item(text) => {
                let gap =
                    if self.text.lines().last().is_some_and(is_list_line) { "\n" } else { "\n\n" };
                self.paragraph(&format!("- {text}"), gap);
            }
        }
    }

    fn heading(&mut self, level: u8, text: &str) {
        if !is_name(text) {
            return self.paragraph(text, "\n\n");
        }
        self.flush();
        let deeper = self.path.last().is_none_or(|(above, _)| *above < level);
        if !deeper {
            self.keep_lone_heading();
        }
        self.path.retain(|(above, _)| *above < level);
        self.path.push((level, text.to_owned()));
        self.used = false;
    }

    /// Keeps a heading with nothing under it, because its words may appear nowhere else.
    fn keep_lone_heading(&mut self) {
        if !self.used
            && let Some((_, text)) = self.path.pop()
        {
            for part in pieces(&text, self.max_chars) {
                self.chunks.push(Chunk {
                    kind: Kind::Prose,
                    heading: self.heading_path(),
                    text: part,
                });
            }
            self.used = true;
        }
    }

    fn paragraph(&mut self, text: &str, gap: &str) {
        self.used = true;
        let length = text.chars().count();
        if length > self.max_chars {
            return self.long_paragraph(text, gap);
        }
        if !self.fits(length, gap) {
            self.flush();
        }
        self.append(text, length, gap);
    }

    fn long_paragraph(&mut self, text: &str, mut gap: &str) {
        for sentence in sentences(text) {
            for piece in pieces(sentence, self.max_chars) {
                let length = piece.chars().count();
                if !self.fits(length, gap) {
                    self.flush();
                }
                self.append(&piece, length, gap);
                gap = " ";
            }
        }
    }

    fn fits(&self, length: usize, gap: &str) -> bool {
        self.text.is_empty() || self.length + gap.len() + length <= self.max_chars
    }

    fn append(&mut self, text: &str, length: usize, gap: &str) {
        if !self.text.is_empty() {
            self.text.push_str(gap);
            self.length += gap.len();
        }
        self.text.push_str(text);
        self.length += length;
    }

    fn flush(&mut self) {
        self.length = 0;
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() {
            self.chunks.push(Chunk { kind: Kind::Prose, heading: self.heading_path(), text });
        }
    }

    fn heading_path(&self) -> String {
        let headings: Vec<&str> = self.path.iter().map(|(_, text)| text.as_str()).collect();
        headings.join(PATH)
    }

    fn finish(mut self) -> Vec<Chunk> {
        self.flush();
        self.keep_lone_heading();
        self.chunks
    }
}

/// Whether a line of a passage is an item of a list.
pub(super) fn is_list_line(line: &str) -> bool {
    line.starts_with("- ")
}

/// `text` in pieces of at most `max` characters, cut between words if possible.
fn pieces(text: &str, max: usize) -> Vec<String> {
    if text.chars().count() <= max {
        return vec![text.to_owned()];
    }
    let mut pieces: Vec<String> = Vec::new();
    let mut piece = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let word: Vec<char> = word.chars().collect();
        let mut rest = word.as_slice();
        if length > 0 && length + 1 + rest.len() <= max {
            piece.push(' ');
            length += 1;
        } else if length > 0 {
            pieces.push(std::mem::take(&mut piece));
        }
        while rest.len() > max {
            let (full, after) = rest.split_at(max);
            pieces.push(full.iter().collect());
            rest = after;
            length = 0;
        }
        if piece.is_empty() {
            length = 0;
        }
        length += rest.len();
        piece.extend(rest);
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::knowledge::markdown;

    fn of_markdown(text: &str, max: usize) -> Vec<(String, String)> {
        chunks(&Content::Blocks(markdown::blocks(text)), max)
            .into_iter()
            .map(|chunk| (chunk.heading, chunk.text))
            .collect()
    }

    fn pair(heading: &str, text: &str) -> (String, String) {
        (heading.into(), text.into())
    }

    #[test]
    fn a_passage_never_crosses_a_heading_and_knows_the_headings_above_it() {
        let text = "Intro.\n# Shipping\nA.\n\nB.\n## Express\n- one\n- two\n# Returns\n## Empty\n";
        assert_eq!(
            of_markdown(text, 100),
            [
                pair("", "Intro."),
                pair("Shipping", "A.\n\nB."),
                pair("Shipping › Express", "- one\n- two"),
                pair("Returns", "Empty"),
            ]
        );
    }

    #[test]
    fn paragraphs_stay_whole_where_they_fit_and_sentences_where_they_do_not() {
        let text = "One two three.\n\nFour five six.\n\nSeven eight nine. Ten eleven twelve.";
        assert_eq!(
            of_markdown(text, 29),
            [
                pair("", "One two three."),
                pair("", "Four five six."),
                pair("", "Seven eight nine."),
                pair("", "Ten eleven twelve."),
            ]
        );
    }

    #[test]
    fn a_question_is_one_passage_with_its_answer() {
        let answer = "x ".repeat(80);
        let content =
            Content::Faq(vec![FaqPair { question: " Q? ".into(), answer: answer.clone() }]);
        assert_eq!(
            chunks(&content, 20),
            [Chunk { kind: Kind::Faq, heading: "Q?".into(), text: answer.trim().into() }]
        );
    }

    #[test]
    fn a_heading_that_is_a_whole_text_is_not_repeated_in_each_passage() {
        let long = "x".repeat(201);
        let text = format!("# {long}\n## Norway\nA.\n## Sweden\nB.\n");
        assert_eq!(
            of_markdown(&text, 500),
            [pair("", &long), pair("Norway", "A."), pair("Sweden", "B.")]
        );
    }

    fn any_blocks() -> impl Strategy<Value = Vec<Block>> {
        let text = "[a-zäß]{1,12}([ .?]{1,2}[a-zA-Z0-9]{1,12}){0,12}";
        prop::collection::vec(
            prop_oneof![
                (1..=6_u8, text).prop_map(|(level, text)| Block::Heading { level, text }),
                text.prop_map(Block::Paragraph),
                text.prop_map(Block::Item),
            ],
            0..12,
        )
    }

    fn solid(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    proptest! {
        #[test]
        fn passages_hold_every_word_once_in_order_and_stay_within_bounds(
            blocks in any_blocks(), max in 1..80_usize,
        ) {
            let chunks = chunks(&Content::Blocks(blocks.clone()), max);
            for chunk in &chunks {
                prop_assert!(!chunk.text.trim().is_empty());
                prop_assert!(chunk.text.chars().count() <= max, "{chunk:?}");
            }
            let kept: String = chunks.iter().map(|chunk| solid(&chunk.text)).collect();
            let mut said = String::new();
            for (index, block) in blocks.iter().enumerate() {
                match block {
                    Block::Heading { level, text } => {
                        let lone = match blocks.get(index + 1) {
                            Some(Block::Heading { level: next, .. }) => next <= level,
                            Some(_) => false,
                            None => true,
                        };
                        if lone {
                            said.push_str(&solid(text));
                        } else {
                            let below = chunks.iter().any(|chunk| chunk.heading.contains(text.as_str()));
                            prop_assert!(below, "{text} is nowhere");
                        }
                    }
                    Block::Paragraph(text) => said.push_str(&solid(text)),
                    Block::Item(text) => said.push_str(&format!("-{}", solid(text))),
                }
            }
            prop_assert_eq!(kept, said);
        }
    }
}
