//! Who stands behind an answer, and who was not content with it.
//!
//! An answer of the model serves strangers only after several visitors who do not belong together
//! got an equivalent one, each from a generation of its own. It takes as many to end that.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{AddressBlock, MessageId, PrincipalId};

/// How many of each kind are kept at most.
const MOST: usize = 16;

/// A visitor, as far as visitors must be told apart. It has no id and no address: a hash of the id,
/// and 16 bits of a hash of the address block, which many blocks have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Witness {
    visitor: u64,
    /// Absent if the address is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    block: Option<u16>,
}

impl Witness {
    /// `from` is the block of the client's own address, not that of a proxy.
    pub fn new(visitor: PrincipalId, from: Option<AddressBlock>) -> Self {
        Self {
            visitor: u64::from_le_bytes(hash("visitor", visitor.0.as_bytes())),
            block: from.map(|block| u16::from_le_bytes(hash("block", block.name().as_bytes()))),
        }
    }

    /// A shopper of whom the shop's server says that `name` is theirs.
    pub fn named(server: PrincipalId, name: &str) -> Self {
        let whole = [server.0.as_bytes(), name.as_bytes()].concat();
        Self { visitor: u64::from_le_bytes(hash("named", &whole)), block: None }
    }

    /// Names the visitor among all witnesses.
    pub(in crate::cache) fn visitor(self) -> u64 {
        self.visitor
    }

    /// Whether both are one visitor, wherever they were.
    pub(super) fn is(self, other: Self) -> bool {
        self.visitor == other.visitor
    }
}

fn hash<const N: usize>(what: &str, bytes: &[u8]) -> [u8; N] {
    let digest = Sha256::new().chain_update(what).chain_update(bytes).finalize();
    std::array::from_fn(|index| digest[index])
}

/// A visitor got an answer in this message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Vote {
    pub by: Witness,
    pub message: MessageId,
}

/// How an answer came about.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// It quotes the shop's documents, and needs no confirmation.
    Quoted(Vote),
    /// A model wrote it.
    Written(Vote),
}

/// The trust in one answer. Votes are only added, so replicas that know different ones agree after
/// they exchanged them. Both lists are sorted, with one item for each visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cache) struct Trust {
    /// Whether it serves strangers.
    pub(in crate::cache) shared: bool,
    votes: Vec<Vote>,
    doubts: Vec<Witness>,
}

impl Trust {
    pub(in crate::cache) fn new(origin: Origin, needed: usize) -> Self {
        let (Origin::Quoted(vote) | Origin::Written(vote)) = origin;
        let trust = Self { votes: vec![vote], ..Self::default() };
        let shared = matches!(origin, Origin::Quoted(_)) || trust.is_confirmed(needed);
        Self { shared, ..trust }
    }

    /// With another vote. The same if it adds nothing: the visitor has voted or doubts, or belongs
    /// to those who already voted.
    pub(in crate::cache) fn confirmed(&self, vote: Vote, needed: usize) -> Self {
        let mut trust = self.clone();
        if helps(vote.by, self.votes.iter().map(|vote| vote.by), needed)
            && !self.is_doubted_by(vote.by)
        {
            add(&mut trust.votes, vote, |vote| vote.by);
        }
        trust.shared |= trust.is_confirmed(needed);
        trust
    }

    pub(in crate::cache) fn doubted(&self, by: Witness, needed: usize) -> Self {
        let mut trust = self.clone();
        if helps(by, self.doubts.iter().copied(), needed) {
            add(&mut trust.doubts, by, |by| *by);
        }
        trust
    }

    /// What is known after two replicas exchanged what they knew.
    pub(in crate::cache) fn joined(&self, other: &Self, needed: usize) -> Self {
        let mut trust = self.clone();
        other.votes.iter().for_each(|vote| add(&mut trust.votes, *vote, |vote| vote.by));
        other.doubts.iter().for_each(|doubt| add(&mut trust.doubts, *doubt, |by| *by));
        trust.shared |= other.shared || trust.is_confirmed(needed);
        trust
    }

    /// Whether so many are not content that it must go.
    pub(in crate::cache) fn is_lost(&self, needed: usize) -> bool {
        are_independent(self.doubts.iter().copied(), needed)
    }

    pub(in crate::cache) fn is_doubted_by(&self, by: Witness) -> bool {
        self.doubts.iter().any(|doubt| doubt.is(by))
    }

    pub(in crate::cache) fn votes(&self) -> &[Vote] {
        &self.votes
    }

    pub(in crate::cache) fn doubts(&self) -> &[Witness] {
        &self.doubts
    }

    fn is_confirmed(&self, needed: usize) -> bool {
        let votes = self.votes.iter().map(|vote| vote.by);
        are_independent(votes.filter(|by| !self.is_doubted_by(*by)), needed)
    }
}

/// Keeps the list sorted and bounded. Of two items of one visitor the smaller one stays, on every
/// replica.
fn add<T: Ord + Copy>(list: &mut Vec<T>, new: T, by: impl Fn(&T) -> Witness) {
    match list.iter_mut().find(|known| by(known).is(by(&new))) {
        Some(known) => *known = new.min(*known),
        None => list.push(new),
    }
    list.sort_unstable();
    list.truncate(MOST);
}

/// Whether there are `needed` visitors, and not all of one address block, as far as blocks are
/// known.
fn are_independent(witnesses: impl Iterator<Item = Witness> + Clone, needed: usize) -> bool {
    let mut blocks = witnesses.clone().filter_map(|witness| witness.block);
    let apart = match blocks.next() {
        Some(first) => blocks.any(|other| other != first),
        None => true,
    };
    witnesses.count() >= needed && (apart || needed <= 1)
}

