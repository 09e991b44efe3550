//! Who did what: one line for each act of an operator or agent.

use diesel::{
    ExpressionMethods as _, Insertable, QueryDsl as _, Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use serde::Serialize;

use super::{
    column::Json,
    column::RecordId,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::audit,
};
use crate::domain::{PrincipalId, Role, SiteId, Timestamp};

/// `detail` names settings and counts, never a customer's words; an erasure empties it.
#[derive(
    Clone, Debug, PartialEq, Serialize, utoipa::ToSchema, Queryable, Selectable, Insertable,
)]
#[diesel(table_name = audit)]
pub struct AuditEntry {
    pub id: RecordId,
    pub site_id: SiteId,
    pub actor_id: PrincipalId,
    pub actor_role: Role,
    /// What was done, for example `cache.purge`.
    pub action: String,
    /// What it was done to: an id, or a name of the operator's choosing.
    pub target: String,
    #[diesel(serialize_as = Json<serde_json::Value>, deserialize_as = Json<serde_json::Value>)]
    pub detail: serde_json::Value,
    pub at: Timestamp,
}

impl Archive {
    pub async fn append_audit(&self, entry: &AuditEntry) -> Result<(), ArchiveError> {
        let entry = entry.clone();
        transact!(self, |conn| {
            diesel::insert_into(audit::table).values(entry.clone()).execute(conn).await
        })?;
        Ok(())
    }

    /// At most `limit` entries of a site before `before`, the newest first.
    pub async fn audit(
        &self,
        site: &SiteId,
        before: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, ArchiveError> {
        let site = site.clone();
        let before = before.unwrap_or(RecordId(uuid::Uuid::max()));
        read!(self, |conn| {
            let of_site = audit::table.filter(audit::site_id.eq(&site));
            let page = of_site.filter(audit::id.lt(before)).order(audit::id.desc());
            page.limit(limit.into()).select(AuditEntry::as_select()).load(conn).await
        })
    }
}
