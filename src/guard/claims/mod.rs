//! Lets through only what an answer may say: each sentence is checked before it is shown.
//!
//! A sentence makes *claims*: numbers, places, goods that can be had, permissions, promises, what
//! is with the shopper's order, addresses. Each must be bound to the [`Evidence`], which is what the
//! model was given. What is not bound is replaced by the shop's own sentence, or by an honest one.
//! The rules are about words and shapes, not about meaning: they read a statement as the set of its
//! words without their endings, and ask which part of the evidence says most of them.
//!
//! - `sentence` finds the ends of sentences while they arrive, `token` and `number` read them,
//!   `lexicon` knows what words do in each language;
//! - `evidence` is what may be said, `said` is a sentence, `support`, `amounts`, `pledge` and
//!   `link` compare the two, and `judge` decides;
//! - `quote` finds a sentence of the shop for the place of a bad one, `honest` has our own.
//!
//! Text is held back until its sentence has ended, so a bad one is never shown. Without word lists
//! of a language only numbers, names and addresses are checked.

mod amounts;
mod evidence;
mod honest;
mod judge;
mod lexicon;
mod link;
mod number;
mod pledge;
mod quote;
mod reading;
mod root;
mod said;
mod sentence;
mod support;
mod token;

use std::{collections::HashSet, sync::Arc};

pub use self::{
    evidence::{Evidence, Source},
    honest::{Honest, honest},
};
use self::{
    judge::{Sort, Verdict, judge},
    lexicon::Marks,
    token::{marker, tokens},
};
use super::{
    policy::{Policy, Rule},
    vault::Vault,
};
use crate::config::GuardAction;

/// A sentence that broke a rule, and what was done. Personal data in it is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Decision {
    pub rule: Rule,
    pub action: GuardAction,
    pub sentence: String,
}

impl std::fmt::Debug for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chars = self.sentence.chars().count();
        write!(f, "Decision({}, {}, [{chars} chars])", self.rule.as_str(), self.action.as_str())
    }
}

/// A streaming filter for one answer.
pub struct ClaimFilter {
    evidence: Arc<Evidence>,
    policy: Arc<Policy>,
    placeholders: HashSet<String>,
    language: String,
    held: String,
    /// The part of `held` that needs its next sentence: "Yes."
    lead: usize,
    /// Sentences of the sources that stand in the answer.
    used: HashSet<usize>,
    /// Sources that support what was said, in this order.
    sources: Vec<usize>,
    decisions: Vec<Decision>,
    /// An honest sentence was said.
    is_honest: bool,
    /// Something else than politeness was said.
    has_said: bool,
    is_blocked: bool,
}

/// What is known at the end of an answer.
#[derive(Debug, Default)]
pub struct Checked {
    /// The rest of the text.
    pub text: String,
    /// The sources that support it, from 0.
    pub sources: Vec<usize>,
    pub decisions: Vec<Decision>,
}

impl ClaimFilter {
    /// `language`: of our own sentences, until the answer shows its own.
    pub fn new(
        evidence: Arc<Evidence>,
        policy: Arc<Policy>,
        vault: &Vault,
        language: &str,
    ) -> Self {
        Self {
            evidence,
            policy,
            placeholders: vault.pairs().map(|(name, _)| name.to_owned()).collect(),
            language: language.to_owned(),
            held: String::new(),
            lead: 0,
            used: HashSet::new(),
            sources: Vec::new(),
            decisions: Vec::new(),
            is_honest: false,
            has_said: false,
            is_blocked: false,
        }
    }

    /// Takes a piece and returns what may be shown now.
    pub fn push(&mut self, piece: &str) -> String {
        if !self.is_blocked {
            self.held.push_str(piece);
        }
        self.release(false)
    }

    /// Whether the answer has ended with an honest sentence. No more text will be shown.
    pub fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// Returns the rest. No piece may follow.
    pub fn finish(mut self) -> Checked {
        let text = self.release(true);
        Checked { text, sources: self.sources, decisions: self.decisions }
    }

    fn release(&mut self, last: bool) -> String {
        let mut out = String::new();
        while !self.is_blocked {
            if let Some(length) = label(&self.held) {
                out.extend(self.held.drain(..length));
                continue;
            }
            let Some(length) = sentence::end(&self.held[self.lead..], last) else { break };
            let length = self.lead + length;
            self.lead = 0;
            let ends = last && length == self.held.len();
            if !ends && needs_next(&self.held[..length]) {
                self.lead = length;
                // Only the end of the answer can be missing.
                if length == self.held.len() && !last {
                    break;
                }
                continue;
            }
            let sentence: String = self.held.drain(..length).collect();
            self.check(&sentence, &mut out);
        }
        out
    }

