//! How a tool is reached: by requests that the site declared, or through an MCP server.

use std::sync::Arc;

use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use super::{
    caller::Caller,
    mcp::Remote,
    request::{Filled, Requests, filled, named, who},
};
use crate::config::Identity;

pub(super) enum Way {
    Http(Requests),
    Mcp(Offered),
}

/// A tool of an MCP server.
pub(super) struct Offered {
    pub remote: Arc<Remote>,
    /// As the server calls it.
    pub name: String,
    /// Values that the service fills in.
    pub fixed: Map<String, Value>,
    pub fingerprint: String,
}

impl Way {
    /// What is sent for these arguments, which fit the schema.
    ///
    /// # Errors
    /// What cannot be sent, without its value.
    pub(super) fn fill(
        &self,
        arguments: &Map<String, Value>,
        identity: Identity,
        caller: &Caller,
    ) -> Result<Filled, String> {
        match self {
            Self::Http(requests) => requests.fill(arguments, identity, caller),
            Self::Mcp(offered) => offered.fill(arguments, identity, caller),
        }
    }

    /// Of every request, with the secrets of the target.
    pub(super) fn headers(&self) -> HeaderMap {
        match self {
            Self::Http(requests) => requests.headers.clone(),
            // Its remote has them.
            Self::Mcp(_) => HeaderMap::new(),
        }
    }
}

impl Offered {
    fn fill(
        &self,
        arguments: &Map<String, Value>,
        identity: Identity,
        caller: &Caller,
    ) -> Result<Filled, String> {
        let text = |name: &str| named(name, arguments, caller);
        let mut all = arguments.clone();
        if let Some(Value::Object(fixed)) =
            filled(&Value::Object(self.fixed.clone()), &Map::new(), &text)
        {
            all.extend(fixed);
        }
        let body = Value::Object(all).to_string().into_bytes();
        Ok(Filled { url: self.remote.url().clone(), body: Some(body), who: who(identity, caller)? })
    }
}
