//! Sessions, events, messages and idempotency records as rows.

use diesel::{Insertable, Queryable, Selectable};

use super::{
    column::{Count, Json, json},
    project::project,
    schema::{events, idempotency, messages, sessions},
    write_all::write_all,
};
use crate::domain::{
    Citation, Controller, Event, Fact, HandoffId, Head, IdempotencyRecord, MessageId, MessageRole,
    MessageStatus, PageContext, People, PrincipalId, Route, SessionId, SessionMeta, SessionState,
    SiteId, Timestamp, TurnId, Version,
};

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub(super) struct SessionRow {
    pub id: SessionId,
    pub site_id: SiteId,
    pub owner_id: PrincipalId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_seq: Count,
    pub state: SessionState,
    pub controller: Controller,
    pub epoch: Count,
    pub locale: String,
    /// The turn whose end the journal does not hold yet.
    pub open_turn_id: Option<TurnId>,
    /// The replica that wrote the newest event.
    pub owner_replica: Option<String>,
    pub owner_epoch: Count,
    pub head: Head,
    pub page_context: Option<Json<PageContext>>,
    pub handoff_id: Option<HandoffId>,
}

impl SessionRow {
    /// The row of a session that stands at `version`, where `owner` brought it.
    pub fn new(meta: &SessionMeta, version: &Version, owner: Option<&str>) -> Self {
        Self {
            id: meta.id,
            site_id: meta.site_id.clone(),
            owner_id: meta.owner,
            created_at: meta.created_at,
            updated_at: meta.updated_at,
            last_seq: Count(meta.last_seq),
            state: meta.state,
            controller: meta.controller,
            epoch: Count(meta.epoch.into()),
            locale: meta.locale.clone(),
            open_turn_id: version.open_turn,
            owner_replica: owner.map(str::to_owned),
            owner_epoch: Count(version.owner_epoch),
            head: version.head,
            page_context: meta.context.as_deref().cloned().map(Json),
            handoff_id: meta.handoff,
        }
    }

    pub fn version(&self) -> Version {
        Version {
            owner_epoch: self.owner_epoch.0,
            seq: self.last_seq.0,
            head: self.head,
            open_turn: self.open_turn_id,
        }
    }

    pub fn into_meta(self) -> SessionMeta {
        SessionMeta {
            id: self.id,
            site_id: self.site_id,
            owner: self.owner_id,
            created_at: self.created_at,
            updated_at: self.updated_at,
            last_seq: self.last_seq.0,
            state: self.state,
            controller: self.controller,
            epoch: u32::try_from(self.epoch.0).unwrap_or(u32::MAX),
            locale: self.locale,
            context: self.page_context.map(|Json(context)| Box::new(context)),
            handoff: self.handoff_id,
        }
    }
}

#[derive(Clone, Insertable)]
#[diesel(table_name = events)]
pub(super) struct EventRow {
    pub session_id: SessionId,
    pub seq: Count,
    pub turn_id: TurnId,
    pub kind: String,
    pub epoch: Count,
    pub at: Timestamp,
    pub payload: String,
}

impl EventRow {
    pub fn new(event: &Event) -> Self {
        Self {
            session_id: event.session_id,
            seq: Count(event.seq),
            turn_id: event.turn_id,
            kind: event.fact.name().into_owned(),
            epoch: Count(event.epoch.into()),
            at: event.at,
            payload: json(event),
        }
    }
}

#[derive(Clone, Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
pub(super) struct MessageRow {
    pub id: MessageId,
    pub session_id: SessionId,
    pub seq: Count,
    pub turn_id: TurnId,
    pub role: MessageRole,
    pub text: String,
    pub status: MessageStatus,
    pub created_at: Timestamp,
    pub route: Option<Route>,
    pub citations: Json<Vec<Citation>>,
    pub client_message_id: Option<String>,
}

impl MessageRow {
    pub fn new(event: &Event) -> Option<Self> {
        let message = project(event)?;
        let client_message_id = match &event.fact {
            Fact::MessageCreated { client_message_id, .. }
            | Fact::People(
                People::MessageDelivered { client_message_id, .. }
                | People::AgentMessage { client_message_id, .. },
            ) => client_message_id.clone(),
            Fact::AnswerCompleted(_)
            | Fact::TurnFailed { .. }
            | Fact::TurnCancelled { .. }
            | Fact::ActionProposed(_)
            | Fact::ActionResult(_)
            | Fact::People(_)
            | Fact::Unknown(_) => None,
        };
        Some(Self {
            id: message.id,
            session_id: event.session_id,
            seq: Count(message.seq),
            turn_id: message.turn_id,
            role: message.role,
            text: message.text,
            status: message.status,
            created_at: message.created_at,
            route: message.route,
            citations: Json(message.citations),
            client_message_id,
        })
    }
}

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency)]
pub(super) struct IdempotencyRow {
    pub session_id: SessionId,
    pub idempotency_key: String,
    pub body_hash: String,
    pub turn_id: TurnId,
}

impl IdempotencyRow {
    pub fn new(session_id: SessionId, record: &IdempotencyRecord) -> Self {
        Self {
            session_id,
            idempotency_key: record.key.clone(),
            body_hash: record.body_hash.clone(),
            turn_id: record.turn_id,
        }
    }

    pub fn into_record(self) -> IdempotencyRecord {
        IdempotencyRecord {
            key: self.idempotency_key,
            body_hash: self.body_hash,
            turn_id: self.turn_id,
            trace: None,
        }
    }
}

write_all! {
    SessionRow => sessions, |_| 512;
    EventRow => events, |row| 256 + row.payload.len();
    MessageRow => messages, |row| 256 + row.text.len();
    IdempotencyRow => idempotency, |_| 512;
}
