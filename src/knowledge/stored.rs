//! Converts between documents and their rows in the archive, and prepares stored passages for the
//! search.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{Instant, sleep};

use super::{
    chunk::{Chunk, Kind, PATH},
    document::{Body, Format, NewDocument, PUBLIC},
    index::{DocumentHead, Entry, Vectors},
    query::Meaning,
};
use crate::{
    archive::{self, Document, DocumentSummary},
    clock,
    domain::SiteId,
    embedding::{
        Card, EmbedError,
        messages::{EmbedPort, Role, embed_as},
    },
};

/// How many texts of one document wait for the embedder at once. Shoppers' questions wait in the
/// same queue.
const IN_FLIGHT: usize = 8;
/// Timeout for one text, including retries while the queue is full.
const EMBED_TIMEOUT: Duration = Duration::from_secs(30);
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(100);

/// Stored in front of the embedder's id with every vector. Rows with another layout are embedded
/// again.
const LAYOUT: &str = "subject+text:";

/// The states of a stored document.
pub(super) const READY: &str = "ready";
/// Sentences that read like instructions are not in its passages.
pub(super) const PARTIAL: &str = "partial";
/// They are.
pub const TRUSTED: &str = "trusted";

/// A document as it is stored. Pairs are stored as JSON.
pub(super) fn row(
    site: &SiteId,
    document: &NewDocument,
    content_hash: String,
) -> serde_json::Result<Document> {
    let (format, body) = match &document.body {
        Body::Text(text) => (document.format, text.clone()),
        Body::Faq(pairs) => (Format::Json, serde_json::to_string(pairs)?),
    };
    let now = clock::now();
    Ok(Document {
        site_id: site.clone(),
        external_id: document.external_id.clone(),
        version: 0,
        content_hash,
        title: document.title.clone(),
        format: format.as_str().to_owned(),
        body,
        tags: document.tags.clone(),
        audience: Some(document.audience.clone()),
        locale: document.locale.clone(),
        url: document.url.clone(),
        status: if document.trusted { TRUSTED } else { READY }.to_owned(),
        created_at: now,
        updated_at: now,
    })
}

/// A stored document as it was sent; `None` if its format is unknown.
pub(super) fn document(row: &Document) -> Option<NewDocument> {
    Some(NewDocument {
        external_id: row.external_id.clone(),
        title: row.title.clone(),
        format: Format::parse(&row.format)?,
        body: Body::Text(row.body.clone()),
        tags: row.tags.clone(),
        audience: row.audience.clone().unwrap_or_else(|| PUBLIC.to_owned()),
        locale: row.locale.clone(),
        url: row.url.clone(),
        trusted: row.status == TRUSTED,
    })
}

/// The data that the passages of a stored document share.
#[derive(Clone)]
pub(super) struct Head {
    shared: Arc<DocumentHead>,
    kind: Kind,
}

impl Head {
    /// A document without a locale is in the language of its shop, `home`.
    pub fn of_row(document: &Document, home: Option<&str>) -> Self {
        let Document { external_id, title, url, tags, audience, locale, format, .. } =
            document.clone();
        let locale = locale.or_else(|| home.map(str::to_owned));
        Self::new(external_id, title, url, tags, audience, locale, &format)
    }

    pub fn of_summary(summary: DocumentSummary, home: Option<&str>) -> Self {
        let DocumentSummary { external_id, title, url, tags, audience, locale, format, .. } =
            summary;
        let locale = locale.or_else(|| home.map(str::to_owned));
        Self::new(external_id, title, url, tags, audience, locale, &format)
    }

    fn new(
        external_id: String,
        title: String,
        url: Option<String>,
        tags: Vec<String>,
        audience: Option<String>,
        locale: Option<String>,
        format: &str,
    ) -> Self {
        let audience = audience.unwrap_or_else(|| PUBLIC.to_owned());
        let shared = DocumentHead::new(external_id, title, url, tags, audience, locale);
        let kind = match Format::parse(format) {
            Some(Format::Csv | Format::Json) => Kind::Faq,
            Some(Format::Markdown | Format::Text | Format::Html) | None => Kind::Prose,
        };
        Self { shared: Arc::new(shared), kind }
    }

