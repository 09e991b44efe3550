//! A site's documents and the chunks they were cut into. Each change of a document raises the
//! site's knowledge version in the same transaction, so no answer can be cached under a version
//! that does not hold it.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _,
    QueryDsl as _, Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use serde::Serialize;

use super::{
    column::{Count, Json, Vector},
    error::{ArchiveError, conflict},
    handle::Archive,
    query::{read, transact},
    schema::{chunks, documents, sites},
    write_all::{WriteAll as _, write_all},
};
use crate::domain::{SiteId, Timestamp};

/// A document as the shop gave it.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = documents, treat_none_as_default_value = false)]
pub struct Document {
    pub site_id: SiteId,
    /// The shop's own name of it.
    pub external_id: String,
    /// Counts from 1; the archive sets it.
    #[diesel(serialize_as = Count, deserialize_as = Count)]
    pub version: u64,
    pub content_hash: String,
    pub title: String,
    pub format: String,
    pub body: String,
    #[diesel(serialize_as = Json<Vec<String>>, deserialize_as = Json<Vec<String>>)]
    pub tags: Vec<String>,
    pub audience: Option<String>,
    pub locale: Option<String>,
    pub url: Option<String>,
    pub status: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chars = self.body.chars().count();
        write!(f, "Document({}, version {}, [{chars} chars])", self.site_id, self.version)
    }
}

/// A document without its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Queryable, Selectable)]
#[diesel(table_name = documents, treat_none_as_default_value = false)]
pub struct DocumentSummary {
    pub external_id: String,
    #[diesel(deserialize_as = Count)]
    pub version: u64,
    pub content_hash: String,
    pub title: String,
    pub format: String,
    #[diesel(deserialize_as = Json<Vec<String>>)]
    pub tags: Vec<String>,
    pub audience: Option<String>,
    pub locale: Option<String>,
    pub url: Option<String>,
    pub status: String,
    pub updated_at: Timestamp,
}

/// A piece of a document that answers are found in.
#[derive(Clone, PartialEq)]
pub struct Chunk {
    pub external_id: String,
    /// Position in its document, from 0.
    pub ordinal: u32,
    pub heading: String,
    pub text: String,
    /// The embedder that made `vector`.
    pub embedder: String,
    pub vector: Vec<f32>,
}

impl std::fmt::Debug for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chunk({}, [{} chars])", self.ordinal, self.text.chars().count())
    }
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = chunks)]
pub(super) struct ChunkRow {
    pub site_id: SiteId,
    pub external_id: String,
    pub ordinal: Count,
    pub heading: String,
    pub text: String,
    pub embedder: String,
    pub vector: Vector,
}

impl ChunkRow {
    fn new(document: &Document, chunk: &Chunk) -> Self {
        Self {
            site_id: document.site_id.clone(),
            external_id: document.external_id.clone(),
            ordinal: Count(chunk.ordinal.into()),
            heading: chunk.heading.clone(),
            text: chunk.text.clone(),
            embedder: chunk.embedder.clone(),
            vector: Vector(chunk.vector.clone()),
        }
    }

