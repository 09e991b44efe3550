//! Writing, changing and deleting tools of the own site.

use actix_web::{HttpResponse, delete, get, put, web};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    archive::{Json, MOST_TOOLS, SiteTool},
    clock,
    config::{read_tool, written_tool},
    domain::{ErrorCode, FieldError, PrincipalId, Problem, Role, Timestamp},
    http::{
        admin::audit,
        error::ApiError,
        extract::{Body, Caller},
        state::App,
    },
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutTool {
    /// A tool that is not enabled does not exist for turns, and may be incomplete.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The keys of `[[sites.tools]]` without `name` and `enabled`; left out for a tool of the
    /// configuration. A header whose value is null keeps the value that it has.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub declaration: Option<Value>,
}

const fn yes() -> bool {
    true
}

/// A tool that an admin wrote, or a tool of the configuration that one switched off or on.
#[derive(Debug, Serialize, ToSchema)]
pub struct WrittenTool {
    pub name: String,
    pub enabled: bool,
    /// Values of headers are null: they are never sent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub declaration: Option<Value>,
    pub changed_by: PrincipalId,
    pub changed_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct WrittenTools {
    pub items: Vec<WrittenTool>,
}

impl WrittenTool {
    fn of(row: SiteTool) -> Self {
        let declaration = row.declaration.map(|Json(mut declaration)| {
            if let Some(headers) = headers_of(&mut declaration) {
                headers.values_mut().for_each(|value| *value = Value::Null);
            }
            declaration
        });
        let SiteTool { name, enabled, changed_by, changed_at, .. } = row;
        Self { name, enabled, declaration, changed_by, changed_at }
    }
}

/// Lists what admins wrote for the tools of the site, by name.
#[utoipa::path(get, path = "/v1/admin/tools", tag = "admin",
    responses((status = 200, body = WrittenTools), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/admin/tools")]
pub async fn list_written(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let rows = app.archive.site_tools().await?.into_iter();
    let own = rows.filter(|row| row.site_id == caller.principal.site_id);
    Ok(HttpResponse::Ok().json(WrittenTools { items: own.map(WrittenTool::of).collect() }))
}

/// Writes a tool of the site, or switches a tool of the configuration off or on. It holds here at
/// once, on other replicas within two seconds.
#[utoipa::path(put, path = "/v1/admin/tools/{name}", tag = "admin", params(("name" = String, Path)),
    request_body = PutTool,
    responses(
        (status = 200, body = WrittenTool), (status = 403, body = Problem),
        (status = 409, description = "`conflict`: the configuration declares this tool, or the site has 64 tools", body = Problem),
        (status = 422, body = Problem)),
    security(("bearer" = [])))]
#[put("/v1/admin/tools/{name}")]
pub async fn put_tool(
    app: web::Data<App>,
    caller: Caller,
    name: web::Path<String>,
    body: Body<PutTool>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let (site, name) = (caller.principal.site_id.clone(), name.into_inner());
    let PutTool { enabled, declaration } = body.0;
    let declaration = match (app.tools.is_configured(&site, &name), declaration) {
        (true, None) => None,
        (true, Some(_)) => {
            return Err(conflict(
                "the configuration declares this tool: it can only be enabled or disabled",
            ));
        }
        (false, None) => {
            let fault = "must say what the tool is: only a tool of the configuration has none";
            return Err(ApiError::fields(vec![field("declaration", fault)]));
        }
        (false, Some(declaration)) => {
            let kept = app.archive.site_tool(&site, &name).await?;
            let kept = kept.and_then(|row| row.declaration).map(|Json(kept)| kept);
            let declaration = whole(&name, declaration, kept, enabled)?;
            for key in ["url", "outcome_url"] {
                let address = declaration[key].as_str().unwrap_or_default();
                if let Some(why) = app.config.tools.out_of_reach(address) {
                    let fault = format!("{why}, which the operator has not allowed");
                    let key = format!("declaration.{key}");
                    return Err(ApiError::fields(vec![field(&key, &fault)]));
                }
            }
            Some(declaration)
        }
    };
    let row = SiteTool {
        site_id: site,
        name,
        enabled,
        declaration: declaration.map(Json),
        changed_by: caller.principal.id,
        changed_at: clock::now(),
    };
    keep(&app, &row).await?;
    app.tools.follow(&app.archive).await?;
    audit(&app, &caller, "tools.put", &row.name, json!({ "enabled": enabled })).await?;
    Ok(HttpResponse::Ok().json(WrittenTool::of(row)))
}

