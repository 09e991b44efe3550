use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{super::*, object, order, shown};
use crate::{
    domain::Language,
    words::{Errands, Vocabulary as _},
};

/// The sections of a language's file, and the names that stand in braces in each.
fn sections(language: Language) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let file = Errands::FILES.iter().find(|(code, _)| *code == language.code());
    let mut found = BTreeMap::new();
    let mut section = "";
    for line in file.unwrap().1.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            found.insert(section, BTreeSet::new());
        }
        let names = line.split('{').skip(1).filter_map(|part| part.split_once('}'));
        if let Some(known) = found.get_mut(section) {
            known.extend(names.map(|(name, _)| name));
        }
        assert_eq!(line.matches('<').count(), line.matches('>').count(), "{line}");
    }
    found
}

#[test]
fn every_language_has_every_list_and_every_sentence_with_the_same_values() {
    let english = sections(Language::En);
    for language in Language::ALL {
        let mut own = sections(language);
        // Only some languages say the first of a month in another way.
        own.remove("first_day");
        for (section, names) in &english {
            assert_eq!(own.remove(section).as_ref(), Some(names), "{language:?} [{section}]");
        }
        assert!(own.is_empty(), "{language:?} {own:?}");
    }
}

#[test]
fn every_state_and_reply_is_said_in_every_language_and_none_is_like_another() {
    let replies = [Reply::NotFound, Reply::Identity, Reply::Unavailable, Reply::Busy];
    let reasons = [
        "already_shipped",
        "too_late",
        "already_cancelled",
        "already_returned",
        "not_delivered",
        "whatever",
    ];
    for language in Language::ALL {
        let states = ["processing", "shipped", "delivered", "cancelled", "returned", "other"];
        let mut said: Vec<String> = states
            .into_iter()
            .map(|status| shown("order_status", json!({}), &order(status), language).text)
            .collect();
        said.extend(replies.map(|reply| reply.text(language).to_owned()));
        said.extend(reasons.map(|reason| refused(reason, language).to_owned()));
        let arguments = object(json!({"order_number": "FJ-1", "address": "x", "skus": ["A"]}));
        said.extend(
            ["cancel_order", "change_address", "start_return"]
                .map(|tool| effect(tool, &arguments, None, language).0),
        );
        let distinct: BTreeSet<&String> = said.iter().collect();
        assert_eq!(distinct.len(), said.len(), "{language:?}");
        for text in &said {
            let left = text.contains(['{', '}', '<', '>']) || text.contains("  ");
            assert!(!text.is_empty() && !left, "{language:?} {text:?}");
        }
    }
}
