//! What shoppers think of answers.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    error::{ArchiveError, conflict},
    handle::Archive,
    query::{read, transact},
    schema::{erased_sessions, feedback},
};
use crate::domain::{MessageId, PrincipalId, Rating, SessionId, SiteId, Timestamp};

/// One message's rating, as last given.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = feedback, treat_none_as_default_value = false)]
pub struct Feedback {
    pub message_id: MessageId,
    pub session_id: SessionId,
    pub site_id: SiteId,
    pub principal_id: PrincipalId,
    pub rating: Rating,
    pub comment: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for Feedback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chars = self.comment.as_ref().map_or(0, |comment| comment.chars().count());
        write!(f, "Feedback({}, {}, [{chars} chars])", self.message_id, self.rating.as_str())
    }
}

impl Archive {
    /// Keeps the rating of a message; a later one replaces it but not `created_at`.
    ///
    /// # Errors
    /// [`ArchiveError::Conflict`] where the session has been erased.
    pub async fn put_feedback(&self, given: &Feedback) -> Result<(), ArchiveError> {
        let given = given.clone();
        transact!(self, |conn| {
            let insert = diesel::insert_into(feedback::table).values(&given);
            insert.on_conflict_do_nothing().execute(conn).await?;
            // Only now: an erasure that is not visible here yet waits for the row and deletes it.
            let tombstone = erased_sessions::table.find(given.session_id);
            let tombstone = tombstone.select(erased_sessions::session_id);
            if tombstone.first::<SessionId>(conn).await.optional()?.is_some() {
                return Err(conflict());
            }
            diesel::update(feedback::table.find(given.message_id))
                .set((
                    feedback::rating.eq(given.rating),
                    feedback::comment.eq(&given.comment),
                    feedback::updated_at.eq(given.updated_at),
                ))
                .execute(conn)
                .await
        })?;
        Ok(())
    }

    /// All ratings in a session.
    pub async fn feedback_of(&self, session: SessionId) -> Result<Vec<Feedback>, ArchiveError> {
        read!(self, |conn| {
            let given = feedback::table.filter(feedback::session_id.eq(session));
            given.select(Feedback::as_select()).load(conn).await
        })
    }
}
