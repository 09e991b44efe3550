//! The stored data of one question, and what look-ups and lists return from it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::trust::{Trust, Witness};
use crate::{
    cache::{
        partition::Partition,
        question::{Question, are_same},
    },
    domain::{CacheTier, Citation, MessageId, PrincipalId, Timestamp, Usage},
};

/// An answer that may serve other shoppers. It holds no personal data, not even as placeholders.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct CachedAnswer {
    /// The message that first carried this answer. The entry has the same id on all replicas, so
    /// that a rating finds it.
    pub message_id: MessageId,
    /// Whose question it answered first, so that an erasure of that person finds it; `None` from
    /// earlier builds.
    #[serde(default)]
    pub made_for: Option<PrincipalId>,
    pub text: String,
    pub citations: Vec<Citation>,
    pub usage: Option<Usage>,
    pub tags: Vec<String>,
    /// External ids of the documents it is based on.
    pub documents: Vec<String>,
    /// When its turn began, before it read any document. A purge after that moment covers it.
    pub made_at: Timestamp,
}

impl fmt::Debug for CachedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CachedAnswer {{ {}, [{} chars], made_at: {} }}",
            self.message_id,
            self.text.chars().count(),
            self.made_at
        )
    }
}

/// An answer found in the cache.
#[derive(Clone, Debug)]
pub struct Hit {
    pub answer: Arc<CachedAnswer>,
    pub tier: CacheTier,
    /// Cosine; `None` for an exact hit.
    pub similarity: Option<f32>,
    /// Time since the answer was made.
    pub age: Duration,
    doubts: Vec<Witness>,
}

impl Hit {
    /// Whether this visitor was not content with the answer.
    pub fn is_doubted_by(&self, by: Witness) -> bool {
        self.doubts.iter().any(|doubt| doubt.is(by))
    }
}

/// One entry as shown to operators.
#[derive(Clone, Serialize)]
pub struct Listed {
    pub id: MessageId,
    pub question: String,
    pub locale: Arc<str>,
    pub audience: Arc<str>,
    pub knowledge_version: u64,
    /// Whether it serves other shoppers; if not, it waits for confirmation.
    pub shared: bool,
    /// Visitors who got this answer or an equivalent one from the model, or for whom it was quoted.
    pub votes: usize,
    /// Visitors who rated it down, or asked again after they got it.
    pub doubts: usize,
    /// Whether other wordings can find it.
    pub semantic: bool,
    pub age_ms: u64,
    pub expires_at: Timestamp,
    pub hits_exact: u64,
    pub hits_semantic: u64,
    pub documents: Vec<String>,
    pub tags: Vec<String>,
}

/// A page of entries; `next_cursor` is `None` on the last one.
#[derive(Clone, Serialize)]
pub struct Page {
    pub items: Vec<Listed>,
    pub next_cursor: Option<MessageId>,
}

/// Partition and question as one number, the same on all replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::cache) struct Address {
    pub(in crate::cache) partition: [u8; 16],
    pub(in crate::cache) question: [u8; 32],
}

pub(in crate::cache) struct Entry {
    pub(in crate::cache) id: MessageId,
    pub(in crate::cache) partition: Partition,
    pub(in crate::cache) partition_key: [u8; 16],
    pub(in crate::cache) question: Question,
    pub(in crate::cache) vector: Option<Arc<[f32]>>,
    pub(in crate::cache) answer: Arc<CachedAnswer>,
    pub(in crate::cache) expires_at: Timestamp,
    pub(in crate::cache) trust: Trust,
    /// Used since the last check for eviction.
    pub(in crate::cache) used: AtomicBool,
    hits_exact: AtomicU64,
    hits_semantic: AtomicU64,
}

impl Entry {
    pub(in crate::cache) fn new(
        partition: Partition,
        question: Question,
        vector: Option<Arc<[f32]>>,
        answer: CachedAnswer,
        expires_at: Timestamp,
        trust: Trust,
    ) -> Self {
        Self {
            id: answer.message_id,
            partition_key: partition.key(),
            partition,
            question,
            vector,
            answer: Arc::new(answer),
            expires_at,
            trust,
            used: AtomicBool::new(false),
            hits_exact: AtomicU64::new(0),
            hits_semantic: AtomicU64::new(0),
        }
    }

