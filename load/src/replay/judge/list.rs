//! The final list of a session: every durable event in its order.

use std::collections::BTreeMap;

use super::{Contradiction, Found};
use crate::replay::{ledger::Acknowledged, reading::Told};

#[derive(Clone, Debug, Default)]
pub struct List {
    events: Vec<Told>,
}

impl List {
    pub fn new(events: Vec<Told>) -> Self {
        Self { events }
    }

    pub fn events(&self) -> &[Told] {
        &self.events
    }

    pub fn into_events(self) -> Vec<Told> {
        self.events
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub fn last_seq(&self) -> u64 {
        self.events.last().map_or(0, |event| event.seq)
    }

    pub fn get(&self, seq: u64) -> Option<&Told> {
        // Where the list has a gap, the index is not the place.
        let index = usize::try_from(seq).ok()?.checked_sub(1)?;
        let event = self.events.get(index).filter(|event| event.seq == seq);
        event.or_else(|| self.events.iter().find(|event| event.seq == seq))
    }

    /// Whether a stream can go on after this position: the beginning, an event, or a piece of a turn that is there.
    pub fn has_position(&self, seq: u64, piece: Option<u64>) -> bool {
        match piece {
            None => seq == 0 || self.get(seq).is_some(),
            Some(_) => self.get(seq).is_some_and(Told::begins_turn),
        }
    }

    /// Whether the event begins or ends no turn.
    pub fn is_aside(&self, seq: u64) -> bool {
        self.get(seq).is_some_and(|event| !event.begins_turn() && event.ended().is_none())
    }

    pub(super) fn faults(&self, acknowledged: &[Acknowledged]) -> Vec<Found> {
        let mut found = Vec::new();
        let mut push = |what, subject: Option<&str>, place: String| {
            found.push(Found { what, subject: subject.map(str::to_owned), place });
        };
        if !self.events.iter().map(|event| event.seq).eq(1..=self.events.len() as u64) {
            push(Contradiction::ListGap, None, "the list does not count 1, 2, 3, ...".into());
        }
        let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
        let mut running: Option<&str> = None;
        for event in &self.events {
            let turn = event.turn_id.as_deref().unwrap_or_default();
            if event.begins_turn() {
                if let Some(other) = running.replace(turn) {
                    let place = format!("turn {turn} begins while turn {other} runs");
                    push(Contradiction::TurnsOverlap, Some(turn), place);
                }
                ends.entry(turn).or_default();
            } else if event.ended().is_some() {
                *ends.entry(turn).or_default() += 1;
                running = running.filter(|running| *running != turn);
            }
        }
        for (turn, count) in ends.into_iter().filter(|(_, count)| *count != 1) {
            let what = if count == 0 { Contradiction::NoEnd } else { Contradiction::SecondEnd };
            push(what, Some(turn), format!("turn {turn} has {count} ends in the list"));
        }
        for said in acknowledged {
            let id = Some(said.message_id.as_str());
            let is_it = |event: &&Told| event.message_id.as_deref() == id;
            let copies: Vec<_> = self.events.iter().filter(is_it).collect();
            let is_same = copies.first().is_some_and(|event| {
                event.seq == said.seq
                    && event.begins_turn()
                    && event.turn_id.as_ref() == Some(&said.turn_id)
                    && event.text.as_ref() == Some(&said.text)
            });
            if !is_same {
                let place = format!("message {} is not in the list as acknowledged", said.seq);
                push(Contradiction::AcknowledgedLost, id, place);
            } else if copies.len() > 1 {
                let place = format!("message {} is in the list {} times", said.seq, copies.len());
                push(Contradiction::AcknowledgedTwice, id, place);
            }
        }
        found
    }
}
