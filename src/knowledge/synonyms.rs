//! Words that shoppers and shops use for one another, so that "money back" finds the page about refunds without
//! an embedding model. English only; a related word counts less than the word itself.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::terms::Language;

/// What a related word counts, against 1 for the word itself.
pub const WEIGHT: f32 = 0.6;

/// Words of a group stand for one another.
const GROUPS: &[&[&str]] = &[
    &["return", "takeback"],
    &["refund", "reimburse", "reimbursement", "repay", "moneyback", "compensation", "rebate"],
    &["exchange", "swap", "switch", "replace", "replacement"],
    &["cancel", "cancellation", "annul", "revoke", "withdraw"],
    &["change", "switch", "modify", "edit", "update", "alter", "amend", "correct"],
    &["problem", "issue", "trouble", "error", "difficulty", "fail"],
    &["policy", "condition", "term", "rule"],
    &["option", "method", "way"],
    &["delete", "remove", "close", "erase", "deactivate", "terminate"],
    &["create", "open", "register", "registration", "signup"],
    &["subscribe", "subscription", "signup"],
    &["unsubscribe", "optout"],
    &["delivery", "deliver", "shipping", "ship", "shipment", "dispatch"],
    &["parcel", "package", "packet", "shipment", "delivery"],
    &["track", "trace", "follow", "status", "progress", "whereabouts"],
    &["arrive", "arrival", "delivery", "come"],
    &["lost", "missing", "vanish", "disappear"],
    &["order", "purchase", "buy"],
    &["article", "item", "product", "good"],
    &["cost", "price", "fee", "charge", "rate"],
    &["free", "gratis", "complimentary"],
    &["cheap", "discount", "reduce", "sale", "bargain"],
    &["coupon", "voucher", "promo", "promotion", "discount", "code"],
    &["gift", "voucher"],
    &["pay", "payment", "checkout"],
    &["card", "visa", "mastercard", "amex"],
    &["instalment", "installment", "financing"],
    &["bill", "invoice", "receipt"],
    &["vat", "tax"],
    &["password", "passcode", "pin", "login", "credential"],
    &["forgot", "forget", "recover", "reset", "restore", "retrieve"],
    &["login", "signin", "access"],
    &["account", "profile", "user"],
    &["customer", "client"],
    &[
        "agent",
        "human",
        "person",
        "assistant",
        "representative",
        "operator",
        "advisor",
        "staff",
        "employee",
    ],
    &["contact", "reach", "call", "phone", "telephone", "speak", "talk", "chat"],
    &["email", "mail"],
    &["support", "service", "assistance"],
    &["complaint", "complain", "claim", "grievance", "unhappy", "dissatisfied", "reclamation"],
    &["review", "rating", "feedback", "opinion", "comment"],
    &["warranty", "guarantee"],
    &["repair", "fix", "mend"],
    &["broken", "break", "damage", "defect", "defective", "faulty", "torn", "rip"],
    &["wash", "clean", "care", "laundry"],
    &["waterproof", "watertight", "rainproof"],
    &["size", "fit", "measurement"],
    &["boot", "shoe", "footwear"],
    &["kid", "child", "children", "junior"],
    &["store", "shop", "branch", "outlet"],
    &["hour", "open", "opening"],
    &["pickup", "collect", "collection"],
    &["abroad", "international", "overseas", "country"],
    &["customs", "duty", "import"],
    &["fast", "quick", "express", "urgent", "overnight", "expedite"],
    &["rent", "rental", "hire", "lend", "borrow"],
    &["job", "career", "vacancy", "work", "hire", "apply"],
    &["company", "business", "corporate"],
    &["bulk", "wholesale", "quantity"],
    &["privacy", "gdpr", "data"],
    &["newsletter", "mailing"],
    &["disabled", "disability", "wheelchair", "accessible", "accessibility"],
    &["recycle", "sustainable", "sustainability", "environment", "eco"],
    &["secondhand", "used", "preowned"],
    &["fuel", "gas", "cartridge", "canister"],
    &["stock", "available", "availability"],
    &["long", "deadline", "period", "day"],
    &["late", "delay", "overdue"],
    &["address", "destination"],
];

/// Two words close to each other that mean a third.
const PHRASES: &[([&str; 2], &str)] = &[
    (["send", "back"], "return"),
    (["give", "back"], "return"),
    (["bring", "back"], "return"),
    (["ship", "back"], "return"),
    (["take", "back"], "return"),
    (["money", "back"], "refund"),
    (["sign", "up"], "register"),
    (["sign", "in"], "login"),
    (["log", "in"], "login"),
    (["log", "on"], "login"),
    (["opt", "out"], "unsubscribe"),
    (["pick", "up"], "pickup"),
    (["get", "rid"], "delete"),
    (["call", "off"], "cancel"),
    (["second", "hand"], "secondhand"),
    (["did", "arrive"], "lost"),
    (["never", "arrived"], "lost"),
    (["didnt", "arrive"], "lost"),
    (["not", "arrived"], "lost"),
    (["how", "much"], "cost"),
    (["pay", "later"], "instalment"),
    (["real", "person"], "agent"),
];

