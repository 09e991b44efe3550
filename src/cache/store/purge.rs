//! Which purges happened and when, so that an answer made before a purge cannot come back after it.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::entry::Entry;
use crate::domain::{MessageId, PrincipalId, SiteId, Timestamp};

/// What a purge covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cache) enum Scope {
    /// Everything, of all sites: used when single purges can no longer be kept apart.
    Everything,
    Site(SiteId),
    Tag(SiteId, Box<str>),
    Document(SiteId, Box<str>),
    /// One entry that is no longer trusted.
    Entry(MessageId),
    /// The answers that were made for a person who was erased.
    Person(PrincipalId),
}

impl Scope {
    pub(in crate::cache) fn reaches(&self, entry: &Entry) -> bool {
        let of = |site: &SiteId| *site == entry.partition.site;
        match self {
            Self::Everything => true,
            Self::Site(site) => of(site),
            Self::Tag(site, tag) => of(site) && entry.answer.tags.iter().any(|t| **t == **tag),
            Self::Document(site, document) => {
                of(site) && entry.answer.documents.iter().any(|d| **d == **document)
            }
            Self::Entry(id) => entry.id == *id,
            Self::Person(id) => entry.answer.made_for == Some(*id),
        }
    }

    /// The scopes that cover an entry.
    fn over(entry: &Entry) -> impl Iterator<Item = Self> {
        let site = &entry.partition.site;
        let tags = entry.answer.tags.iter().map(|tag| Self::Tag(site.clone(), tag.as_str().into()));
        let documents = entry
            .answer
            .documents
            .iter()
            .map(|id| Self::Document(site.clone(), id.as_str().into()));
        let fixed = [Self::Everything, Self::Site(site.clone()), Self::Entry(entry.id)];
        let person = entry.answer.made_for.map(Self::Person);
        fixed.into_iter().chain(person).chain(tags).chain(documents)
    }
}

/// The latest purge of each scope, kept for as long as an older answer could still live. If there
/// are too many, the oldest are merged into one purge of everything. This loses answers but never a
/// purge.
pub(in crate::cache) struct Watermarks {
    /// Lifetime of an answer in milliseconds.
    life: i64,
    latest: HashMap<Scope, Timestamp>,
    by_time: BTreeSet<(Timestamp, Scope)>,
}

impl Watermarks {
    pub(in crate::cache) const MOST: usize = 10_000;

    pub(in crate::cache) fn new(life: Duration) -> Self {
        let life = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
        Self { life, latest: HashMap::new(), by_time: BTreeSet::new() }
    }

    pub(in crate::cache) fn note(&mut self, scope: Scope, at: Timestamp) {
        self.set(scope, at);
        let outlived = Timestamp::from_millis(at.as_millis().saturating_sub(self.life));
        while self.by_time.first().is_some_and(|(oldest, _)| *oldest < outlived) {
            self.drop_oldest();
        }
        if self.latest.len() > Self::MOST {
            // Two are dropped, because the second may be the purge of everything itself.
            let merged = self.drop_oldest().max(self.drop_oldest());
            if let Some(at) = merged {
                self.set(Scope::Everything, at);
            }
        }
    }

    fn set(&mut self, scope: Scope, at: Timestamp) {
        let known = self.latest.get(&scope).copied();
        if known.is_some_and(|known| known >= at) {
            return;
        }
        if let Some(known) = known {
            self.by_time.remove(&(known, scope.clone()));
        }
        self.latest.insert(scope.clone(), at);
        self.by_time.insert((at, scope));
    }

    fn drop_oldest(&mut self) -> Option<Timestamp> {
        let (oldest, scope) = self.by_time.pop_first()?;
        self.latest.remove(&scope);
        Some(oldest)
    }

    /// Whether an answer is older than a purge that covers it, is no longer trusted, or was made for
    /// somebody who was erased.
    pub(in crate::cache) fn cover(&self, entry: &Entry) -> bool {
        let made_at = entry.answer.made_at;
        Scope::over(entry).any(|scope| match self.latest.get(&scope) {
            Some(at) => *at >= made_at || matches!(scope, Scope::Entry(_) | Scope::Person(_)),
            None => false,
        })
    }

    pub(in crate::cache) fn has(&self, scope: &Scope) -> bool {
        self.latest.contains_key(scope)
    }

    pub(in crate::cache) fn all(&self) -> Vec<(Scope, Timestamp)> {
        self.latest.iter().map(|(scope, at)| (scope.clone(), *at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::tests::{answer, entry_with, question};

    #[test]
    fn purges_too_many_to_keep_apart_become_one_of_everything() {
        let mut marks = Watermarks::new(Duration::from_secs(3600));
        let site = SiteId::parse("shop").unwrap();
        for at in 0..=Watermarks::MOST as i64 {
            marks.note(Scope::Tag(site.clone(), at.to_string().into()), Timestamp::from_millis(at));
        }
        assert!(marks.all().len() <= Watermarks::MOST);
        let mut old = answer("old");
        old.made_at = Timestamp::from_millis(0);
        let covered = |answer| marks.cover(&entry_with(question("do you ship"), None, answer));
        assert!(covered(old.clone()));
        old.made_at = Timestamp::from_millis(2);
        assert!(!covered(old));
    }

    #[test]
    fn a_purge_is_forgotten_when_every_older_answer_has_expired() {
        let mut marks = Watermarks::new(Duration::from_millis(100));
        let id = |n| Scope::Entry(MessageId(uuid::Uuid::from_u128(n)));
        marks.note(id(1), Timestamp::from_millis(1000));
        marks.note(id(2), Timestamp::from_millis(1099));
        assert_eq!(marks.all().len(), 2);
        marks.note(id(3), Timestamp::from_millis(1150));
        assert_eq!(marks.all().len(), 2);
    }
}
