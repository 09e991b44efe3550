//! What the streams of agents wait for: the desk of a site. One task looks at it once a second for
//! all of them together, while there is one of them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    handle::Desk,
    look::{Look, Looks},
};
use crate::{
    archive::ArchiveError,
    domain::{PrincipalId, SiteId},
};

/// How often a desk is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

impl Desk {
    /// The desk of a site, again and again until nobody waits for it any more.
    pub fn watch(&self, site: &SiteId, tasks: &TaskTracker, draining: &CancellationToken) -> Looks {
        let mut sites = self.watched.sites();
        if let Some(looks) = sites.get(site) {
            return looks.subscribe();
        }
        let (looks, first) = watch::channel(None);
        sites.insert(site.clone(), looks.clone());
        drop(sites);
        let (desk, site, draining) = (self.clone(), site.clone(), draining.clone());
        tasks.spawn(async move {
            draining.run_until_cancelled(desk.keep_looking(&site, &looks)).await;
        });
        first
    }

    async fn keep_looking(&self, site: &SiteId, looks: &watch::Sender<Option<Arc<Look>>>) {
        loop {
            // The archive counts and logs its own failures; those who wait see the next look.
            if let Ok(look) = self.look(site).await {
                looks.send_replace(Some(Arc::new(look)));
            }
            tokio::time::sleep(INTERVAL).await;
            // Under the lock, so that nobody comes between the look at the readers and the end.
            let mut sites = self.watched.sites();
            if looks.receiver_count() == 0 {
                sites.remove(site);
                return;
            }
        }
    }

    /// # Errors
    /// If the archive does not answer.
    pub async fn look(&self, site: &SiteId) -> Result<Look, ArchiveError> {
        let rows = self.rows(site).await?;
        let on_duty = rows.agents.iter().map(|agent| agent.agent_id);
        let busy = rows.accepted.iter().filter_map(|row| row.agent_id);
        let ids: BTreeSet<PrincipalId> = on_duty.chain(busy).collect();
        let ids: Vec<PrincipalId> = ids.into_iter().collect();
        let names = self.names(site, &ids).await?;
        Ok(Look { rows, names })
    }
}
