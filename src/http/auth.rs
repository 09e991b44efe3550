//! Visitors, registration, sign-in, refresh, sign-out, new passwords, and the shop's identity
//! tokens.

use actix_web::{HttpRequest, HttpResponse, http::header, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    error::ApiError,
    extract::Caller,
    paid::{Costs, Paid},
    state::App,
};
use crate::{
    accounts::{self, AccountError, Credentials, Session},
    archive::Site,
    domain::{ErrorCode, Principal, Problem},
    limits::Budget,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVisitor {
    /// Public key of the site, for example `pk_demo`.
    pub site_key: String,
    #[serde(default)]
    pub locale: Option<String>,
    /// After `proof_required`.
    #[serde(default)]
    pub proof: Option<Proof>,
}

/// A solved `challenge` of a problem with the code `proof_required`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The `token` of the challenge.
    pub challenge: String,
    /// At most 64 bytes; SHA-256 of `token`, a dot and it begins with `bits` zero bits.
    pub nonce: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    pub site_key: String,
    pub email: String,
    /// 8 to 256 characters.
    pub password: String,
    #[serde(default)]
    pub display_name: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    pub site_key: String,
    pub email: String,
    pub password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    pub refresh_token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Identify {
    pub site_key: String,
    /// HS256 token signed by the shop's server: `iss`, `sub`, `email?`, `iat?`, `exp`.
    pub identity_token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    pub current_password: String,
    /// 8 to 256 characters.
    pub new_password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    pub site_key: String,
    /// From `POST /v1/admin/users/reset`.
    pub reset_token: String,
    /// 8 to 256 characters.
    pub new_password: String,
}

impl Costs for NewVisitor {
    const BUDGET: Budget = Budget::Visitors;
}

impl Costs for Refresh {
    const BUDGET: Budget = Budget::Refreshes;
}

macro_rules! costs_a_login {
    ($($body:ty),+) => {$(
        impl Costs for $body {
            const BUDGET: Budget = Budget::Logins;
        }
    )+};
}
costs_a_login!(Registration, Login, Identify, PasswordChange, PasswordReset);

/// Tokens of a principal.
#[derive(Serialize, ToSchema)]
pub struct TokenPair {
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    pub refresh_token: String,
    pub principal: Principal,
}

impl From<Session> for TokenPair {
    fn from(session: Session) -> Self {
        Self {
            access_token: session.access_token,
            token_type: "Bearer",
            expires_in: session.expires_in.as_secs(),
            refresh_token: session.refresh_token,
            principal: session.principal,
        }
    }
}

/// Finds the site of a public key, and checks the browser's origin.
async fn site(app: &App, request: &HttpRequest, site_key: &str) -> Result<Site, ApiError> {
    let site = app.accounts.site(site_key).await?;
    app.origins.check(&site.id, request.headers().get(header::ORIGIN))?;
    Ok(site)
}

/// Gives tokens to an anonymous shopper.
///
/// In a flood of new visitors the answer is 429 `proof_required` with a `challenge`: solve it and
/// send it as `proof`, or come again after `Retry-After`.
#[utoipa::path(post, path = "/v1/auth/visitor", tag = "auth", request_body = NewVisitor,
    responses((status = 201, body = TokenPair), (status = 404, body = Problem), (status = 429, body = Problem)))]
#[post("/v1/auth/visitor")]
pub async fn visitor(
    app: web::Data<App>,
    request: HttpRequest,
    paid: Paid<NewVisitor>,
) -> Result<HttpResponse, ApiError> {
    let Paid { body, owed, .. } = paid;
    let site = site(&app, &request, &body.site_key).await?;
    let proof = body.proof.map(|Proof { challenge, nonce }| accounts::Proof { challenge, nonce });
    let session = app.accounts.visitor(&site, proof, owed).await?;
    Ok(HttpResponse::Created().json(TokenPair::from(session)))
}

/// Registers a customer.
///
/// If the address has an account already, its password signs in, and another one gets the 401 of a
/// wrong password. After some of those, all registrations from the same place wait.
#[utoipa::path(post, path = "/v1/auth/register", tag = "auth", request_body = Registration,
    responses((status = 201, body = TokenPair), (status = 401, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
#[post("/v1/auth/register")]
pub async fn register(
    app: web::Data<App>,
    request: HttpRequest,
    paid: Paid<Registration>,
) -> Result<HttpResponse, ApiError> {
    let Paid { body, from, .. } = paid;
    let Registration { site_key, email, password, display_name } = body;
    if display_name.as_ref().is_some_and(|name| name.chars().count() > 100) {
        return Err(ApiError::field("display_name", "may have at most 100 characters"));
    }
    let site = site(&app, &request, &site_key).await?;
    let credentials = Credentials { email, password };
    let session = app.accounts.register(&site, credentials, display_name, from).await?;
    Ok(HttpResponse::Created().json(TokenPair::from(session)))
}

/// Signs in with an address and a password.
#[utoipa::path(post, path = "/v1/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, body = TokenPair), (status = 401, body = Problem), (status = 429, body = Problem)))]
#[post("/v1/auth/login")]
pub async fn login(
    app: web::Data<App>,
    request: HttpRequest,
    paid: Paid<Login>,
) -> Result<HttpResponse, ApiError> {
    let Login { site_key, email, password } = paid.body;
    let site = site(&app, &request, &site_key).await?;
    let session = app.accounts.login(&site, Credentials { email, password }).await?;
    Ok(HttpResponse::Ok().json(TokenPair::from(session)))
}

/// Exchanges a token that the shop's server signed for a customer's tokens.
#[utoipa::path(post, path = "/v1/auth/identify", tag = "auth", request_body = Identify,
    responses((status = 200, body = TokenPair), (status = 401, body = Problem)))]
