//! One tool of a site.

use std::{fmt, sync::Arc, time::Duration};

use jsonschema::Validator;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{target::Target, undo::Undo, way::Way};
use crate::config::{self, Approval, Effect, Identity, McpTool, validator};

/// A declaration, ready for calls.
pub struct Tool {
    pub name: String,
    /// Of its metrics.
    pub(super) label: String,
    pub description: String,
    pub effect: Effect,
    pub identity: Identity,
    /// What is sent to say who asks; below `Code`.
    pub shown_by: Identity,
    /// When a confirmed call waits for a person.
    pub approval: Option<Approval>,
    pub undo: Option<Undo>,
    /// JSON schema of the arguments.
    pub parameters: Value,
    /// Longest time of one call.
    pub timeout: Duration,
    /// It searches the web, and returns so many results at most.
    pub web_results: Option<usize>,
    pub(super) cache: Duration,
    pub(super) max_bytes: usize,
    pub(super) way: Way,
    pub(super) target: Arc<Target>,
    /// One for each call at the same time.
    pub(super) permits: Semaphore,
    pub(super) validator: Validator,
}

impl Tool {
    /// # Errors
    /// What is wrong with a declaration that was not checked.
    pub(super) fn new(
        declared: config::Tool,
        label: String,
        way: Way,
        target: Arc<Target>,
    ) -> Result<Self, String> {
        let shown_by = declared.shown_by();
        Ok(Self {
            validator: validator(&declared.parameters)?,
            way,
            label,
            name: declared.name,
            description: declared.description,
            effect: declared.effect,
            identity: declared.identity,
            shown_by,
            approval: declared.approval,
            undo: declared.undo.map(Undo::new),
            parameters: declared.parameters,
            timeout: declared.timeout,
            web_results: declared.web_results,
            cache: declared.cache,
            max_bytes: declared.max_bytes,
            target,
            permits: Semaphore::new(declared.max_calls),
        })
    }
}

impl Tool {
    /// Of a tool of an MCP server.
    pub(super) fn fingerprint(&self) -> Option<&str> {
        match &self.way {
            Way::Mcp(offered) => Some(&offered.fingerprint),
            Way::Http(_) => None,
        }
    }

    /// The status of the target's last answer, for people.
    pub fn last_status(&self) -> Option<StatusCode> {
        self.target.last_status()
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tool({})", self.name)
    }
}

/// A tool of an MCP server in the form of the others, without a request.
pub(super) fn limits_of(
    declared: &McpTool,
    name: &str,
    description: String,
    parameters: Value,
) -> config::Tool {
    config::Tool {
        name: name.to_owned(),
        description,
        parameters,
        identity: declared.identity,
        effect: declared.effect,
        timeout: declared.timeout,
        cache: declared.cache,
        max_bytes: declared.max_bytes,
        max_calls: declared.max_calls,
        ..config::Tool::default()
    }
}