/// Whether a witness brings the known ones nearer to independence. So one block cannot fill the
/// list.
fn helps(new: Witness, known: impl Iterator<Item = Witness> + Clone, needed: usize) -> bool {
    let is_known = known.clone().any(|known| known.is(new));
    let enough = known.clone().count() >= needed;
    let other_block = new.block.is_some() && known.clone().all(|known| known.block != new.block);
    !is_known && !are_independent(known, needed) && (!enough || other_block)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn witness(visitor: u64, block: impl Into<Option<u16>>) -> Witness {
        Witness { visitor, block: block.into() }
    }

    fn vote(visitor: u64, block: impl Into<Option<u16>>) -> Vote {
        Vote {
            by: witness(visitor, block),
            message: MessageId(uuid::Uuid::from_u128(visitor.into())),
        }
    }

    fn written(by: &[Vote], needed: usize) -> Trust {
        let first = Trust::new(Origin::Written(by[0]), needed);
        by[1..].iter().fold(first, |trust, vote| trust.confirmed(*vote, needed))
    }

    #[test]
    fn an_answer_of_the_model_waits_for_others_and_a_quotation_does_not() {
        assert!(!written(&[vote(1, None)], 2).shared);
        assert!(!written(&[vote(1, None), vote(1, None)], 2).shared, "one visitor twice");
        assert!(written(&[vote(1, None), vote(2, None)], 2).shared);
        assert!(!written(&[vote(1, None), vote(2, None)], 3).shared);
        assert!(written(&[vote(1, 7)], 1).shared);
        assert!(Trust::new(Origin::Quoted(vote(1, None)), 2).shared);
    }

    #[test]
    fn visitors_of_one_address_block_are_one_person() {
        let mut votes: Vec<Vote> = (0..100).map(|visitor| vote(visitor, 7)).collect();
        let trust = written(&votes, 2);
        assert!(!trust.shared);
        assert_eq!(trust.votes.len(), 2, "they do not fill the list");
        votes.push(vote(200, None));
        assert_eq!(written(&votes, 2).votes.len(), 2, "nor does an unknown address");
        assert!(!written(&votes, 2).shared, "an unknown address proves nothing");
        votes.push(vote(201, 8));
        assert!(written(&votes, 2).shared);
    }

    #[test]
    fn it_takes_as_many_to_end_it_and_one_of_them_never_confirms_it() {
        let trust = written(&[vote(1, None), vote(2, None)], 2).doubted(witness(3, None), 2);
        assert!(trust.shared && !trust.is_lost(2) && trust.is_doubted_by(witness(3, None)));
        assert!(!trust.doubted(witness(3, None), 2).is_lost(2), "one visitor twice");
        assert!(trust.doubted(witness(4, None), 2).is_lost(2));
        let waiting = written(&[vote(1, None)], 2).doubted(witness(1, None), 2);
        assert!(!waiting.confirmed(vote(2, None), 2).shared, "its first reader doubts it");
        assert!(!waiting.confirmed(vote(1, None), 2).shared);
    }

    #[test]
    fn a_vote_that_adds_nothing_changes_nothing() {
        let first = written(&[vote(5, 7)], 2);
        // Of one visitor, with a smaller id and from another place.
        let again = Vote { by: witness(5, 3), ..vote(1, 3) };
        assert_eq!(first.confirmed(again, 2), first);
        let doubted = first.doubted(witness(6, 8), 2);
        assert_eq!(doubted.confirmed(vote(6, 8), 2), doubted, "it is not content");
        let confirmed = first.confirmed(vote(6, 8), 2);
        assert!(confirmed.shared);
        assert_eq!(confirmed.confirmed(vote(7, 9), 2), confirmed, "nobody else is needed");
    }

    #[test]
    fn what_replicas_exchange_is_bounded() {
        let of =
            |from: u64| written(&(from..from + 12).map(|v| vote(v, None)).collect::<Vec<_>>(), 12);
        let (one, other) =
            (written(&[vote(5, 7)], 2), written(&[Vote { by: witness(5, 7), ..vote(1, 7) }], 2));
        assert_eq!(one.joined(&other, 2), other.joined(&one, 2), "one vote of a visitor stays");
        let both = of(0).joined(&of(100), 12);
        assert_eq!(both.votes.len(), MOST);
        assert_eq!(both, of(100).joined(&of(0), 12));
    }

    proptest! {
        #[test]
        fn replicas_that_exchange_what_they_know_agree(
            ours in prop::collection::vec((0_u64..6, prop::option::of(0_u16..3)), 1..6),
            theirs in prop::collection::vec((0_u64..6, prop::option::of(0_u16..3)), 1..6),
            doubts in prop::collection::vec(0_u64..6, 0..3),
            needed in 1_usize..4,
        ) {
            let of = |of: &[(u64, Option<u16>)]| {
                written(&of.iter().map(|(v, b)| vote(*v, *b)).collect::<Vec<_>>(), needed)
            };
            let (a, mut b) = (of(&ours), of(&theirs));
            for doubt in doubts {
                b = b.doubted(witness(doubt, None), needed);
            }
            let (left, right) = (a.joined(&b, needed), b.joined(&a, needed));
            prop_assert_eq!(left.shared, right.shared);
            prop_assert_eq!(left.votes.len(), right.votes.len());
            prop_assert_eq!(left.joined(&right, needed), left.clone());
            prop_assert!(left.shared || !(a.shared || b.shared));
        }
    }
}
