//! The query parameters of each address: a parameter that means nothing is refused and never ignored,
//! or somebody believes in `?dry_run=true`.
//!
//! The OpenAPI document says which address has which parameters.

use std::{collections::HashMap, sync::LazyLock};

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use serde_json::Value;
use utoipa::OpenApi as _;

use super::{docs::ApiDoc, error::ApiError};
use crate::domain::ErrorCode;

/// Health probes take any parameter: load balancers and monitors add one against caches. So do pages
/// and their parts, which the document does not have.
const PROBES: [&str; 3] = ["/livez", "/startupz", "/readyz"];

/// The names of the parameters of each method of each address.
static KNOWN: LazyLock<HashMap<String, HashMap<String, Vec<String>>>> = LazyLock::new(|| {
    let document = serde_json::to_value(ApiDoc::openapi()).unwrap_or_default();
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    let paths = paths.into_iter().filter(|(path, _)| !PROBES.contains(&path.as_str()));
    paths.map(|(path, operations)| (path, methods(&operations))).collect()
});

fn methods(operations: &Value) -> HashMap<String, Vec<String>> {
    let operations = operations.as_object().into_iter().flatten();
    operations.map(|(method, operation)| (method.to_uppercase(), names(operation))).collect()
}

fn names(operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let in_query = parameters.filter(|parameter| parameter["in"] == "query");
    in_query.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect()
}

/// Middleware: 400 `invalid_request` with the name of the first parameter that the address does not
/// have.
pub async fn parameters(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    if let Some(detail) = fault(&request) {
        let refusal = ApiError::with_detail(ErrorCode::InvalidRequest, detail);
        return Ok(request.error_response(refusal).map_into_right_body());
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

fn fault(request: &ServiceRequest) -> Option<String> {
    let query = request.query_string();
    if query.is_empty() {
        return None;
    }
    // Without a method of this address, the answer is 404 or 405 anyhow.
    let known = KNOWN.get(&request.match_pattern()?)?.get(request.method().as_str())?;
    let unknown = form_urlencoded::parse(query.as_bytes());
    let unknown = unknown.map(|(name, _)| name).find(|name| !known.iter().any(|k| k == name))?;
    let name: String = unknown.chars().take(64).collect();
    Some(if known.is_empty() {
        format!("unknown query parameter `{name}`: this address takes none, send it without `?`")
    } else {
        format!("unknown query parameter `{name}`: known are `{}`", known.join("`, `"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_an_address_are_those_of_its_documentation() {
        let known = |path: &str, method: &str| KNOWN[path][method].clone();
        assert_eq!(known("/v1/sessions", "POST"), [""; 0]);
        assert_eq!(known("/v1/sessions", "GET"), ["cursor", "limit"]);
        assert!(!KNOWN.contains_key("/livez") && KNOWN.contains_key("/v1/status"));
    }
}
