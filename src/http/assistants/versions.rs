//! Writing, listing, activating and rolling back.

use actix_web::{HttpResponse, get, http::StatusCode, post, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    archive::AssistantVersion,
    assistant::document::Document,
    clock,
    domain::{ErrorCode, FieldError, PrincipalId, Problem, Role, Timestamp},
    http::{
        admin::audit,
        error::ApiError,
        extract::{Body, Caller},
        state::App,
    },
    turn::muster,
};

/// Versions in a list.
const LISTED: u32 = 50;
const NOTE_CHARS: usize = 500;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAssistants {
    pub document: Document,
    /// Why it was written, for colleagues; at most 500 characters.
    #[serde(default)]
    pub note: String,
}

/// A version of the assistants of a site.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionView {
    /// From 1; 0 is what the configuration says.
    pub version: u64,
    pub active: bool,
    pub note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<PrincipalId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Only if one version is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<serde_json::Value>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Versions {
    /// The version that answers; 0 is what the configuration says.
    pub active: u64,
    /// The newest 50, the newest first.
    pub items: Vec<VersionView>,
}

impl VersionView {
    fn of(row: AssistantVersion, active: u64) -> Self {
        let AssistantVersion { version, note, created_by, created_at, .. } = row;
        Self {
            version: version.0,
            active: version.0 == active,
            note,
            created_by: Some(created_by),
            created_at: Some(created_at),
            document: None,
        }
    }
}

/// Lists the versions of the site's assistants.
#[utoipa::path(get, path = "/v1/admin/assistants", tag = "admin",
    responses((status = 200, body = Versions), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/admin/assistants")]
pub async fn list_assistants(
    app: web::Data<App>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let site = &caller.principal.site_id;
    let active = app.archive.active_version(site).await?;
    let rows = app.archive.assistants(site, LISTED).await?;
    let items = rows.into_iter().map(|row| VersionView::of(row, active)).collect();
    Ok(HttpResponse::Ok().json(Versions { active, items }))
}

/// Writes a draft: a new version, which answers nobody before it is activated.
#[utoipa::path(post, path = "/v1/admin/assistants", tag = "admin", request_body = NewAssistants,
    responses((status = 201, body = VersionView), (status = 403, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = [])))]
#[post("/v1/admin/assistants")]
pub async fn draft_assistants(
    app: web::Data<App>,
    caller: Caller,
    body: Body<NewAssistants>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let NewAssistants { document, note } = body.0;
    let mut faults: Vec<FieldError> = document.faults().into_iter().map(field_error).collect();
    if note.chars().count() > NOTE_CHARS {
        faults.push(field_error(format!("note: may have at most {NOTE_CHARS} characters")));
    }
    if !faults.is_empty() {
        return Err(ApiError::fields(faults));
    }
    let (site, by) = (&caller.principal.site_id, caller.principal.id);
    let now = clock::now();
    // Plain data with text keys, so this never fails.
    let value = serde_json::to_value(&document).unwrap_or_default();
    let version = app.archive.add_assistants(site, &value, &note, by, now).await?;
    audit(&app, &caller, "assistants.draft", &version.to_string(), json!({})).await?;
    let view = VersionView {
        version,
        active: false,
        note,
        created_by: Some(by),
        created_at: Some(now),
        document: Some(value),
    };
    let address = format!("/v1/admin/assistants/{version}");
    Ok(HttpResponse::Created().insert_header(("location", address)).json(view))
}

/// Shows one version, with what it says.
#[utoipa::path(get, path = "/v1/admin/assistants/{version}", tag = "admin", params(("version" = u64, Path)),
    responses((status = 200, body = VersionView), (status = 404, body = Problem)), security(("bearer" = [])))]
#[get("/v1/admin/assistants/{version}")]
pub async fn get_assistants(
    app: web::Data<App>,
    caller: Caller,
    version: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let row = version_of(&app, &caller, &version).await?;
    let active = app.archive.active_version(&caller.principal.site_id).await?;
    let document = Some(row.document.0.clone());
    Ok(HttpResponse::Ok().json(VersionView { document, ..VersionView::of(row, active) }))
}

/// Makes a version the one that answers: here at once, on other replicas within two seconds.
/// Version 0 is what the configuration says.
#[utoipa::path(post, path = "/v1/admin/assistants/{version}/activate", tag = "admin",
    params(("version" = u64, Path)),
    responses((status = 200, body = Activated), (status = 404, body = Problem)), security(("bearer" = [])))]
#[post("/v1/admin/assistants/{version}/activate")]
pub async fn activate_assistants(
    app: web::Data<App>,
    caller: Caller,
    version: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let number = number(&version)?;
    let site = &caller.principal.site_id;
    if !app.archive.activate_assistants(site, number, clock::now()).await? {
        return Err(ApiError::new(ErrorCode::NotFound));
    }
    took_over(&app, &caller, "assistants.activate", number).await
}

/// Goes back to the version that the active one took the place of.
#[utoipa::path(post, path = "/v1/admin/assistants/rollback", tag = "admin",
    responses(
        (status = 200, body = Activated), (status = 403, body = Problem),
        (status = 409, description = "`conflict`: the configuration's assistants answer already", body = Problem)),
    security(("bearer" = [])))]
#[post("/v1/admin/assistants/rollback")]
pub async fn roll_back_assistants(
    app: web::Data<App>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let site = &caller.principal.site_id;
    let version = app.archive.roll_back_assistants(site, clock::now()).await?;
    let nothing = "the assistants of the configuration answer already";
    let version = version.ok_or_else(|| ApiError::with_detail(ErrorCode::Conflict, nothing))?;
    took_over(&app, &caller, "assistants.roll_back", version).await
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Activated {
    /// The version that answers now; 0 is what the configuration says.
    pub active: u64,
}

async fn took_over(
    app: &App,
    caller: &Caller,
    action: &str,
    active: u64,
) -> Result<HttpResponse, ApiError> {
    muster::follow(&app.ports, &app.archive).await?;
    audit(app, caller, action, &active.to_string(), json!({})).await?;
    Ok(HttpResponse::build(StatusCode::OK).json(Activated { active }))
}

pub async fn version_of(
    app: &App,
    caller: &Caller,
    version: &str,
) -> Result<AssistantVersion, ApiError> {
    let row = app.archive.assistants_of(&caller.principal.site_id, number(version)?).await?;
    row.ok_or_else(|| ApiError::new(ErrorCode::NotFound))
}

fn number(version: &str) -> Result<u64, ApiError> {
    version.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))
}

/// `fault` is a path, a colon and what is wrong.
fn field_error(fault: String) -> FieldError {
    match fault.split_once(": ") {
        Some((field, detail)) => FieldError { field: field.into(), detail: detail.into() },
        None => FieldError { field: "document".into(), detail: fault },
    }
}
