//! For admins and the shop's server: links for new passwords.

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    admin::audit,
    error::ApiError,
    extract::{Body, Caller},
    state::App,
};
use crate::{
    accounts::Reset,
    domain::{Problem, Role, Timestamp},
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReset {
    /// The address of an account of the site.
    pub email: String,
}

#[derive(Serialize, ToSchema)]
pub struct ResetView {
    /// For `POST /v1/auth/reset`. Shown once; works once.
    pub reset_token: String,
    pub expires_at: Timestamp,
    /// The same for a person: a page that asks for the new password.
    pub link: String,
}

/// Makes a one-time link with which a person sets a new password.
///
/// Nothing is sent by mail: whoever asked gives the link to the person. An earlier link of the
/// account ends. The shop's server makes links for customers only.
#[utoipa::path(post, path = "/v1/admin/users/reset", tag = "admin", request_body = NewReset,
    responses((status = 201, body = ResetView), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = [])))]
#[post("/v1/admin/users/reset")]
pub async fn create_reset(
    app: web::Data<App>,
    caller: Caller,
    body: Body<NewReset>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin, Role::Server])?;
    // A stolen key of the server must not become an admin.
    let roles: &[Role] = match caller.principal.role {
        Role::Admin => &[Role::Customer, Role::Agent, Role::Admin],
        Role::Visitor | Role::Customer | Role::Agent | Role::Server => &[Role::Customer],
    };
    let site = &caller.principal.site_id;
    let reset = app.accounts.create_reset(site, &body.email, roles).await?;
    audit(&app, &caller, "user.reset", &reset.user.to_string(), json!({})).await?;
    let Reset { token: reset_token, link, expires_at, .. } = reset;
    Ok(HttpResponse::Created().json(ResetView { reset_token, expires_at, link }))
}
