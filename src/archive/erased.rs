//! Who was erased, for those who check tokens.

use std::time::Duration;

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, dsl::sql, sql_types::BigInt,
};
use diesel_async::RunQueryDsl as _;
use sha2::{Digest as _, Sha256};

use super::{
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    replicas::now,
    schema::customer_erasures,
};
use crate::domain::{PrincipalId, SiteId, Timestamp};

/// The name under which an erased customer of the shop's own sign-in is known, until the tokens of
/// that sign-in have ended. It shows neither issuer nor subject.
pub(super) fn mark(site: &SiteId, iss: &str, sub: &str) -> String {
    let mut hash = Sha256::new();
    for part in [site.as_str(), iss, sub] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl Archive {
    /// At most `limit` people who were erased within the last `age`, the newest of them, oldest
    /// first.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn newest_erasures(
        &self,
        age: Duration,
        limit: usize,
    ) -> Result<Vec<PrincipalId>, ArchiveError> {
        let (age, limit) = (millis(age), i64::try_from(limit).unwrap_or(i64::MAX));
        let mut newest: Vec<PrincipalId> = read!(self, |conn| {
            let since = sql::<BigInt>(&format!("{} - {age}", now(conn)));
            let rows = customer_erasures::table.filter(customer_erasures::requested_at.ge(since));
            let rows = rows.order(customer_erasures::requested_at.desc()).limit(limit);
            rows.select(customer_erasures::customer_id).load(conn).await
        })?;
        newest.reverse();
        Ok(newest)
    }

    /// When the customer of this identity was erased last, as long as a token from before may live.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn identity_erased_at(
        &self,
        site: &SiteId,
        iss: &str,
        sub: &str,
    ) -> Result<Option<Timestamp>, ArchiveError> {
        let mark = mark(site, iss, sub);
        read!(self, |conn| {
            let rows = customer_erasures::table.filter(customer_erasures::identity.eq(&mark));
            let rows = rows.order(customer_erasures::requested_at.desc());
            rows.select(customer_erasures::requested_at).first(conn).await.optional()
        })
    }

    /// Deletes the marks of identities that were erased longer than `life` ago.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn delete_identity_marks(&self, life: Duration) -> Result<(), ArchiveError> {
        let life = millis(life);
        transact!(self, |conn| {
            let before = sql::<BigInt>(&format!("{} - {life}", now(conn)));
            let ended = customer_erasures::table
                .filter(customer_erasures::identity.is_not_null())
                .filter(customer_erasures::requested_at.lt(before));
            let none = customer_erasures::identity.eq(None::<String>);
            diesel::update(ended).set(none).execute(conn).await
        })?;
        Ok(())
    }
}
