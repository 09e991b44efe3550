//! Erasing a customer. One row says what was asked for, how far it came and what was removed. It is
//! written first and stays: a session or a refresh token that is made afterwards finds it, and one
//! that is made at the same time is found by the deletion, which waits for it.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, Selectable,
    SelectableHelper as _,
    dsl::{exists, select, sql},
    sql_types::{BigInt, Nullable},
};
use diesel_async::RunQueryDsl as _;

use super::{
    audit::AuditEntry,
    column::Count,
    erased::mark,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    replicas::now,
    schema::{
        api_keys, audit, customer_erasures, feedback, password_resets, refresh_tokens, sessions,
        users,
    },
};
use crate::domain::{PrincipalId, Role, SiteId, Timestamp};

/// How far an erasure came. The counts are of removed rows; of `audit` entries only the details.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = customer_erasures)]
pub struct CustomerErasure {
    pub customer_id: PrincipalId,
    pub site_id: SiteId,
    pub requested_at: Timestamp,
    /// When the archive had nothing of the customer any more.
    pub archive_at: Option<Timestamp>,
    /// When every replica that lives had dropped it from memory.
    pub replicas_at: Option<Timestamp>,
    /// When the shared cache had dropped the answers that were made for the customer.
    pub cache_at: Option<Timestamp>,
    /// When the last of them was done.
    pub erased_at: Option<Timestamp>,
    pub accounts: Count,
    pub refresh_tokens: Count,
    pub sessions: Count,
    pub events: Count,
    pub messages: Count,
    pub idempotency: Count,
    pub feedback: Count,
    pub tickets: Count,
    pub audit: Count,
}

/// Where a customer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleared {
    Archive,
    Replicas,
    Cache,
}

