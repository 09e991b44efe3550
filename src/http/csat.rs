//! What shoppers think of the help that they had.

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    error::ApiError,
    extract::{Body, Caller, count_command, id},
    sender::Sender,
    state::App,
};
use crate::{
    domain::{ErrorCode, Problem, Role, SessionId},
    session::messages::{Act, Attach, Control, Key, SessionError},
    supervisor::door::AskError,
};

/// Longest comment, in characters.
const LONGEST: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Csat {
    /// 1 to 5, and 5 is best.
    pub score: u8,
    /// At most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Rates the help of a person, or the late answer to a ticket.
///
/// For the shopper, after a handoff that somebody took has ended or a ticket was answered: the newest
/// of them is rated, once. It is a fact of the session, `session.rated`.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/csat", tag = "people", params(("id" = String, Path)),
    request_body = Csat,
    responses(
        (status = 201, body = Csat), (status = 200, description = "it was rated like this before", body = Csat),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "`conflict`: there was no help yet, or it was rated otherwise; `turn_active`: come again after the answer", body = Problem),
        (status = 422, body = Problem),
    ),
    security(("bearer" = []))
)]
#[post("/v1/sessions/{id}/csat")]
pub async fn rate_session(
    app: web::Data<App>,
    caller: Caller,
    sender: Sender,
    path: web::Path<String>,
    body: Body<Csat>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Visitor, Role::Customer])?;
    let session: SessionId = id(&path)?;
    let Csat { score, comment } = body.0;
    if !(1..=5).contains(&score) {
        return Err(ApiError::field("score", "must be between 1 and 5"));
    }
    let comment = comment.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if comment.as_ref().is_some_and(|text| text.chars().count() > LONGEST || text.contains('\0')) {
        let detail = format!("may have at most {LONGEST} characters, and no NUL");
        return Err(ApiError::field("comment", detail));
    }
    count_command(&app, &caller, sender).await?;
    app.sessions.ask(session, || Attach { asker: caller.asker(), seen: 0 }).await?;
    let refused = |detail: &str| ApiError::with_detail(ErrorCode::Conflict, detail);
    let of = app.archive.last_help(session).await?;
    let of = of.ok_or_else(|| refused("there was no help that could be rated"))?;
    let body_hash = format!("{score} {}", comment.as_deref().unwrap_or_default());
    let command = || Control {
        asker: Some(caller.asker()),
        // No client can send a key with a blank in it.
        key: Some(Key { key: format!("csat {of}"), body_hash: hash(&body_hash) }),
        act: Act::Rate { of, score, comment: comment.clone() },
    };
    let controlled = match app.sessions.ask(session, command).await {
        Err(AskError::Session(SessionError::KeyReused)) => {
            return Err(refused("this was rated before"));
        }
        asked => asked?,
    };
    let mut response =
        if controlled.replayed { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(response.json(Csat { score, comment }))
}

fn hash(text: &str) -> String {
    hex::encode(<sha2::Sha256 as sha2::Digest>::digest(text))
}
