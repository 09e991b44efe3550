//! What admins wrote for the assistants of their site: numbered versions, the active one, and the
//! conversations that a draft is checked against.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable, JoinOnDsl as _,
    OptionalExtension as _, QueryDsl as _, Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use serde_json::Value;

use super::{
    column::{Count, Json},
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::{active_assistants, assistant_tests, assistant_versions},
};
use crate::domain::{PrincipalId, SiteId, Timestamp};

macro_rules! write_active {
    ($connection:ident, $site:expr, $version:expr, $now:expr) => {
        let row = (
            active_assistants::site_id.eq(&$site),
            active_assistants::version.eq(Count($version)),
            active_assistants::activated_at.eq($now),
        );
        diesel::replace_into(active_assistants::table).values(row).execute($connection).await?;
    };
}

/// Versions of one site that are kept; the oldest goes first, but never the active one.
const MOST_VERSIONS: i64 = 200;

/// Written once and never changed.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = assistant_versions)]
pub struct AssistantVersion {
    pub site_id: SiteId,
    /// From 1; 0 is what the configuration says.
    pub version: Count,
    pub document: Json<Value>,
    pub note: String,
    pub created_by: PrincipalId,
    pub created_at: Timestamp,
    /// The version that it took the place of when it was last activated.
    pub replaced: Option<Count>,
}

/// The version that a site uses, if it is not the configuration's.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveAssistants {
    pub site: SiteId,
    pub version: u64,
    pub document: Value,
}

