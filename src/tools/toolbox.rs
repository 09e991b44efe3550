//! The tools of one site.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::tool::Tool;
use crate::config::{Effect, Identity};

/// In the order of their declarations, the built-in ones first.
#[derive(Debug, Default)]
pub struct Toolbox(Vec<Arc<Tool>>);

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
}

impl Toolbox {
    pub(super) fn new(tools: Vec<Arc<Tool>>) -> Self {
        Self(tools)
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Tool>> {
        self.0.iter().find(|tool| tool.name == name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Tool>> {
        self.0.iter()
    }

    /// Whether a tool returns what belongs to one shopper.
    pub fn has_personal(&self) -> bool {
        self.0.iter().any(|tool| tool.identity != Identity::Nobody)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn status(&self) -> Vec<ToolStatus> {
        let status = self.0.iter().map(|tool| ToolStatus {
            name: tool.name.clone(),
            description: tool.description.clone(),
            effect: tool.effect,
            identity: tool.identity,
            parameters: tool.parameters.clone(),
            target: tool.target.origin.clone(),
            breaker_open: tool.target.is_open(),
        });
        status.collect()
    }
}