    /// The same entry with this trust.
    pub(in crate::cache) fn with(&self, trust: Trust) -> Self {
        let count = |counter: &AtomicU64| AtomicU64::new(counter.load(Ordering::Relaxed));
        Self {
            id: self.id,
            partition: self.partition.clone(),
            partition_key: self.partition_key,
            question: self.question.clone(),
            vector: self.vector.clone(),
            answer: self.answer.clone(),
            expires_at: self.expires_at,
            trust,
            used: AtomicBool::new(self.used.load(Ordering::Relaxed)),
            hits_exact: count(&self.hits_exact),
            hits_semantic: count(&self.hits_semantic),
        }
    }

    /// What stands of two entries for one question: an answer that serves strangers stays, and else
    /// the newer one wins. Votes for the same text count together.
    pub(in crate::cache) fn settled(
        known: &Arc<Self>,
        new: &Arc<Self>,
        needed: usize,
        now: Timestamp,
    ) -> Arc<Self> {
        let serves = |entry: &Self| entry.trust.shared && entry.expires_at > now;
        let rank = |entry: &Self| (serves(entry), entry.answer.made_at, entry.id);
        let (first, second) = if rank(new) > rank(known) { (new, known) } else { (known, new) };
        if !are_same(&first.answer.text, &second.answer.text) {
            return Arc::clone(first);
        }
        let trust = first.trust.joined(&second.trust, needed);
        if trust == first.trust { Arc::clone(first) } else { Arc::new(first.with(trust)) }
    }

    /// Whether the message carried this answer, or an equivalent one that confirmed it.
    pub(in crate::cache) fn is_known_by(&self, message: MessageId) -> bool {
        self.id == message || self.trust.votes().iter().any(|vote| vote.message == message)
    }

    pub(in crate::cache) fn address(&self) -> Address {
        Address { partition: self.partition_key, question: self.question.key() }
    }

    /// Approximate memory in bytes: the content, what the guards compare of the question, twice the
    /// vector (the index has a copy) and the map entries.
    pub(in crate::cache) fn bytes(&self) -> usize {
        const OVERHEAD: usize = 1024;
        let answer = &self.answer;
        let citations = answer.citations.iter().map(|c| {
            c.id.len()
                + c.document_id.len()
                + c.title.len()
                + c.quote.len()
                + c.url.as_ref().map_or(0, String::len)
                + size_of::<Citation>()
        });
        let labels = answer
            .tags
            .iter()
            .chain(&answer.documents)
            .map(|text| text.len() + size_of::<String>());
        let vector = self.vector.as_ref().map_or(0, |vector| 2 * size_of_val::<[f32]>(vector));
        OVERHEAD
            + answer.text.len()
            + 12 * self.question.text().len()
            + citations.sum::<usize>()
            + labels.sum::<usize>()
            + vector
    }

    pub(in crate::cache) fn hit(
        &self,
        tier: CacheTier,
        similarity: Option<f32>,
        now: Timestamp,
    ) -> Hit {
        self.used.store(true, Ordering::Relaxed);
        let counter = match tier {
            CacheTier::Exact => &self.hits_exact,
            CacheTier::Semantic => &self.hits_semantic,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let age = Duration::from_millis(self.age_ms(now));
        let doubts = self.trust.doubts().to_vec();
        Hit { answer: self.answer.clone(), tier, similarity, age, doubts }
    }

    pub(in crate::cache) fn listed(&self, now: Timestamp) -> Listed {
        Listed {
            id: self.id,
            question: self.question.text().to_owned(),
            locale: self.partition.locale.clone(),
            audience: self.partition.audience.clone(),
            knowledge_version: self.partition.knowledge_version,
            shared: self.trust.shared,
            votes: self.trust.votes().len(),
            doubts: self.trust.doubts().len(),
            semantic: self.vector.is_some(),
            age_ms: self.age_ms(now),
            expires_at: self.expires_at,
            hits_exact: self.hits_exact.load(Ordering::Relaxed),
            hits_semantic: self.hits_semantic.load(Ordering::Relaxed),
            documents: self.answer.documents.clone(),
            tags: self.answer.tags.clone(),
        }
    }

    fn age_ms(&self, now: Timestamp) -> u64 {
        u64::try_from(now.as_millis() - self.answer.made_at.as_millis()).unwrap_or(0)
    }
}
