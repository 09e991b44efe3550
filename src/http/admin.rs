//! For operators: the cache, API keys, backends, and the audit log.

use actix_web::{HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    error::ApiError,
    extract::{Body, Caller, Query, id, page_limit},
    state::App,
};
use crate::{
    archive::{ApiKey, AuditEntry, RecordId},
    clock,
    domain::{ErrorCode, PrincipalId, Problem, Role, Timestamp},
    inference::PoolStatus,
};

const ADMINS: [Role; 1] = [Role::Admin];
const OPERATORS: [Role; 2] = [Role::Admin, Role::Server];

/// A line of the audit log: the caller does this now.
pub fn entry(caller: &Caller, action: &str, target: &str, detail: Value) -> AuditEntry {
    AuditEntry {
        id: RecordId::new(),
        site_id: caller.principal.site_id.clone(),
        actor_id: caller.principal.id,
        actor_role: caller.principal.role,
        action: action.to_owned(),
        target: target.to_owned(),
        detail,
        at: clock::now(),
    }
}

/// Writes an operator's change to the audit log.
///
/// # Errors
/// If the log cannot be written. The caller gets an error, so that no change goes unrecorded.
pub async fn audit(
    app: &App,
    caller: &Caller,
    action: &str,
    target: &str,
    detail: Value,
) -> Result<(), ApiError> {
    Ok(app.archive.append_audit(&entry(caller, action, target, detail)).await?)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    #[serde(default)]
    cursor: Option<String>,
    /// 1 to 200.
    #[serde(default)]
    limit: Option<u32>,
}

impl PageQuery {
    fn limit(&self) -> Result<u32, ApiError> {
        page_limit(self.limit, 50, 200)
    }
}

/// Lists the cached answers of the site.
#[utoipa::path(get, path = "/v1/admin/cache", tag = "admin", params(PageQuery),
    responses((status = 200, description = "a page of entries"), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/admin/cache")]
pub async fn list_cache(
    app: web::Data<App>,
    caller: Caller,
    query: Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&OPERATORS)?;
    let Some(cache) = &app.cache else {
        return Ok(HttpResponse::Ok().json(json!({"items": [], "enabled": false})));
    };
    let cursor = query.cursor.as_deref().map(id).transpose()?;
    let page = cache.list(&caller.principal.site_id, cursor, query.limit()? as usize, clock::now());
    Ok(HttpResponse::Ok().json(page))
}

/// What to remove. Set exactly one field.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    #[serde(default)]
    pub all: bool,
    #[serde(default)]
    pub tag: Option<String>,
    #[serde(default)]
    pub document: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Purged {
    /// Entries removed on this replica. The other replicas follow within about a second.
    pub removed: usize,
}

/// Removes cached answers of the site on every replica.
#[utoipa::path(post, path = "/v1/admin/cache/purge", tag = "admin", request_body = Purge,
    responses((status = 200, body = Purged), (status = 403, body = Problem)), security(("bearer" = [])))]
#[post("/v1/admin/cache/purge")]
pub async fn purge_cache(
    app: web::Data<App>,
    caller: Caller,
    body: Body<Purge>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&OPERATORS)?;
    let site = &caller.principal.site_id;
    let cache = app.cache.as_ref();
    let (target, removed) = match (body.all, &body.tag, &body.document) {
        (true, None, None) => {
            ("all".to_owned(), cache.map_or(0, |c| c.purge_all(site, clock::now())))
        }
        (false, Some(tag), None) => {
            (format!("tag:{tag}"), cache.map_or(0, |c| c.purge_tag(site, tag, clock::now())))
        }
        (false, None, Some(document)) => (
            format!("document:{document}"),
            cache.map_or(0, |c| c.purge_document(site, document, clock::now())),
        ),
        _ => return Err(ApiError::field("all", "send exactly one of `all`, `tag` and `document`")),
    };
    audit(&app, &caller, "cache.purge", &target, json!({"removed": removed})).await?;
    Ok(HttpResponse::Ok().json(Purged { removed }))
}

