//! How large the headers of a request may be, on every address. The framework bounds only what it
//! buffers: a head that is whole before the buffer is full is read, however large it is.

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::HeaderMap,
    middleware::Next,
};

use super::error::ApiError;
use crate::domain::ErrorCode;

/// The most bytes of all headers together.
const MOST: usize = 64 * 1024;
/// The colon, the space and the end of a line.
const SIGNS: usize = 4;

/// Middleware: 431 `headers_too_large` for more than 64 KiB of headers.
pub async fn head(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    if size(request.headers()) > MOST {
        let refusal = ApiError::new(ErrorCode::HeadersTooLarge);
        return Ok(request.error_response(refusal).map_into_right_body());
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + SIGNS).sum()
}
