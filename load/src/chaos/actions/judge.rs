//! Holds the shop's ledger against what the shoppers decided and were told.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::shopper::{Change, History, Visit, Way};
use crate::shop;

/// Kinds of findings. Zeros are good news, apart from the first ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    pub confirmed: u64,
    pub done: u64,
    pub failed: u64,
    /// Changes of which a shopper was told first that nobody knows.
    pub doubted: u64,
    /// Keys or orders for which the shop did more than one thing.
    pub twice: u64,
    /// Keys with which the shop was asked again to do it.
    pub repeated: u64,
    pub unconfirmed: u64,
    /// Confirmed changes that did not come to an end.
    pub lost: u64,
    /// Those of them that are told to be unknown.
    pub unknown: u64,
    /// Told to be done, and not in the ledger, or the other way round; or told in two ways.
    pub contradicted: u64,
    /// Nothing was proposed, or the decision was not taken.
    pub untaken: u64,
    /// Some of them in words.
    pub examples: Vec<String>,
}

const MOST_EXAMPLES: usize = 12;

impl Findings {
    pub fn has_failed(&self) -> bool {
        let bad = [
            self.twice,
            self.repeated,
            self.unconfirmed,
            self.lost,
            self.contradicted,
            self.untaken,
        ];
        self.confirmed == 0 || bad.iter().any(|count| *count > 0)
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < MOST_EXAMPLES {
            self.examples.push(text());
        }
    }
}

/// Confirmed changes of a visit that have no end yet.
pub fn open(visit: &Visit, history: &History) -> usize {
    let confirmed = visit.changes.iter().filter(|change| is_confirmed(change));
    let told = confirmed.map(|change| told(change, history));
    told.filter(|told| !told.iter().any(|status| is_final(status))).count()
}

/// `table`: the state of each action in the service's own table.
pub fn judge(
    visits: &[Visit],
    histories: &[History],
    ledger: &[shop::Entry],
    table: &HashMap<String, String>,
) -> Findings {
    let mut findings = Findings::default();
    let mut done: HashMap<&str, u64> = HashMap::new();
    let mut done_to: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in ledger {
        match entry.status {
            shop::Outcome::Done => {
                *done.entry(&entry.key).or_default() += 1;
                *done_to.entry(entry.order.as_deref().unwrap_or_default()).or_default() += 1;
            }
            shop::Outcome::Repeated => {
                findings.repeated += 1;
                findings.note(|| format!("the shop was asked again with key {}", entry.key));
            }
            shop::Outcome::Failed => {}
        }
    }
    for (what, count) in
        done.iter().map(|(k, c)| (*k, *c)).chain(done_to.iter().map(|(k, c)| (*k, *c)))
    {
        if count > 1 {
            findings.twice += 1;
            findings.note(|| format!("{what} was done {count} times"));
        }
    }
    let mut confirmed = HashSet::new();
    for (visit, history) in visits.iter().zip(histories) {
        for change in &visit.changes {
            one(change, history, &done, table, &mut findings);
            confirmed.extend(change.action.as_deref().filter(|_| change.way.confirms()));
        }
    }
    for key in done.keys().filter(|key| !confirmed.contains(*key)) {
        findings.unconfirmed += 1;
        findings.note(|| format!("the shop did {key}, which nobody confirmed"));
    }
    findings
}

fn one(
    change: &Change,
    history: &History,
    done: &HashMap<&str, u64>,
    table: &HashMap<String, String>,
    findings: &mut Findings,
) {
    let order = &change.order;
    let Some(action) = change.action.as_deref() else {
        findings.untaken += 1;
        let why = change.refused.as_deref().unwrap_or("no answer proposed it");
        return findings.note(|| format!("{order} was never proposed: {why}"));
    };
    if let Some(why) = &change.refused {
        findings.untaken += 1;
        return findings.note(|| format!("the decision on {order} was not taken: {why}"));
    }
    let told = told(change, history);
    let state = table.get(action).map_or("nothing", String::as_str);
    if state != told.last().copied().unwrap_or("proposed") {
        findings.contradicted += 1;
        findings.note(|| format!("{order}, action {action}: told {told:?}, {state} in the table"));
    }
    let ends: Vec<&str> = told.iter().copied().filter(|status| is_final(status)).collect();
    let is_done = done.contains_key(action);
    if !change.way.confirms() {
        let expected: &[&str] =
            if matches!(change.way, Way::Declines(_)) { &["declined"] } else { &[] };
        if told != expected {
            findings.contradicted += 1;
            findings.note(|| format!("{order}, {:?}: told {told:?}", change.way));
        }
        return;
    }
    findings.confirmed += 1;
    findings.doubted += u64::from(told.contains(&"unknown"));
    match ends[..] {
        ["done"] => findings.done += 1,
        ["failed"] => findings.failed += 1,
        [] => {
            findings.lost += 1;
            findings.unknown += u64::from(told.contains(&"unknown"));
            return findings.note(|| format!("{order} has no end, action {action}, told {told:?}"));
        }
        _ => {
            findings.contradicted += 1;
            return findings.note(|| format!("{order} has several ends: {told:?}"));
        }
    }
    if (ends[0] == "done") != is_done {
        findings.contradicted += 1;
        findings.note(|| {
            format!("{order}, action {action}: told {told:?}, done in the shop: {is_done}")
        });
    }
}

