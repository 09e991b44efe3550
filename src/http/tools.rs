//! For admins: the tools of the site.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{error::ApiError, extract::Caller, state::App};
use crate::{
    domain::{Problem, Role},
    tools::ToolStatus,
};

#[derive(Serialize, ToSchema)]
pub struct ToolList {
    pub items: Vec<ToolStatus>,
}

/// Lists the tools of the site, with the state of the breakers of their targets on this replica.
#[utoipa::path(get, path = "/v1/tools", tag = "admin",
    responses((status = 200, body = ToolList), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/tools")]
pub async fn list_tools(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let items = app.tools.of(&caller.principal.site_id).status();
    Ok(HttpResponse::Ok().json(ToolList { items }))
}
