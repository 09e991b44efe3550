//! Users as rows of the archive.

use std::time::Duration;

use super::{error::AccountError, handle::Accounts};
use crate::{
    archive::{ArchiveError, User},
    auth::{Email, Password},
    clock,
    domain::{Principal, PrincipalId, Role, SiteId, Timestamp},
};

/// What an account signs in with.
pub struct Named {
    pub email: Email,
    pub password: Password,
}

impl Accounts {
    pub(super) async fn new_user(
        &self,
        site: &SiteId,
        role: Role,
        named: Named,
        display_name: Option<String>,
    ) -> Result<User, AccountError> {
        let Named { email, password } = named;
        let password_hash = self.passwords.hash(password).await?;
        let now = clock::now();
        Ok(User {
            id: PrincipalId::new(),
            site_id: site.clone(),
            role,
            email: Some(email.as_str().to_owned()),
            external_iss: None,
            external_sub: None,
            display_name,
            password_hash: Some(password_hash),
            created_at: now,
            updated_at: now,
            disabled_at: None,
        })
    }

    pub(super) async fn insert(&self, user: User) -> Result<(), AccountError> {
        match self.archive.create_user(&user).await {
            Err(ArchiveError::Conflict) => Err(AccountError::Taken),
            other => Ok(other?),
        }
    }
}

pub fn principal(user: &User) -> Principal {
    Principal { id: user.id, role: user.role, site_id: user.site_id.clone() }
}

pub fn after(now: Timestamp, span: Duration) -> Timestamp {
    let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_add(span))
}
