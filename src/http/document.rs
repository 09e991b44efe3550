//! A document as clients read and write it: what a GET returns can be sent back by a PUT.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, IgnoredAny},
};
use utoipa::ToSchema;

use super::error::ApiError;
use crate::{
    archive::Document,
    domain::{SiteId, Timestamp},
    knowledge::{self, FaqPair, Format, NewDocument, PUBLIC},
};

/// A body may be this many times longer than its document, since JSON escapes characters.
const ESCAPES: usize = 2;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutDocument {
    pub title: String,
    /// The text; exactly one of `text` and `faq`.
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub faq: Option<Vec<FaqPair>>,
    /// The format of `text`.
    #[serde(default = "markdown")]
    pub format: Format,
    #[serde(default)]
    pub tags: Vec<String>,
    /// `public`, or the name of a group. Without it, the document is public; `null` is refused.
    #[serde(default, deserialize_with = "group")]
    pub audience: Option<String>,
    #[serde(default)]
    pub locale: Option<String>,
    #[serde(default)]
    pub url: Option<String>,
    /// Sentences that read like instructions to an assistant stay in its passages.
    #[serde(default)]
    pub trusted: bool,
    /// As in the path.
    #[serde(default)]
    pub external_id: Option<String>,
    /// What follows comes from a GET and changes nothing.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub site_id: Option<IgnoredAny>,
    #[serde(default)]
    #[schema(value_type = Option<u64>)]
    pub version: Option<IgnoredAny>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub content_hash: Option<IgnoredAny>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub status: Option<IgnoredAny>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub created_at: Option<IgnoredAny>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub updated_at: Option<IgnoredAny>,
}

const fn markdown() -> Format {
    Format::Markdown
}

/// `null` may be a group that was not found, so it does not make a document public.
fn group<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let group = Option::<String>::deserialize(deserializer)?;
    group.map(Some).ok_or_else(|| {
        D::Error::custom("must not be null: name a group, or leave it out for `public`")
    })
}

impl PutDocument {
    /// Longest request in bytes.
    pub const fn max_bytes(max_document_bytes: usize) -> usize {
        ESCAPES * max_document_bytes
    }

    /// # Errors
    /// If it is not clear what to store, or under which name.
    pub fn document(self, external_id: String) -> Result<NewDocument, ApiError> {
        if self.external_id.is_some_and(|sent| sent != external_id) {
            return Err(ApiError::field("external_id", "must be the one in the path"));
        }
        let body = match (self.text, self.faq) {
            (Some(text), None) => knowledge::Body::Text(text),
            (None, Some(pairs)) => knowledge::Body::Faq(pairs),
            _ => return Err(ApiError::field("text", "send exactly one of `text` and `faq`")),
        };
        Ok(NewDocument {
            external_id,
            title: self.title,
            format: self.format,
            body,
            tags: self.tags,
            audience: self.audience.unwrap_or_else(|| PUBLIC.to_owned()),
            locale: self.locale,
            url: self.url,
            trusted: self.trusted,
        })
    }
}

/// A stored document. A PUT takes it as it is.
#[derive(Serialize, ToSchema)]
pub struct DocumentView {
    pub external_id: String,
    pub title: String,
    /// Exactly one of `text` and `faq` is not null.
    pub text: Option<String>,
    #[schema(value_type = Option<Vec<Object>>)]
    pub faq: Option<Vec<FaqPair>>,
    pub format: String,
    pub tags: Vec<String>,
    pub audience: Option<String>,
    pub locale: Option<String>,
    pub url: Option<String>,
    pub trusted: bool,
    #[schema(value_type = String)]
    pub site_id: SiteId,
    pub version: u64,
    pub content_hash: String,
    pub status: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl From<Document> for DocumentView {
    fn from(document: Document) -> Self {
        let faq = knowledge::pairs(&document.format, &document.body);
        Self {
            external_id: document.external_id,
            title: document.title,
            text: faq.is_none().then_some(document.body),
            faq,
            format: document.format,
            tags: document.tags,
            audience: document.audience.or_else(|| Some(PUBLIC.to_owned())),
            locale: document.locale,
            url: document.url,
            trusted: document.status == knowledge::TRUSTED,
            site_id: document.site_id,
            version: document.version,
            content_hash: document.content_hash,
            status: document.status,
            created_at: document.created_at,
            updated_at: document.updated_at,
        }
    }
}
