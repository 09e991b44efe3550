//! Breadth-first search through all states of a model. The first broken state that it meets has a
//! shortest trace.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    fmt::{self, Debug},
    hash::Hash,
};

use crate::fingerprint::{Plain, fingerprint};

/// More states than this do not fit into the memory of a small machine.
const MAX_STATES: usize = 60_000_000;

pub trait Model {
    type State: Copy + Hash;
    type Step: Copy + Debug;
    type Violation: Copy + Debug + PartialEq;

    fn start(&self) -> Self::State;

    /// All steps that may come next, each with the state that it leads to.
    fn steps(&self, state: &Self::State, next: &mut Vec<(Self::Step, Self::State)>);

    /// What this state breaks.
    fn broken(&self, state: &Self::State) -> Option<Self::Violation>;

    /// What a state without a next step breaks: the faults are over, and all have done their work.
    fn broken_at_rest(&self, state: &Self::State) -> Option<Self::Violation>;
}

pub struct Report<M: Model> {
    pub states: usize,
    pub found: Option<Found<M>>,
    /// False if the search stopped because the model is too large.
    pub complete: bool,
}

/// A violation and a shortest way to it.
pub struct Found<M: Model> {
    pub violation: M::Violation,
    pub trace: Vec<M::Step>,
}

impl<M: Model> Debug for Found<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} after {} steps", self.violation, self.trace.len())?;
        self.trace.iter().try_for_each(|step| writeln!(f, "    {step:?}"))
    }
}

pub fn search<M: Model>(model: &M) -> Report<M> {
    // Each state's fingerprint, and that of the state before it.
    let mut parents: HashMap<u128, u128, Plain> = HashMap::default();
    let start = model.start();
    parents.insert(fingerprint(&start), 0);
    let (mut level, mut next_level) = (vec![start], Vec::new());
    let mut steps = Vec::new();
    while !level.is_empty() {
        for state in &level {
            let own = fingerprint(state);
            steps.clear();
            model.steps(state, &mut steps);
            if steps.is_empty()
                && let Some(violation) = model.broken_at_rest(state)
            {
                let trace = trace(model, &parents, own);
                let found = Some(Found { violation, trace });
                return Report { states: parents.len(), found, complete: true };
            }
            for (_, next) in &steps {
                let print = fingerprint(next);
                let Entry::Vacant(entry) = parents.entry(print) else { continue };
                entry.insert(own);
                if let Some(violation) = model.broken(next) {
                    let trace = trace(model, &parents, print);
                    let found = Some(Found { violation, trace });
                    return Report { states: parents.len(), found, complete: true };
                }
                next_level.push(*next);
            }
            if parents.len() > MAX_STATES {
                return Report { states: parents.len(), found: None, complete: false };
            }
        }
        level.clear();
        std::mem::swap(&mut level, &mut next_level);
    }
    Report { states: parents.len(), found: None, complete: true }
}

/// The steps from the start to the state with this fingerprint. States are not kept, so the way is
/// gone once more.
fn trace<M: Model>(model: &M, parents: &HashMap<u128, u128, Plain>, last: u128) -> Vec<M::Step> {
    let mut prints = Vec::new();
    let mut print = last;
    while let Some(parent) = parents.get(&print) {
        prints.push(print);
        print = *parent;
    }
    let mut state = model.start();
    let mut steps = Vec::new();
    let mut trace = Vec::new();
    for print in prints.into_iter().rev().skip(1) {
        steps.clear();
        model.steps(&state, &mut steps);
        let Some((step, next)) = steps.iter().find(|(_, next)| fingerprint(next) == print) else {
            break;
        };
        trace.push(*step);
        state = *next;
    }
    trace
}

/// A state after `start` where `goal` holds, if there is one.
pub fn reach<M: Model>(
    model: &M,
    start: M::State,
    goal: impl Fn(&M::State) -> bool,
) -> Option<M::State> {
    let mut seen = HashSet::<u128, Plain>::default();
    let mut waiting = vec![start];
    let mut steps = Vec::new();
    while let Some(state) = waiting.pop() {
        if goal(&state) {
            return Some(state);
        }
        steps.clear();
        model.steps(&state, &mut steps);
        let next = steps.iter().map(|(_, next)| *next);
        waiting.extend(next.filter(|next| seen.insert(fingerprint(next))));
    }
    None
}
