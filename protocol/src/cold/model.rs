//! The replicas, step by step. One step is one call with its answer: a call that is answered late
//! is a call that is sent late, since its sender only waits.

use std::fmt;

use super::{
    Rule, Violation,
    row::{Answer, ERASED, Kind, Part, Row, Statement, Turn},
};
use crate::{
    faults::{Budget, Fate, Fault, Name},
    list::List,
    search::{self, Model},
};

/// Replicas that a state has room for. The last one comes when the faults are over, to see whether
/// the session can go on.
const ROOM: usize = 4;
const RESCUER: Name = Name(ROOM as u8 - 1);
/// Statements that are late at one time.
const MAX_LATE: usize = 2;

#[derive(Clone, Copy, Debug)]
pub struct Cold {
    pub replicas: u8,
    /// Turns that each replica begins.
    pub turns: u8,
    pub budget: Budget,
    pub off: &'static [Rule],
    /// Violations that are expected where SQL itself loses events.
    pub ignored: &'static [Violation],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    row: Row,
    replicas: [Replica; ROOM],
    late: [Option<Statement>; MAX_LATE],
    budget: Budget,
    broken: Option<Violation>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Replica {
    lives: bool,
    /// What the others see in the table of beats.
    seems_dead: bool,
    turns_left: u8,
    actor: Actor,
}

/// The actor of the session in one replica.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Actor {
    None,
    /// Has read the row, and found that it may go on.
    Stranger(Row),
    /// Was refused. Only without [`Rule::OpenTurn`]: it takes the new position, and looks at
    /// nothing else again.
    Refused,
    /// The row as this owner left it.
    Owner(Row),
    /// Waits for an answer.
    Waiting(Statement),
}

#[derive(Clone, Copy)]
pub enum Step {
    Read(Name),
    Send(Name, Part, Fate),
    Leave(Name),
    GiveUp(Name),
    Arrive(Part),
    Fault(Fault, Option<Name>),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(name) => write!(f, "{name:?} reads the row"),
            Self::Send(name, part, fate) => write!(f, "{name:?} sends {part:?}: {fate:?}"),
            Self::Leave(name) => write!(f, "the actor in {name:?} stops"),
            Self::GiveUp(name) => write!(f, "{name:?} gives up the append in doubt"),
            Self::Arrive(part) => write!(f, "the late statement is executed: {part:?}"),
            Self::Fault(fault, Some(name)) => write!(f, "{fault:?} of {name:?}"),
            Self::Fault(fault, None) => write!(f, "{fault:?}"),
        }
    }
}

impl Cold {
    fn has(&self, rule: Rule) -> bool {
        !self.off.contains(&rule)
    }

    fn first_row(&self) -> Row {
        Row { owner: RESCUER, epoch: 0, list: List::EMPTY, open: 0 }
    }

    fn break_if(&self, state: &mut State, condition: bool, violation: Violation) {
        if condition && state.broken.is_none() && !self.ignored.contains(&violation) {
            state.broken = Some(violation);
        }
    }

    /// What a replica may do after it has read this row. It may not go on while a turn of another
    /// living owner is open.
    fn is_free(&self, state: &State, name: Name, row: &Row) -> bool {
        let owner = state.replica(row.owner);
        let is_blocked = row.open != 0 && row.owner != name && !owner.seems_dead;
        row.epoch != ERASED && (!is_blocked || !self.has(Rule::LivingOwner))
    }

    /// The next append of an actor.
    fn statement(&self, name: Name, replica: &Replica) -> Option<Statement> {
        let (expected, owns) = match replica.actor {
            Actor::Stranger(row) => (row, false),
            Actor::Owner(row) => (row, true),
            Actor::Waiting(statement) => return Some(self.again(statement)),
            Actor::None | Actor::Refused => return None,
        };
        let number = name.0 * 4 + 4 - replica.turns_left;
        let sees_open = expected.open != 0 && (owns || self.has(Rule::OpenTurn));
        let (turn, kind) = match (sees_open, owns) {
            (true, true) => (expected.open, Kind::End),
            (true, false) => (expected.open, Kind::EndByOther),
            (false, _) if replica.turns_left == 0 => return None,
            (false, _) => (number, Kind::Begin),
        };
        let epoch = expected.epoch + u8::from(!owns);
        let event = Part { turn, kind, text: false }.event();
        Some(Statement { sender: name, expected, epoch, event })
    }