    fn into_chunk(self) -> Chunk {
        Chunk {
            external_id: self.external_id,
            ordinal: u32::try_from(self.ordinal.0).unwrap_or(u32::MAX),
            heading: self.heading,
            text: self.text,
            embedder: self.embedder,
            vector: self.vector.0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentChange {
    /// Of the document.
    pub version: u64,
    /// Of the site.
    pub knowledge_version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentDeletion {
    pub chunks: usize,
    /// Of the site.
    pub knowledge_version: u64,
}

/// Raises the knowledge version of a site and reads it. First in its transaction, so changes of one
/// site's documents come one after the other.
macro_rules! raise_knowledge_version {
    ($conn:ident, $site:expr) => {{
        let raised = sites::knowledge_version.eq(sites::knowledge_version + 1);
        diesel::update(sites::table.find($site)).set(raised).execute($conn).await?;
        let version = sites::table.find($site).select(sites::knowledge_version);
        version.first::<Count>($conn).await?.0
    }};
}

write_all! {
    ChunkRow => chunks, |row| 256 + row.heading.len() + row.text.len() + 4 * row.vector.0.len();
}

impl Archive {
    /// Puts a document and its chunks in the place of what was there. `document.version` is not
    /// read. `expected_version`, where given, is the version that is to be replaced (0: none is
    /// there).
    ///
    /// # Errors
    /// [`ArchiveError::Conflict`] where another version is there; [`ArchiveError::Corrupt`] where there is no such site.
    pub async fn put_document(
        &self,
        document: &Document,
        chunks: &[Chunk],
        expected_version: Option<u64>,
    ) -> Result<DocumentChange, ArchiveError> {
        let rows: Vec<_> = chunks.iter().map(|chunk| ChunkRow::new(document, chunk)).collect();
        let document = document.clone();
        transact!(self, |conn| {
            let knowledge_version = raise_knowledge_version!(conn, &document.site_id);
            let key = (&document.site_id, &document.external_id);
            let there: Option<(Count, Timestamp)> = documents::table
                .find(key)
                .select((documents::version, documents::created_at))
                .first(conn)
                .await
                .optional()?;
            let replaced = there.map_or(0, |(version, _)| version.0);
            if expected_version.is_some_and(|expected| expected != replaced) {
                return Err(conflict());
            }
            let version = replaced + 1;
            let created_at = there.map_or(document.created_at, |(_, created_at)| created_at);
            let row = Document { version, created_at, ..document.clone() };
            diesel::replace_into(documents::table).values(row).execute(conn).await?;
            let old = chunks::table.filter(chunks::site_id.eq(&document.site_id));
            let old = old.filter(chunks::external_id.eq(&document.external_id));
            diesel::delete(old).execute(conn).await?;
            conn.insert_all(&rows).await?;
            Ok(DocumentChange { version, knowledge_version })
        })
    }

    pub async fn document(
        &self,
        site: &SiteId,
        external_id: &str,
    ) -> Result<Option<Document>, ArchiveError> {
        let (site, external_id) = (site.clone(), external_id.to_owned());
        read!(self, |conn| {
            let document = documents::table.find((&site, &external_id));
            document.select(Document::as_select()).first(conn).await.optional()
        })
    }

    /// At most `limit` documents of a site after `after`, ordered by `external_id`.
    pub async fn documents(
        &self,
        site: &SiteId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DocumentSummary>, ArchiveError> {
        // No external id is empty.
        let (site, after) = (site.clone(), after.unwrap_or("").to_owned());
        read!(self, |conn| {
            let of_site = documents::table.filter(documents::site_id.eq(&site));
            let page = of_site.filter(documents::external_id.gt(&after));
            let page = page.order(documents::external_id.asc()).limit(limit.into());
            page.select(DocumentSummary::as_select()).load(conn).await
        })
    }

    /// Removes a document and its chunks; `None` where there is none, and then nothing changes.
    pub async fn delete_document(
        &self,
        site: &SiteId,
        external_id: &str,
    ) -> Result<Option<DocumentDeletion>, ArchiveError> {
        let (site, external_id) = (site.clone(), external_id.to_owned());
        transact!(self, |conn| {
            let document = documents::table.find((&site, &external_id));
            if diesel::delete(document).execute(conn).await? == 0 {
                return Ok(None);
            }
            let knowledge_version = raise_knowledge_version!(conn, &site);
            let old = chunks::table.filter(chunks::site_id.eq(&site));
            let old = old.filter(chunks::external_id.eq(&external_id));
            let chunks = diesel::delete(old).execute(conn).await?;
            Ok(Some(DocumentDeletion { chunks, knowledge_version }))
        })
    }

    /// At most `limit` chunks of a site after the chunk `after` (its `external_id` and `ordinal`),
    /// in order; to build the index, page through until fewer come.
    pub async fn chunks(
        &self,
        site: &SiteId,
        after: Option<(&str, u32)>,
        limit: u32,
    ) -> Result<Vec<Chunk>, ArchiveError> {
        let site = site.clone();
        let after =
            after.map(|(external_id, ordinal)| (external_id.to_owned(), Count(ordinal.into())));
        let rows: Vec<ChunkRow> = read!(self, |conn| {
            let mut page = chunks::table
                .filter(chunks::site_id.eq(&site))
                .order((chunks::external_id.asc(), chunks::ordinal.asc()))
                .limit(limit.into())
                .select(ChunkRow::as_select())
                .into_boxed();
            if let Some((external_id, ordinal)) = &after {
                let later = chunks::external_id.gt(external_id);
                let same = chunks::external_id.eq(external_id).and(chunks::ordinal.gt(*ordinal));
                page = page.filter(later.or(same));
            }
            page.load(conn).await
        })?;
        Ok(rows.into_iter().map(ChunkRow::into_chunk).collect())
    }

    /// `None` where there is no such site.
    pub async fn knowledge_version(&self, site: &SiteId) -> Result<Option<u64>, ArchiveError> {
        let site = site.clone();
        let version: Option<Count> = read!(self, |conn| {
            let version = sites::table.find(&site).select(sites::knowledge_version);
            version.first(conn).await.optional()
        })?;
        Ok(version.map(|version| version.0))
    }
}
