//! Why an operation is not imported.

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenApiError {
    #[error("this is no OpenAPI document of version 3.0 or 3.1 in JSON")]
    NotOpenApi,
    #[error("there is no operation `{name}`; there are: {known}")]
    NoOperation { name: String, known: String },
    #[error("the document names no address that is whole: give one with --server")]
    NoServer,
    #[error("`{0}` is not in the document: import one document that has everything")]
    NoReference(String),
    #[error("the schemas of `{0}` refer to themselves or are too deep")]
    Endless(String),
    #[error("the body of `{0}` is no JSON object with properties")]
    Body(String),
}
