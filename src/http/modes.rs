//! The service level, which an operator can pin for the whole deployment.

use actix_web::{HttpResponse, get, put, web};
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
    brownout::{Brownout, Pin},
    clock,
    domain::{Problem, ServiceLevel},
};

#[derive(Serialize, ToSchema)]
pub struct Modes {
    /// The level that an operator pinned; `null` if it follows the load.
    pub service_level: Option<ServiceLevel>,
    /// The level of new turns on this replica.
    pub in_force: ServiceLevel,
    /// The level that the load of this replica would give.
    pub automatic: ServiceLevel,
}

impl Modes {
    fn of(brownout: &Brownout) -> Self {
        let service = brownout.service();
        Self {
            service_level: service.pinned.then_some(service.level),
            in_force: service.level,
            automatic: brownout.automatic(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewModes {
    /// 0 (full service) to 4 (no model; what cache and knowledge cannot answer becomes a ticket),
    /// or `null` to follow the load again.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub service_level: Option<ServiceLevel>,
}

/// Shows the service level.
#[utoipa::path(get, path = "/v1/admin/modes", tag = "admin",
    responses((status = 200, body = Modes), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/admin/modes")]
pub async fn modes(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require_operator(&app)?;
    Ok(HttpResponse::Ok().json(Modes::of(&app.ports.brownout)))
}

/// Pins the service level until it is set again: here at once, on other replicas within two
/// seconds.
#[utoipa::path(put, path = "/v1/admin/modes", tag = "admin", request_body = NewModes,
    responses((status = 200, body = Modes), (status = 403, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = [])))]
#[put("/v1/admin/modes")]
pub async fn set_modes(
    app: web::Data<App>,
    caller: Caller,
    body: Body<NewModes>,
) -> Result<HttpResponse, ApiError> {
    caller.require_operator(&app)?;
    let level = body.service_level;
    if level.is_some_and(|level| level > ServiceLevel::TICKET) {
        return Err(ApiError::field("service_level", "must be 0 to 4, or null"));
    }
    let at = app.archive.set_mode(Pin::MODE, &json!(level), clock::now()).await?;
    app.ports.brownout.pin(Pin { level, at });
    audit(&app, &caller, "modes.set", Pin::MODE, json!({ "service_level": level })).await?;
    Ok(HttpResponse::Ok().json(Modes::of(&app.ports.brownout)))
}
