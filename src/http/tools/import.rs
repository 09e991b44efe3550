//! Operations of an OpenAPI document as declarations of tools.

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::write::keep;
use crate::{
    archive::{Json, SiteTool},
    clock,
    config::{read_tool, written_tool},
    domain::{FieldError, Problem, Role},
    http::{
        admin::audit,
        error::ApiError,
        extract::{Body, Caller},
        state::App,
    },
    tools::openapi,
};

const MOST: usize = 32;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportTools {
    /// A document of OpenAPI 3.0 or 3.1.
    #[schema(value_type = Object)]
    pub openapi: Value,
    /// 1 to 32, each the `operationId` of an operation.
    pub operations: Vec<String>,
    /// Base address in place of that of the document.
    #[serde(default)]
    pub server: Option<String>,
    /// Whether the declarations are stored as tools that are not enabled.
    #[serde(default)]
    pub store: bool,
}

/// A declaration to review.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedTool {
    pub name: String,
    /// For `PUT /v1/admin/tools/{name}`.
    #[schema(value_type = Object)]
    pub declaration: Value,
    /// Headers and cookies of the operation, which no argument can be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// What has to be decided before the tool can be enabled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// False if it was not asked for, or if there is a tool of this name, which stays as it is.
    pub stored: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedTools {
    pub items: Vec<ImportedTool>,
}

/// Reads operations of an OpenAPI document as declarations of tools, and stores them if that is
/// asked for. A tool that is stored is not enabled.
#[utoipa::path(post, path = "/v1/admin/tools/import", tag = "admin", request_body = ImportTools,
    responses(
        (status = 200, body = ImportedTools), (status = 403, body = Problem),
        (status = 409, description = "`conflict`: the site has 64 tools", body = Problem), (status = 422, body = Problem)),
    security(("bearer" = [])))]
#[post("/v1/admin/tools/import")]
pub async fn import_tools(
    app: web::Data<App>,
    caller: Caller,
    body: Body<ImportTools>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let ImportTools { openapi, operations, server, store } = body.0;
    if !(1..=MOST).contains(&operations.len()) {
        return Err(fault("operations", &format!("must have 1 to {MOST} items")));
    }
    let drafts = openapi::drafts(&openapi, &operations, server.as_deref());
    let drafts = drafts.map_err(|error| fault("openapi", &error.to_string()))?;
    let mut items = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let openapi::Draft { name, declaration, left_out } = draft;
        let mut named = declaration.clone();
        named["name"] = name.as_str().into();
        let stored = store && store_draft(&app, &caller, &name, &declaration, &named).await?;
        let faults = written_tool(&named).err().unwrap_or_default();
        items.push(ImportedTool { name, declaration, left_out, faults, stored });
    }
    Ok(HttpResponse::Ok().json(ImportedTools { items }))
}

async fn store_draft(
    app: &App,
    caller: &Caller,
    name: &str,
    declaration: &Value,
    named: &Value,
) -> Result<bool, ApiError> {
    let site = &caller.principal.site_id;
    let is_known =
        app.tools.is_configured(site, name) || app.archive.site_tool(site, name).await?.is_some();
    if is_known || read_tool(named).is_err() {
        return Ok(false);
    }
    let row = SiteTool {
        site_id: site.clone(),
        name: name.to_owned(),
        enabled: false,
        declaration: Some(Json(declaration.clone())),
        changed_by: caller.principal.id,
        changed_at: clock::now(),
    };
    keep(app, &row).await?;
    audit(app, caller, "tools.import", name, json!({})).await?;
    Ok(true)
}

fn fault(field: &str, detail: &str) -> ApiError {
    ApiError::fields(vec![FieldError { field: field.to_owned(), detail: detail.to_owned() }])
}