#[post("/v1/auth/identify")]
pub async fn identify(
    app: web::Data<App>,
    request: HttpRequest,
    paid: Paid<Identify>,
) -> Result<HttpResponse, ApiError> {
    let Identify { site_key, identity_token } = paid.body;
    let site = site(&app, &request, &site_key).await?;
    let session = app.accounts.identify(&site, &identity_token).await?;
    Ok(HttpResponse::Ok().json(TokenPair::from(session)))
}

/// Exchanges a refresh token for new tokens.
///
/// Using a token twice ends all tokens of its sign-in.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "auth", request_body = Refresh,
    responses((status = 200, body = TokenPair), (status = 401, body = Problem)))]
#[post("/v1/auth/refresh")]
pub async fn refresh(app: web::Data<App>, paid: Paid<Refresh>) -> Result<HttpResponse, ApiError> {
    let session = app.accounts.refresh(&paid.body.refresh_token).await?;
    Ok(HttpResponse::Ok().json(TokenPair::from(session)))
}

/// Signs out: ends all tokens of a refresh token's sign-in.
///
/// Idempotent.
#[utoipa::path(post, path = "/v1/auth/logout", tag = "auth", request_body = Refresh,
    responses((status = 204, description = "signed out")))]
#[post("/v1/auth/logout")]
pub async fn logout(app: web::Data<App>, paid: Paid<Refresh>) -> Result<HttpResponse, ApiError> {
    app.accounts.logout(&paid.body.refresh_token).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sets a new password.
///
/// All sign-ins of the account end; the response is a new one. Access tokens from before live until
/// they expire.
#[utoipa::path(post, path = "/v1/auth/password", tag = "auth", request_body = PasswordChange,
    responses((status = 200, body = TokenPair), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)), security(("bearer" = [])))]
#[post("/v1/auth/password")]
pub async fn change_password(
    app: web::Data<App>,
    caller: Caller,
    paid: Paid<PasswordChange>,
) -> Result<HttpResponse, ApiError> {
    let PasswordChange { current_password, new_password } = paid.body;
    let changed = app.accounts.change_password(&caller.principal, current_password, new_password);
    let session = changed.await?;
    Ok(HttpResponse::Ok().json(TokenPair::from(session)))
}

/// Sets a new password with a one-time link.
///
/// All sign-ins of the account end.
#[utoipa::path(post, path = "/v1/auth/reset", tag = "auth", request_body = PasswordReset,
    responses((status = 204, description = "set; sign in with it"), (status = 401, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
#[post("/v1/auth/reset")]
pub async fn reset_password(
    app: web::Data<App>,
    request: HttpRequest,
    paid: Paid<PasswordReset>,
) -> Result<HttpResponse, ApiError> {
    let PasswordReset { site_key, reset_token, new_password } = paid.body;
    let site = site(&app, &request, &site_key).await?;
    let reset = app.accounts.reset_password(&site, &reset_token, new_password);
    reset.await.map_err(|error| {
        if !matches!(error, AccountError::TokenInvalid) {
            return error.into();
        }
        ApiError::with_detail(
            ErrorCode::TokenInvalid,
            "this link was used or has expired; ask the shop for another one",
        )
    })?;
    Ok(HttpResponse::NoContent().finish())
}

/// Shows the caller of a token.
#[utoipa::path(get, path = "/v1/auth/me", tag = "auth",
    responses((status = 200, body = Principal), (status = 401, body = Problem)), security(("bearer" = [])))]
#[actix_web::get("/v1/auth/me")]
pub async fn me(caller: Caller) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(caller.principal))
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::UnknownSite => {
                Self::with_detail(ErrorCode::NotFound, "no site has this `site_key`")
            }
            AccountError::Credentials => {
                Self::with_detail(ErrorCode::TokenInvalid, "wrong e-mail address or password")
            }
            AccountError::Taken => Self::with_detail(
                ErrorCode::Conflict,
                "an account cannot be created with these data; sign in instead",
            ),
            AccountError::Invalid(fields) => Self::fields(fields),
            AccountError::TokenExpired => Self::new(ErrorCode::TokenExpired),
            AccountError::TokenInvalid => Self::new(ErrorCode::TokenInvalid),
            AccountError::Erased => Self::with_detail(
                ErrorCode::TokenInvalid,
                "everything of this account was erased; sign in again for a new one",
            ),
            AccountError::NoRole => Self::with_detail(
                ErrorCode::Forbidden,
                "your identity provider gives you no role here",
            ),
            AccountError::KeysAway => Self::with_detail(
                ErrorCode::DependencyUnavailable,
                "the identity provider does not answer",
            )
            .retry_after(super::error::jittered(std::time::Duration::from_secs(5))),
            AccountError::Busy => Self::new(ErrorCode::Overloaded)
                .retry_after(super::error::jittered(std::time::Duration::from_secs(1))),
            AccountError::NoPassword => {
                Self::with_detail(ErrorCode::Forbidden, "this account has no password here")
            }
            AccountError::UnknownAccount => Self::with_detail(
                ErrorCode::NotFound,
                "no account that you may reset has this address",
            ),
            AccountError::ProofRequired { challenge, retry_after } => {
                Self::proof_required(challenge, retry_after)
            }
            AccountError::Limited(limited) => limited.into(),
            AccountError::Archive(error) => error.into(),
        }
    }
}