impl Archive {
    /// Writes a version, and gives its number.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn add_assistants(
        &self,
        site: &SiteId,
        document: &Value,
        note: &str,
        by: PrincipalId,
        now: Timestamp,
    ) -> Result<u64, ArchiveError> {
        let (site, document, note) = (site.clone(), Json(document.clone()), note.to_owned());
        transact!(self, |conn| {
            let of_site =
                || assistant_versions::table.filter(assistant_versions::site_id.eq(&site));
            let newest = of_site().order(assistant_versions::version.desc());
            let newest: Option<Count> =
                newest.select(assistant_versions::version).first(conn).await.optional()?;
            let version = newest.map_or(1, |Count(newest)| newest + 1);
            let row = AssistantVersion {
                site_id: site.clone(),
                version: Count(version),
                document: document.clone(),
                note: note.clone(),
                created_by: by,
                created_at: now,
                replaced: None,
            };
            diesel::insert_into(assistant_versions::table).values(row).execute(conn).await?;
            let old = of_site().order(assistant_versions::version.desc()).offset(MOST_VERSIONS);
            let old: Option<Count> =
                old.select(assistant_versions::version).first(conn).await.optional()?;
            if let Some(old) = old {
                let active = active_assistants::table.find(&site);
                let active: Option<Count> =
                    active.select(active_assistants::version).first(conn).await.optional()?;
                let gone = of_site()
                    .filter(assistant_versions::version.le(old))
                    .filter(assistant_versions::version.ne(active.unwrap_or(Count(0))));
                diesel::delete(gone).execute(conn).await?;
            }
            Ok(version)
        })
    }

    /// The newest `limit` versions, the newest first.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn assistants(
        &self,
        site: &SiteId,
        limit: u32,
    ) -> Result<Vec<AssistantVersion>, ArchiveError> {
        let site = site.clone();
        read!(self, |conn| {
            let of_site = assistant_versions::table.filter(assistant_versions::site_id.eq(&site));
            let newest = of_site.order(assistant_versions::version.desc()).limit(limit.into());
            newest.select(AssistantVersion::as_select()).load(conn).await
        })
    }

    /// # Errors
    /// If the archive does not answer.
    pub async fn assistants_of(
        &self,
        site: &SiteId,
        version: u64,
    ) -> Result<Option<AssistantVersion>, ArchiveError> {
        let site = site.clone();
        read!(self, |conn| {
            let row = assistant_versions::table.find((&site, Count(version)));
            row.select(AssistantVersion::as_select()).first(conn).await.optional()
        })
    }

    /// The number of the active version; 0 is the configuration's.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn active_version(&self, site: &SiteId) -> Result<u64, ArchiveError> {
        let site = site.clone();
        let found: Option<Count> = read!(self, |conn| {
            let row = active_assistants::table.find(&site).select(active_assistants::version);
            row.first(conn).await.optional()
        })?;
        Ok(found.map_or(0, |Count(version)| version))
    }

    /// Makes `version` the active one, 0 that of the configuration. False if there is no such
    /// version.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn activate_assistants(
        &self,
        site: &SiteId,
        version: u64,
        now: Timestamp,
    ) -> Result<bool, ArchiveError> {
        let site = site.clone();
        transact!(self, |conn| {
            let active = active_assistants::table.find(&site).select(active_assistants::version);
            let before: Option<Count> = active.first(conn).await.optional()?;
            let before = before.unwrap_or(Count(0));
            if version != 0 && before.0 != version {
                let row = assistant_versions::table.find((&site, Count(version)));
                let mark = diesel::update(row).set(assistant_versions::replaced.eq(Some(before)));
                if mark.execute(conn).await? == 0 {
                    return Ok(false);
                }
            }
            write_active!(conn, site, version, now);
            Ok(true)
        })
    }

    /// Goes back to the version that the active one took the place of, and gives its number. `None`
    /// if the configuration's is active.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn roll_back_assistants(
        &self,
        site: &SiteId,
        now: Timestamp,
    ) -> Result<Option<u64>, ArchiveError> {
        let site = site.clone();
        transact!(self, |conn| {
            let active = active_assistants::table.find(&site).select(active_assistants::version);
            let active: Option<Count> = active.first(conn).await.optional()?;
            let Some(active) = active.filter(|Count(version)| *version != 0) else {
                return Ok(None);
            };
            let row = assistant_versions::table.find((&site, active));
            let before: Option<Option<Count>> =
                row.select(assistant_versions::replaced).first(conn).await.optional()?;
            let before = before.flatten().unwrap_or(Count(0));
            // It may be too old to be kept.
            let known = assistant_versions::table.find((&site, before));
            let known: Option<Count> =
                known.select(assistant_versions::version).first(conn).await.optional()?;
            let version = known.map_or(0, |Count(version)| version);
            write_active!(conn, site, version, now);
            Ok(Some(version))
        })
    }

    /// Of every site that does not use the configuration's.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn all_active_assistants(&self) -> Result<Vec<ActiveAssistants>, ArchiveError> {
        let rows: Vec<(SiteId, Count, Json<Value>)> = read!(self, |conn| {
            let same = assistant_versions::site_id.eq(active_assistants::site_id);
            let on = same.and(assistant_versions::version.eq(active_assistants::version));
            let columns = (
                assistant_versions::site_id,
                assistant_versions::version,
                assistant_versions::document,
            );
            let joined = active_assistants::table.inner_join(assistant_versions::table.on(on));
            joined.select(columns).load(conn).await
        })?;
        let active =
            |(site, Count(version), Json(document))| ActiveAssistants { site, version, document };
        Ok(rows.into_iter().map(active).collect())
    }

    /// The conversations that a draft is checked against.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn assistant_tests(&self, site: &SiteId) -> Result<Option<Value>, ArchiveError> {
        let site = site.clone();
        let found: Option<Json<Value>> = read!(self, |conn| {
            let row = assistant_tests::table.find(&site).select(assistant_tests::conversations);
            row.first(conn).await.optional()
        })?;
        Ok(found.map(|Json(conversations)| conversations))
    }

    /// # Errors
    /// If the archive does not answer.
    pub async fn set_assistant_tests(
        &self,
        site: &SiteId,
        conversations: &Value,
    ) -> Result<(), ArchiveError> {
        let (site, conversations) = (site.clone(), Json(conversations.clone()));
        transact!(self, |conn| {
            let row = (
                assistant_tests::site_id.eq(&site),
                assistant_tests::conversations.eq(conversations.clone()),
            );
            diesel::replace_into(assistant_tests::table).values(row).execute(conn).await
        })?;
        Ok(())
    }
}
