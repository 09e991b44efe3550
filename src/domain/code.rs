//! The public list of errors: RFC 9457 problems with a stable `code`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    InvalidRequest,
    IdempotencyKeyMissing,
    TokenExpired,
    TokenInvalid,
    Forbidden,
    OriginNotAllowed,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    RequestInProgress,
    ControlConflict,
    TurnActive,
    Conflict,
    /// A confirmation names another effect than the one that was proposed last.
    EffectChanged,
    /// Only a signed-in customer may do this.
    IdentityRequired,
    /// The shopper said something that the agent has not seen.
    StaleView,
    /// Nobody of the shop takes conversations now.
    NobodyOnDuty,
    /// The agent is away, or has as many conversations as they take.
    AgentUnavailable,
    Erased,
    PreconditionFailed,
    PayloadTooLarge,
    UriTooLong,
    UnsupportedMediaType,
    HeadersTooLarge,
    IdempotencyKeyReused,
    SchemaViolation,
    RateLimited,
    /// Many new visitors come; a proof of work lets this one in at once.
    ProofRequired,
    Overloaded,
    Draining,
    DependencyUnavailable,
    UpstreamTimeout,
    /// The answer was cut off by a crash or a broken backend.
    Interrupted,
    Internal,
}

impl ErrorCode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::IdempotencyKeyMissing => "idempotency_key_missing",
            Self::TokenExpired => "token_expired",
            Self::TokenInvalid => "token_invalid",
            Self::Forbidden => "forbidden",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::RequestInProgress => "request_in_progress",
            Self::ControlConflict => "control_conflict",
            Self::TurnActive => "turn_active",
            Self::Conflict => "conflict",
            Self::EffectChanged => "effect_changed",
            Self::IdentityRequired => "identity_required",
            Self::StaleView => "stale_view",
            Self::NobodyOnDuty => "nobody_on_duty",
            Self::AgentUnavailable => "agent_unavailable",
            Self::Erased => "erased",
            Self::PreconditionFailed => "precondition_failed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UriTooLong => "uri_too_long",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::HeadersTooLarge => "headers_too_large",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::SchemaViolation => "schema_violation",
            Self::RateLimited => "rate_limited",
            Self::ProofRequired => "proof_required",
            Self::Overloaded => "overloaded",
            Self::Draining => "draining",
            Self::DependencyUnavailable => "dependency_unavailable",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::Interrupted => "interrupted",
            Self::Internal => "internal",
        }
    }

    /// HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::IdempotencyKeyMissing => 400,
            Self::TokenExpired | Self::TokenInvalid => 401,
            Self::Forbidden | Self::OriginNotAllowed => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::RequestInProgress
            | Self::ControlConflict
            | Self::TurnActive
            | Self::Conflict
            | Self::EffectChanged
            | Self::IdentityRequired
            | Self::StaleView
            | Self::NobodyOnDuty
            | Self::AgentUnavailable => 409,
            Self::Erased => 410,
            Self::PreconditionFailed => 412,
            Self::PayloadTooLarge => 413,
            Self::UriTooLong => 414,
            Self::UnsupportedMediaType => 415,
            Self::IdempotencyKeyReused | Self::SchemaViolation => 422,
            Self::RateLimited | Self::ProofRequired => 429,
            Self::HeadersTooLarge => 431,
            Self::Interrupted | Self::Internal => 500,
            Self::Overloaded | Self::Draining | Self::DependencyUnavailable => 503,
            Self::UpstreamTimeout => 504,
        }
    }

    /// Whether the same request may succeed later, unchanged.
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Self::RequestTimeout
                | Self::RequestInProgress
                | Self::TurnActive
                | Self::RateLimited
                | Self::ProofRequired
                | Self::Overloaded
                | Self::Draining
                | Self::DependencyUnavailable
                | Self::UpstreamTimeout
                | Self::Interrupted
        )
    }

    /// One sentence that may be shown to a shopper, in English. Those of other languages stand in
    /// `words/<language>/problems.txt`.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request could not be understood.",
            Self::IdempotencyKeyMissing => "The request needs an Idempotency-Key header.",
            Self::TokenExpired => "Your sign-in has expired; please refresh it.",
            Self::TokenInvalid => "You are not signed in.",
            Self::Forbidden => "You are not allowed to do this.",
            Self::OriginNotAllowed => "This website may not use this chat.",
            Self::NotFound => "This does not exist.",
            Self::MethodNotAllowed => "This address does not accept this method.",
            Self::RequestTimeout => "The request took too long to arrive.",
            Self::RequestInProgress => "The same request is already being processed.",
            Self::ControlConflict => "Somebody else has taken over this conversation.",
            Self::TurnActive => "An answer is still being written; please wait for it or stop it.",
            Self::Conflict => "This conflicts with something that already exists.",
            Self::EffectChanged => {
                "What will happen is not what you were shown; please look again."
            }
            Self::IdentityRequired => "Please sign in first.",
            Self::StaleView => "There is a newer message; please read it first.",
            Self::NobodyOnDuty => "Nobody of our team is here right now.",
            Self::AgentUnavailable => "This person takes no conversations right now.",
            Self::Erased => "This conversation has been erased.",
            Self::PreconditionFailed => "This has changed since you last read it.",
            Self::PayloadTooLarge => "The request is too large.",
            Self::UriTooLong => "The address of the request is too long.",
            Self::UnsupportedMediaType => "The request must be JSON.",
            Self::HeadersTooLarge => "The headers of the request are too large.",
            Self::IdempotencyKeyReused => {
                "This Idempotency-Key was already used for another request."
            }
            Self::SchemaViolation => "Some fields of the request are not valid.",
            Self::RateLimited => "You have sent too many messages; please wait a moment.",
            Self::ProofRequired => {
                "Many new visitors are coming right now; solve the challenge, or come again later."
            }
            Self::Overloaded => "We are very busy right now; please try again in a moment.",
            Self::Draining => "This server is restarting; please try again in a moment.",
            Self::DependencyUnavailable => {
                "A part of the service is unavailable; please try again in a moment."
            }
            Self::UpstreamTimeout => "The answer took too long; please try again.",
            Self::Interrupted => "The answer was interrupted; please ask again.",
            Self::Internal => "Something went wrong on our side.",
        }
    }
}

/// An invalid field of a request body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Path of the field, for example `text` or `faq[2].question`.
    pub field: String,
    pub detail: String,
}

/// A proof of work: find a `nonce` such that SHA-256 of `token`, a dot and `nonce` begins with
/// `bits` zero bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Challenge {
    /// Sent back unchanged, once.
    pub token: String,
    pub bits: u8,
    /// Milliseconds until the token expires.
    pub expires_in_ms: u64,
}

/// The body of every error (RFC 9457), and the `problem` of `turn.failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: String,
    /// The sentence of `code`, in a language of the reader.
    pub title: String,
    pub status: u16,
    /// More about this case, if there is more to say.
    pub detail: String,
    /// Path of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    pub code: ErrorCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field_errors: Vec<FieldError>,
    /// Only with `proof_required`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
}

impl Problem {
    pub fn new(code: ErrorCode) -> Self {
        Self::with_detail(code, code.sentence())
    }

    pub fn with_detail(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:rushdesk:problem:{}", code.as_str()),
            title: code.sentence().to_owned(),
            status: code.status(),
            detail: detail.into(),
            instance: None,
            code,
            request_id: None,
            retry_after_ms: None,
            field_errors: Vec::new(),
            challenge: None,
        }
    }
}
