//! What admins wrote for one site: tools of their own, and tools of the configuration that they
//! switched off.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::tool::Tool;

/// One row of the archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub name: String,
    pub enabled: bool,
    /// In the form of `[[sites.tools]]`; absent for a tool of the configuration.
    pub declaration: Option<Value>,
}

/// The tools of one site, ready.
#[derive(Default)]
pub(super) struct Drawer {
    rows: Vec<Written>,
    tools: Vec<Arc<Tool>>,
    off: BTreeSet<String>,
}

impl Drawer {
    /// Of these rows. A row that did not change keeps its tool.
    pub(super) fn with(
        self,
        rows: Vec<Written>,
        make: &dyn Fn(&Written) -> Option<Arc<Tool>>,
    ) -> Self {
        let mut tools = Vec::new();
        let mut off = BTreeSet::new();
        for row in &rows {
            match &row.declaration {
                Some(_) if row.enabled => {
                    let known = self.rows.contains(row);
                    let known = self.tools.iter().find(|tool| known && tool.name == row.name);
                    tools.extend(known.cloned().or_else(|| make(row)));
                }
                None if !row.enabled => drop(off.insert(row.name.clone())),
                _ => {}
            }
        }
        Self { rows, tools, off }
    }

    pub(super) fn tools(&self) -> impl Iterator<Item = Arc<Tool>> {
        self.tools.iter().cloned()
    }

    pub(super) fn is_off(&self, name: &str) -> bool {
        self.off.contains(name)
    }
}