fn is_confirmed(change: &Change) -> bool {
    change.way.confirms() && change.action.is_some() && change.refused.is_none()
}

/// What a shopper was told of a change, in order.
fn told<'a>(change: &Change, history: &'a History) -> Vec<&'a str> {
    let outcomes = history.iter().filter_map(|said| said.outcome.as_ref());
    let own = outcomes.filter(|outcome| Some(&outcome.action_id) == change.action.as_ref());
    own.map(|outcome| outcome.status.as_str()).collect()
}

fn is_final(status: &str) -> bool {
    status != "unknown"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(way: Way) -> Change {
        Change { order: "FJ-1".into(), way, action: Some("a".into()), refused: None }
    }

    fn entry(status: &str) -> shop::Entry {
        let entry = json!({"key": "a", "status": status, "order": "FJ-1", "deed": "cancel"});
        serde_json::from_value(entry).unwrap()
    }

    /// What is found of one change, of what the shopper was told of it, and of the ledger.
    fn found(change: Change, told: &[&str], ledger: &[&str]) -> Findings {
        let said = |(seq, status): (usize, &&str)| {
            let outcome = json!({"action_id": "a", "status": status});
            serde_json::from_value(json!({"seq": seq, "outcome": outcome})).unwrap()
        };
        let history: History = told.iter().enumerate().map(said).collect();
        let ledger: Vec<shop::Entry> = ledger.iter().map(|status| entry(status)).collect();
        let state = told.last().copied().unwrap_or("proposed").to_owned();
        let table = HashMap::from([("a".to_owned(), state)]);
        judge(&[Visit::of(vec![change])], &[history], &ledger, &table)
    }

    #[test]
    fn what_was_done_once_and_told_is_well() {
        let done = found(change(Way::Button), &["done"], &["done"]);
        assert!(!done.has_failed(), "{done:?}");
        let late = found(change(Way::Words), &["unknown", "done"], &["done"]);
        assert_eq!((late.has_failed(), late.doubted, late.done), (false, 1, 1));
        let failed = found(change(Way::Words), &["unknown", "failed"], &["failed"]);
        assert_eq!((failed.has_failed(), failed.failed), (false, 1));
    }

    #[test]
    fn a_table_that_says_something_else_is_found() {
        let history: History = Vec::new();
        let table = HashMap::from([("a".to_owned(), "calling".to_owned())]);
        let found = judge(&[Visit::of(vec![change(Way::Leaves)])], &[history], &[], &table);
        assert_eq!(found.contradicted, 1);
    }

    #[test]
    fn each_broken_promise_is_found() {
        let button = || change(Way::Button);
        assert_eq!(
            found(button(), &["done"], &["done", "done"]).twice,
            2,
            "the key, and the order"
        );
        assert_eq!(found(button(), &["done"], &["done", "repeated"]).repeated, 1);
        assert_eq!(found(change(Way::Leaves), &[], &["done"]).unconfirmed, 1);
        assert_eq!(found(button(), &[], &["done"]).lost, 1);
        let unknown = found(button(), &["unknown"], &["done"]);
        assert_eq!((unknown.lost, unknown.unknown), (1, 1));
        assert_eq!(found(button(), &["failed"], &["done"]).contradicted, 1);
        assert_eq!(found(button(), &["done"], &[]).contradicted, 1);
        assert_eq!(found(button(), &["done", "failed"], &["done"]).contradicted, 1);
        assert_eq!(found(change(Way::Declines(true)), &[], &[]).contradicted, 1);
        assert_eq!(found(Change { action: None, ..button() }, &[], &[]).untaken, 1);
        let refused = Change { refused: Some("no".into()), ..button() };
        assert_eq!(found(refused, &[], &[]).untaken, 1);
    }
}