    fn check(&mut self, sentence: &str, out: &mut String) {
        let known = |name: &str| self.placeholders.contains(name);
        let verdict = judge(&self.evidence, sentence, &self.policy.competitors, known);
        match verdict.fault {
            None => self.show(sentence, &verdict, out),
            Some(rule) => {
                let action = self.policy.action(rule);
                let masked = super::mask::mask(sentence.trim()).text;
                self.decisions.push(Decision { rule, action, sentence: masked });
                match action {
                    GuardAction::Flag => self.show(sentence, &verdict, out),
                    GuardAction::Replace => self.replace(rule, sentence, out),
                    GuardAction::Block => {
                        self.say_honest(rule, "", out);
                        self.is_blocked = true;
                        self.held.clear();
                    }
                }
            }
        }
    }

    fn show(&mut self, sentence: &str, verdict: &Verdict, out: &mut String) {
        if let Some(language) = reading::sure_language(&tokens(sentence)) {
            self.language = language.to_owned();
        }
        for source in verdict.sources.iter().take(1) {
            self.support(*source);
        }
        self.has_said |= verdict.sort != Sort::Talk;
        out.push_str(&with_markers(sentence, verdict, self.evidence.len()));
    }

    /// The shop's own sentence, or an honest one. Each is said once.
    fn replace(&mut self, rule: Rule, sentence: &str, out: &mut String) {
        let gap = &sentence[sentence.trim_end().len()..];
        let used = &self.used;
        let may_quote = !matches!(rule, Rule::Secrets | Rule::Competitors);
        let best = quote::best_sentence(&self.evidence, sentence, |index| used.contains(&index));
        match best.filter(|_| may_quote && !self.is_honest && self.used.is_empty()) {
            Some((index, best)) => {
                let (source, text) = (best.source, self.evidence.text(best).to_owned());
                self.used.insert(index);
                self.support(source);
                self.has_said = true;
                out.push_str(&format!("{text} [{}]{gap}", source + 1));
            }
            None if !self.has_said => self.say_honest(rule, gap, out),
            // What was said stands without it.
            None => {}
        }
    }

    fn say_honest(&mut self, rule: Rule, gap: &str, out: &mut String) {
        if std::mem::replace(&mut self.is_honest, true) {
            return;
        }
        let honest = honest(&self.language);
        let text = if rule == Rule::Promises { honest.unable } else { honest.unknown };
        self.has_said = true;
        out.push_str(text);
        out.push_str(gap);
    }

    fn support(&mut self, source: usize) {
        if !self.sources.contains(&source) {
            self.sources.push(source);
        }
    }
}

/// A word in lower case and a colon say nothing: "so:". Their length, if they begin the text.
fn label(text: &str) -> Option<usize> {
    let start = text.len() - text.trim_start().len();
    let word = text[start..].find(|c: char| !c.is_alphabetic())?;
    let end = start + word;
    let says = lexicon::entry(&text[start..end].to_lowercase()).marks;
    let is_scheme = ["http", "https", "ftp", "mailto", "tel"].contains(&&text[start..end]);
    let is_small = text[start..end].chars().all(char::is_lowercase);
    let is_label = word > 0 && is_small && text[end..].starts_with(':') && !is_scheme;
    (is_label && !says.has(Marks::YES) && !says.has(Marks::NO)).then_some(end + 1)
}

/// "Yes." says nothing without what follows.
fn needs_next(sentence: &str) -> bool {
    let tokens = tokens(sentence);
    tokens.len() <= 2
        && tokens.first().is_some_and(|token| {
            token.entry.marks.has(Marks::YES) || token.entry.marks.has(Marks::NO)
        })
}

/// The sentence with the numbers of the sources that support it, where it has numbers of others.
fn with_markers(sentence: &str, verdict: &Verdict, sources: usize) -> String {
    let supported = |number: usize| verdict.sources.iter().any(|source| source + 1 == number);
    let mut out = String::with_capacity(sentence.len());
    let mut rest = sentence;
    let mut last = None;
    while let Some(at) = rest.find('[') {
        let Some((length, number)) = marker(&rest[at..]) else {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        };
        out.push_str(&rest[..at]);
        let is_fine = supported(number)
            || verdict.sources.is_empty()
                && verdict.sort == Sort::Fact
                && (1..=sources).contains(&number);
        let number = if is_fine { Some(number) } else { verdict.sources.first().map(|s| s + 1) };
        match number.filter(|number| last != Some(*number)) {
            Some(number) => {
                out.push_str(&format!("[{number}]"));
                last = Some(number);
            }
            None => out.truncate(out.trim_end_matches(' ').len()),
        }
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