/// Deletes what admins wrote under a name. A tool of the configuration is there again.
#[utoipa::path(delete, path = "/v1/admin/tools/{name}", tag = "admin", params(("name" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)), security(("bearer" = [])))]
#[delete("/v1/admin/tools/{name}")]
pub async fn delete_tool(
    app: web::Data<App>,
    caller: Caller,
    name: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    if !app.archive.delete_site_tool(&caller.principal.site_id, &name).await? {
        return Err(ApiError::new(ErrorCode::NotFound));
    }
    app.tools.follow(&app.archive).await?;
    audit(&app, &caller, "tools.delete", &name, json!({})).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// # Errors
/// If the site has too many already.
pub async fn keep(app: &App, row: &SiteTool) -> Result<(), ApiError> {
    match app.archive.put_site_tool(row).await? {
        true => Ok(()),
        false => Err(conflict(&format!("a site may have at most {MOST_TOOLS} tools written here"))),
    }
}

/// The declaration as it is stored. Secrets are those that it has, or those that are kept.
fn whole(
    name: &str,
    mut declaration: Value,
    kept: Option<Value>,
    enabled: bool,
) -> Result<Value, ApiError> {
    let Some(keys) = declaration.as_object_mut() else {
        return Err(ApiError::fields(vec![field("declaration", "must be an object")]));
    };
    if let Some(key) = ["name", "enabled"].into_iter().find(|key| keys.contains_key(*key)) {
        let fault = format!("`{key}` stands outside of the declaration");
        return Err(ApiError::fields(vec![field("declaration", &fault)]));
    }
    keys.insert("name".to_owned(), name.into());
    restore(&mut declaration, kept)?;
    let read = if enabled { written_tool(&declaration) } else { read_tool(&declaration) };
    read.map_err(|faults| ApiError::fields(faults.into_iter().map(field_error).collect()))?;
    if let Some(keys) = declaration.as_object_mut() {
        keys.remove("name");
    }
    Ok(declaration)
}

/// Fills in the headers whose values are kept: for the same schemes, hosts and ports only, since
/// a key must not go where it was not given for.
fn restore(declaration: &mut Value, kept: Option<Value>) -> Result<(), ApiError> {
    let origins = |declaration: &Value| {
        ["url", "outcome_url"].map(|key| {
            let url = Url::parse(declaration[key].as_str().unwrap_or_default()).ok();
            url.map(|url| url.origin().ascii_serialization())
        })
    };
    let mut kept = kept.filter(|kept| origins(kept) == origins(declaration));
    let mut known = kept.as_mut().and_then(headers_of);
    let mut faults = Vec::new();
    for (name, value) in headers_of(declaration).into_iter().flatten() {
        if value.is_null() {
            match known.as_mut().and_then(|known| known.remove(name)) {
                Some(known) => *value = known,
                None => faults.push(field(
                    &format!("headers.{name}"),
                    "has no value that is kept for this address",
                )),
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ApiError::fields(faults)) }
}

fn headers_of(declaration: &mut Value) -> Option<&mut serde_json::Map<String, Value>> {
    declaration.get_mut("headers")?.as_object_mut()
}

fn conflict(detail: &str) -> ApiError {
    ApiError::with_detail(ErrorCode::Conflict, detail)
}

fn field(field: &str, detail: &str) -> FieldError {
    FieldError { field: field.to_owned(), detail: detail.to_owned() }
}

/// `fault` is a key, a colon and what is wrong.
fn field_error(fault: String) -> FieldError {
    match fault.split_once(": ") {
        Some((key, detail)) => field(&format!("declaration.{key}"), detail),
        None => field("declaration", &fault),
    }
}
