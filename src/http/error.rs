//! Every failure of the API as one RFC 9457 problem.
//!
//! Handlers return [`ApiError`]; the trace middleware adds the request's id and path. The mapping
//! from errors of other modules is exhaustive: a new variant does not compile without a code.

use std::{fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use tracing::{debug, error};

use crate::{
    archive::ArchiveError,
    domain::{Challenge, ErrorCode, FieldError, Problem},
    journal::JournalError,
    limits::Limited,
    session::messages::SessionError,
    supervisor::door::AskError,
};

#[derive(Debug)]
pub struct ApiError(pub Box<Problem>);

impl ApiError {
    pub fn new(code: ErrorCode) -> Self {
        Self(Box::new(Problem::new(code)))
    }

    pub fn with_detail(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem::with_detail(code, detail)))
    }

    /// 422 with one entry for each invalid field.
    pub fn fields(field_errors: Vec<FieldError>) -> Self {
        let mut error = Self::new(ErrorCode::SchemaViolation);
        error.0.field_errors = field_errors;
        error
    }

    pub fn field(field: &str, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { field: field.to_owned(), detail: detail.into() }])
    }

    /// Whether the service is unavailable at the moment, for any caller.
    pub fn is_unavailable(&self) -> bool {
        self.0.status == 503
    }

    /// 429 with a challenge. A client that cannot solve it may come again later.
    pub fn proof_required(challenge: Challenge, retry_after: Duration) -> Self {
        let mut error = Self::new(ErrorCode::ProofRequired).retry_after(retry_after);
        error.0.challenge = Some(challenge);
        error
    }

    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after_ms = u64::try_from(after.as_millis()).ok();
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code.as_str())
    }
}

/// The response for a problem. 429 and 503 always have `Retry-After`, rounded up to whole seconds.
pub fn respond(problem: &Problem) -> HttpResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    let after = match (problem.retry_after_ms, problem.status) {
        (Some(millis), _) => Some(millis.div_ceil(1_000).max(1)),
        (None, 429 | 503) => Some(1),
        (None, _) => None,
    };
    if let Some(seconds) = after {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    if problem.status == 408 {
        // What is still to come of the request must not be taken for the next one.
        response.force_close();
    }
    if problem.status == 401 {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    response.json(problem)
}

/// The error code of a refusal by the framework.
pub fn code_of(status: StatusCode) -> ErrorCode {
    match status.as_u16() {
        401 => ErrorCode::TokenInvalid,
        403 => ErrorCode::Forbidden,
        404 => ErrorCode::NotFound,
        405 => ErrorCode::MethodNotAllowed,
        408 => ErrorCode::RequestTimeout,
        413 => ErrorCode::PayloadTooLarge,
        414 => ErrorCode::UriTooLong,
        415 => ErrorCode::UnsupportedMediaType,
        431 => ErrorCode::HeadersTooLarge,
        400..=499 => ErrorCode::InvalidRequest,
        503 => ErrorCode::Overloaded,
        _ => ErrorCode::Internal,
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        respond(&self.0)
    }
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NotFound => Self::new(ErrorCode::NotFound),
            SessionError::Erased => Self::new(ErrorCode::Erased),
            SessionError::TurnActive | SessionError::Joins => {
                Self::new(ErrorCode::TurnActive).retry_after(Duration::from_secs(1))
            }
            SessionError::EffectChanged => Self::new(ErrorCode::EffectChanged),
            SessionError::IdentityRequired => Self::new(ErrorCode::IdentityRequired),
            SessionError::Decided => {
                Self::with_detail(ErrorCode::Conflict, "this was already decided otherwise")
            }
            error @ SessionError::Conflict { .. } => {
                Self::with_detail(ErrorCode::ControlConflict, error.to_string())
            }
            SessionError::Ahead { seq } => {
                let detail = format!("may be at most {seq}, the seq of the newest event");
                Self::field("last_seen_seq", detail)
            }
            SessionError::StaleView { seq } => Self::with_detail(
                ErrorCode::StaleView,
                format!("the shopper's newest message has seq {seq}"),
            ),
            SessionError::KeyReused => Self::new(ErrorCode::IdempotencyKeyReused),
            SessionError::TooManyTurns => {
                Self::new(ErrorCode::Overloaded).retry_after(jittered(Duration::from_secs(2)))
            }
            SessionError::Draining => {
                Self::new(ErrorCode::Draining).retry_after(jittered(Duration::from_secs(1)))
            }
            SessionError::StoreUnavailable => Self::new(ErrorCode::DependencyUnavailable)
                .retry_after(jittered(Duration::from_secs(2))),
        }
    }
}

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Session(error) => error.into(),
            AskError::Full => {
                Self::new(ErrorCode::Overloaded).retry_after(jittered(Duration::from_secs(5)))
            }
            AskError::Timeout => Self::new(ErrorCode::DependencyUnavailable)
                .retry_after(jittered(Duration::from_secs(2))),
        }
    }
}

impl From<JournalError> for ApiError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::NotFound => Self::new(ErrorCode::NotFound),
            JournalError::Erased { .. } => Self::new(ErrorCode::Erased),
            JournalError::Archive(_) => {
                // The stores log the begin and the end of an outage.
                debug!(%error, "journal is unavailable");
                Self::new(ErrorCode::DependencyUnavailable)
                    .retry_after(jittered(Duration::from_secs(2)))
            }
        }
    }
}

impl From<ArchiveError> for ApiError {
    fn from(error: ArchiveError) -> Self {
        if matches!(error, ArchiveError::Conflict) {
            return Self::new(ErrorCode::Conflict);
        }
        if error.is_away() {
            debug!(%error, "archive is unavailable");
        } else {
            error!(%error, "archive returned an error");
        }
        Self::new(ErrorCode::DependencyUnavailable).retry_after(jittered(Duration::from_secs(2)))
    }
}

impl From<Limited> for ApiError {
    fn from(limited: Limited) -> Self {
        Self::new(ErrorCode::RateLimited).retry_after(limited.retry_after)
    }
}

/// A random time from `base` to twice `base`, so that refused clients do not retry together.
pub fn jittered(base: Duration) -> Duration {
    base.mul_f64(1.0 + rand::random::<f64>())
}

/// A random time after which a stream of a stopping replica reconnects. There may be thousands.
pub fn spread() -> Duration {
    Duration::from_millis(rand::random_range(200..4_000))
}
