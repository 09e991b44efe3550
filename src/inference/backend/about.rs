//! What every backend has, whether its model runs on a server or in this process.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::inference::stream::Opening;

/// The place of a backend in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BackendId(pub usize);

/// A backend's identity, and what was learned about its model.
#[derive(Debug)]
pub struct About {
    pub id: BackendId,
    /// The configured name; the label in metrics and logs.
    pub name: Arc<str>,
    pub model: Arc<str>,
    /// A bare `</think>` came after text was shown, so this model's answers begin inside a thought.
    begins_in_thought: AtomicBool,
    /// Its model reasons before it answers, as configured or seen.
    thinks: AtomicBool,
}

impl About {
    pub fn new(id: BackendId, name: String, model: String, thinks: bool) -> Self {
        let uncertain = Opening::of_model(&model) == Opening::Uncertain;
        Self {
            id,
            name: name.into(),
            model: model.into(),
            begins_in_thought: AtomicBool::new(uncertain),
            thinks: AtomicBool::new(thinks || uncertain),
        }
    }

    pub fn thinks(&self) -> bool {
        self.thinks.load(Ordering::Relaxed)
    }

    /// Whether its next answer begins inside a thought.
    pub fn opening(&self) -> Opening {
        if self.begins_in_thought.load(Ordering::Relaxed) {
            Opening::Uncertain
        } else {
            Opening::Answer
        }
    }

    /// Remembers that the model reasons, so that later requests ask it not to.
    pub fn learn_that_it_thinks(&self) {
        self.thinks.store(true, Ordering::Relaxed);
    }

    /// Remembers that this backend begins inside thoughts, so that the next answer is held back.
    pub fn learn_to_hold_back(&self) {
        self.learn_that_it_thinks();
        if !self.begins_in_thought.swap(true, Ordering::Relaxed) {
            let (backend, model) = (&*self.name, &*self.model);
            tracing::warn!(
                backend,
                model,
                "the model starts with reasoning; its answers are buffered"
            );
        }
    }
}