impl Archive {
    /// Whether the site has, or had, this visitor or customer: an account, a sign-in, sessions, or
    /// an erasure. Staff and servers are none.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn knows_customer(
        &self,
        site: &SiteId,
        id: PrincipalId,
    ) -> Result<bool, ArchiveError> {
        let site = site.clone();
        read!(self, |conn| {
            let account = users::table.find(id).select((users::site_id, users::role));
            let account: Option<(SiteId, Role)> = account.first(conn).await.optional()?;
            if let Some((of, role)) = account {
                return Ok(of == site && role == Role::Customer);
            }
            let key = api_keys::table.filter(api_keys::id.eq(id.to_string()));
            if select(exists(key)).get_result(conn).await? {
                return Ok(false);
            }
            let erasure = customer_erasures::table.find(id);
            let erasure = erasure.filter(customer_erasures::site_id.eq(&site));
            let tokens = refresh_tokens::table.filter(refresh_tokens::principal_id.eq(id));
            let tokens = tokens.filter(refresh_tokens::site_id.eq(&site));
            let tokens = tokens.filter(refresh_tokens::role.eq(Role::Visitor));
            let owned = sessions::table.filter(sessions::owner_id.eq(id));
            let owned = owned.filter(sessions::site_id.eq(&site));
            Ok(select(exists(erasure)).get_result(conn).await?
                || select(exists(tokens)).get_result(conn).await?
                || select(exists(owned)).get_result(conn).await?)
        })
    }

    /// Notes that a customer is to be erased, once, and who asked for it if it was somebody else.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn begin_erasure(
        &self,
        site: &SiteId,
        id: PrincipalId,
        entry: Option<&AuditEntry>,
    ) -> Result<(), ArchiveError> {
        let (site, entry) = (site.clone(), entry.cloned());
        transact!(self, |conn| {
            let before = customer_erasures::table.find(id);
            if select(exists(before)).get_result(conn).await? {
                return Ok(());
            }
            let identity = users::table.find(id).select((users::external_iss, users::external_sub));
            let identity: Option<(Option<String>, Option<String>)> =
                identity.first(conn).await.optional()?;
            let identity = match identity {
                Some((Some(iss), Some(sub))) => Some(mark(&site, &iss, &sub)),
                _ => None,
            };
            let row = (
                customer_erasures::customer_id.eq(id),
                customer_erasures::site_id.eq(&site),
                customer_erasures::requested_at.eq(sql::<BigInt>(now(conn))),
                customer_erasures::identity.eq(identity),
            );
            let insert = diesel::insert_into(customer_erasures::table).values(row);
            insert.on_conflict_do_nothing().execute(conn).await?;
            if let Some(entry) = entry.clone() {
                diesel::insert_into(audit::table).values(entry).execute(conn).await?;
            }
            Ok(())
        })
    }

    /// # Errors
    /// If the archive does not answer.
    pub async fn erasure(&self, id: PrincipalId) -> Result<Option<CustomerErasure>, ArchiveError> {
        read!(self, |conn| {
            let row = customer_erasures::table.find(id).select(CustomerErasure::as_select());
            row.first(conn).await.optional()
        })
    }

    /// Removes the account of a customer who is being erased, its sign-ins, what else the customer
    /// rated, and the details of what staff did to the account. False, and nothing is removed, if
    /// the customer has sessions: erase them first. May be repeated.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn erase_account(&self, id: PrincipalId) -> Result<bool, ArchiveError> {
        use customer_erasures as row;
        let target = id.to_string();
        transact!(self, |conn| {
            // Changes nothing, but waits for a session that is being made.
            let owned = || sessions::table.filter(sessions::owner_id.eq(id));
            let hold = diesel::update(owned()).set(sessions::last_seq.eq(sessions::last_seq));
            hold.execute(conn).await?;
            if select(exists(owned())).get_result(conn).await? {
                return Ok(false);
            }
            let accounts = diesel::delete(users::table.find(id)).execute(conn).await?;
            let tokens = refresh_tokens::table.filter(refresh_tokens::principal_id.eq(id));
            let tokens = diesel::delete(tokens).execute(conn).await?;
            diesel::delete(password_resets::table.find(id)).execute(conn).await?;
            let ratings = feedback::table.filter(feedback::principal_id.eq(id));
            let ratings = diesel::delete(ratings).execute(conn).await?;
            let details = audit::table.filter(audit::target.eq(&target));
            let details = diesel::update(details.filter(audit::detail.ne("null")));
            let details = details.set(audit::detail.eq("null")).execute(conn).await?;
            diesel::update(row::table.find(id))
                .set((
                    row::accounts.eq(row::accounts + number(accounts)),
                    row::refresh_tokens.eq(row::refresh_tokens + number(tokens)),
                    row::feedback.eq(row::feedback + number(ratings)),
                    row::audit.eq(row::audit + number(details)),
                ))
                .execute(conn)
                .await?;
            Ok(true)
        })
    }

    /// Notes where a customer is gone.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn cleared(&self, id: PrincipalId, place: Cleared) -> Result<(), ArchiveError> {
        use customer_erasures as row;
        transact!(self, |conn| {
            let mine = || row::table.find(id);
            let time = now(conn);
            let at = || sql::<Nullable<BigInt>>(time);
            let (archive, replicas, cache) = (
                diesel::update(mine().filter(row::archive_at.is_null()))
                    .set(row::archive_at.eq(at())),
                diesel::update(mine().filter(row::replicas_at.is_null()))
                    .set(row::replicas_at.eq(at())),
                diesel::update(mine().filter(row::cache_at.is_null())).set(row::cache_at.eq(at())),
            );
            let end = diesel::update(
                mine()
                    .filter(row::erased_at.is_null())
                    .filter(row::archive_at.is_not_null())
                    .filter(row::replicas_at.is_not_null())
                    .filter(row::cache_at.is_not_null()),
            )
            .set(row::erased_at.eq(at()));
            match place {
                Cleared::Archive => archive.execute(conn).await?,
                Cleared::Replicas => replicas.execute(conn).await?,
                Cleared::Cache => cache.execute(conn).await?,
            };
            end.execute(conn).await
        })?;
        Ok(())
    }

    /// At most `limit` erasures that are not finished, of customers after `after`.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn unfinished_erasures(
        &self,
        after: PrincipalId,
        limit: u32,
    ) -> Result<Vec<PrincipalId>, ArchiveError> {
        read!(self, |conn| {
            let open = customer_erasures::table.filter(customer_erasures::erased_at.is_null());
            let page = open.filter(customer_erasures::customer_id.gt(after));
            let page = page.order(customer_erasures::customer_id.asc()).limit(limit.into());
            page.select(customer_erasures::customer_id).load(conn).await
        })
    }

    /// How many erasures are not finished.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn open_erasures(&self) -> Result<u64, ArchiveError> {
        let count: i64 = read!(self, |conn| {
            let open = customer_erasures::table.filter(customer_erasures::erased_at.is_null());
            open.count().get_result(conn).await
        })?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

pub(super) fn number(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
