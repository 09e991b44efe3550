//! How long somebody may read a stream: until their token ends, or their account is disabled.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::{extract::Caller, state::App};
use crate::{
    accounts::Accounts,
    clock,
    domain::{PrincipalId, Role},
};

/// How often to look whether the account is disabled.
const LOOK: Duration = Duration::from_secs(1);

pub struct Stay {
    until: Option<Instant>,
    staff: Option<(Accounts, PrincipalId)>,
}

impl Stay {
    pub fn of(app: &App, caller: &Caller) -> Self {
        let left = caller.expires_at.map(|at| at.since(clock::now()));
        let until = left.map(|left| Instant::now() + left);
        let is_staff = matches!(caller.principal.role, Role::Agent | Role::Admin);
        let staff = is_staff.then(|| (app.accounts.clone(), caller.principal.id));
        Self { until, staff }
    }

    /// Returns at its end.
    pub async fn over(&self) {
        tokio::select! {
            () = at(self.until) => {}
            () = disabled(self.staff.as_ref()) => {}
        }
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

async fn disabled(staff: Option<&(Accounts, PrincipalId)>) {
    let Some((accounts, id)) = staff else { return std::future::pending().await };
    while !accounts.is_disabled(*id) {
        sleep(LOOK).await;
    }
}
