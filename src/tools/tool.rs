//! One tool of a site.

use std::{fmt, sync::Arc, time::Duration};

use jsonschema::Validator;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{request::Requests, target::Target};
use crate::{
    config::{self, Effect, Identity, validator},
    net::Outbound,
};

/// A declaration, ready for calls.
pub struct Tool {
    pub name: String,
    pub description: String,
    pub effect: Effect,
    pub identity: Identity,
    /// JSON schema of the arguments.
    pub parameters: Value,
    /// Longest time of one call.
    pub timeout: Duration,
    pub(super) cache: Duration,
    pub(super) max_bytes: usize,
    pub(super) requests: Requests,
    pub(super) target: Arc<Target>,
    pub(super) client: Outbound,
    /// One for each call at the same time.
    pub(super) permits: Semaphore,
    pub(super) validator: Validator,
}

impl Tool {
    /// # Errors
    /// What is wrong with a declaration that was not checked.
    pub(super) fn new(
        declared: config::Tool,
        requests: Requests,
        target: Arc<Target>,
        client: Outbound,
    ) -> Result<Self, String> {
        Ok(Self {
            validator: validator(&declared.parameters)?,
            requests,
            name: declared.name,
            description: declared.description,
            effect: declared.effect,
            identity: declared.identity,
            parameters: declared.parameters,
            timeout: declared.timeout,
            cache: declared.cache,
            max_bytes: declared.max_bytes,
            target,
            client,
            permits: Semaphore::new(declared.max_calls),
        })
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tool({})", self.name)
    }
}
