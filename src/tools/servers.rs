//! The MCP servers of one site, and the tools that they have at the moment. Lists are fetched in the
//! background: a turn finds the last one.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    mcp::{Allowed, Problem, Remote, allowed},
    metrics,
    send::is_ill,
    target::Target,
    tool::{Tool, limits_of},
    way::{Offered, Way},
};
use crate::config::{McpServer, McpTool};

/// Longest time of one round.
const ROUND: Duration = Duration::from_secs(10);

pub(super) struct Server {
    declared: McpServer,
    remote: Arc<Remote>,
    target: Arc<Target>,
    state: Mutex<State>,
}

/// What the last list said.
#[derive(Default)]
struct State {
    tools: Vec<Arc<Tool>>,
    /// By the full name of a tool.
    problems: BTreeMap<String, Problem>,
    /// The fingerprints that were seen first, by the server's name of a tool.
    first: BTreeMap<String, String>,
}

impl Server {
    /// # Errors
    /// What is wrong with a declaration that was not checked.
    pub(super) fn new(declared: &McpServer, url: Url, target: Arc<Target>) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        if !declared.key.is_empty() {
            let bearer = format!("Bearer {}", declared.key.expose());
            let mut value = HeaderValue::from_str(&bearer).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        for tool in &declared.tools {
            metrics::declared(&tool.full_name(&declared.name));
        }
        let remote = Arc::new(Remote::new(url, headers, target.client.clone()));
        Ok(Self { declared: declared.clone(), remote, target, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// Of all tools that the site allows.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        let server = &self.declared;
        server.tools.iter().map(|tool| tool.full_name(&server.name))
    }

    pub(super) fn tools(&self) -> Vec<Arc<Tool>> {
        self.state().tools.clone()
    }

    /// The tools that the site allows and that are not there, by name, and why.
    pub(super) fn problems(&self) -> Vec<(String, Problem)> {
        let state = self.state();
        state.problems.iter().map(|(name, why)| (name.clone(), why.clone())).collect()
    }

    /// Fetches the list. If the server does not answer, the last list stays.
    pub(super) async fn refresh(&self) {
        let listed = match self.target.admits() {
            true => self.remote.list(Instant::now() + ROUND).await,
            false => return,
        };
        self.target.note(listed.as_ref().is_err_and(is_ill));
        let mut state = self.state();
        let before = mem::take(&mut state.tools);
        let mut problems = BTreeMap::new();
        for declared in &self.declared.tools {
            let name = declared.full_name(&self.declared.name);
            let known = before.iter().find(|tool| tool.name == name);
            let tool = match (&listed, known) {
                (Ok(offered), known) => self.offered(declared, &name, offered, known, &mut state),
                // What was there once is believed to be there still.
                (Err(_), Some(known)) => Ok(Arc::clone(known)),
                (Err(fault), None) => Err(Problem::Away(*fault)),
            };
            match tool {
                Ok(tool) => state.tools.push(tool),
                Err(why) => drop(problems.insert(name, why)),
            }
        }
        let before = mem::replace(&mut state.problems, problems);
        let (site, server) = (&self.target.site, &self.declared.name);
        for (tool, why) in
            state.problems.iter().filter(|(tool, why)| before.get(*tool) != Some(*why))
        {
            warn!(%site, server, tool, %why, "a tool of an mcp server is not there");
        }
        for tool in before.keys().filter(|tool| !state.problems.contains_key(*tool)) {
            info!(%site, server, tool, "a tool of an mcp server is there again");
        }
    }

    /// The tool as the server has it now. One that did not change keeps its places.
    fn offered(
        &self,
        declared: &McpTool,
        name: &str,
        offered: &[rmcp::model::Tool],
        known: Option<&Arc<Tool>>,
        state: &mut State,
    ) -> Result<Arc<Tool>, Problem> {
        let first = state.first.get(&declared.name).map(String::as_str);
        let found = allowed(declared, offered, first)?;
        state.first.insert(declared.name.clone(), found.fingerprint.clone());
        let same = known.filter(|known| {
            known.description == found.description && known.parameters == found.parameters
        });
        match same {
            Some(known) => Ok(Arc::clone(known)),
            None => self.tool(declared, name, found).map(Arc::new).map_err(Problem::Schema),
        }
    }

    fn tool(&self, declared: &McpTool, name: &str, found: Allowed) -> Result<Tool, String> {
        let offered = Offered {
            remote: Arc::clone(&self.remote),
            name: declared.name.clone(),
            fixed: declared.arguments.clone(),
            fingerprint: found.fingerprint,
        };
        let declaration = limits_of(declared, name, found.description, found.parameters);
        let target = Arc::clone(&self.target);
        Tool::new(declaration, name.to_owned(), Way::Mcp(offered), target)
    }
}
