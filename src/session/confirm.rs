//! A shopper's yes or no to a change that was proposed.

use super::messages::{SessionError, Wish};
use crate::{
    archive::Action,
    assistant::actions,
    domain::{
        ActionState, ActionStatus, Decision, Principal, Quotas, Role, SessionId, Timestamp, TurnId,
    },
};

/// A proposal, and what its shopper wants.
pub struct Offer {
    pub action: Action,
    pub decision: Decision,
    pub verdict: Verdict,
    /// Which the step has to keep, too: others may confirm at the same time.
    pub quotas: Option<Quotas>,
}

/// What a decision leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was decided so before, in this turn.
    Before(TurnId),
    /// The shop is asked to do it.
    Call,
    /// Nothing is done, and this is why.
    Close(ActionStatus, &'static str),
}

/// What was carried out before, as far as it bears on a confirmation.
#[derive(Clone, Copy)]
pub struct Before {
    /// In the time that the quotas count.
    pub of_shopper: u64,
    pub of_site: u64,
    pub quotas: Quotas,
    /// The change that this one takes back was taken back already, or is about to be.
    pub is_undone: bool,
}

/// What the wish of `asker` in this session leads to.
///
/// # Errors
/// Why it leads to nothing.
pub fn judge(
    action: &Action,
    wish: &Wish,
    (asker, session): (&Principal, SessionId),
    before: &Before,
    now: Timestamp,
) -> Result<Verdict, SessionError> {
    if action.session_id != session || action.owner_id != asker.id {
        return Err(SessionError::NotFound);
    }
    let confirms = wish.decision == Decision::Confirmed;
    if confirms && wish.hash.as_ref() != Some(&action.hash) {
        return Err(SessionError::EffectChanged);
    }
    if let (Some(decision), Some(turn)) = (action.decision, action.decided_turn_id) {
        let same = decision == wish.decision;
        return if same { Ok(Verdict::Before(turn)) } else { Err(SessionError::Decided) };
    }
    let close = |status| Verdict::Close(status, actions::outcome(status, action.language));
    let expired = action.state != ActionState::Proposed || now >= action.expires_at;
    match wish.decision {
        Decision::Declined => Ok(close(ActionStatus::Declined)),
        Decision::Confirmed if expired => Ok(close(ActionStatus::Expired)),
        Decision::Confirmed if action.signed_in && asker.role != Role::Customer => {
            Err(SessionError::IdentityRequired)
        }
        Decision::Confirmed if before.is_undone => {
            Ok(Verdict::Close(ActionStatus::Failed, actions::no_undo(action.language)))
        }
        // What a shopper was let do may be taken back.
        Decision::Confirmed
            if action.undoes.is_none()
                && before.quotas.are_used(before.of_shopper, before.of_site) =>
        {
            Ok(Verdict::Close(ActionStatus::Failed, actions::too_many(action.language)))
        }
        Decision::Confirmed if action.approval => Ok(close(ActionStatus::Waiting)),
        Decision::Confirmed => Ok(Verdict::Call),
    }
}
