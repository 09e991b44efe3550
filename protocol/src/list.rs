//! The journal of the one session: at most 16 events, one byte each. Two lists are equal exactly if
//! their `seq` and `head` are equal, so a comparison of lists stands for a comparison of heads.

use std::fmt;

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct List(u128);

/// Never 0.
pub type Event = u8;

impl List {
    pub const EMPTY: Self = Self(0);

    /// `seq` of the last event; 0 if there is none.
    pub fn seq(self) -> u32 {
        (128 - self.0.leading_zeros()).div_ceil(8)
    }

    #[must_use]
    pub fn with(self, event: Event) -> Self {
        Self(self.0 | u128::from(event) << (8 * self.seq()))
    }

    /// The first `seq` events.
    #[must_use]
    pub fn first(self, seq: u32) -> Self {
        if seq >= 16 { self } else { Self(self.0 & ((1 << (8 * seq)) - 1)) }
    }

    pub fn starts_with(self, other: Self) -> bool {
        self.first(other.seq()) == other
    }

    /// Whether one of the two is the beginning of the other.
    pub fn agrees_with(self, other: Self) -> bool {
        self.starts_with(other) || other.starts_with(self)
    }

    pub fn events(self) -> impl Iterator<Item = Event> + Clone {
        self.0.to_le_bytes().into_iter().take_while(|event| *event != 0)
    }

    /// Whether `same` holds for some two of the events.
    pub fn has_twice(self, same: impl Fn(Event, Event) -> bool) -> bool {
        let mut later = self.events();
        while let Some(event) = later.next() {
            if later.clone().any(|other| same(event, other)) {
                return true;
            }
        }
        false
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.events()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_starts_with_each_of_its_beginnings() {
        let short = List::EMPTY.with(1).with(2);
        let long = short.with(3);
        assert_eq!((short.seq(), long.seq()), (2, 3));
        assert_eq!(long.first(2), short);
        assert!(long.starts_with(short) && long.starts_with(List::EMPTY));
        assert!(!short.starts_with(long) && short.agrees_with(long));
        assert!(!short.with(4).agrees_with(long));
        assert_eq!(long.events().collect::<Vec<_>>(), [1, 2, 3]);
        assert!(long.with(1).has_twice(|one, other| one == other));
        assert!(!long.has_twice(|one, other| one == other));
        let full = (1..=16).fold(List::EMPTY, List::with);
        assert_eq!((full.seq(), full.first(16)), (16, full));
    }
}