/// A question of more terms is cut: its first words say what it is about.
const MAX_QUERY_TERMS: usize = 64;

/// Words of a phrase may have this many others between them ("send the boots back").
const GAP: usize = 3;

static RELATED: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut related: HashMap<String, HashSet<String>> = HashMap::new();
    for group in GROUPS {
        let stems: Vec<String> =
            group.iter().flat_map(|word| Language::ENGLISH.terms(word)).collect();
        for stem in &stems {
            let others = stems.iter().filter(|other| *other != stem).cloned();
            related.entry(stem.clone()).or_default().extend(others);
        }
    }
    let sorted = |others: HashSet<String>| {
        let mut others: Vec<String> = others.into_iter().collect();
        others.sort();
        others
    };
    related.into_iter().map(|(stem, others)| (stem, sorted(others))).collect()
});

/// A term of a question with what may stand for it in a passage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct QueryTerm {
    /// Stem and weight, heaviest first; never empty.
    pub alternatives: Vec<(String, f32)>,
}

impl QueryTerm {
    /// Whether the word itself has one.
    pub fn has_digit(&self) -> bool {
        self.alternatives[0].0.contains(|c: char| c.is_ascii_digit())
    }
}

/// The distinct terms of a question's words, with their related words where the language is English.
pub(super) fn query_terms(mut words: Vec<String>, language: Language) -> Vec<QueryTerm> {
    let mut terms = Vec::new();
    if language == Language::ENGLISH {
        for ([first, second], meaning) in PHRASES {
            if let Some((at, other)) = place(&words, first, second) {
                let own = language.terms(&words[at]);
                terms.push(related(language.terms(meaning).into_iter().chain(own)));
                words.remove(other);
                words.remove(at);
            }
        }
    }
    for stem in words.iter().flat_map(|word| language.terms(word)) {
        terms.push(if language == Language::ENGLISH {
            related(std::iter::once(stem))
        } else {
            QueryTerm { alternatives: vec![(stem, 1.0)] }
        });
    }
    let mut seen = HashSet::new();
    terms.retain(|term| seen.insert(term.alternatives[0].0.clone()));
    terms.truncate(MAX_QUERY_TERMS);
    terms
}

/// `stems` in full, then what is related to them.
fn related(stems: impl Iterator<Item = String>) -> QueryTerm {
    let mut alternatives: Vec<(String, f32)> = stems.map(|stem| (stem, 1.0)).collect();
    for at in 0..alternatives.len() {
        for other in RELATED.get(&alternatives[at].0).into_iter().flatten() {
            if alternatives.iter().all(|(known, _)| known != other) {
                alternatives.push((other.clone(), WEIGHT));
            }
        }
    }
    QueryTerm { alternatives }
}

/// Where `first` is followed by `second` within [`GAP`] words.
fn place(words: &[String], first: &str, second: &str) -> Option<(usize, usize)> {
    let starts = words.iter().enumerate().filter(|(_, word)| *word == first);
    starts.into_iter().find_map(|(at, _)| {
        let near = &words[at + 1..words.len().min(at + 2 + GAP)];
        near.iter().position(|word| word == second).map(|offset| (at, at + 1 + offset))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::terms::words;

    fn query_terms(text: &str, language: Language) -> Vec<QueryTerm> {
        super::query_terms(words(text).collect(), language)
    }

    fn first_terms(text: &str) -> Vec<String> {
        let terms = query_terms(text, Language::ENGLISH);
        terms.into_iter().map(|mut term| term.alternatives.swap_remove(0).0).collect()
    }

    #[test]
    fn groups_hold_single_terms_and_relate_both_ways() {
        for word in GROUPS.iter().copied().flatten() {
            assert_eq!(Language::ENGLISH.terms(word).len(), 1, "{word}");
        }
        for (stem, others) in RELATED.iter() {
            assert!(others.iter().all(|other| RELATED[other].contains(stem)), "{stem}");
        }
        for (_, meaning) in PHRASES {
            assert_eq!(Language::ENGLISH.terms(meaning).len(), 1, "{meaning}");
        }
    }

    #[test]
    fn a_phrase_is_found_with_words_in_between() {
        assert_eq!(first_terms("can I send the red boots back?"), ["return", "red", "boot"]);
        assert_eq!(first_terms("I want my money back"), ["refund"]);
        assert_eq!(first_terms("back then I could send"), ["send"]);
    }

    #[test]
    fn a_term_counts_once_and_stands_before_its_related_words() {
        let terms = query_terms("parcel, parcels", Language::ENGLISH);
        assert_eq!(terms.len(), 1);
        assert_eq!(terms[0].alternatives[0], ("parcel".to_owned(), 1.0));
        assert!(terms[0].alternatives.contains(&("packag".to_owned(), WEIGHT)));
        assert_eq!(query_terms("Paket", Language::of(Some("de")))[0].alternatives.len(), 1);
    }
}
