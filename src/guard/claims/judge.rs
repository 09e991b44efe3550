//! Whether a sentence of an answer is supported by the evidence.

use super::{
    evidence::Evidence,
    lexicon::{Does, Marks},
    link,
    reading::is_negative,
    root::{self, Root},
    said::Said,
    support::SUPPORTED,
    token::Kind,
};
use crate::guard::policy::Rule;

/// More words than this are more than politeness.
const MUCH: usize = 5;
/// A sentence with an address of the shop needs no more support than this.
const ADDRESSED: f32 = 0.3;

/// What a sentence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A greeting, a question back, an offer of help.
    Talk,
    /// "I do not know".
    Doubt,
    Fact,
}

pub(super) struct Verdict {
    pub(super) sort: Sort,
    pub(super) fault: Option<Rule>,
    /// The sources that support it, best first.
    pub(super) sources: Vec<usize>,
}

impl Verdict {
    fn bad(rule: Rule) -> Self {
        Self { sort: Sort::Fact, fault: Some(rule), sources: Vec::new() }
    }

    fn talk(sort: Sort) -> Self {
        Self { sort, fault: None, sources: Vec::new() }
    }
}

/// Judges one sentence. `known` tells whether a placeholder is one of the conversation.
pub(super) fn judge(
    evidence: &Evidence,
    text: &str,
    competitors: &[String],
    known: impl Fn(&str) -> bool,
) -> Verdict {
    if evidence.is_leak(text) {
        return Verdict::bad(Rule::Secrets);
    }
    if let Some(rule) = link::fault(text, evidence, known) {
        return Verdict::bad(rule);
    }
    let said = Said::read(evidence, text);
    if said.names_any(competitors) {
        return Verdict::bad(Rule::Competitors);
    }
    said.verdict()
}

