//! The tools of one site.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::tool::Tool;
use crate::config::{Effect, Identity};

#[derive(Debug, Default)]
pub struct Toolbox {
    /// In the order of their declarations, the built-in ones first.
    tools: Vec<Arc<Tool>>,
    /// Calls of the shop that no model and no rule chooses.
    hooks: Vec<Arc<Tool>>,
    missing: Vec<Missing>,
}

/// A tool that the site allows and that its server does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Missing {
    pub name: String,
    pub reason: String,
}

/// A tool as an operator sees it, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToolStatus {
    pub name: String,
    pub description: String,
    #[schema(value_type = String)]
    pub effect: Effect,
    #[schema(value_type = String)]
    pub identity: Identity,
    /// JSON schema of the arguments.
    #[schema(value_type = Object)]
    pub parameters: Value,
    /// Scheme, host and port.
    pub target: String,
    /// The target failed several times in a row and is asked once a second.
    pub breaker_open: bool,
    /// Of a tool of an MCP server: what its name, description and schema were when it was allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

impl Toolbox {
    pub(super) fn new(tools: Vec<Arc<Tool>>, hooks: Vec<Arc<Tool>>, missing: Vec<Missing>) -> Self {
        Self { tools, hooks, missing }
    }

    pub(super) fn hook(&self, name: &str) -> Option<&Arc<Tool>> {
        self.hooks.iter().find(|tool| tool.name == name)
    }

    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Tool>> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.tools.iter()
    }

    /// What a model may call. What takes a change back is called for that only.
    pub fn offered(&self) -> impl Iterator<Item = &Arc<Tool>> {
        let undoes = |tool: &Tool| {
            let mut undos = self.tools.iter().filter_map(|other| other.undo.as_ref());
            undos.any(|undo| undo.tool == tool.name)
        };
        self.tools.iter().filter(move |tool| !undoes(tool))
    }

    /// Whether a tool returns what belongs to one shopper.
    pub fn has_personal(&self) -> bool {
        self.tools.iter().any(|tool| tool.identity != Identity::Nobody)
    }

    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    pub fn status(&self) -> Vec<ToolStatus> {
        let status = self.tools.iter().map(|tool| ToolStatus {
            name: tool.name.clone(),
            description: tool.description.clone(),
            effect: tool.effect,
            identity: tool.identity,
            parameters: tool.parameters.clone(),
            target: tool.target.origin.clone(),
            breaker_open: tool.target.is_open(),
            fingerprint: tool.fingerprint().map(str::to_owned),
        });
        status.collect()
    }
}
