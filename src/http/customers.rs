//! Erasing everything of a customer or visitor.

use actix_web::{HttpResponse, delete, http::StatusCode, http::header, web};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    admin::entry,
    error::ApiError,
    extract::{Caller, Leaver, id},
    state::App,
};
use crate::{
    archive::CustomerErasure,
    domain::{ErrorCode, PrincipalId, Problem, Role, Timestamp},
};

/// Seconds after which an unfinished erasure is worth asking for again.
const RETRY_S: u32 = 2;

/// Whether a store has nothing of the customer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    Erased,
    /// It goes on by itself.
    Waiting,
}

impl From<Option<Timestamp>> for Progress {
    fn from(done_at: Option<Timestamp>) -> Self {
        match done_at {
            Some(_) => Self::Erased,
            None => Self::Waiting,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct StoreProgress {
    /// The database, with its files if it is SQLite.
    pub archive: Progress,
    /// The memory of every replica that runs.
    pub replicas: Progress,
    /// Answers to questions of the customer that were shared with others.
    pub cache: Progress,
}

/// What an erasure removed so far, and where.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerReceipt {
    pub customer_id: PrincipalId,
    pub requested_at: Timestamp,
    /// When the last store was done; absent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
    pub stores: StoreProgress,
    /// 1 for a customer, 0 for a visitor, who has no account.
    pub accounts: u64,
    pub refresh_tokens: u64,
    pub sessions: u64,
    pub events: u64,
    pub messages: u64,
    /// Keys of requests (`Idempotency-Key`).
    pub idempotency: u64,
    pub feedback: u64,
    pub tickets: u64,
    /// Entries of the audit log whose details were removed.
    pub audit: u64,
}

impl From<CustomerErasure> for CustomerReceipt {
    fn from(row: CustomerErasure) -> Self {
        Self {
            customer_id: row.customer_id,
            requested_at: row.requested_at,
            erased_at: row.erased_at,
            stores: StoreProgress {
                archive: row.archive_at.into(),
                replicas: row.replicas_at.into(),
                cache: row.cache_at.into(),
            },
            accounts: row.accounts.into(),
            refresh_tokens: row.refresh_tokens.into(),
            sessions: row.sessions.into(),
            events: row.events.into(),
            messages: row.messages.into(),
            idempotency: row.idempotency.into(),
            feedback: row.feedback.into(),
            tickets: row.tickets.into(),
            audit: row.audit.into(),
        }
    }
}

/// The customer or visitor of the path, if the caller may decide about it: the person, or an admin
/// or a server of the shop. Somebody else's customer does not exist.
///
/// # Errors
/// 403 for agents, 404.
pub async fn customer(app: &App, caller: &Caller, path: &str) -> Result<PrincipalId, ApiError> {
    caller.require(&[Role::Visitor, Role::Customer, Role::Admin, Role::Server])?;
    let customer: PrincipalId = id(path)?;
    let principal = &caller.principal;
    let known = match principal.role {
        Role::Visitor | Role::Customer => principal.id == customer,
        Role::Agent | Role::Admin | Role::Server => {
            app.archive.knows_customer(&principal.site_id, customer).await?
        }
    };
    if known { Ok(customer) } else { Err(ApiError::new(ErrorCode::NotFound)) }
}

/// Erases a customer or visitor.
///
/// Everything goes: the account, its sign-ins, all sessions, ratings and tickets, and the cached
/// answers to the customer's questions. The answer is 200 once every store has confirmed it, and 202
/// with the state if one has not after some seconds. The erasure goes on by itself, also after a
/// restart; ask again with the same request. No other request takes the customer's tokens any more.
/// Who signs in again gets a new, empty account.
#[utoipa::path(
    delete, path = "/v1/customers/{id}", tag = "customers", params(("id" = String, Path)),
    responses((status = 200, body = CustomerReceipt), (status = 202, body = CustomerReceipt), (status = 404, body = Problem)),
    security(("bearer" = []))
)]
#[delete("/v1/customers/{id}")]
pub async fn erase_customer(
    app: web::Data<App>,
    leaver: Leaver,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let Leaver(caller) = leaver;
    let customer = customer(&app, &caller, &path).await?;
    let by_other = customer != caller.principal.id;
    let entry =
        by_other.then(|| entry(&caller, "customer.erase", &customer.to_string(), json!({})));
    app.eraser.begin(&caller.principal.site_id, customer, entry.as_ref()).await?;
    let (eraser, draining) = (app.eraser.clone(), app.draining.clone());
    // A task of its own: a client that leaves must not stop it half way.
    let work = async move { draining.run_until_cancelled(eraser.finish(customer)).await };
    let _ = app.tasks.spawn(work).await;
    let row = app.archive.erasure(customer).await?;
    let row = row.ok_or_else(|| ApiError::new(ErrorCode::Internal))?;
    let receipt = CustomerReceipt::from(row);
    Ok(match receipt.erased_at {
        Some(_) => HttpResponse::Ok().json(receipt),
        None => HttpResponse::build(StatusCode::ACCEPTED)
            .insert_header((header::RETRY_AFTER, RETRY_S))
            .json(receipt),
    })
}
