//! A message of somebody of the shop who has control of a session.

use actix_web::HttpResponse;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{
    error::ApiError,
    extract::{Caller, IdempotencyKey},
    state::App,
};
use crate::{
    domain::{ErrorCode, Message, SessionId, Staff},
    session::{
        history,
        messages::{Act, Control, Controlled, Key},
    },
};

/// A message of an agent as JSON.
#[derive(Debug, Serialize, ToSchema)]
pub struct SaidView {
    pub message: Message,
    pub seq: u64,
    /// `sent`.
    pub status: &'static str,
}

/// What an agent says.
pub struct Words<'a> {
    pub text: &'a str,
    pub client_message_id: Option<&'a str>,
    pub last_seen_seq: u64,
}

impl Words<'_> {
    /// What the message means. What its sender had read is no part of it.
    fn hash(&self, caller: &Caller) -> String {
        let mut hasher = Sha256::new();
        let by = caller.principal.id.to_string();
        for part in [&*by, self.text, self.client_message_id.unwrap_or_default()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hex::encode(hasher.finalize())
    }
}

/// The caller, as shoppers see them.
///
/// # Errors
/// 403 if the account is no account of the site's staff any more.
pub async fn staff(app: &App, caller: &Caller) -> Result<Staff, ApiError> {
    let who = &caller.principal;
    let staff = app.ports.desk.staff(&who.site_id, who.id).await?;
    staff.ok_or_else(|| ApiError::new(ErrorCode::Forbidden))
}

/// Says something for the shop, once for each key.
pub async fn say(
    app: &App,
    caller: &Caller,
    session: SessionId,
    key: &IdempotencyKey,
    words: &Words<'_>,
) -> Result<HttpResponse, ApiError> {
    let agent = staff(app, caller).await?;
    app.ports.desk.heard_of(&caller.principal.site_id, caller.principal.id).await?;
    let body_hash = words.hash(caller);
    let command = || Control {
        asker: Some(caller.asker()),
        key: Some(Key { key: key.0.clone(), body_hash: body_hash.clone() }),
        act: Act::Say {
            text: words.text.to_owned(),
            client_message_id: words.client_message_id.map(str::to_owned),
            last_seen_seq: words.last_seen_seq,
            agent: agent.clone(),
        },
    };
    let Controlled { said, replayed, .. } = app.sessions.ask(session, command).await?;
    let shown = said.and_then(|event| history::messages(&[(*event).clone()], None).pop());
    let message = shown.ok_or_else(|| ApiError::new(ErrorCode::Internal))?;
    let mut response = if replayed { HttpResponse::Ok() } else { HttpResponse::Created() };
    if replayed {
        response.insert_header(("idempotency-replayed", "true"));
    }
    let seq = message.seq;
    Ok(response.json(SaidView { message, seq, status: "sent" }))
}
