//! Extractors of the handlers: the caller, a JSON body, an idempotency key.

use std::{
    future::{Future, Ready, ready},
    ops::Deref,
    pin::Pin,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, error::PayloadError, http::header, web};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::{error::ApiError, sender::Sender, state::App};
use crate::{
    domain::{ErrorCode, Principal, PrincipalId, Role},
    session::messages::Asker,
};

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

pub use crate::accounts::Caller;

impl Caller {
    pub fn asker(&self) -> Asker {
        Asker(self.principal.clone())
    }

    /// A visitor or customer. Staff and servers of a shop deal with the sessions of many shoppers.
    pub fn visitor(&self) -> Option<PrincipalId> {
        match self.principal.role {
            Role::Visitor | Role::Customer => Some(self.principal.id),
            Role::Agent | Role::Admin | Role::Server => None,
        }
    }

    /// # Errors
    /// 403 for every other role.
    pub fn require(&self, roles: &[Role]) -> Result<(), ApiError> {
        if roles.contains(&self.principal.role) {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::Forbidden))
    }

    /// Allows admins of a site in `auth.operator_sites`, for actions on the whole deployment.
    ///
    /// # Errors
    /// 403 for all other callers.
    pub fn require_operator(&self, app: &App) -> Result<(), ApiError> {
        self.require(&[Role::Admin])?;
        if app.config.auth.operator_sites.contains(&self.principal.site_id) {
            return Ok(());
        }
        Err(ApiError::with_detail(
            ErrorCode::Forbidden,
            "only admins of the sites in `auth.operator_sites` may do this",
        ))
    }
}

/// The number of items of a page: `asked`, or `default` if nothing was asked.
///
/// # Errors
/// 400 if it is not between 1 and `most`; a page that is shorter than what was asked would look
/// like the last one.
pub fn page_limit(asked: Option<u32>, default: u32, most: u32) -> Result<u32, ApiError> {
    match asked.unwrap_or(default) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(ApiError::with_detail(
            ErrorCode::InvalidRequest,
            format!("`limit` must be between 1 and {most}"),
        )),
    }
}

/// What a request with a token brings.
struct Called {
    app: web::Data<App>,
    token: String,
    origin: Option<header::HeaderValue>,
}

impl Called {
    fn by(request: &HttpRequest) -> Result<Self, ApiError> {
        let (token, app) = (bearer(request)?, app(request)?);
        let origin = request.headers().get(header::ORIGIN).cloned();
        Ok(Self { app, token, origin })
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let called = Called::by(request);
        Box::pin(async move {
            let Called { app, token, origin } = called?;
            let caller = app.accounts.authenticate(&token).await?;
            app.origins.check(&caller.principal.site_id, origin.as_ref())?;
            Ok(caller)
        })
    }
}

/// A caller who may have been erased already, and asks how far that came.
pub struct Leaver(pub Caller);

impl FromRequest for Leaver {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let called = Called::by(request);
        Box::pin(async move {
            let Called { app, token, origin } = called?;
            let caller = app.accounts.authenticate_erased(&token).await?;
            app.origins.check(&caller.principal.site_id, origin.as_ref())?;
            Ok(Self(caller))
        })
    }
}

/// # Errors
/// 401 for a request without a token.
fn bearer(request: &HttpRequest) -> Result<String, ApiError> {
    let value = request.headers().get(header::AUTHORIZATION);
    let value = value.and_then(|value| value.to_str().ok());
    let token = value
        .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
    token.map(|token| token.trim().to_owned()).ok_or_else(|| {
        ApiError::with_detail(
            ErrorCode::TokenInvalid,
            "send `Authorization: Bearer <access token>`",
        )
    })
}

/// A caller of a request for sessions, which has been taken from the caller's quota.
pub struct Reader(pub Caller);

impl FromRequest for Reader {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload);
        let app = app(request);
        let request = request.clone();
        Box::pin(async move {
            let (caller, app) = (caller.await?, app?);
            count_read(&app, &caller, app.senders.of(&request))?;
            Ok(Self(caller))
        })
    }
}

/// A shopper's command costs quota like a message: each may add to the journal.
///
/// # Errors
/// 429 if there is none left.
pub async fn count_command(app: &App, caller: &Caller, sender: Sender) -> Result<(), ApiError> {
    let Some(visitor) = caller.visitor() else { return Ok(()) };
    let from = sender.of_caller(&caller.principal);
    app.limits.message(&caller.principal.site_id, visitor, from).await.map(drop)?;
    Ok(())
}

/// # Errors
/// 429 if the caller, the addresses around it, or its site ask for too many sessions.
pub fn count_read(app: &App, caller: &Caller, sender: Sender) -> Result<(), ApiError> {
    let Principal { site_id, .. } = &caller.principal;
    let (visitor, from) = (caller.visitor(), sender.of_caller(&caller.principal));
    Ok(app.limits.read(site_id, visitor, from)?)
}

fn app(request: &HttpRequest) -> Result<web::Data<App>, ApiError> {
    let app = request.app_data::<web::Data<App>>().cloned();
    app.ok_or_else(|| ApiError::new(ErrorCode::Internal))
}

impl FromRequest for Sender {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(app(request).map(|app| app.senders.of(request)))
    }
}

/// A JSON body of at most `server.max_body_bytes` that arrives within `server.request_timeout`.
pub struct Body<T>(pub T);