/// A key without its secret.
#[derive(Serialize, ToSchema)]
pub struct KeyView {
    pub id: RecordId,
    pub name: String,
    pub prefix: String,
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Only in the response that creates the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl KeyView {
    fn new(stored: ApiKey, key: Option<String>) -> Self {
        let ApiKey { id, name, prefix, created_at, revoked_at, .. } = stored;
        Self { id, name, prefix, created_at, revoked_at, key }
    }
}

/// Lists the API keys of the shop's servers.
#[utoipa::path(get, path = "/v1/admin/keys", tag = "admin",
    responses((status = 200, body = Vec<KeyView>), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/admin/keys")]
pub async fn list_keys(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(&ADMINS)?;
    let keys = app.archive.api_keys(&caller.principal.site_id).await?;
    let keys: Vec<KeyView> = keys.into_iter().map(|key| KeyView::new(key, None)).collect();
    Ok(HttpResponse::Ok().json(keys))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// 1 to 100 characters.
    pub name: String,
}

/// Creates an API key.
///
/// Two can be active at a time, so one can replace the other without a gap.
#[utoipa::path(post, path = "/v1/admin/keys", tag = "admin", request_body = NewKey,
    responses((status = 201, body = KeyView), (status = 409, body = Problem)), security(("bearer" = [])))]
#[post("/v1/admin/keys")]
pub async fn create_key(
    app: web::Data<App>,
    caller: Caller,
    body: Body<NewKey>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&ADMINS)?;
    if !(1..=100).contains(&body.name.chars().count()) {
        return Err(ApiError::field("name", "must have 1 to 100 characters"));
    }
    let made = app.accounts.create_key(&caller.principal.site_id, &body.name).await?;
    let (stored, key) = made.ok_or_else(|| {
        ApiError::with_detail(ErrorCode::Conflict, "two keys are active; revoke one first")
    })?;
    let target = stored.id.to_string();
    audit(&app, &caller, "key.create", &target, json!({"name": stored.name})).await?;
    Ok(HttpResponse::Created().json(KeyView::new(stored, Some(key))))
}

/// Revokes an API key.
///
/// It stops working at once.
#[utoipa::path(delete, path = "/v1/admin/keys/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 204, description = "revoked"), (status = 404, body = Problem)), security(("bearer" = [])))]
#[delete("/v1/admin/keys/{id}")]
pub async fn revoke_key(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&ADMINS)?;
    let key: RecordId = id(&path)?;
    if !app.archive.revoke_api_key(&caller.principal.site_id, key, clock::now()).await? {
        return Err(ApiError::new(ErrorCode::NotFound));
    }
    audit(&app, &caller, "key.revoke", &path, json!({})).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Serialize, ToSchema)]
pub struct AuditView {
    pub id: RecordId,
    pub at: Timestamp,
    pub actor_id: PrincipalId,
    pub actor_role: Role,
    pub action: String,
    pub target: String,
    #[schema(value_type = Object)]
    pub detail: Value,
}

#[derive(Serialize, ToSchema)]
pub struct AuditPage {
    pub items: Vec<AuditView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Lists the changes of operators, newest first.
#[utoipa::path(get, path = "/v1/admin/audit", tag = "admin", params(PageQuery),
    responses((status = 200, body = AuditPage), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/admin/audit")]
pub async fn list_audit(
    app: web::Data<App>,
    caller: Caller,
    query: Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&ADMINS)?;
    let limit = query.limit()?;
    let before = query.cursor.as_deref().map(id).transpose()?;
    let mut found = app.archive.audit(&caller.principal.site_id, before, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found.last().filter(|_| more).map(|entry| entry.id.to_string());
    let view = |entry: AuditEntry| {
        let AuditEntry { id, at, actor_id, actor_role, action, target, detail, .. } = entry;
        AuditView { id, at, actor_id, actor_role, action, target, detail }
    };
    let items = found.into_iter().map(view).collect();
    Ok(HttpResponse::Ok().json(AuditPage { items, next_cursor }))
}

/// Shows the model servers: queue, slots, breakers.
#[utoipa::path(get, path = "/v1/admin/backends", tag = "admin",
    responses((status = 200, body = Option<PoolStatus>), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/admin/backends")]
pub async fn backends(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require_operator(&app)?;
    let status = match &app.pool {
        Some(pool) => pool.observe.send(crate::inference::Observe).await.ok(),
        None => None,
    };
    Ok(HttpResponse::Ok().json(status))
}
