//! Accounts: visitors, customers, staff and servers, and their tokens.
//!
//! Joins the primitives of `auth` with the rows of the archive. Called by the HTTP layer and by
//! `rushdesk admin`. A visitor has no row in the archive, only a token.

mod absence;
mod caller;
mod disable;
mod error;
mod handle;
mod identify;
mod keyring;
mod keys;
mod newcomer;
mod password;
mod reset;
mod sign_in;
mod sites;
mod user;

pub use {
    caller::Caller, error::AccountError, handle::Accounts, newcomer::Proof, password::Credentials,
    reset::Reset, sign_in::Session,
};
