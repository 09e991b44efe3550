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

    /// The end of the last find before `at`, if it is of this kind.
    pub(super) fn last_before(&self, kind: Kind, at: usize) -> Option<usize> {
        let next = self.0.partition_point(|(_, other)| other.end <= at);
        let (last, range) = self.0.get(next.checked_sub(1)?)?;
        (*last == kind).then_some(range.end)
    }

    pub(super) fn touches(&self, range: &Range<usize>) -> bool {
        let at = self.0.partition_point(|(_, other)| other.end <= range.start);
        self.0.get(at).is_some_and(|(_, other)| other.start < range.end)
    }
}
