//! Members that take turns: found by key, iterated in order, and counted up to one of them.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// The front is next. Finding is O(1) and counting O(log n). Leaving from the middle moves at most
/// half of the order.
#[derive(Debug)]
pub struct Ring<K, V> {
    /// Sorted by turn number, which only grows.
    order: VecDeque<(u64, K)>,
    members: HashMap<K, (u64, V)>,
    turns: u64,
}

impl<K, V> Default for Ring<K, V> {
    fn default() -> Self {
        Self { order: VecDeque::new(), members: HashMap::new(), turns: 0 }
    }
}

impl<K: Clone + Eq + Hash, V> Ring<K, V> {
    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.members.get(key).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.members.get_mut(key).map(|(_, value)| value)
    }

    /// The member; a new one joins at the end.
    pub fn join(&mut self, key: &K) -> &mut V
    where
        V: Default,
    {
        let member = self.members.entry(key.clone()).or_insert_with(|| {
            self.turns += 1;
            self.order.push_back((self.turns, key.clone()));
            (self.turns, V::default())
        });
        &mut member.1
    }

    pub fn leave(&mut self, key: &K) -> Option<V> {
        let place = self.rank(key)?;
        self.order.remove(place);
        self.members.remove(key).map(|(_, value)| value)
    }

    /// The member had its turn and moves to the end.
    pub fn rotate(&mut self, key: &K) {
        let Some(place) = self.rank(key) else { return };
        let Some((_, key)) = self.order.remove(place) else { return };
        self.turns += 1;
        if let Some((turn, _)) = self.members.get_mut(&key) {
            *turn = self.turns;
        }
        self.order.push_back((self.turns, key));
    }

    /// How many members are before this one.
    pub fn rank(&self, key: &K) -> Option<usize> {
        let (turn, _) = self.members.get(key)?;
        self.order.binary_search_by_key(turn, |(turn, _)| *turn).ok()
    }

    /// In the order of their turns.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.order.iter().filter_map(|(_, key)| Some((key, self.get(key)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_counted_rightly_after_any_leaving_and_rotating() {
        let mut ring: Ring<u32, ()> = Ring::default();
        (0..6).for_each(|key| *ring.join(&key) = ());
        ring.rotate(&1);
        ring.leave(&3);
        ring.rotate(&0);
        ring.join(&3);
        let order: Vec<u32> = ring.iter().map(|(key, ())| *key).collect();
        assert_eq!(order, [2, 4, 5, 1, 0, 3]);
        for (place, key) in order.iter().enumerate() {
            assert_eq!(ring.rank(key), Some(place));
        }
        assert_eq!(ring.rank(&9), None);
    }
}
