//! Makes tools of declarations. Tools of one site share what they know of a target.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::Url;
use tracing::warn;

use super::{
    metrics, request::Requests, servers::Server, target::Target, tool::Tool, way::Way,
    written::Written,
};
use crate::{
    config::{self, Config, Site, written_tool},
    domain::SiteId,
    net::{Outbound, Reach},
};

#[derive(Debug, thiserror::Error)]
pub enum ToolsError {
    #[error("the client of tools cannot be made")]
    Client(#[from] reqwest::Error),
    #[error("tool `{tool}` of site `{site}`: {fault}")]
    Declaration { site: SiteId, tool: String, fault: String },
}

/// What the configuration gives a site.
pub(super) struct Configured {
    pub tools: Vec<Arc<Tool>>,
    /// Calls of the shop that no model and no rule chooses.
    pub hooks: Vec<Arc<Tool>>,
    pub servers: Vec<Server>,
}

pub(super) struct Maker {
    /// Within reach of everybody's tools.
    guarded: Outbound,
    /// For the shop of the demo site alone, which may be on this machine.
    demo: Outbound,
    demo_origin: Option<String>,
    bounds: config::Tools,
    targets: Mutex<BTreeMap<(SiteId, String), Arc<Target>>>,
}

/// Who declares a tool.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Operator,
    /// Metrics have no names of theirs.
    Admin,
}

impl Maker {
    pub(super) fn new(config: &Config) -> Result<Self, reqwest::Error> {
        let demo_shop = config.is_embedded().then(|| Url::parse(&config.tools.demo_shop_url).ok());
        Ok(Self {
            guarded: Outbound::new(Reach::networks(&config.tools.allowed_networks))?,
            demo: Outbound::new(Reach::Anywhere)?,
            demo_origin: demo_shop.flatten().map(|url| url.origin().ascii_serialization()),
            bounds: config.tools.clone(),
            targets: Mutex::default(),
        })
    }

    pub(super) fn configured(&self, site: &Site) -> Result<Configured, ToolsError> {
        let fault = |tool: &str, fault| {
            let (site, tool) = (site.id.clone(), tool.to_owned());
            ToolsError::Declaration { site, tool, fault }
        };
        let made = |declared: config::Tool| {
            let name = declared.name.clone();
            self.tool(&site.id, declared, By::Operator).map_err(|text| fault(&name, text))
        };
        let servers = site.mcp.iter().map(|declared| {
            let server = self.server(&site.id, declared);
            server.map_err(|text| fault(&declared.name, text))
        });
        Ok(Configured {
            tools: site.all_tools().into_iter().map(made).collect::<Result<_, _>>()?,
            hooks: site.hooks().into_iter().map(made).collect::<Result<_, _>>()?,
            servers: servers.collect::<Result<_, _>>()?,
        })
    }

    /// # Errors
    /// What is wrong with a declaration that was not checked.
    pub(super) fn tool(
        &self,
        site: &SiteId,
        declared: config::Tool,
        by: By,
    ) -> Result<Arc<Tool>, String> {
        let requests = Requests::new(&declared)?;
        let target = self.target(site, &requests.origin, by);
        let label = match by {
            By::Operator => declared.name.clone(),
            By::Admin => metrics::WRITTEN.to_owned(),
        };
        metrics::declared(&label);
        Tool::new(declared, label, Way::Http(requests), target).map(Arc::new)
    }

    /// A tool that an admin wrote. One that cannot be made, since a newer build wrote it or the
    /// configuration has one of its name now, is left out.
    pub(super) fn written(&self, site: &SiteId, row: &Written) -> Option<Arc<Tool>> {
        let mut declaration = row.declaration.clone()?;
        declaration["name"] = row.name.as_str().into();
        let declared = written_tool(&declaration);
        let declared = declared.map_err(|faults| faults.join("; "));
        let made = declared.and_then(|declared| self.tool(site, declared, By::Admin));
        made.inspect_err(|fault| {
            let name = row.name.as_str();
            warn!(%site, tool = name, fault, "a tool that an admin wrote cannot be used");
        })
        .ok()
    }

    fn server(&self, site: &SiteId, declared: &config::McpServer) -> Result<Server, String> {
        let url = Url::parse(&declared.url).map_err(|error| error.to_string())?;
        let target = self.target(site, &url.origin().ascii_serialization(), By::Operator);
        Server::new(declared, url, target)
    }

    fn target(&self, site: &SiteId, origin: &str, by: By) -> Arc<Target> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        // Those of tools that are gone.
        targets.retain(|_, target| Arc::strong_count(target) > 1);
        let is_demo = self.demo_origin.as_deref() == Some(origin) && by == By::Operator;
        let make = || {
            let client = if is_demo { self.demo.clone() } else { self.guarded.clone() };
            let is_measured = by == By::Operator;
            Target::new(site.clone(), origin.to_owned(), client, is_measured, &self.bounds)
        };
        // An admin's tool does not reach what only the operator's may.
        let key = (site.clone(), format!("{origin}{}", if by == By::Admin { " " } else { "" }));
        Arc::clone(targets.entry(key).or_insert_with(|| Arc::new(make())))
    }
}
