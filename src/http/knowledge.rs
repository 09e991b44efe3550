//! The shop's documents, and search.

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, post, put, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::{
    admin::audit,
    document::{DocumentView, PutDocument},
    error::ApiError,
    extract::{self, Body, Caller, is_json, page_limit, parse, read, require_plain},
    sender::Sender,
    state::App,
};
use crate::{
    clock,
    domain::{ErrorCode, FieldError, Principal, Problem, Role, is_blank},
    embedding::messages::embed,
    knowledge::{KnowledgeError, LeftOut, Query, Status},
};

const OPERATORS: [Role; 2] = [Role::Admin, Role::Server];
const STAFF: [Role; 3] = [Role::Admin, Role::Agent, Role::Server];

#[derive(Serialize, ToSchema)]
pub struct StoredDocument {
    pub external_id: String,
    pub version: u64,
    pub chunks: usize,
    /// `created`, `updated` or `unchanged`.
    pub status: &'static str,
    /// Sentences that read like instructions to an assistant and so are not in the passages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Stores a document.
///
/// Storing the same content again changes nothing. `If-Match` protects against overwriting a newer
/// version.
#[utoipa::path(put, path = "/v1/knowledge/documents/{external_id}", tag = "knowledge",
    params(("external_id" = String, Path), ("If-Match" = Option<String>, Header)), request_body = PutDocument,
    responses((status = 200, body = StoredDocument), (status = 201, body = StoredDocument),
        (status = 412, body = Problem), (status = 422, body = Problem)), security(("bearer" = [])))]
#[put("/v1/knowledge/documents/{external_id}")]
pub async fn put_document(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    caller.require(&OPERATORS)?;
    require_plain(&request)?;
    let limit = PutDocument::max_bytes(app.config.knowledge.max_document_bytes);
    let bytes = read(payload.into_inner(), limit, &app).await?;
    let document = parse::<PutDocument>(is_json(&request), &bytes)?.document(path.into_inner())?;
    let external_id = document.external_id.clone();
    let if_match = request.headers().get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let if_match = if_match.map(|tag| tag.trim().trim_matches('"').to_owned());
    let site = &caller.principal.site_id;
    let stored = app.knowledge.upsert(site, document, if_match.as_deref()).await?;
    let (status, mut response) = match stored.status {
        Status::Created => ("created", HttpResponse::Created()),
        Status::Updated => ("updated", HttpResponse::Ok()),
        Status::Unchanged => ("unchanged", HttpResponse::Ok()),
    };
    if stored.status != Status::Unchanged {
        let removed = app
            .cache
            .as_ref()
            .map_or(0, |cache| cache.purge_document(site, &external_id, clock::now()));
        let detail = json!({"version": stored.version, "status": status, "cache_entries": removed});
        audit(&app, &caller, "knowledge.put", &external_id, detail).await?;
    }
    Ok(response.insert_header((header::ETAG, format!("\"{}\"", stored.etag))).json(
        StoredDocument {
            external_id,
            version: stored.version,
            chunks: stored.chunks,
            status,
            reason: reason(&stored.left_out),
        },
    ))
}

/// Most sentences that a reason names.
const NAMED: usize = 10;

fn reason(left_out: &[LeftOut]) -> Option<String> {
    let mut named: Vec<String> = left_out.iter().take(NAMED).map(ToString::to_string).collect();
    let more = left_out.len().saturating_sub(NAMED);
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    (!named.is_empty()).then(|| named.join("; "))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct DocumentsQuery {
    /// `next_cursor` of the previous page.
    #[serde(default)]
    cursor: Option<String>,
    /// 1 to 200.
    #[serde(default)]
    limit: Option<u32>,
}

/// Lists the documents of the site by name.
#[utoipa::path(get, path = "/v1/knowledge/documents", tag = "knowledge", params(DocumentsQuery),
    responses((status = 200, description = "a page of documents without their texts")), security(("bearer" = [])))]
#[get("/v1/knowledge/documents")]
pub async fn list_documents(
    app: web::Data<App>,
    caller: Caller,
    query: extract::Query<DocumentsQuery>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&STAFF)?;
    let limit = page_limit(query.limit, 50, 200)?;
    let after = query.cursor.as_deref();
    let mut items = app.knowledge.list(&caller.principal.site_id, after, limit + 1).await?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|item| item.external_id.clone());
    Ok(HttpResponse::Ok().json(json!({"items": items, "next_cursor": next_cursor})))
}