    pub fn chunk(&self, row: &archive::Chunk) -> Chunk {
        Chunk { kind: self.kind, heading: row.heading.clone(), text: row.text.clone() }
    }

    /// A stored passage for the search. A vector of another embedder is left out.
    pub fn entry(&self, row: &archive::Chunk, embedder: Option<&Embedder>) -> Arc<Entry> {
        let comparable = embedder.is_some_and(|embedder| embedder.made(row));
        let vectors = if comparable { Vectors::split(&row.vector) } else { None };
        Arc::new(Entry::new(self.shared.clone(), row.ordinal, self.chunk(row), vectors))
    }
}

/// The subject of a passage, as it is embedded: its question, or its headings with the title.
pub(super) fn subject(title: &str, chunk: &Chunk) -> String {
    let heading = chunk.heading.replace(PATH, ". ");
    match chunk.kind {
        Kind::Faq => heading,
        Kind::Prose if heading.starts_with(title) => heading,
        Kind::Prose if heading.is_empty() => title.to_owned(),
        Kind::Prose => format!("{title}. {heading}"),
    }
}

/// Passages as rows, with vectors if there are any.
pub(super) fn rows(
    document: &Document,
    chunks: &[Chunk],
    embedder: Option<&Embedder>,
    vectors: &HashMap<String, Arc<[f32]>>,
) -> Vec<archive::Chunk> {
    let row = |(ordinal, chunk): (u32, &Chunk)| {
        let pair = vectors.get(&subject(&document.title, chunk)).zip(vectors.get(&chunk.text));
        let pair = pair.and_then(|(subject, text)| Vectors::new(subject, text));
        archive::Chunk {
            external_id: document.external_id.clone(),
            ordinal,
            heading: chunk.heading.clone(),
            text: chunk.text.clone(),
            embedder: embedder
                .filter(|_| pair.is_some())
                .map_or_else(String::new, |e| e.tag.clone()),
            vector: pair.map_or_else(Vec::new, |pair| pair.joined()),
        }
    };
    (0..).zip(chunks).map(row).collect()
}

/// The port to the embedding model, and the id of its vectors.
pub(super) struct Embedder {
    port: EmbedPort,
    tag: String,
    pub meaning: Meaning,
}

impl Embedder {
    pub fn new(port: EmbedPort, embedder_id: &str, card: &Card) -> Self {
        Self { port, tag: format!("{LAYOUT}{embedder_id}"), meaning: card.into() }
    }

    pub fn made(&self, row: &archive::Chunk) -> bool {
        row.embedder == self.tag
    }

    /// The vectors of all texts of these passages.
    ///
    /// # Errors
    /// The first text that could not be embedded in time.
    pub async fn vectors(
        &self,
        title: &str,
        chunks: &[Chunk],
    ) -> Result<HashMap<String, Arc<[f32]>>, EmbedError> {
        // Passages of one section share their subject, which is embedded only once.
        let texts: BTreeSet<String> =
            chunks.iter().flat_map(|chunk| [subject(title, chunk), chunk.text.clone()]).collect();
        let embedded = stream::iter(texts).map(|text| async {
            let vector = self.vector(&text).await?;
            Ok((text, vector))
        });
        embedded.buffer_unordered(IN_FLIGHT).try_collect().await
    }

    /// The id of the model.
    pub fn id(&self) -> &str {
        self.tag.strip_prefix(LAYOUT).unwrap_or_default()
    }

    /// The vector of one text.
    ///
    /// # Errors
    /// If it could not be embedded in time.
    pub async fn vector(&self, text: &str) -> Result<Arc<[f32]>, EmbedError> {
        let deadline = Instant::now() + EMBED_TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match embed_as(Role::Passage, &self.port, text.to_owned(), left).await {
                Ok(embedding) => return Ok(embedding.vector),
                Err(EmbedError::Overloaded) if left > QUEUE_FULL_PAUSE => {
                    sleep(QUEUE_FULL_PAUSE).await
                }
                Err(error) => return Err(error),
            }
        }
    }
}
