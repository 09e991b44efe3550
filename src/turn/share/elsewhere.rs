//! Single flight over all replicas: of several equal questions at the same time one is answered, on
//! whichever replica they arrive.
//!
//! The leader of a process claims the question in Redis. If another replica has claimed it
//! already, that leader's log is read. Without Redis each replica answers once, and no
//! question waits.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    cache::FlightKey,
    domain::{Running, SessionId},
    log::{TurnLog, frame::Place},
    relay::Relay,
};

/// A leader that is silent for this long counts as dead.
const TTL: Duration = Duration::from_secs(9);
const RENEWAL: Duration = Duration::from_secs(3);

/// The leader, and where its log is.
#[derive(Serialize, Deserialize)]
struct Claim {
    session: SessionId,
    running: Running,
}

/// What the leader of a process must do.
pub enum Lead {
    /// Answer the question. While the place is held, questions on other replicas read the answer.
    Here(Option<Leadership>),
    /// Read what the leader writes. If that ends without an answer, ask again.
    Elsewhere(Arc<TurnLog>),
}

/// The leader's place among all replicas. It is released on drop.
#[must_use]
pub struct Leadership {
    _held: DropGuard,
}

/// Claims a question for the turn of `log`.
pub async fn lead(
    relay: Option<&Arc<Relay>>,
    key: &FlightKey,
    log: &Arc<TurnLog>,
    max_bytes: usize,
) -> Lead {
    let Some(relay) = relay else { return Lead::Here(None) };
    let running = Running { turn_id: log.turn_id(), replica: relay.replica().to_owned() };
    let claim = Claim { session: log.session_id(), running };
    let (name, Ok(holder)) = (key.to_string(), serde_json::to_string(&claim)) else {
        return Lead::Here(None);
    };
    match relay.hot().claim(&name, &holder, TTL).await {
        Ok(None) => Lead::Here(Some(hold(relay, name, holder))),
        Ok(Some(other)) => match serde_json::from_str::<Claim>(&other) {
            Ok(Claim { session, running }) if running.replica != relay.replica() => {
                let turn_id = running.turn_id;
                let at = Place { session_id: session, turn_id, epoch: 0, base_seq: 0 };
                Lead::Elsewhere(relay.read_along(&running, at, max_bytes))
            }
            _ => Lead::Here(None),
        },
        Err(_) => Lead::Here(None),
    }
}

fn hold(relay: &Arc<Relay>, name: String, holder: String) -> Leadership {
    let dropped = CancellationToken::new();
    let held = dropped.clone().drop_guard();
    let hot = Arc::clone(relay.hot());
    relay.spawn(async move {
        while dropped.run_until_cancelled(tokio::time::sleep(RENEWAL)).await.is_some() {
            // A lost claim is not renewed; the turn continues by itself.
            if hot.renew(&name, &holder, TTL).await == Ok(false) {
                return;
            }
        }
        let _ = hot.release(&name, &holder).await;
    });
    Leadership { _held: held }
}