impl Said<'_> {
    pub(super) fn verdict(&self) -> Verdict {
        if self.is_pledge() {
            return Verdict::bad(Rule::Promises);
        }
        let doubts = self.does(Does::Doubts);
        if let Some(rule) = self.unknown_name(doubts) {
            return Verdict::bad(rule);
        }
        if doubts {
            return match self.behind(Does::Doubts) {
                Some(rest) => rest.statement(true),
                None => Verdict::talk(Sort::Doubt),
            };
        }
        self.statement(false)
    }

    /// A name that no source has. The shopper's own names may be repeated to deny something.
    pub(super) fn unknown_name(&self, doubts: bool) -> Option<Rule> {
        let negative = doubts || self.is_question || is_negative(&self.tokens);
        for (at, token) in self.tokens.iter().enumerate() {
            let asked = self.evidence.question.roots.contains(&token.root);
            let is_name = self.is_name(at)
                || token.is_first && asked && self.evidence.question.names.contains(&token.root)
                || token.is_first && token.entry.marks.has(Marks::PLACE)
                || token.kind == Kind::Code && token.lower.starts_with(|c: char| c.is_alphabetic());
            if !is_name || self.evidence.knows(token.root) {
                continue;
            }
            // A word of a model, not of a shop: "tok12".
            if token.kind == Kind::Code && !token.is_upper {
                continue;
            }
            if !asked || !negative {
                return Some(Rule::Places);
            }
        }
        None
    }

    pub(super) fn statement(&self, doubted: bool) -> Verdict {
        let yes = self.opens_with(Marks::YES);
        let no = self.opens_with(Marks::NO) && !self.opens_with(Marks::YES);
        let answers = yes || no;
        if let Some(source) = self.verbatim(yes, no) {
            return Verdict { sort: Sort::Fact, fault: None, sources: vec![source] };
        }
        if let Some(fault) = self.number_fault().or_else(|| self.day_fault(doubted)) {
            return Verdict::bad(fault);
        }
        let own = self.statement_roots(false);
        let talks = self.does(Does::Talks);
        if talks && let Some(rest) = self.behind(Does::Talks) {
            return rest.statement(doubted);
        }
        let polite = self.is_question || self.does(Does::Introduces);
        if !answers && (polite || talks && own.len() <= MUCH) || talks && own.len() <= 2 {
            return Verdict::talk(Sort::Talk);
        }
        let roots = self.statement_roots(answers);
        if roots.is_empty() {
            // "Yes" to a question without content.
            return match answers && !doubted {
                true => Verdict::bad(Rule::Permissions),
                false => Verdict::talk(Sort::Talk),
            };
        }
        if self.tells_of_order() {
            return match self.looked_up(&roots) {
                Some(source) => Verdict { sort: Sort::Fact, fault: None, sources: vec![source] },
                None => Verdict::bad(Rule::Orders),
            };
        }
        let support = self.support(&roots);
        let is_conditional = self.tokens.iter().any(|t| t.entry.marks.has(Marks::CONDITION));
        if self.does(Does::Stocks) && !is_conditional && !self.stocks(&own) {
            return Verdict::bad(Rule::Availability);
        }
        let modal = self.tokens.iter().any(|token| token.entry.marks.has(Marks::MODAL));
        let rule = if answers || modal { Rule::Permissions } else { Rule::Uncited };
        let negative = is_negative(&self.tokens);
        if answers && self.asks_for_unknown() {
            let denies = no || negative && !yes;
            let is_branch = own.contains(&branch()) && self.evidence.len() > 0;
            let is_said = self.support(&own).share >= SUPPORTED && self.agree(&own, true);
            return match denies && (is_branch || is_said) {
                true => Verdict { sort: Sort::Fact, fault: None, sources: support.sources },
                false => Verdict::bad(rule),
            };
        }
        if !self.evidence.speaks(&self.tokens) {
            return self.in_another_language(&roots, rule, answers);
        }
        if answers && !self.compares(&roots) {
            return Verdict::bad(rule);
        }
        let least = match (self.is_addressed, answers) {
            (true, _) => ADDRESSED,
            (_, true) => SUPPORTED - 0.1,
            _ => SUPPORTED,
        };
        if support.share < least {
            return match negative && self.denies_asked(&own) {
                true => Verdict { sort: Sort::Fact, fault: None, sources: support.sources },
                false => Verdict::bad(rule),
            };
        }
        if !self.agrees(&roots, yes, no) || !self.is_general(&own) {
            return Verdict::bad(Rule::Permissions);
        }
        Verdict { sort: Sort::Fact, fault: None, sources: support.sources }
    }

    /// Whether what is denied is something of the question that no source has, while a source
    /// denies the same of other things, or the shop has no such branch.
    pub(super) fn denies_asked(&self, own: &[Root]) -> bool {
        let asked = |root: &Root| self.evidence.question.roots.contains(root);
        let (known, unknown): (Vec<Root>, Vec<Root>) =
            own.iter().copied().partition(|root| self.evidence.knows(*root) || !asked(root));
        if unknown.is_empty() || self.evidence.len() == 0 {
            return false;
        }
        let is_branch = own.contains(&branch()) && self.asks_for_unknown();
        is_branch
            || known.len() > 1
                && self.support(&known).share >= SUPPORTED
                && self.agree(&known, true)
    }

    /// The sources are in another language, so only words with a known translation can be compared.
    pub(super) fn in_another_language(&self, roots: &[Root], rule: Rule, answers: bool) -> Verdict {
        let known: Vec<Root> =
            roots.iter().copied().filter(|root| self.evidence.knows(*root)).collect();
        let support = self.support(&known);
        let fine = match known.len() {
            0 | 1 => !answers,
            _ => {
                let yes = self.opens_with(Marks::YES);
                let no = self.opens_with(Marks::NO) && !yes;
                support.share >= SUPPORTED && self.agrees(&known, yes, no)
            }
        };
        match fine {
            true => Verdict { sort: Sort::Fact, fault: None, sources: support.sources },
            false => Verdict::bad(rule),
        }
    }
}

/// "store", as `words` translates it.
fn branch() -> Root {
    root::root_of("store")
}
