//! What admins wrote for the tools of their site.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use serde_json::Value;

use super::{
    column::Json,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::site_tools,
};
use crate::domain::{PrincipalId, SiteId, Timestamp};

/// Rows of one site.
pub const MOST_TOOLS: i64 = 64;

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = site_tools)]
pub struct SiteTool {
    pub site_id: SiteId,
    pub name: String,
    pub enabled: bool,
    /// In the form of `[[sites.tools]]`, with its secrets; absent for a tool of the configuration.
    pub declaration: Option<Json<Value>>,
    pub changed_by: PrincipalId,
    pub changed_at: Timestamp,
}

impl Archive {
    /// Writes a row in place of the one of its name. False if the site has [`MOST_TOOLS`] already.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn put_site_tool(&self, row: &SiteTool) -> Result<bool, ArchiveError> {
        let row = row.clone();
        transact!(self, |conn| {
            let of_site = site_tools::table.filter(site_tools::site_id.eq(&row.site_id));
            let others = of_site.filter(site_tools::name.ne(&row.name));
            let others: i64 = others.count().get_result(conn).await?;
            if others >= MOST_TOOLS {
                return Ok(false);
            }
            diesel::replace_into(site_tools::table).values(row.clone()).execute(conn).await?;
            Ok(true)
        })
    }

    /// False if there is no such row.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn delete_site_tool(&self, site: &SiteId, name: &str) -> Result<bool, ArchiveError> {
        let (site, name) = (site.clone(), name.to_owned());
        let gone = transact!(self, |conn| {
            diesel::delete(site_tools::table.find((&site, &name))).execute(conn).await
        })?;
        Ok(gone > 0)
    }

    /// # Errors
    /// If the archive does not answer.
    pub async fn site_tool(
        &self,
        site: &SiteId,
        name: &str,
    ) -> Result<Option<SiteTool>, ArchiveError> {
        let (site, name) = (site.clone(), name.to_owned());
        read!(self, |conn| {
            let row = site_tools::table.find((&site, &name));
            row.select(SiteTool::as_select()).first(conn).await.optional()
        })
    }

    /// Of all sites, by name.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn site_tools(&self) -> Result<Vec<SiteTool>, ArchiveError> {
        read!(self, |conn| {
            let all = site_tools::table.order((site_tools::site_id, site_tools::name));
            all.select(SiteTool::as_select()).load(conn).await
        })
    }
}