/// Reads a document with its text.
///
/// A PUT takes what this returns.
#[utoipa::path(get, path = "/v1/knowledge/documents/{external_id}", tag = "knowledge",
    params(("external_id" = String, Path)),
    responses((status = 200, description = "the document", body = DocumentView), (status = 404, body = Problem)), security(("bearer" = [])))]
#[get("/v1/knowledge/documents/{external_id}")]
pub async fn get_document(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&STAFF)?;
    let found = app.knowledge.get(&caller.principal.site_id, &path).await?;
    let document = found.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, format!("\"{}\"", document.content_hash)))
        .json(DocumentView::from(document)))
}

#[derive(Serialize, ToSchema)]
pub struct DeletedDocument {
    pub external_id: String,
    pub chunks: usize,
    pub cache_entries: usize,
}

/// Deletes a document, its passages, and the cached answers that cite it.
///
/// Returns the counts.
#[utoipa::path(delete, path = "/v1/knowledge/documents/{external_id}", tag = "knowledge",
    params(("external_id" = String, Path)),
    responses((status = 200, body = DeletedDocument), (status = 404, body = Problem)), security(("bearer" = [])))]
#[delete("/v1/knowledge/documents/{external_id}")]
pub async fn delete_document(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&OPERATORS)?;
    let site = &caller.principal.site_id;
    let deleted = app.knowledge.delete(site, &path).await?;
    let deleted = deleted.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    let cache_entries =
        app.cache.as_ref().map_or(0, |cache| cache.purge_document(site, &path, clock::now()));
    let detail = json!({"chunks": deleted.chunks, "cache_entries": cache_entries});
    audit(&app, &caller, "knowledge.delete", &path, detail).await?;
    let external_id = path.into_inner();
    Ok(HttpResponse::Ok().json(DeletedDocument {
        external_id,
        chunks: deleted.chunks,
        cache_entries,
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// 1 to 1,000 characters.
    pub query: String,
    /// Number of passages, 1 to 20.
    #[serde(default)]
    pub limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub struct PassageView {
    pub document_id: String,
    pub title: String,
    pub heading: String,
    pub text: String,
    pub url: Option<String>,
    pub score: f32,
    /// 0 to 1.
    pub confidence: f32,
}

#[derive(Serialize, ToSchema)]
pub struct SearchResult {
    pub items: Vec<PassageView>,
}

/// Searches the public passages of the site, by words and by meaning.
#[utoipa::path(post, path = "/v1/knowledge/search", tag = "knowledge", request_body = SearchRequest,
    responses((status = 200, body = SearchResult), (status = 422, body = Problem)), security(("bearer" = [])))]
#[post("/v1/knowledge/search")]
pub async fn search_knowledge(
    app: web::Data<App>,
    caller: Caller,
    sender: Sender,
    body: Body<SearchRequest>,
) -> Result<HttpResponse, ApiError> {
    let chars = body.query.chars().count();
    if is_blank(&body.query) || chars > 1_000 {
        return Err(ApiError::field("query", "must have 1 to 1000 characters"));
    }
    let limit = body.limit.unwrap_or(5);
    if !(1..=20).contains(&limit) {
        return Err(ApiError::field("limit", "must be between 1 and 20"));
    }
    let Principal { site_id, id, .. } = &caller.principal;
    // The search is not undone.
    let _ = app.limits.message(site_id, *id, sender.of_caller(&caller.principal)).await?;
    let embedding = match &app.ports.embedder {
        Some(port) => embed(&port.embed, body.query.clone(), port.timeout).await.ok(),
        None => None,
    };
    let vector = embedding.as_ref().map(|embedding| &*embedding.vector);
    let query = Query { vector, ..Query::new(&body.query) };
    let found = app.knowledge.search(&caller.principal.site_id, &query, limit);
    let items = found
        .into_iter()
        .map(|passage| PassageView {
            document_id: passage.document_id,
            title: passage.title,
            heading: passage.heading,
            text: passage.text,
            url: passage.url,
            score: passage.score,
            confidence: passage.confidence,
        })
        .collect();
    Ok(HttpResponse::Ok().json(SearchResult { items }))
}

impl From<KnowledgeError> for ApiError {
    fn from(error: KnowledgeError) -> Self {
        match error {
            KnowledgeError::Invalid(fields) => Self::fields(fields),
            KnowledgeError::Changed => Self::new(ErrorCode::PreconditionFailed),
            KnowledgeError::Full { max_documents } => Self::fields(vec![FieldError {
                field: "external_id".into(),
                detail: format!("the site has its {max_documents} documents already"),
            }]),
            KnowledgeError::Archive(error) => error.into(),
        }
    }
}
