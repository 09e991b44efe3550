//! What the people of a shop write about a conversation for each other: notes and tags. No shopper
//! sees them, and no model.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    column::RecordId,
    error::{ArchiveError, conflict},
    handle::Archive,
    query::{read, transact},
    schema::{erased_sessions, notes, tags},
};
use crate::domain::{PrincipalId, SessionId, SiteId, Timestamp};

/// Notes of one conversation.
const MOST_NOTES: u32 = 200;

#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = notes, treat_none_as_default_value = false)]
pub struct Note {
    pub id: RecordId,
    pub session_id: SessionId,
    pub site_id: SiteId,
    pub author_id: PrincipalId,
    pub author_name: Option<String>,
    /// With which it was written once.
    pub idempotency_key: String,
    pub text: String,
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Note({}, [{} chars])", self.id.0, self.text.chars().count())
    }
}

#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = tags)]
struct Tag {
    session_id: SessionId,
    tag: String,
}

/// What became of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted {
    New,
    /// There is one under its key.
    Known(Note),
    /// The conversation has as many as it may have.
    Full,
}

impl Archive {
    /// # Errors
    /// [`ArchiveError::Conflict`] where the session has been erased.
    pub async fn add_note(&self, note: &Note) -> Result<Noted, ArchiveError> {
        let note = note.clone();
        transact!(self, |conn| {
            let insert = diesel::insert_into(notes::table).values(&note);
            let added = insert.on_conflict_do_nothing().execute(conn).await?;
            // Only now: an erasure that is not visible here yet waits for the row and deletes it.
            let tombstone = erased_sessions::table.find(note.session_id);
            let tombstone = tombstone.select(erased_sessions::session_id);
            if tombstone.first::<SessionId>(conn).await.optional()?.is_some() {
                return Err(conflict());
            }
            let of_session = || notes::table.filter(notes::session_id.eq(note.session_id));
            if added == 0 {
                let same = of_session().filter(notes::idempotency_key.eq(&note.idempotency_key));
                return Ok(Noted::Known(same.select(Note::as_select()).first(conn).await?));
            }
            let count: i64 = of_session().count().get_result(conn).await?;
            if count > i64::from(MOST_NOTES) {
                diesel::delete(notes::table.find(note.id)).execute(conn).await?;
                return Ok(Noted::Full);
            }
            Ok(Noted::New)
        })
    }

    /// All notes of a session, the oldest first.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn notes_of(&self, session: SessionId) -> Result<Vec<Note>, ArchiveError> {
        read!(self, |conn| {
            let of_session = notes::table.filter(notes::session_id.eq(session));
            let oldest = of_session.order((notes::created_at.asc(), notes::id.asc()));
            oldest.limit(MOST_NOTES.into()).select(Note::as_select()).load(conn).await
        })
    }

    /// The tags of a session, sorted.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn tags_of(&self, session: SessionId) -> Result<Vec<String>, ArchiveError> {
        read!(self, |conn| {
            let of_session = tags::table.filter(tags::session_id.eq(session));
            of_session.order(tags::tag.asc()).select(tags::tag).load(conn).await
        })
    }

    /// Replaces the tags of a session.
    ///
    /// # Errors
    /// [`ArchiveError::Conflict`] where the session has been erased.
    pub async fn set_tags(
        &self,
        session: SessionId,
        wanted: &[String],
    ) -> Result<(), ArchiveError> {
        let tag = |tag: &String| Tag { session_id: session, tag: tag.clone() };
        let wanted: Vec<Tag> = wanted.iter().map(tag).collect();
        transact!(self, |conn| {
            let of_session = tags::table.filter(tags::session_id.eq(session));
            diesel::delete(of_session).execute(conn).await?;
            for tag in &wanted {
                let insert = diesel::insert_into(tags::table).values(tag);
                insert.on_conflict_do_nothing().execute(conn).await?;
            }
            // As with a note.
            let tombstone = erased_sessions::table.find(session);
            let tombstone = tombstone.select(erased_sessions::session_id);
            match tombstone.first::<SessionId>(conn).await.optional()? {
                Some(_) => Err(conflict()),
                None => Ok(()),
            }
        })
    }
}
