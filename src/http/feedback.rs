//! Rating an answer.

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    error::ApiError,
    extract::{Body, Reader, id},
    sender::Sender,
    state::App,
};
use crate::{
    archive::Feedback,
    cache::{self, Witness},
    clock,
    domain::{
        AddressBlock, ErrorCode, Fact, MessageId, Principal, Problem, Rating, Role, SessionId,
    },
    session::messages::Attach,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRating {
    pub rating: Rating,
    /// At most 2,000 characters.
    #[serde(default)]
    pub comment: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RatingView {
    pub message_id: MessageId,
    pub rating: Rating,
}

/// Rates an answer; the last rating counts.
///
/// `down` of a shopper lowers the trust in a cached answer: they do not get it again, and after
/// several shoppers it leaves the cache of every replica. `down` of the shop's staff removes it at
/// once.
#[utoipa::path(post, path = "/v1/messages/{id}/feedback", tag = "messages", params(("id" = String, Path)),
    request_body = NewRating,
    responses((status = 200, body = RatingView), (status = 404, body = Problem)), security(("bearer" = [])))]
#[post("/v1/messages/{id}/feedback")]
pub async fn feedback(
    app: web::Data<App>,
    Reader(caller): Reader,
    sender: Sender,
    path: web::Path<String>,
    body: Body<NewRating>,
) -> Result<HttpResponse, ApiError> {
    let message_id: MessageId = id(&path)?;
    let NewRating { rating, comment } = body.0;
    if comment.as_ref().is_some_and(|text| text.chars().count() > 2_000) {
        return Err(ApiError::field("comment", "may have at most 2000 characters"));
    }
    let session = app.archive.message_session(message_id).await?;
    let session = session.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    let ask = || Attach { asker: caller.asker(), seen: 0 };
    app.sessions.ask(session, ask).await?;
    let now = clock::now();
    app.archive
        .put_feedback(&Feedback {
            message_id,
            session_id: session,
            site_id: caller.principal.site_id.clone(),
            principal_id: caller.principal.id,
            rating,
            comment,
            created_at: now,
            updated_at: now,
        })
        .await?;
    if rating == Rating::Down {
        let from = sender.of_caller(&caller.principal);
        app.doubt(&caller.principal, from, session, message_id).await?;
    }
    Ok(HttpResponse::Ok().json(RatingView { message_id, rating }))
}

impl App {
    /// Lowers the trust in the cached answer that the rated one came from, or else in the one that
    /// it was stored as.
    async fn doubt(
        &self,
        by: &Principal,
        from: Option<AddressBlock>,
        session: SessionId,
        rated: MessageId,
    ) -> Result<(), ApiError> {
        let Some(cache) = &self.cache else { return Ok(()) };
        let mut after = 0;
        loop {
            let events = self.journal.events(session, after, 256).await?;
            let Some(last) = events.last() else { return Ok(()) };
            after = last.seq;
            let answer = events.iter().find_map(|event| {
                let Fact::AnswerCompleted(answer) = &event.fact else { return None };
                (answer.message_id == rated).then_some(answer.cache)
            });
            if let Some(served) = answer {
                if let Some(info) = served {
                    cache::metrics::wrong(info.tier);
                }
                let entry = served.and_then(|info| info.entry).unwrap_or(rated);
                match by.role {
                    Role::Agent | Role::Admin => cache.distrust(entry, clock::now()),
                    Role::Visitor | Role::Customer | Role::Server => {
                        cache.doubt(entry, Witness::new(by.id, from), clock::now());
                    }
                }
                return Ok(());
            }
        }
    }
}
