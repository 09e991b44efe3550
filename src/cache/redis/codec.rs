//! The format of entries and log records in Redis: JSON with a version, so that replicas of two
//! releases ignore each other's entries instead of misreading them.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    cache::{
        partition::Partition,
        question::Question,
        store::{Address, CachedAnswer, Entry, Scope, Trust},
    },
    domain::Timestamp,
};

const VERSION: u8 = 4;

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u8,
    partition: Partition,
    question: String,
    /// Little-endian floats in base64.
    vector: Option<String>,
    answer: CachedAnswer,
    expires_at: Timestamp,
    trust: Trust,
}

pub(super) fn encode(entry: &Entry) -> Result<String, serde_json::Error> {
    let vector = entry.vector.as_ref().map(|vector| {
        let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
        STANDARD_NO_PAD.encode(bytes)
    });
    serde_json::to_string(&Stored {
        v: VERSION,
        partition: entry.partition.clone(),
        question: entry.question.text().to_owned(),
        vector,
        answer: CachedAnswer::clone(&entry.answer),
        expires_at: entry.expires_at,
        trust: entry.trust.clone(),
    })
}

/// `None` for another version or a broken entry.
pub(super) fn decode(json: &str) -> Option<Entry> {
    let stored: Stored =
        serde_json::from_str(json).ok().filter(|stored: &Stored| stored.v == VERSION)?;
    let vector: Option<Arc<[f32]>> = match stored.vector {
        None => None,
        Some(text) => {
            let bytes = STANDARD_NO_PAD.decode(text).ok()?;
            let (floats, rest) = bytes.as_chunks::<4>();
            rest.is_empty().then(|| floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
        }
    };
    let Stored { partition, question, answer, expires_at, trust, .. } = stored;
    let question = Question::trusted(&question);
    Some(Entry::new(partition, question, vector, answer, expires_at, trust))
}

/// The entry of `json`, written again; `None` if it cannot be read.
pub fn rewritten(json: &str) -> Option<String> {
    decode(json).and_then(|entry| encode(&entry).ok())
}

/// One record of the log that all replicas follow.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    /// The process that wrote it.
    pub(super) from: uuid::Uuid,
    #[serde(flatten)]
    pub(super) news: News,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub(super) enum News {
    /// The entry itself is stored under its own key.
    Put {
        address: String,
    },
    Purge {
        scope: Scope,
        at: Timestamp,
    },
}

pub(super) fn address(address: &Address) -> String {
    format!("{}{}", hex::encode(address.partition), hex::encode(address.question))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::tests::{answer, entry_with, question};

    #[test]
    fn an_entry_survives_its_way_through_redis() {
        let vector: Arc<[f32]> = vec![0.6, -0.8].into();
        let entry = entry_with(question("Do you ship to Canada?"), Some(vector), answer("Yes."));
        let json = encode(&entry).unwrap();
        let back = decode(&json).unwrap();
        assert_eq!(back.id, entry.id);
        assert_eq!(back.address(), entry.address());
        assert_eq!(back.question.text(), entry.question.text());
        assert_eq!(back.vector, entry.vector);
        assert_eq!(back.answer, entry.answer);
        assert_eq!(back.expires_at, entry.expires_at);
        assert_eq!(back.trust, entry.trust);
        assert!(decode(&json.replace("\"v\":4", "\"v\":3")).is_none());
        assert!(decode("{}").is_none());
    }

    #[test]
    fn a_record_survives_json() {
        let site = crate::domain::SiteId::parse("shop").unwrap();
        let scope = Scope::Document(site, "faq".into());
        let news = News::Purge { scope: scope.clone(), at: Timestamp::from_millis(5) };
        let json = serde_json::to_string(&Record { from: uuid::Uuid::nil(), news }).unwrap();
        let back: Record = serde_json::from_str(&json).unwrap();
        assert!(
            matches!(back.news, News::Purge { scope: s, at } if s == scope && at.as_millis() == 5)
        );
    }
}
