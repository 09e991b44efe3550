//! Origins whose browsers may call the API, for each site.

use std::{collections::HashMap, sync::Arc};

use actix_cors::Cors;
use actix_web::http::header::{self, HeaderValue};

use super::{error::ApiError, security};
use crate::{
    config::OriginPattern,
    domain::{ErrorCode, SiteId},
};

/// Allowed origins by site. Requests without an `Origin` (not from a page) and from the service's
/// own pages pass.
#[derive(Clone)]
pub struct Origins {
    own: Arc<Vec<String>>,
    by_site: Arc<HashMap<SiteId, Vec<OriginPattern>>>,
    page_policy: Arc<str>,
}

impl Origins {
    /// `own`: the origins of the service itself. `page`: the site of the chat page. Only this
    /// site's origins appear in the page's policy, because anyone can read the page.
    pub fn new(
        own: Vec<String>,
        by_site: HashMap<SiteId, Vec<String>>,
        page: Option<&SiteId>,
    ) -> Self {
        let framers = page.and_then(|site| by_site.get(site)).into_iter().flatten();
        let page_policy = security::page_policy(framers.map(String::as_str)).into();
        // The configuration was checked.
        let patterns = |list: Vec<String>| -> Vec<OriginPattern> {
            list.iter().filter_map(|origin| OriginPattern::parse(origin).ok()).collect()
        };
        let by_site = by_site.into_iter().map(|(site, list)| (site, patterns(list))).collect();
        Self { own: Arc::new(own), by_site: Arc::new(by_site), page_policy }
    }

    /// The `Content-Security-Policy` of the chat page.
    pub fn page_policy(&self) -> &str {
        &self.page_policy
    }

    /// # Errors
    /// 403 `origin_not_allowed`.
    pub fn check(&self, site: &SiteId, origin: Option<&HeaderValue>) -> Result<(), ApiError> {
        let Some(origin) = origin else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        let allowed = self
            .by_site
            .get(site)
            .is_some_and(|list| list.iter().any(|allowed| allowed.matches(origin)));
        if allowed || self.is_own(origin) {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::OriginNotAllowed))
    }

    fn is_own(&self, origin: &str) -> bool {
        self.own.iter().any(|own| own == origin)
    }

    fn is_known(&self, origin: &str) -> bool {
        self.is_own(origin)
            || self.by_site.values().any(|list| list.iter().any(|allowed| allowed.matches(origin)))
    }

    /// The preflight cannot know the site, so it passes for an origin that any site allows; the
    /// request itself is checked against its own site.
    pub fn cors(&self) -> Cors {
        let origins = self.clone();
        Cors::default()
            .allowed_origin_fn(move |origin, _| {
                origin.to_str().is_ok_and(|origin| origins.is_known(origin))
            })
            .allowed_methods(["GET", "POST", "PUT", "DELETE"])
            .allowed_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::ACCEPT,
                header::IF_MATCH,
                header::HeaderName::from_static("idempotency-key"),
                header::HeaderName::from_static("last-event-id"),
                header::HeaderName::from_static("prefer"),
                header::HeaderName::from_static("x-request-id"),
                header::HeaderName::from_static("traceparent"),
            ])
            .expose_headers(["x-request-id", "retry-after", "idempotency-replayed", "etag"])
            .block_on_origin_mismatch(false)
            .max_age(600)
    }
}
