//! What turns have at the moment.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{Problem, Role},
    http::{error::ApiError, extract::Caller, state::App},
    tools::{Missing, ToolStatus},
};

#[derive(Serialize, ToSchema)]
pub struct ToolList {
    pub items: Vec<ToolStatus>,
    /// Tools of MCP servers that the site allows and does not have now, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

/// Lists the tools of the site, with the state of the breakers of their targets on this replica.
#[utoipa::path(get, path = "/v1/tools", tag = "admin",
    responses((status = 200, body = ToolList), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/tools")]
pub async fn list_tools(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let toolbox = app.tools.of(&caller.principal.site_id);
    let (items, missing) = (toolbox.status(), toolbox.missing().to_vec());
    Ok(HttpResponse::Ok().json(ToolList { items, missing }))
}
