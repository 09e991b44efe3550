//! Makes the two copies of one session agree again: nothing that either holds is lost, and what
//! they disagree about is decided by the archive.

use tracing::error;

use super::{error::FlushError, metrics};
use crate::{
    archive::{Archive, Merged},
    domain::{RunningChange, SessionId},
    hot::HotStore,
};

/// Newest events that a copy is given.
const TAIL: u32 = 128;
/// A copy that changes while it is brought up to date is read anew, this often.
const ATTEMPTS: usize = 3;

/// Brings what only the hot store has into the archive, then the archive's journal into the hot
/// store. False where the session kept changing: try again later.
///
/// # Errors
/// Where a store is away; nothing is half done, and all of it may be repeated.
pub async fn reconcile(
    hot: &HotStore,
    archive: &Archive,
    id: SessionId,
) -> Result<bool, FlushError> {
    for _ in 0..ATTEMPTS {
        let copy = hot.unflushed(id).await?;
        let seq = copy.as_ref().map(|copy| copy.meta.last_seq);
        if let Some(copy) = copy {
            let owner = copy.meta.owner;
            match archive.merge(&copy).await? {
                Merged::Done { moved: 0, .. } => {}
                Merged::Done { moved, .. } => {
                    metrics::conflict();
                    error!(session_id = %id, moved, "two copies of a session were merged");
                }
                Merged::Erased => {
                    hot.erase(id, owner).await?;
                    archive.attach(id, u64::MAX).await?;
                    return Ok(true);
                }
            }
        }
        let Some(cold) = archive.cold(id, TAIL).await? else {
            archive.attach(id, u64::MAX).await?;
            return Ok(true);
        };
        let running = match archive.detached(id).await? {
            None => RunningChange::Keep,
            Some(detached) => match detached.running {
                Some(running) => RunningChange::Start(running),
                None => RunningChange::Clear,
            },
        };
        if hot.replace(seq, &cold, &running).await? {
            archive.attach(id, cold.meta.last_seq).await?;
            return Ok(true);
        }
    }
    Ok(false)
}
