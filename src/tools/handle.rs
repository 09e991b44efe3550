//! The tools of all sites.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use reqwest::{StatusCode, Url};
use tokio::time::Instant;

use super::{
    lookups::Lookups,
    maker::{Configured, Maker, ToolsError},
    target::Target,
    toolbox::{Missing, Toolbox},
    written::{Drawer, Written},
};
use crate::{
    config::Config,
    domain::SiteId,
    limits::Limits,
    net::{OutboundError, Wanted},
};

/// Longest wait for a target that is only asked whether it is there.
const PROBE: Duration = Duration::from_secs(5);

/// Clones share everything.
#[derive(Clone)]
pub struct Tools(Arc<Inner>);

struct Inner {
    maker: Maker,
    configured: HashMap<SiteId, Configured>,
    /// What admins wrote.
    written: Mutex<HashMap<SiteId, Drawer>>,
    /// What turns see: made of the two above, whenever one of them changes.
    toolboxes: ArcSwap<HashMap<SiteId, Arc<Toolbox>>>,
    /// Of a site without tools.
    none: Arc<Toolbox>,
    lookups: Lookups,
    limits: Limits,
    result_bytes: usize,
}

impl Tools {
    /// The tools that a checked configuration declares. Those of MCP servers come with
    /// [`Tools::refresh`].
    ///
    /// # Errors
    /// If a declaration was not checked, or TLS cannot be set up.
    pub fn new(config: &Config, limits: Limits) -> Result<Self, ToolsError> {
        let maker = Maker::new(config)?;
        let configured = config
            .sites
            .iter()
            .map(|site| Ok((site.id.clone(), maker.configured(site)?)))
            .collect::<Result<_, ToolsError>>()?;
        let tools = Self(Arc::new(Inner {
            maker,
            configured,
            written: Mutex::default(),
            toolboxes: ArcSwap::default(),
            none: Arc::default(),
            lookups: Lookups::new(),
            limits,
            result_bytes: config.tools.result_bytes,
        }));
        tools.take_over(HashMap::new());
        Ok(tools)
    }

    /// The tools of a site as they are now; none, if it has none.
    pub fn of(&self, site: &SiteId) -> Arc<Toolbox> {
        let toolboxes = self.0.toolboxes.load();
        Arc::clone(toolboxes.get(site).unwrap_or(&self.0.none))
    }

    /// Asks all MCP servers for their tools. Takes 10 s at most; a server that does not answer
    /// keeps those that it had.
    pub async fn refresh(&self) {
        let servers = self.0.configured.values().flat_map(|own| &own.servers);
        let refreshed = join_all(servers.map(|server| server.refresh())).await;
        if !refreshed.is_empty() {
            let written = self.0.written.lock().unwrap_or_else(PoisonError::into_inner);
            self.fill(&written);
        }
    }

    /// Takes over what admins wrote, of all sites. Tools that did not change keep their state.
    pub fn take_over(&self, next: HashMap<SiteId, Vec<Written>>) {
        let mut written = self.0.written.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *written);
        for (site, tools) in next {
            let known = before.remove(&site).unwrap_or_default();
            let drawer = known.with(tools, &|declared| self.0.maker.written(&site, declared));
            written.insert(site, drawer);
        }
        self.fill(&written);
    }

    /// Whether the configuration has a tool of this name, which admins can only switch off.
    pub fn is_configured(&self, site: &SiteId, name: &str) -> bool {
        self.0.configured.get(site).is_some_and(|own| {
            let mut servers = own.servers.iter();
            own.tools.iter().any(|tool| tool.name == name)
                || servers.any(|server| server.names().any(|known| known == name))
        })
    }

    fn fill(&self, written: &HashMap<SiteId, Drawer>) {
        let empty = Drawer::default();
        let sites = self.0.configured.keys().chain(written.keys());
        let toolboxes = sites.map(|site| {
            let drawer = written.get(site).unwrap_or(&empty);
            let own = self.0.configured.get(site);
            let servers = || own.into_iter().flat_map(|own| &own.servers);
            let configured = own.into_iter().flat_map(|own| own.tools.iter().cloned());
            let tools = configured.chain(servers().flat_map(|server| server.tools()));
            let tools = tools.filter(|tool| !drawer.is_off(&tool.name));
            let missing = servers().flat_map(|server| server.problems());
            let missing = missing.filter(|(name, _)| !drawer.is_off(name));
            let missing = missing.map(|(name, why)| Missing { name, reason: why.to_string() });
            // A tool that the configuration has now goes before one that was written earlier.
            let written = drawer.tools().filter(|tool| !self.is_configured(site, &tool.name));
            let hooks = own.map(|own| own.hooks.clone()).unwrap_or_default();
            let toolbox = Toolbox::new(tools.chain(written).collect(), hooks, missing.collect());
            (site.clone(), Arc::new(toolbox))
        });
        self.0.toolboxes.store(Arc::new(toolboxes.collect()));
    }

    /// Whether the targets of a site can be reached, and the status of their answers. Asks each for
    /// `/` without credentials.
    pub async fn reach(
        &self,
        site: &SiteId,
    ) -> Vec<(String, Result<Option<StatusCode>, OutboundError>)> {
        let toolbox = self.of(site);
        let servers = self.0.configured.get(site).into_iter().flat_map(|own| &own.servers);
        let targets: BTreeMap<&str, &Arc<Target>> = toolbox
            .iter()
            .map(|tool| &tool.target)
            .chain(servers.map(|server| server.target()))
            .map(|target| (target.origin.as_str(), target))
            .collect();
        let asked = targets.into_iter().map(async |(origin, target)| {
            let reached = match Url::parse(origin) {
                Ok(url) => target.client.send(Wanted::probe(url), Instant::now() + PROBE).await,
                Err(_) => Err(OutboundError::Unreachable),
            };
            let reached = match reached {
                Ok(reply) => Ok(Some(reply.status)),
                // Whatever it says, it is there.
                Err(OutboundError::TooLarge | OutboundError::Encoded) => Ok(None),
                Err(fault) => Err(fault),
            };
            (origin.to_owned(), reached)
        });
        join_all(asked).await
    }

    pub(super) fn lookups(&self) -> &Lookups {
        &self.0.lookups
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(super) fn result_bytes(&self) -> usize {
        self.0.result_bytes
    }
}