impl<T> Deref for Body<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let app = app(request);
        let (is_json, is_plain) = (is_json(request), require_plain(request));
        let payload = payload.take();
        Box::pin(async move {
            let app = app?;
            is_plain?;
            let limit = app.config.server.max_body_bytes;
            let bytes = read(payload, limit, &app).await?;
            parse(is_json, &bytes).map(Body)
        })
    }
}

/// The parameters behind the `?` of an address.
pub struct Query<T>(pub T);

impl<T> Deref for Query<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse_query(request.query_string()).map(Self))
    }
}

/// # Errors
/// 400 with the name of the parameter that is unknown or not valid.
pub fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let parameters = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(parameters).map_err(|error| {
        let path = error.path().to_string();
        let what = error.inner();
        let detail = match path.as_str() {
            "." => format!("query: {what}"),
            name => format!("query parameter `{name}`: {what}"),
        };
        ApiError::with_detail(ErrorCode::InvalidRequest, detail)
    })
}

/// Parses a JSON body. The error names the field that is invalid.
pub fn parse<T: DeserializeOwned>(is_json: bool, bytes: &[u8]) -> Result<T, ApiError> {
    if !is_json {
        return Err(ApiError::with_detail(
            ErrorCode::UnsupportedMediaType,
            "send `Content-Type: application/json`",
        ));
    }
    // Derived types accept a list of their fields in order.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
            Ok(_) => ApiError::field("", "must be an object"),
            Err(error) => malformed(&error),
        });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            let path = error.path().to_string();
            let field = if path == "." { String::new() } else { path };
            return ApiError::field(&field, without_position(&inner.to_string()));
        }
        malformed(inner)
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> ApiError {
    ApiError::with_detail(
        ErrorCode::InvalidRequest,
        format!("the body is not valid JSON (line {}, column {})", error.line(), error.column()),
    )
}

/// serde_json's message without `at line 1 column 9`, since the error has the path.
fn without_position(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |at| &message[..at])
}

pub fn is_json(request: &HttpRequest) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Refuses compressed bodies, since a small one can become a large one.
///
/// # Errors
/// 415 `unsupported_media_type`.
pub fn require_plain(request: &HttpRequest) -> Result<(), ApiError> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(ApiError::with_detail(
        ErrorCode::UnsupportedMediaType,
        "send the body without `Content-Encoding`",
    ))
}

/// Reads a whole body, bounded in size and time.
pub async fn read(
    mut payload: Payload,
    limit: usize,
    app: &App,
) -> Result<web::BytesMut, ApiError> {
    let whole = async {
        let mut body = web::BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                if matches!(error, PayloadError::Overflow) {
                    return too_large(limit);
                }
                let detail = "the body did not arrive completely";
                ApiError::with_detail(ErrorCode::InvalidRequest, detail)
            })?;
            if body.len() + chunk.len() > limit {
                return Err(too_large(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    match tokio::time::timeout(app.config.server.request_timeout, whole).await {
        Ok(body) => body,
        Err(_) => Err(ApiError::new(ErrorCode::RequestTimeout)),
    }
}

fn too_large(limit: usize) -> ApiError {
    ApiError::with_detail(
        ErrorCode::PayloadTooLarge,
        format!("the body may have at most {limit} bytes"),
    )
}

/// The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header): 1 to 255 visible
/// characters.
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches('"');
        let valid = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        valid.then(|| Self(text.to_owned()))
    }
}

impl FromRequest for IdempotencyKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get("idempotency-key") else {
            return ready(Err(ApiError::new(ErrorCode::IdempotencyKeyMissing)));
        };
        let key = value.to_str().ok().and_then(Self::parse);
        ready(key.ok_or_else(|| {
            ApiError::with_detail(
                ErrorCode::InvalidRequest,
                "Idempotency-Key must have 1 to 255 visible ASCII characters",
            )
        }))
    }
}

/// An id in the path. Anything that is not an id is 404.
pub fn id<T: std::str::FromStr>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::new(ErrorCode::NotFound))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its type matters here")]
        text: String,
    }

    fn code(json: &str) -> (ErrorCode, Vec<String>) {
        let problem = parse::<Sample>(true, json.as_bytes()).unwrap_err().0;
        (problem.code, problem.field_errors.into_iter().map(|f| f.field).collect())
    }

    #[test]
    fn a_body_that_is_no_json_is_400_and_one_of_the_wrong_shape_is_422_with_its_field() {
        assert_eq!(code("{\"text\":").0, ErrorCode::InvalidRequest);
        assert_eq!(code("{\"text\":\"a\"} x").0, ErrorCode::InvalidRequest);
        assert_eq!(code("{\"text\":1}"), (ErrorCode::SchemaViolation, vec!["text".into()]));
        assert_eq!(code("{\"text\":\"a\",\"b\":1}").0, ErrorCode::SchemaViolation);
    }

    #[test]
    fn ten_thousand_levels_of_json_are_refused_without_a_panic() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(parse::<Sample>(true, deep.as_bytes()).is_err());
        let deep = format!("{{\"x\":{deep}}}");
        assert!(parse::<Sample>(true, deep.as_bytes()).is_err());
        assert!(parse::<serde_json::Value>(true, deep.as_bytes()).is_err());
    }
}