    fn again(&self, mut statement: Statement) -> Statement {
        if !self.has(Rule::SameBytes) {
            let part = Part::of(statement.event);
            statement.event = Part { text: true, ..part }.event();
        }
        statement
    }

    fn execute(&self, state: &mut State, statement: &Statement) -> Answer {
        let before = state.row;
        let answer = statement.execute(&mut state.row, self.off);
        let (old, new) = (before.list, state.row.list);
        if old != new {
            let part = Part::of(statement.event);
            let owner = state.replica(before.owner);
            let is_stranger = part.kind == Kind::EndByOther && before.owner != statement.sender;
            let ends_living = is_stranger && !owner.seems_dead;
            self.break_if(state, before.epoch == ERASED, Violation::ErasedAndThere);
            self.break_if(state, !new.starts_with(old), Violation::SeenAndGone);
            self.break_if(state, new.has_twice(Part::is_same_request), Violation::Twice);
            self.break_if(state, !is_orderly(new), Violation::TurnsMixed);
            self.break_if(state, ends_living, Violation::LivingTurnEnded);
        }
        answer
    }

    fn send(&self, state: &State, name: Name, fate: Fate) -> Option<(Step, State)> {
        let statement = self.statement(name, state.replica(name))?;
        let mut next = State { budget: fate.spend(state.budget)?, ..*state };
        let part = Part::of(statement.event);
        if !matches!(state.replica(name).actor, Actor::Waiting(_)) && part.kind == Kind::Begin {
            next.replica_mut(name).turns_left -= 1;
        }
        if fate == Fate::CallLate {
            let free = next.late.iter_mut().find(|late| late.is_none())?;
            *free = Some(statement);
        }
        let answer = fate.executes().then(|| self.execute(&mut next, &statement));
        let actor = match answer.filter(|_| fate == Fate::Answered) {
            None => Actor::Waiting(statement),
            Some(Answer::Done) => {
                let mine = statement.outcome(&statement.expected);
                let list = next.row.list.first(mine.list.seq());
                let is_there = next.row.list.events().any(|event| event == statement.event);
                self.break_if(&mut next, !is_there, Violation::AcknowledgedAndLost);
                self.break_if(&mut next, list != mine.list, Violation::BehindUnknownEvents);
                Actor::Owner(mine)
            }
            Some(Answer::Refused) if self.has(Rule::OpenTurn) => Actor::None,
            Some(Answer::Refused) => Actor::Refused,
        };
        next.replica_mut(name).actor = actor;
        Some((Step::Send(name, part, fate), next))
    }

    fn read(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let replica = state.replica(name);
        let is_allowed = match replica.actor {
            Actor::None => self.is_free(state, name, &state.row),
            Actor::Refused => state.row.epoch != ERASED,
            Actor::Stranger(_) | Actor::Owner(_) | Actor::Waiting(_) => false,
        };
        if !is_allowed || replica.turns_left == 0 {
            return None;
        }
        let mut next = *state;
        next.replica_mut(name).actor = Actor::Stranger(state.row);
        Some((Step::Read(name), next))
    }

    fn leave(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let mut next = *state;
        let actor = &mut next.replica_mut(name).actor;
        match actor {
            Actor::Owner(row) if row.open == 0 => {
                *actor = Actor::None;
                Some((Step::Leave(name), next))
            }
            Actor::Waiting(_) if !self.has(Rule::KeepInDoubt) => {
                *actor = Actor::None;
                Some((Step::GiveUp(name), next))
            }
            _ => None,
        }
    }
}

