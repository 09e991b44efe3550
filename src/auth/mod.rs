//! The primitives of identity: tokens, passwords, keys and addresses, as pure functions.
//!
//! The HTTP layer calls them and keeps what they return; users, refresh tokens and API keys are
//! stored in the archive, always as hashes. Nothing here reads a clock, a file or a network; only
//! password checks leave the thread, for a bounded pool. Whatever is malformed, too long or unknown
//! is refused, and no error says more than it must.

mod apikey;
mod claims;
mod email;
mod jwt;
pub mod oidc;
mod password;
mod refresh;

pub use self::{
    apikey::ApiKey,
    claims::{Identity, Verified},
    email::Email,
    jwt::{AuthError, Tokens, verify_identity},
    password::{Password, PasswordError, Passwords},
    refresh::RefreshToken,
};
