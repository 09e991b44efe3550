//! Probes, the public status, and the metrics.

use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    error::{ApiError, jittered},
    metrics::streams,
    state::App,
};
use crate::{
    brownout::Service,
    domain::{ErrorCode, Problem, ServiceLevel},
    inference::Observe,
    telemetry::process,
};

const OBSERVE_TIMEOUT: Duration = Duration::from_millis(500);

#[derive(Serialize, ToSchema)]
pub struct Health {
    pub status: &'static str,
}

/// The process is running.
///
/// No store is checked.
#[utoipa::path(get, path = "/livez", tag = "operations", responses((status = 200, body = Health)))]
#[get("/livez")]
pub async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "alive" })
}

/// Models are loaded and the archive was reached.
///
/// The service listens only after that.
#[utoipa::path(get, path = "/startupz", tag = "operations", responses((status = 200, body = Health)))]
#[get("/startupz")]
pub async fn startupz() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "started" })
}

#[derive(Serialize, ToSchema)]
pub struct Ready {
    pub status: &'static str,
    pub hot_store: &'static str,
    pub archive: &'static str,
    pub embedder: &'static str,
    pub model: &'static str,
}

/// This replica can acknowledge a message: it is not draining, and the archive takes a change.
///
/// The archive is written to at most once a second.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = 200, body = Ready), (status = 503, body = Problem)))]
#[get("/readyz")]
pub async fn readyz(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    if app.draining.is_cancelled() {
        return Err(ApiError::new(ErrorCode::Draining));
    }
    let hot = async {
        match &app.hot {
            Some(hot) => hot.ping().await.is_ok(),
            None => true,
        }
    };
    let (hot, archive) = tokio::join!(hot, app.readiness.check());
    // Redis only speeds things up; the archive acknowledges.
    archive.map_err(|why| {
        ApiError::with_detail(ErrorCode::DependencyUnavailable, why.to_string())
            .retry_after(jittered(Duration::from_secs(2)))
    })?;
    let embedder = app.ports.embedder.is_some();
    Ok(HttpResponse::Ok().json(Ready {
        status: "ready",
        hot_store: if hot { "ok" } else { "unavailable" },
        archive: "ok",
        embedder: if embedder { "ok" } else { "absent" },
        model: if app.ports.model.is_some() { "configured" } else { "absent" },
    }))
}

#[derive(Serialize, ToSchema)]
pub struct Status {
    /// Service level, 0 (full service) to 4 (tickets).
    pub service_level: ServiceLevel,
    /// Whether an operator pinned the level. Otherwise it follows the load.
    pub pinned: bool,
    /// Turns that wait for a model.
    pub queue_depth: usize,
    /// Expected wait of a new turn, in milliseconds.
    pub queue_wait_ms: u64,
    pub draining: bool,
}

/// Shows how busy the service is.
///
/// Needs no token.
#[utoipa::path(get, path = "/v1/status", tag = "operations", responses((status = 200, body = Status)))]
#[get("/v1/status")]
pub async fn status(app: web::Data<App>) -> HttpResponse {
    let pool = match &app.pool {
        Some(pool) => pool.observe.send(Observe).timeout(OBSERVE_TIMEOUT).await.ok(),
        None => None,
    };
    let Service { level, pinned } = app.ports.brownout.service();
    HttpResponse::Ok().json(Status {
        service_level: level,
        pinned,
        queue_depth: pool.as_ref().map_or(0, |pool| pool.queued),
        queue_wait_ms: pool.as_ref().map_or(0, |pool| pool.wait_ms),
        draining: app.draining.is_cancelled(),
    })
}

/// Metrics in Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text format", content_type = "text/plain")))]
#[get("/metrics")]
pub async fn metrics(app: web::Data<App>) -> HttpResponse {
    streams(app.streams.taken());
    let data_dir = app.config.server.data_dir.clone();
    // Without the metrics of the process, the other metrics are still useful.
    let _ = web::block(move || process::look(&data_dir)).await;
    app.metrics.run_upkeep();
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(app.metrics.render())
}
