//! What the people of a shop write about a conversation for each other. Shoppers and models never
//! read it.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, get, put, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    error::ApiError,
    extract::{Body, Caller, IdempotencyKey, id},
    say::staff,
    state::App,
};
use crate::{
    archive::{ArchiveError, Note, Noted, RecordId},
    clock,
    domain::{ErrorCode, Problem, Role, SessionId, Staff, Timestamp, is_blank},
    session::messages::Attach,
};

/// Tags of one conversation, and characters of one.
const MOST_TAGS: usize = 20;
const LONGEST_TAG: usize = 40;
const STAFF: [Role; 2] = [Role::Agent, Role::Admin];

/// A note about a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteView {
    pub id: RecordId,
    pub text: String,
    pub author: Staff,
    pub created_at: Timestamp,
}

impl From<Note> for NoteView {
    fn from(note: Note) -> Self {
        let author = Staff { name: note.author_name };
        Self { id: note.id, text: note.text, author, created_at: note.created_at }
    }
}

/// A note as the answer to the request that wrote it.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotedView {
    pub note: NoteView,
    /// `noted`.
    pub status: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NotesView {
    /// The oldest first.
    pub notes: Vec<NoteView>,
    /// Sorted.
    pub tags: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tags {
    /// At most 20, of 1 to 40 characters each, without commas.
    pub tags: BTreeSet<String>,
}

/// Keeps a note, once for each key.
pub async fn note(
    app: &App,
    caller: &Caller,
    session: SessionId,
    key: &IdempotencyKey,
    text: &str,
) -> Result<HttpResponse, ApiError> {
    let author = staff(app, caller).await?;
    let meta = app.sessions.ask(session, || Attach { asker: caller.asker(), seen: 0 }).await?.meta;
    let note = Note {
        id: RecordId::new(),
        session_id: session,
        site_id: meta.site_id,
        author_id: caller.principal.id,
        author_name: author.name,
        idempotency_key: key.0.clone(),
        text: text.to_owned(),
        created_at: clock::now(),
    };
    let (note, replayed) = match app.archive.add_note(&note).await.map_err(erased)? {
        Noted::New => (note, false),
        Noted::Known(known) if known.text == text && known.author_id == note.author_id => {
            (known, true)
        }
        Noted::Known(_) => return Err(ApiError::new(ErrorCode::IdempotencyKeyReused)),
        Noted::Full => {
            let detail = "this conversation has as many notes as it may have";
            return Err(ApiError::field("text", detail));
        }
    };
    let mut response = if replayed { HttpResponse::Ok() } else { HttpResponse::Created() };
    if replayed {
        response.insert_header(("idempotency-replayed", "true"));
    }
    Ok(response.json(NotedView { note: note.into(), status: "noted" }))
}

fn erased(error: ArchiveError) -> ApiError {
    if matches!(error, ArchiveError::Conflict) {
        return ApiError::new(ErrorCode::NotFound);
    }
    error.into()
}

/// Shows the notes and the tags of a conversation.
#[utoipa::path(
    get, path = "/v1/desk/sessions/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = NotesView), (status = 403, body = Problem), (status = 404, body = Problem)),
    security(("bearer" = []))
)]
#[get("/v1/desk/sessions/{id}")]
pub async fn get_notes(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let session = of_site(&app, &caller, &path).await?;
    let notes = app.archive.notes_of(session).await?;
    let tags = app.archive.tags_of(session).await?;
    let notes = notes.into_iter().map(NoteView::from).collect();
    Ok(HttpResponse::Ok().json(NotesView { notes, tags }))
}

/// Replaces the tags of a conversation.
#[utoipa::path(
    put, path = "/v1/desk/sessions/{id}/tags", tag = "people", params(("id" = String, Path)),
    request_body = Tags,
    responses((status = 200, body = Tags), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = []))
)]
#[put("/v1/desk/sessions/{id}/tags")]
pub async fn set_tags(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
    body: Body<Tags>,
) -> Result<HttpResponse, ApiError> {
    let session = of_site(&app, &caller, &path).await?;
    let tags: BTreeSet<String> = body.0.tags.iter().map(|tag| tag.trim().to_owned()).collect();
    let is_tag = |tag: &String| {
        let length = tag.chars().count();
        let is_odd = |c: char| c == ',' || c.is_control();
        (1..=LONGEST_TAG).contains(&length) && !is_blank(tag) && !tag.contains(is_odd)
    };
    if tags.len() > MOST_TAGS || !tags.iter().all(is_tag) {
        let detail = format!(
            "may be at most {MOST_TAGS}, of 1 to {LONGEST_TAG} characters, without commas and control characters"
        );
        return Err(ApiError::field("tags", detail));
    }
    let wanted: Vec<String> = tags.iter().cloned().collect();
    app.archive.set_tags(session, &wanted).await.map_err(erased)?;
    Ok(HttpResponse::Ok().json(Tags { tags }))
}

/// A session of the caller's site; any other one does not exist.
async fn of_site(app: &App, caller: &Caller, path: &str) -> Result<SessionId, ApiError> {
    caller.require(&STAFF)?;
    let session: SessionId = id(path)?;
    app.sessions.ask(session, || Attach { asker: caller.asker(), seen: 0 }).await?;
    Ok(session)
}
