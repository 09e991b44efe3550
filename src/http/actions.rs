//! A shopper's yes or no to a change that was proposed. Each is a turn of its own.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    error::ApiError,
    extract::{Body, Caller, id},
    sender::Sender,
    state::App,
    turns::{self, TurnView},
};
use crate::{
    domain::{ActionId, Decision, ErrorCode, Problem, Role},
    limits::Quota,
    session::messages::{Asked, StartTurn, Started, Wish},
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Of the proposal that was shown.
    pub hash: String,
}

/// Confirms a change, which is then made.
///
/// A turn: its message says what was confirmed, its answer what became of it. Idempotent: the same
/// again is the same turn. Accepts and answers what sending a message does.
#[utoipa::path(
    post, path = "/v1/actions/{id}/confirm", tag = "messages", params(("id" = String, Path)),
    request_body = Confirmation,
    responses(
        (status = 200, description = "the whole turn, or its stream", body = TurnView),
        (status = 202, description = "the turn runs", body = TurnView),
        (status = 404, body = Problem),
        (status = 409, description = "`effect_changed`: the hash is not that of the proposal; `identity_required`: \
            only a signed-in customer may confirm it; `conflict`: it was declined; `turn_active`", body = Problem),
    ),
    security(("bearer" = []))
)]
#[post("/v1/actions/{id}/confirm")]
pub async fn confirm_action(
    app: web::Data<App>,
    caller: Caller,
    sender: Sender,
    path: web::Path<String>,
    request: HttpRequest,
    body: Body<Confirmation>,
) -> Result<HttpResponse, ApiError> {
    let (action, hash) = (id(&path)?, Some(body.hash.clone()));
    let wish = Wish { action, decision: Decision::Confirmed, hash };
    let (started, quota) = decide(&app, &caller, sender, wish).await?;
    turns::answer(&app, &caller, &request, started, quota.as_ref()).await
}

/// Declines a change, which is then not made.
///
/// A turn, as a confirmation is.
#[utoipa::path(
    post, path = "/v1/actions/{id}/decline", tag = "messages", params(("id" = String, Path)),
    responses(
        (status = 200, description = "the whole turn, or its stream", body = TurnView),
        (status = 404, body = Problem),
        (status = 409, description = "`conflict`: it was confirmed; `turn_active`", body = Problem),
    ),
    security(("bearer" = []))
)]
#[post("/v1/actions/{id}/decline")]
pub async fn decline_action(
    app: web::Data<App>,
    caller: Caller,
    sender: Sender,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let wish = Wish { action: id(&path)?, decision: Decision::Declined, hash: None };
    let (started, quota) = decide(&app, &caller, sender, wish).await?;
    turns::answer(&app, &caller, &request, started, quota.as_ref()).await
}

/// Begins the turn of a decision, for REST and sockets. It costs quota like a message.
pub async fn decide(
    app: &App,
    caller: &Caller,
    sender: Sender,
    wish: Wish,
) -> Result<(Started, Option<Quota>), ApiError> {
    caller.require(&[Role::Visitor, Role::Customer, Role::Server])?;
    let action = app.archive.action(wish.action).await?;
    let action = action.filter(|action| action.owner_id == caller.principal.id);
    let session = action.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?.session_id;
    turns::begin(app, caller, sender, session, |asked: Asked, customer| StartTurn {
        asker: caller.asker(),
        customer,
        text: String::new(),
        client_message_id: None,
        // No client can send a key with a blank in it.
        idempotency_key: key(wish.action),
        body_hash: wish.decision.as_str().to_owned(),
        asked,
        wish: Some(wish.clone()),
    })
    .await
}

fn key(action: ActionId) -> String {
    format!("action {action}")
}
