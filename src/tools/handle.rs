//! The tools of all sites.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::Url;
use tokio::time::Instant;

use super::{
    lookups::Lookups, metrics, request::Requests, target::Target, tool::Tool, toolbox::Toolbox,
};
use crate::{
    config::{Config, Site},
    domain::SiteId,
    limits::Limits,
    net::{Outbound, OutboundError, Reach, Wanted},
};

/// Longest wait for a target that is only asked whether it is there.
const PROBE: Duration = Duration::from_secs(5);

/// Clones share everything.
#[derive(Clone)]
pub struct Tools(Arc<Inner>);

struct Inner {
    sites: HashMap<SiteId, Arc<Toolbox>>,
    /// Of a site that the configuration does not name.
    none: Arc<Toolbox>,
    lookups: Lookups,
    limits: Limits,
    result_bytes: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum ToolsError {
    #[error("the client of tools cannot be made")]
    Client(#[from] reqwest::Error),
    #[error("tool `{tool}` of site `{site}`: {fault}")]
    Declaration { site: SiteId, tool: String, fault: String },
}

/// What the sites have in common.
struct Clients {
    /// Within reach of everybody's tools.
    guarded: Outbound,
    /// For the shop of the demo site alone, which may be on this machine.
    demo: Outbound,
    demo_origin: Option<String>,
}

impl Tools {
    /// The tools that a checked configuration declares.
    ///
    /// # Errors
    /// If a declaration was not checked, or TLS cannot be set up.
    pub fn new(config: &Config, limits: Limits) -> Result<Self, ToolsError> {
        let demo_shop = config.is_embedded().then(|| Url::parse(&config.tools.demo_shop_url).ok());
        let clients = Clients {
            guarded: Outbound::new(Reach::networks(&config.tools.allowed_networks))?,
            demo: Outbound::new(Reach::Anywhere)?,
            demo_origin: demo_shop.flatten().map(|url| url.origin().ascii_serialization()),
        };
        let toolbox =
            |site: &Site| Ok((site.id.clone(), Arc::new(toolbox(site, config, &clients)?)));
        Ok(Self(Arc::new(Inner {
            sites: config.sites.iter().map(toolbox).collect::<Result<_, ToolsError>>()?,
            none: Arc::default(),
            lookups: Lookups::new(),
            limits,
            result_bytes: config.tools.result_bytes,
        })))
    }

    /// The tools of a site; none, if it is not in the configuration.
    pub fn of(&self, site: &SiteId) -> Arc<Toolbox> {
        Arc::clone(self.0.sites.get(site).unwrap_or(&self.0.none))
    }

    /// Whether the targets of a site can be reached. Asks each for `/` without credentials.
    pub async fn reach(&self, site: &SiteId) -> Vec<(String, Result<(), OutboundError>)> {
        let targets: BTreeMap<String, Outbound> = self
            .of(site)
            .iter()
            .map(|tool| (tool.requests.origin.clone(), tool.client.clone()))
            .collect();
        let asked = targets.into_iter().map(async |(origin, client)| {
            let reached = match Url::parse(&origin) {
                Ok(url) => client.send(Wanted::probe(url), Instant::now() + PROBE).await,
                Err(_) => Err(OutboundError::Unreachable),
            };
            // Whatever it says, it is there.
            let is_there =
                matches!(reached, Ok(_) | Err(OutboundError::TooLarge | OutboundError::Encoded));
            (origin, if is_there { Ok(()) } else { reached.map(drop) })
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

fn toolbox(site: &Site, config: &Config, clients: &Clients) -> Result<Toolbox, ToolsError> {
    let mut targets = BTreeMap::<String, Arc<Target>>::new();
    let mut tools = Vec::new();
    for declared in site.all_tools() {
        let name = declared.name.clone();
        let fault =
            |fault| ToolsError::Declaration { site: site.id.clone(), tool: name.clone(), fault };
        let requests = Requests::new(&declared).map_err(fault)?;
        let origin = requests.origin.clone();
        let is_demo = clients.demo_origin.as_ref() == Some(&origin);
        let target = targets.entry(origin).or_insert_with_key(|origin| {
            Arc::new(Target::new(site.id.clone(), origin.clone(), &config.tools))
        });
        let client = if is_demo { clients.demo.clone() } else { clients.guarded.clone() };
        let tool = Tool::new(declared, requests, Arc::clone(target), client).map_err(fault)?;
        metrics::declared(&name);
        tools.push(Arc::new(tool));
    }
    Ok(Toolbox::new(tools))
}
