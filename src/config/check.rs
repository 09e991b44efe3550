//! How a section reports its faults.

use std::fmt::Display;

/// Checks of a section beyond its types.
pub(super) trait Section {
    /// Reports every fault and repairs none.
    fn check(&self, check: &mut Check<'_>);
}

/// Collects the faults of the keys below one path.
pub(super) struct Check<'a> {
    path: String,
    faults: &'a mut Vec<String>,
}

impl<'a> Check<'a> {
    pub(super) fn of(path: impl Into<String>, faults: &'a mut Vec<String>) -> Self {
        Self { path: path.into(), faults }
    }

    /// An empty `key` means the path itself.
    fn path(&self, key: &str) -> String {
        match key {
            "" => self.path.clone(),
            key => format!("{}.{key}", self.path),
        }
    }

    pub(super) fn require(&mut self, key: &str, holds: bool, what: impl Display) {
        if !holds {
            self.faults.push(format!("{}: {what}", self.path(key)));
        }
    }

    pub(super) fn not_zero<T: Default + PartialEq>(&mut self, key: &str, value: T) {
        self.require(key, value != T::default(), "must be at least 1");
    }

    pub(super) fn between_0_and_1(&mut self, key: &str, value: impl Into<f64>) {
        self.require(key, (0.0..=1.0).contains(&value.into()), "must lie between 0 and 1");
    }

    /// Checks each item of a list of tables.
    pub(super) fn each<T>(&mut self, list: &str, items: &[T], check: impl Fn(&T, &mut Check<'_>)) {
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", self.path(list));
            check(item, &mut Check::of(path, self.faults));
        }
    }

    /// Reports items of a list of tables that share a value of `key`.
    pub(super) fn unique<T>(
        &mut self,
        list: &str,
        key: &str,
        items: &[T],
        value: impl Fn(&T) -> &str,
    ) {
        for (index, item) in items.iter().enumerate() {
            let value_of = value(item);
            let is_first = items[..index].iter().all(|other| value(other) != value_of);
            let path = format!("{}[{index}]", self.path(list));
            let what = format_args!("`{value_of}` is used twice");
            Check::of(path, self.faults).require(key, is_first, what);
        }
    }
}
