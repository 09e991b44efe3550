//! Sites (shops) and the keys of their backends.

use diesel::{
    ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable,
    Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    column::RecordId,
    column::{Count, Json},
    error::{ArchiveError, conflict},
    handle::Archive,
    query::{read, transact},
    schema::{api_keys, sites},
};
use crate::{
    config::{self, Secret},
    domain::{SiteId, Timestamp},
};

/// One shop.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = sites)]
pub struct Site {
    pub id: SiteId,
    pub name: String,
    /// Names the site in the shop's pages; not a secret.
    pub site_key: String,
    #[diesel(serialize_as = Json<Vec<String>>, deserialize_as = Json<Vec<String>>)]
    pub allowed_origins: Vec<String>,
    /// Verifies the shop's identity tokens; empty where it signs none.
    pub identity_secret: Secret,
    /// Grows by one at each change of a document.
    #[diesel(serialize_as = Count, deserialize_as = Count)]
    pub knowledge_version: u64,
    pub created_at: Timestamp,
}

/// The key of a shop's backend. `key_hash` is all that is kept of the key, `prefix` lets people
/// tell keys apart.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub struct ApiKey {
    pub id: RecordId,
    pub site_id: SiteId,
    pub name: String,
    pub prefix: String,
    pub key_hash: String,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiKey({}, {}, {}…)", self.id, self.site_id, self.prefix)
    }
}

/// Two keys of a site may be active, so that one can replace the other without a gap.
const MAX_ACTIVE_KEYS: i64 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCreation {
    Created,
    /// The site has two active keys; one must be revoked first.
    TwoActive,
}

impl Archive {
    /// Makes the sites of the configuration that are missing and brings the others up to date with
    /// it. Never removes one.
    ///
    /// # Errors
    /// [`ArchiveError::Conflict`] where a `site_key` belongs to another site.
    pub async fn put_sites(
        &self,
        configured: &[config::Site],
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let wanted: Vec<Site> = configured.iter().map(|site| site_of(site, now)).collect();
        transact!(self, |conn| {
            for site in &wanted {
                let insert = diesel::insert_into(sites::table).values(site.clone());
                insert.on_conflict_do_nothing().execute(conn).await?;
                let updated = diesel::update(sites::table.find(&site.id))
                    .set((
                        sites::name.eq(&site.name),
                        sites::site_key.eq(&site.site_key),
                        sites::allowed_origins.eq(Json(site.allowed_origins.clone())),
                        sites::identity_secret.eq(&site.identity_secret),
                    ))
                    .execute(conn)
                    .await?;
                if updated == 0 {
                    return Err(conflict());
                }
            }
            Ok(())
        })
    }

    pub async fn site(&self, id: &SiteId) -> Result<Option<Site>, ArchiveError> {
        let id = id.clone();
        read!(self, |conn| {
            sites::table.find(&id).select(Site::as_select()).first(conn).await.optional()
        })
    }

    pub async fn site_by_key(&self, site_key: &str) -> Result<Option<Site>, ArchiveError> {
        let site_key = site_key.to_owned();
        read!(self, |conn| {
            let site = sites::table.filter(sites::site_key.eq(&site_key));
            site.select(Site::as_select()).first(conn).await.optional()
        })
    }

    /// All sites: as many as operators configured.
    pub async fn sites(&self) -> Result<Vec<Site>, ArchiveError> {
        read!(self, |conn| {
            sites::table.order(sites::id.asc()).select(Site::as_select()).load(conn).await
        })
    }

    /// # Errors
    /// [`ArchiveError::Conflict`] where the hash is taken; [`ArchiveError::Corrupt`] where there is no such site.
    pub async fn create_api_key(&self, key: &ApiKey) -> Result<KeyCreation, ArchiveError> {
        let key = key.clone();
        transact!(self, |conn| {
            // Changes nothing, but lets only one key of a site be made at a time.
            let site = diesel::update(sites::table.find(&key.site_id));
            if site.set(sites::id.eq(&key.site_id)).execute(conn).await? == 0 {
                return Err(diesel::result::Error::NotFound);
            }
            let of_site = api_keys::table.filter(api_keys::site_id.eq(&key.site_id));
            let active = of_site.filter(api_keys::revoked_at.is_null());
            if active.count().get_result::<i64>(conn).await? >= MAX_ACTIVE_KEYS {
                return Ok(KeyCreation::TwoActive);
            }
            diesel::insert_into(api_keys::table).values(&key).execute(conn).await?;
            Ok(KeyCreation::Created)
        })
    }

    /// The key with this hash, unless it is revoked.
    pub async fn active_api_key(&self, key_hash: &str) -> Result<Option<ApiKey>, ArchiveError> {
        let key_hash = key_hash.to_owned();
        read!(self, |conn| {
            let key = api_keys::table.filter(api_keys::key_hash.eq(&key_hash));
            let key = key.filter(api_keys::revoked_at.is_null()).select(ApiKey::as_select());
            key.first(conn).await.optional()
        })
    }

    /// All keys of a site, revoked ones too, the oldest first.
    pub async fn api_keys(&self, site: &SiteId) -> Result<Vec<ApiKey>, ArchiveError> {
        let site = site.clone();
        read!(self, |conn| {
            let keys = api_keys::table.filter(api_keys::site_id.eq(&site));
            keys.order(api_keys::id.asc()).select(ApiKey::as_select()).load(conn).await
        })
    }

    /// False where the site has no such active key.
    pub async fn revoke_api_key(
        &self,
        site: &SiteId,
        id: RecordId,
        now: Timestamp,
    ) -> Result<bool, ArchiveError> {
        let site = site.clone();
        let revoked = transact!(self, |conn| {
            let key = api_keys::table.find(id).filter(api_keys::site_id.eq(&site));
            diesel::update(key.filter(api_keys::revoked_at.is_null()))
                .set(api_keys::revoked_at.eq(Some(now)))
                .execute(conn)
                .await
        })?;
        Ok(revoked == 1)
    }
}

fn site_of(site: &config::Site, now: Timestamp) -> Site {
    Site {
        id: site.id.clone(),
        name: site.name.clone(),
        site_key: site.site_key.clone(),
        allowed_origins: site.allowed_origins.clone(),
        identity_secret: site.identity_secret.clone(),
        knowledge_version: 0,
        created_at: now,
    }
}
