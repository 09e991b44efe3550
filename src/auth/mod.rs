//! The building blocks of authentication: tokens, passwords, keys and addresses, as pure functions.
//!
//! The HTTP layer calls them and keeps their results. Users, refresh tokens and API keys are stored
//! in the archive, always as hashes. This module reads no clock, file or network; only password
//! checks run on other threads, in a bounded pool. Malformed, overlong or unknown input is refused,
//! and no error reveals more than it must.

mod apikey;
mod claims;
mod email;
mod erased;
mod jwt;
pub mod oidc;
mod opaque;
mod password;
pub mod proof;

pub use self::{
    apikey::ApiKey,
    claims::{Identity, Verified},
    email::Email,
    erased::{Erased, Standing},
    jwt::{AuthError, MAX_IDENTITY_LIFE, Tokens, verify_identity},
    opaque::OpaqueToken,
    password::{Password, PasswordError, Passwords},
};
