//! What was found so far.

use std::ops::Range;

use super::kind::Kind;

/// Sorted, without overlaps; an earlier find keeps its place.
#[derive(Default)]
pub(super) struct Claims(pub(super) Vec<(Kind, Range<usize>)>);

impl Claims {
    pub(super) fn add(&mut self, kind: Kind, range: Range<usize>) {
        let at = self.0.partition_point(|(_, other)| other.end <= range.start);
        let free = self.0.get(at).is_none_or(|(_, other)| range.end <= other.start);
        if free && !range.is_empty() {
            self.0.insert(at, (kind, range));
        }
    }

    pub(super) fn touches(&self, range: &Range<usize>) -> bool {
        let at = self.0.partition_point(|(_, other)| other.end <= range.start);
        self.0.get(at).is_some_and(|(_, other)| other.start < range.end)
    }
}
