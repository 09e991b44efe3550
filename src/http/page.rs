//! The chat page, embedded in the binary.

use actix_web::{
    HttpResponse, get,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION},
    web,
};
use rust_embed::RustEmbed;

use super::error::ApiError;
use crate::domain::ErrorCode;

#[derive(RustEmbed)]
#[folder = "web/"]
struct Files;

/// Nothing from another origin, nothing inline.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; object-src 'none'";

#[get("/")]
pub async fn index() -> Result<HttpResponse, ApiError> {
    file("index.html")
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
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        // The page and its parts must be of one version.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(file.data.into_owned()))
}
