//! The turns that this process runs or is about to run. An open turn of this process that is not
//! among them has no task, and opening its session ends it.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::domain::TurnId;

#[derive(Default)]
pub struct RunningTurns(Mutex<HashSet<TurnId>>);

impl RunningTurns {
    fn turns(&self) -> MutexGuard<'_, HashSet<TurnId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn add(self: &Arc<Self>, turn: TurnId) -> RunningTurn {
        self.turns().insert(turn);
        RunningTurn { turns: Arc::clone(self), turn }
    }

    pub fn contains(&self, turn: TurnId) -> bool {
        self.turns().contains(&turn)
    }
}

/// While it is held, the turn is not taken for one that nothing will end.
#[must_use]
pub struct RunningTurn {
    turns: Arc<RunningTurns>,
    turn: TurnId,
}

impl Drop for RunningTurn {
    fn drop(&mut self) {
        self.turns.turns().remove(&self.turn);
    }
}
