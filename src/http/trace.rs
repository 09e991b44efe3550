//! Middleware around every request: its id, span and metrics, and the form of its errors.
//!
//! Every response with a status of 400 or more is an RFC 9457 problem that names the request, even
//! if the framework refused the request before a handler saw it.

use std::{sync::Arc, time::Duration};

use actix_web::{
    Error, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, AcceptLanguage, Header as _, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use tokio::time::Instant;
use tracing::{Instrument, field::Empty, info_span, warn};
use uuid::Uuid;

use super::{
    connection::{Answer, Requests},
    docs::allowed,
    error::{ApiError, code_of, respond},
    metrics,
    security::secure,
    state::App,
};
use crate::{
    assistant::problems,
    domain::{ErrorCode, Problem},
    telemetry::traces,
};

pub async fn trace(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<Answer>, Error> {
    let begun = Instant::now();
    let answering = request.conn_data::<Requests>().map(Requests::begin);
    let mut request = request;
    head_as_get(&mut request);
    let request_id = request_id(&request);
    let method = method(&request);
    let route = request.match_pattern();
    let path = request.path().to_owned();
    let span = info_span!(
        "request",
        request_id,
        trace_id = trace_id(&request),
        method,
        route = route.as_deref().unwrap_or("none"),
        status = Empty
    );
    let traceparent = request.headers().get(traces::TRACEPARENT);
    traces::join(&span, traceparent.and_then(|value| value.to_str().ok()));
    let config = request.app_data::<web::Data<App>>().map(|app| Arc::clone(&app.config));
    let response = next.call(request).instrument(span.clone()).await?;
    let mut response =
        name_error(response.map_into_boxed_body(), &request_id, &path, route.as_deref());
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    secure(response.headers_mut(), &path, config.as_deref().map(|config| &config.server));
    let status = response.status();
    span.record("status", status.as_u16());
    span.in_scope(|| {
        if status.is_server_error() {
            warn!(elapsed_ms = millis(begun.elapsed()), "request failed");
        }
    });
    let route = route.unwrap_or_else(|| "none".to_owned());
    metrics::answered(method, route, class(status), begun.elapsed());
    Ok(response.map_body(|_, body| Answer::new(body, answering)))
}

/// Probes and load balancers ask with HEAD for what GET shows; the server then leaves the body out.
/// Streams and data of shoppers are no use without a body.
fn head_as_get(request: &mut ServiceRequest) {
    let is_public = !request.path().starts_with("/v1/") || request.path() == "/v1/status";
    if request.method() == Method::HEAD && is_public {
        request.head_mut().method = Method::GET;
    }
}

fn method(request: &ServiceRequest) -> &'static str {
    match request.method().as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "HEAD" => "HEAD",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The caller's `X-Request-Id` if it is safe to log, otherwise a new one.
fn request_id(request: &ServiceRequest) -> String {
    let given = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
    let harmless = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    given.filter(harmless).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The trace id of a W3C `traceparent`, version 00.
fn trace_id(request: &ServiceRequest) -> Option<&str> {
    let value = request.headers().get("traceparent")?.to_str().ok()?;
    let mut parts = value.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = trace.len() == 32 && trace.bytes().all(|b| b.is_ascii_hexdigit());
    (version == "00" && is_hex && trace.bytes().any(|b| b != b'0')).then_some(trace)
}

fn name_error(
    response: ServiceResponse<BoxBody>,
    request_id: &str,
    path: &str,
    route: Option<&str>,
) -> ServiceResponse<BoxBody> {
    if response.status().as_u16() < 400 {
        return response;
    }
    let own = response.response().error().and_then(|error| error.as_error::<ApiError>());
    let mut problem = match own {
        Some(error) => (*error.0).clone(),
        None if is_cors(&response) => Problem::new(ErrorCode::OriginNotAllowed),
        // The pattern matched, but no handler answered: the method is wrong.
        None if response.status() == StatusCode::NOT_FOUND && route.is_some() => {
            Problem::new(ErrorCode::MethodNotAllowed)
        }
        None => Problem::new(code_of(response.status())),
    };
    let language = tell_in_language(&mut problem, response.request());
    problem.instance = Some(path.to_owned());
    problem.request_id = Some(request_id.to_owned());
    // Keep headers that inner layers (CORS) set.
    let (request, old) = response.into_parts();
    let mut new = respond(&problem);
    if let Some(language) = language {
        let language = HeaderValue::from_static(language);
        new.headers_mut().insert(header::CONTENT_LANGUAGE, language);
    }
    let allowed = route.filter(|_| problem.code == ErrorCode::MethodNotAllowed).and_then(allowed);
    if let Some(allowed) = allowed {
        new.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    }
    for (name, value) in old.headers() {
        if !new.headers().contains_key(name) && *name != header::CONTENT_LENGTH {
            new.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, new)
}

/// Translates what the reader asked for. The problem of a turn is in the language of its session
/// already. Returns the language that the problem is in.
fn tell_in_language(problem: &mut Problem, request: &HttpRequest) -> Option<&'static str> {
    let accepted = AcceptLanguage::parse(request).map(|accepted| accepted.ranked());
    let accepted: Vec<String> =
        accepted.unwrap_or_default().iter().map(|language| language.to_string()).collect();
    match problems::language(accepted.iter().map(String::as_str)) {
        Some(language) => {
            problems::translate(problem, language);
            Some(language)
        }
        None => problems::language_of(problem),
    }
}

fn is_cors(response: &ServiceResponse<BoxBody>) -> bool {
    let error = response.response().error();
    error.is_some_and(|error| error.as_error::<actix_cors::CorsError>().is_some())
}