impl Model for Cold {
    type State = State;
    type Step = Step;
    type Violation = Violation;

    fn start(&self) -> State {
        let replica = |index: usize| Replica {
            lives: true,
            seems_dead: false,
            turns_left: if index < self.replicas.into() { self.turns } else { 0 },
            actor: Actor::None,
        };
        State {
            row: self.first_row(),
            replicas: std::array::from_fn(replica),
            late: [None; MAX_LATE],
            budget: self.budget,
            broken: None,
        }
    }

    fn steps(&self, state: &State, next: &mut Vec<(Step, State)>) {
        for name in (0..ROOM as u8).map(Name) {
            let replica = state.replica(name);
            if !replica.lives {
                continue;
            }
            next.extend(self.read(state, name));
            next.extend(self.leave(state, name));
            next.extend(Fate::ALL.iter().filter_map(|fate| self.send(state, name, *fate)));
            if name != RESCUER {
                next.extend(state.crash(name));
                next.extend(state.declare_dead(name));
            }
        }
        next.extend(state.erase());
        next.extend(state.roll_back(self.first_row()));
        for (index, late) in state.late.iter().enumerate() {
            let Some(statement) = late else { continue };
            let mut arrived = *state;
            arrived.late[index] = None;
            self.execute(&mut arrived, statement);
            next.push((Step::Arrive(Part::of(statement.event)), arrived));
        }
    }

    fn broken(&self, state: &State) -> Option<Violation> {
        state.broken
    }

    /// One more replica must be able to begin a turn.
    fn broken_at_rest(&self, state: &State) -> Option<Violation> {
        let mut fresh = State { budget: Budget::NONE, ..*state };
        fresh.replica_mut(RESCUER).turns_left = 1;
        let is_owner = |state: &State| matches!(state.replica(RESCUER).actor, Actor::Owner(_));
        let can_go_on = state.row.epoch == ERASED || search::reach(self, fresh, is_owner).is_some();
        (!can_go_on).then_some(Violation::Stuck)
    }
}

impl State {
    fn replica(&self, name: Name) -> &Replica {
        &self.replicas[usize::from(name.0)]
    }

    fn replica_mut(&mut self, name: Name) -> &mut Replica {
        &mut self.replicas[usize::from(name.0)]
    }

    fn spend(&self, fault: Fault) -> Option<Self> {
        Some(Self { budget: self.budget.spend(fault)?, ..*self })
    }

    /// The others know of it at once. Until they do, they only wait.
    fn crash(&self, name: Name) -> Option<(Step, Self)> {
        let mut next = self.spend(Fault::Crash)?;
        let gone = Replica { lives: false, seems_dead: true, turns_left: 0, actor: Actor::None };
        *next.replica_mut(name) = gone;
        Some((Step::Fault(Fault::Crash, Some(name)), next))
    }

    fn declare_dead(&self, name: Name) -> Option<(Step, Self)> {
        let mut next = self.spend(Fault::DeclaredDead)?;
        next.replica_mut(name).seems_dead = true;
        Some((Step::Fault(Fault::DeclaredDead, Some(name)), next))
    }

    fn erase(&self) -> Option<(Step, Self)> {
        let mut next = self.spend(Fault::Erasure)?;
        next.row = Row { epoch: ERASED, list: List::EMPTY, open: 0, ..self.row };
        Some((Step::Fault(Fault::Erasure, None), next))
    }

    fn roll_back(&self, row: Row) -> Option<(Step, Self)> {
        let mut next = self.spend(Fault::SqlRollback)?;
        next.row = row;
        Some((Step::Fault(Fault::SqlRollback, None), next))
    }
}

/// At most one turn is open at a time, and each has one end.
fn is_orderly(list: List) -> bool {
    let mut open: Turn = 0;
    list.events().map(Part::of).all(|part| {
        let fits = if part.kind == Kind::Begin { open == 0 } else { open == part.turn };
        open = if part.kind == Kind::Begin { part.turn } else { 0 };
        fits
    })
}
