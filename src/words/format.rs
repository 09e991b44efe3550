//! The format of a word list: each line is an entry, `[name]` starts a section, and `#` starts a
//! comment.

use std::collections::HashSet;

/// The shape of the lines in a section.
pub trait Shape {
    /// `false` if the line does not have this shape, or repeats another line.
    fn add(&mut self, line: &'static str) -> bool;
}

/// A word or a phrase on each line.
pub type Words = HashSet<&'static str>;

/// One line of text, as it is shown.
pub type Text = Option<&'static str>;

/// A word on each line; a word with `*` at its end matches all words that start with it.
#[derive(Default)]
pub struct Patterns {
    whole: Words,
    beginnings: Vec<&'static str>,
}

/// A word or a phrase on each line; a word with `*` at its end stands for all words that start
/// with it. For readers that look for them in a text.
#[derive(Default)]
pub struct Phrases(Vec<&'static str>);

/// What stands in this order in one sentence: `ignore|forget … previous|all_your rule*`. `|` parts
/// words that may stand in one place, `_` is a space within one of them, `*` stands for all words
/// that start so, and at `…` a few other words may stand.
#[derive(Default)]
pub struct Sequences(Vec<&'static str>);

/// Words on each line that belong together: `refund, reimburse`.
pub type Groups = Vec<Vec<&'static str>>;

/// A word or a phrase on each line, and its replacement, which may be empty: `send back = return`.
pub type Pairs = Vec<(&'static str, &'static str)>;

/// A text on each line, as people read it.
#[derive(Default)]
pub struct Texts(Vec<&'static str>);

impl Texts {
    pub fn lines(self) -> impl Iterator<Item = &'static str> {
        self.0.into_iter()
    }
}

impl Patterns {
    pub fn matches(&self, word: &str) -> bool {
        self.whole.contains(word) || self.beginnings.iter().any(|start| word.starts_with(start))
    }
}

impl Phrases {
    pub fn lines(self) -> impl Iterator<Item = &'static str> {
        self.0.into_iter()
    }
}

/// The sign for other words in a line of [`Sequences`].
pub const GAP: &str = "…";

impl Sequences {
    pub fn lines(self) -> impl Iterator<Item = &'static str> {
        self.0.into_iter()
    }
}

impl Shape for Words {
    fn add(&mut self, line: &'static str) -> bool {
        plain(line) && self.insert(line)
    }
}

impl Shape for Text {
    fn add(&mut self, line: &'static str) -> bool {
        self.replace(line).is_none()
    }
}

impl Shape for Patterns {
    fn add(&mut self, line: &'static str) -> bool {
        match line.strip_suffix('*') {
            None => self.whole.add(line),
            Some(start) => {
                let new = plain(start) && !self.beginnings.contains(&start);
                if new {
                    self.beginnings.push(start);
                }
                new
            }
        }
    }
}

impl Shape for Phrases {
    fn add(&mut self, line: &'static str) -> bool {
        let fits = line.split(' ').all(|word| plain(word.strip_suffix('*').unwrap_or(word)))
            && !self.0.contains(&line);
        if fits {
            self.0.push(line);
        }
        fits
    }
}

impl Shape for Sequences {
    fn add(&mut self, line: &'static str) -> bool {
        let word = |text: &str| plain(text.strip_suffix('*').unwrap_or(text));
        let place = |text: &str| text.split('|').all(|one| one.split('_').all(word));
        let mut before = GAP;
        let fits = line.split(' ').all(|step| {
            let gap = step == GAP;
            let fits = if gap { before != GAP } else { place(step) };
            before = step;
            fits
        });
        let fits = fits && before != GAP && !self.0.contains(&line);
        if fits {
            self.0.push(line);
        }
        fits
    }
}

impl Shape for Texts {
    fn add(&mut self, line: &'static str) -> bool {
        let new = !self.0.contains(&line);
        if new {
            self.0.push(line);
        }
        new
    }
}

impl Shape for Groups {
    fn add(&mut self, line: &'static str) -> bool {
        let group: Vec<&str> = line.split(',').map(str::trim).collect();
        let distinct: HashSet<&&str> = group.iter().collect();
        let fits = group.iter().all(|word| plain(word)) && distinct.len() == group.len();
        if fits {
            self.push(group);
        }
        fits
    }
}

impl Shape for Pairs {
    fn add(&mut self, line: &'static str) -> bool {
        let Some((said, meant)) = line.split_once('=') else { return false };
        let (said, meant) = (said.trim(), meant.trim());
        let fits = plain(said)
            && (meant.is_empty() || plain(meant))
            && self.iter().all(|(known, _)| *known != said);
        if fits {
            self.push((said, meant));
        }
        fits
    }
}

/// Whether a text is a valid word or phrase of a list: lower case, single spaces, no special
/// characters.
fn plain(text: &str) -> bool {
    !text.is_empty()
        && text.split(' ').all(|word| !word.is_empty())
        && !text.contains(|c: char| c.is_uppercase() || "=,*#[]\t".contains(c))
}

/// The section and the line of each entry.
pub(super) fn entries(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut section = "";
    text.lines().map(str::trim).filter_map(move |line| {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            return None;
        }
        (!line.is_empty() && !line.starts_with('#')).then_some((section, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<S: Shape + Default>(lines: &[&'static str]) -> (S, Vec<bool>) {
        let mut list = S::default();
        let taken = lines.iter().map(|line| list.add(line)).collect();
        (list, taken)
    }

    #[test]
    fn a_file_is_sections_of_lines() {
        let text = "# about\n[a]\n one \n\n# why\ntwo, three\n[b]\nfour =\n";
        let found: Vec<_> = entries(text).collect();
        assert_eq!(found, [("a", "one"), ("a", "two, three"), ("b", "four =")]);
    }

    #[test]
    fn each_shape_takes_its_own_lines_and_each_only_once() {
        let (words, taken) = read::<Words>(&["hi", "thank you", "hi", "a, b", "No", "a  b", "a*"]);
        assert_eq!(taken, [true, true, false, false, false, false, false]);
        assert!(words.contains("thank you"));

        let (text, taken) = read::<Text>(&["Hello, you!", "Hi"]);
        assert_eq!(taken, [true, false]);
        assert!(text.is_some());

        let (patterns, taken) = read::<Patterns>(&["pay*", "card", "pay*", "card", "*", "a, b"]);
        assert_eq!(taken, [true, true, false, false, false, false]);
        assert!(patterns.matches("payment") && patterns.matches("card"));
        assert!(!patterns.matches("cards") && !patterns.matches("repay"));

        let (phrases, taken) = read::<Phrases>(&["my card", "pay* bill*", "my card", "*", "a  b"]);
        assert_eq!(taken, [true, true, false, false, false]);
        assert_eq!(phrases.lines().collect::<Vec<_>>(), ["my card", "pay* bill*"]);

        let (sequences, taken) =
            read::<Sequences>(&["a|b_c … d* e", "a … b", "a … b", "… a", "a …", "a … … b", "a||b"]);
        assert_eq!(taken, [true, true, false, false, false, false, false]);
        assert_eq!(sequences.lines().collect::<Vec<_>>(), ["a|b_c … d* e", "a … b"]);

        let (text, taken) = read::<Text>(&["Hello, you!", "Hi"]);
        assert_eq!(taken, [true, false]);
        assert!(text.is_some());

        let (groups, taken) = read::<Groups>(&["refund, repay", "call", "a, a", "a,", "a = b"]);
        assert_eq!(taken, [true, true, false, false, false]);
        assert_eq!(groups, [vec!["refund", "repay"], vec!["call"]]);

        let (pairs, taken) =
            read::<Pairs>(&["send back = return", "do not know =", "do not know = x", "= x", "x"]);
        assert_eq!(taken, [true, true, false, false, false]);
        assert_eq!(pairs, [("send back", "return"), ("do not know", "")]);
    }
}
