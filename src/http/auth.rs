//! Visitors, registration, sign-in, refresh, sign-out, and the shop's identity tokens.

use actix_web::{HttpRequest, HttpResponse, http::header, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    error::ApiError,
    extract::{Body, Caller},
    state::App,
};
use crate::{
    accounts::{Credentials, Session},
    archive::Site,
    domain::{ErrorCode, Principal, Problem},
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVisitor {
    /// Public key of the site, for example `pk_demo`.
    pub site_key: String,
    #[serde(default)]
    pub locale: Option<String>,
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
    /// HS256 token signed by the shop's server: `iss`, `sub`, `email?`, `exp`.
    pub identity_token: String,
}

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

/// Finds the site of a public key, and checks the browser's origin and the site's sign-in limit.
async fn site(app: &App, request: &HttpRequest, site_key: &str) -> Result<Site, ApiError> {
    let site = app.accounts.site(site_key).await?;
    app.origins.check(&site.id, request.headers().get(header::ORIGIN))?;
    app.limits.login(&site.id).await?;
    Ok(site)
}

/// Gives tokens to an anonymous shopper.
#[utoipa::path(post, path = "/v1/auth/visitor", tag = "auth", request_body = NewVisitor,
    responses((status = 201, body = TokenPair), (status = 404, body = Problem), (status = 429, body = Problem)))]
#[post("/v1/auth/visitor")]
pub async fn visitor(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<NewVisitor>,
) -> Result<HttpResponse, ApiError> {
    let site = site(&app, &request, &body.site_key).await?;
    let session = app.accounts.visitor(&site).await?;
    Ok(HttpResponse::Created().json(TokenPair::from(session)))
}

/// Registers a customer.
///
/// A taken address gets 409; hiding that would need confirmation by mail, which is not built.
#[utoipa::path(post, path = "/v1/auth/register", tag = "auth", request_body = Registration,
    responses((status = 201, body = TokenPair), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/v1/auth/register")]
pub async fn register(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<Registration>,
) -> Result<HttpResponse, ApiError> {
    let Registration { site_key, email, password, display_name } = body.0;
    if display_name.as_ref().is_some_and(|name| name.chars().count() > 100) {
        return Err(ApiError::field("display_name", "may have at most 100 characters"));
    }
    let site = site(&app, &request, &site_key).await?;
    let session =
        app.accounts.register(&site, Credentials { email, password }, display_name).await?;
    Ok(HttpResponse::Created().json(TokenPair::from(session)))
}

/// Signs in with an address and a password.
#[utoipa::path(post, path = "/v1/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, body = TokenPair), (status = 401, body = Problem), (status = 429, body = Problem)))]
#[post("/v1/auth/login")]
pub async fn login(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<Login>,
) -> Result<HttpResponse, ApiError> {
    let Login { site_key, email, password } = body.0;
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
    body: Body<Identify>,
) -> Result<HttpResponse, ApiError> {
    let site = site(&app, &request, &body.site_key).await?;
    let session = app.accounts.identify(&site, &body.identity_token).await?;
    Ok(HttpResponse::Ok().json(TokenPair::from(session)))
}

/// Exchanges a refresh token for new tokens.
///
/// Using a token twice ends all tokens of its sign-in.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "auth", request_body = Refresh,
    responses((status = 200, body = TokenPair), (status = 401, body = Problem)))]
#[post("/v1/auth/refresh")]
pub async fn refresh(app: web::Data<App>, body: Body<Refresh>) -> Result<HttpResponse, ApiError> {
    let session = app.accounts.refresh(&body.refresh_token).await?;
    Ok(HttpResponse::Ok().json(TokenPair::from(session)))
}

/// Signs out: ends all tokens of a refresh token's sign-in.
///
/// Idempotent.
#[utoipa::path(post, path = "/v1/auth/logout", tag = "auth", request_body = Refresh,
    responses((status = 204, description = "signed out")))]
#[post("/v1/auth/logout")]
pub async fn logout(app: web::Data<App>, body: Body<Refresh>) -> Result<HttpResponse, ApiError> {
    app.accounts.logout(&body.refresh_token).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Shows the caller of a token.
#[utoipa::path(get, path = "/v1/auth/me", tag = "auth",
    responses((status = 200, body = Principal), (status = 401, body = Problem)), security(("bearer" = [])))]
#[actix_web::get("/v1/auth/me")]
pub async fn me(caller: Caller) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(caller.principal))
}

impl From<crate::accounts::AccountError> for ApiError {
    fn from(error: crate::accounts::AccountError) -> Self {
        use crate::accounts::AccountError;
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
            AccountError::Archive(error) => error.into(),
        }
    }
}
