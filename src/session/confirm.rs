//! A shopper's yes or no to a change that was proposed.

use super::messages::{SessionError, Wish};
use crate::{
    archive::Action,
    assistant::actions,
    config,
    domain::{ActionState, ActionStatus, Decision, Principal, Role, SessionId, Timestamp, TurnId},
};

/// A proposal, and what its shopper wants.
pub struct Offer {
    pub action: Action,
    pub decision: Decision,
    pub verdict: Verdict,
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

/// Confirmed changes of the last day, of the shopper and of the site.
#[derive(Clone, Copy, Default)]
pub struct Used {
    pub shopper: u64,
    pub site: u64,
}

impl Used {
    fn is_too_much(self, limits: &config::Actions) -> bool {
        let over = |used, most| most > 0 && used >= most;
        over(self.shopper, limits.per_shopper_a_day) || over(self.site, limits.per_site_a_day)
    }
}

/// What the wish of `asker` in this session leads to.
///
/// # Errors
/// Why it leads to nothing.
pub fn judge(
    action: &Action,
    wish: &Wish,
    (asker, session): (&Principal, SessionId),
    (used, limits): (Used, &config::Actions),
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
        Decision::Confirmed if used.is_too_much(limits) => {
            Ok(Verdict::Close(ActionStatus::Failed, actions::too_many(action.language)))
        }
        Decision::Confirmed if action.approval => Ok(close(ActionStatus::Waiting)),
        Decision::Confirmed => Ok(Verdict::Call),
    }
}
