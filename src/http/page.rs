//! The chat page, embedded in the binary.

use actix_web::{
    HttpResponse, get,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, LOCATION},
    web,
};
use rust_embed::RustEmbed;

use super::{error::ApiError, security::ALONE, state::App};
use crate::domain::ErrorCode;

#[derive(RustEmbed)]
#[folder = "web/"]
struct Files;

#[get("/")]
pub async fn index(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let mut page = file("index.html")?;
    let policy = HeaderValue::from_str(app.origins.page_policy());
    let policy = policy.map_err(|_| ApiError::new(ErrorCode::Internal))?;
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(page)
}

/// Asks for a new password. The link's token is in the fragment, which the browser sends to nobody;
/// the page itself is the same for all, and is not framed.
#[get("/reset")]
pub async fn reset() -> Result<HttpResponse, ApiError> {
    let mut page = file("reset.html")?;
    let policy = HeaderValue::from_static(ALONE);
    page.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(page)
}

#[get("/assets/{name}")]
pub async fn asset(name: web::Path<String>) -> Result<HttpResponse, ApiError> {
    file(&name)
}

/// The page of the API lives below its own folder.
#[get("/docs")]
pub async fn docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

fn file(name: &str) -> Result<HttpResponse, ApiError> {
    let file = Files::get(name).ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    Ok(HttpResponse::Ok()
        .content_type(file.metadata.mimetype())
        // The page and its parts must have the same version.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(file.data.into_owned()))
}
