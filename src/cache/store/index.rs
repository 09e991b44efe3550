//! The vectors of one partition: brute force over contiguous floats, of which most are never read.

use std::{collections::HashMap, sync::Arc};

use super::entry::Entry;
use crate::{domain::MessageId, vector::dot};

/// How many dimensions are read first. The norm of the rest bounds what it can add (Cauchy and
/// Schwarz).
const HEAD: usize = 128;

/// Vectors of one length, each of Euclidean norm 1.
pub(super) struct Index {
    dimensions: usize,
    head: usize,
    entries: Vec<Arc<Entry>>,
    positions: HashMap<MessageId, usize>,
    heads: Vec<f32>,
    tails: Vec<f32>,
    /// The norm of each tail.
    rests: Vec<f32>,
}

impl Index {
    pub(super) fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            head: HEAD.min(dimensions),
            entries: Vec::new(),
            positions: HashMap::new(),
            heads: Vec::new(),
            tails: Vec::new(),
            rests: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Refuses a vector that has another length or is not normalised, because it comes from another
    /// embedder.
    pub(super) fn insert(&mut self, entry: &Arc<Entry>) -> bool {
        let Some(vector) = entry.vector.as_deref().filter(|vector| self.fits(vector)) else {
            return false;
        };
        self.remove(entry.id);
        let (head, tail) = vector.split_at(self.head);
        self.positions.insert(entry.id, self.entries.len());
        self.entries.push(entry.clone());
        self.heads.extend_from_slice(head);
        self.tails.extend_from_slice(tail);
        self.rests.push(dot(tail, tail).sqrt());
        true
    }

    pub(super) fn remove(&mut self, id: MessageId) {
        let Some(at) = self.positions.remove(&id) else { return };
        self.entries.swap_remove(at);
        self.rests.swap_remove(at);
        swap_remove_row(&mut self.heads, at, self.head);
        swap_remove_row(&mut self.tails, at, self.dimensions - self.head);
        if let Some(moved) = self.entries.get(at) {
            self.positions.insert(moved.id, at);
        }
    }

    /// Entries with at least the similarity `threshold`, best first, at most `limit`.
    pub(super) fn nearest(
        &self,
        vector: &[f32],
        threshold: f32,
        limit: usize,
    ) -> Vec<(f32, Arc<Entry>)> {
        if !self.fits(vector) {
            return Vec::new();
        }
        let (head, tail) = vector.split_at(self.head);
        let rest = dot(tail, tail).sqrt();
        let width = tail.len();
        let mut near: Vec<(f32, usize)> = Vec::new();
        for (at, (row, row_rest)) in self.heads.chunks_exact(self.head).zip(&self.rests).enumerate()
        {
            let so_far = dot(head, row);
            if so_far + rest * row_rest < threshold {
                continue;
            }
            let similarity = so_far + dot(tail, &self.tails[at * width..(at + 1) * width]);
            if similarity >= threshold {
                near.push((similarity, at));
            }
        }
        near.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        near.truncate(limit);
        near.into_iter().map(|(similarity, at)| (similarity, self.entries[at].clone())).collect()
    }

    fn fits(&self, vector: &[f32]) -> bool {
        let norm = dot(vector, vector);
        vector.len() == self.dimensions && (0.98..=1.02).contains(&norm)
    }
}

fn swap_remove_row(rows: &mut Vec<f32>, at: usize, width: usize) {
    let last = rows.len() - width;
    rows.copy_within(last.., at * width);
    rows.truncate(last);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cache::tests::{answer, entry_with, question};

    fn unit(values: &[f32]) -> Arc<[f32]> {
        let norm = dot(values, values).sqrt().max(1e-6);
        values.iter().map(|value| value / norm).collect()
    }

    #[test]
    fn a_vector_of_another_embedder_is_refused() {
        let mut index = Index::new(4);
        let entry = |values: Vec<f32>| {
            Arc::new(entry_with(question("a question"), Some(values.into()), answer("x")))
        };
        assert!(!index.insert(&entry(vec![1.0, 0.0, 0.0])));
        assert!(!index.insert(&entry(vec![3.0, 0.0, 0.0, 0.0])));
        assert!(!index.insert(&entry(vec![f32::NAN, 0.0, 0.0, 0.0])));
        assert!(index.insert(&entry(vec![1.0, 0.0, 0.0, 0.0])));
        assert!(index.nearest(&[1.0, 0.0, 0.0], 0.5, 4).is_empty());
        assert_eq!(index.nearest(&[1.0, 0.0, 0.0, 0.0], 0.5, 4).len(), 1);
    }

    proptest! {
        #[test]
        fn the_early_bound_never_loses_a_neighbour(
            rows in prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, 160), 1..12),
            removed in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
            query in prop::collection::vec(-1.0_f32..1.0, 160),
            threshold in -0.2_f32..0.3,
        ) {
            let mut index = Index::new(160);
            let mut entries: Vec<_> = rows
                .iter()
                .map(|row| Arc::new(entry_with(question("a question"), Some(unit(row)), answer("x"))))
                .collect();
            for entry in &entries {
                prop_assert!(index.insert(entry));
            }
            for at in removed {
                if !entries.is_empty() {
                    index.remove(entries.remove(at.index(entries.len())).id);
                }
            }
            let query = unit(&query);
            let mut expected: Vec<MessageId> = entries
                .iter()
                .filter(|e| dot(e.vector.as_ref().unwrap(), &query) >= threshold + 1e-5)
                .map(|e| e.id)
                .collect();
            let mut found: Vec<MessageId> =
                index.nearest(&query, threshold, 100).iter().map(|(_, e)| e.id).collect();
            expected.sort();
            found.sort();
            for id in &expected {
                prop_assert!(found.contains(id));
            }
            let least = index.nearest(&query, threshold, 100).iter().map(|(s, _)| *s).fold(1.0, f32::min);
            prop_assert!(least >= threshold);
        }
    }
}
