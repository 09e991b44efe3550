//! One-time codes that a shop has sent, and calls that wait for them. A session has one at most: a
//! further one takes its place.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use serde_json::Value;

use super::{
    column::{Count, Json},
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::{erased_sessions, step_ups},
};
use crate::domain::{SessionId, Timestamp};

#[derive(Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = step_ups)]
pub struct StepUp {
    pub session_id: SessionId,
    /// For whom the code stands, as a hash.
    pub subject: String,
    /// What the shop calls the code. Empty once it was typed.
    pub challenge: String,
    pub tool: String,
    /// The call that waits.
    pub arguments: Json<Value>,
    pub tries_left: Count,
    pub expires_at: Timestamp,
    /// A right code counts until then; 0 before there was one.
    pub holds_until: Timestamp,
}

impl std::fmt::Debug for StepUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StepUp({})", self.tool)
    }
}

impl Archive {
    /// Keeps a code that was sent, unless the session was erased meanwhile.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn keep_step_up(&self, step_up: &StepUp) -> Result<(), ArchiveError> {
        let (step_up, session) = (step_up.clone(), step_up.session_id);
        transact!(self, |conn| {
            diesel::delete(step_ups::table.find(session)).execute(conn).await?;
            diesel::insert_into(step_ups::table).values(step_up.clone()).execute(conn).await?;
            // Only now: an erasure that is not visible here yet waits for the row.
            let tombstone =
                erased_sessions::table.find(session).select(erased_sessions::session_id);
            if tombstone.first::<SessionId>(conn).await.optional()?.is_some() {
                diesel::delete(step_ups::table.find(session)).execute(conn).await?;
            }
            Ok(())
        })
    }

    /// # Errors
    /// If the archive does not answer.
    pub async fn step_up(&self, session: SessionId) -> Result<Option<StepUp>, ArchiveError> {
        read!(self, |conn| {
            let row = step_ups::table.find(session).select(StepUp::as_select());
            row.first(conn).await.optional()
        })
    }

    /// Takes one of the tries of a code. False if none is left, or it was typed too late.
    ///
    /// # Errors
    /// If the archive does not answer; a try may have been taken.
    pub async fn take_try(&self, step_up: &StepUp, now: Timestamp) -> Result<bool, ArchiveError> {
        let (session, challenge) = (step_up.session_id, step_up.challenge.clone());
        let taken = transact!(self, |conn| {
            let same = step_ups::table.find(session).filter(step_ups::challenge.eq(&challenge));
            let open = same.filter(step_ups::tries_left.gt(Count(0)));
            let open = open.filter(step_ups::expires_at.gt(now));
            let less = step_ups::tries_left.eq(step_ups::tries_left - 1);
            diesel::update(open).set(less).execute(conn).await
        })?;
        Ok(taken == 1)
    }

    /// The code was right: it counts until `until`, and cannot be typed again.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn hold_step_up(
        &self,
        step_up: &StepUp,
        until: Timestamp,
    ) -> Result<(), ArchiveError> {
        let (session, challenge) = (step_up.session_id, step_up.challenge.clone());
        transact!(self, |conn| {
            let same = step_ups::table.find(session).filter(step_ups::challenge.eq(&challenge));
            let held = (
                step_ups::challenge.eq(""),
                step_ups::arguments.eq(Json(Value::Null)),
                step_ups::tries_left.eq(Count(0)),
                step_ups::holds_until.eq(until),
            );
            diesel::update(same).set(held).execute(conn).await
        })?;
        Ok(())
    }

    /// Removes what counts no more.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn expire_step_ups(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let old = move || {
            let late = step_ups::table.filter(step_ups::expires_at.le(now));
            late.filter(step_ups::holds_until.le(now))
        };
        let found: Vec<SessionId> =
            read!(self, |conn| { old().select(step_ups::session_id).limit(256).load(conn).await })?;
        if found.is_empty() {
            return Ok(());
        }
        transact!(self, |conn| {
            let old = old().filter(step_ups::session_id.eq_any(&found));
            diesel::delete(old).execute(conn).await
        })?;
        Ok(())
    }
}
