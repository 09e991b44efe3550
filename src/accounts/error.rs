//! Why a request about an account fails.

use std::time::Duration;

use crate::{
    archive::ArchiveError,
    auth::{AuthError, PasswordError},
    domain::{Challenge, FieldError},
    limits::Limited,
};

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("no such site")]
    UnknownSite,
    /// Never reveals which of the two was wrong.
    #[error("wrong e-mail address or password")]
    Credentials,
    #[error("the account cannot be created")]
    Taken,
    #[error("invalid fields")]
    Invalid(Vec<FieldError>),
    #[error("token expired")]
    TokenExpired,
    #[error("token invalid")]
    TokenInvalid,
    /// The token belongs to somebody of whom everything was erased.
    #[error("the person was erased")]
    Erased,
    #[error("the identity provider gives no role")]
    NoRole,
    #[error("the keys of the identity provider cannot be fetched")]
    KeysAway,
    #[error("too many password checks")]
    Busy,
    /// The account has no password here: a visitor, a customer of the shop's own sign-in, or staff
    /// of an identity provider.
    #[error("the account has no password")]
    NoPassword,
    #[error("no such account")]
    UnknownAccount,
    #[error("a proof of work is needed")]
    ProofRequired { challenge: Challenge, retry_after: Duration },
    #[error(transparent)]
    Limited(#[from] Limited),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl From<PasswordError> for AccountError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Length => invalid("password", "must have 8 to 256 characters"),
            PasswordError::Busy => Self::Busy,
            PasswordError::Hash => Self::Credentials,
        }
    }
}

impl From<AuthError> for AccountError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Expired => Self::TokenExpired,
            AuthError::NoRole => Self::NoRole,
            AuthError::Invalid | AuthError::Signing => Self::TokenInvalid,
        }
    }
}

pub(super) fn invalid(field: &str, detail: &str) -> AccountError {
    AccountError::Invalid(vec![FieldError { field: field.into(), detail: detail.into() }])
}

pub(super) fn not_an_address() -> AccountError {
    invalid("email", "must be an e-mail address without invisible characters")
}
