//! Tries of order numbers with addresses and postcodes. A wrong one counts against the visitor and
//! against the order; after some, each waits longer than the one before (`limits.account_guesses`).

use super::prepared::{Prepared, hash};
use crate::{config::Identity, limits::Limits};

/// A try that was counted before its answer is known, so that many at once are no more than many
/// after each other.
pub(super) struct Guess<'a> {
    limits: &'a Limits,
    counters: Vec<String>,
}

/// There were too many wrong ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooMany;

impl<'a> Guess<'a> {
    /// Counts a call that shows something for an order; another call is none.
    pub(super) async fn take(limits: &'a Limits, call: &Prepared) -> Result<Self, TooMany> {
        let mut taken = Self { limits, counters: Vec::new() };
        if call.tool.shown_by != Identity::Order || call.caller.proof.is_none() {
            return Ok(taken);
        }
        let site = &call.caller.site;
        // A site's name has no `/`, so these are no accounts of people.
        let of = |what: &str, name: &str| format!("/order/{site}/{what}/{name}");
        // Checked when the tool was declared.
        let number =
            call.arguments.get("order_number").map(ToString::to_string).unwrap_or_default();
        let number: String = number.to_lowercase().split_whitespace().collect();
        // Visitors are free, so an address counts, too.
        let block = call.caller.from.map(|from| of("address", &from.name()));
        let own = [
            of("visitor", &call.caller.visitor.to_string()),
            of("number", &hex::encode(hash(&[number.as_bytes()]))),
        ];
        for counter in own.into_iter().chain(block) {
            if limits.guess(&counter).await.is_err() {
                taken.give_back().await;
                return Err(TooMany);
            }
            taken.counters.push(counter);
        }
        Ok(taken)
    }

    /// It was right, or nobody checked it.
    pub(super) async fn give_back(self) {
        for counter in &self.counters {
            self.limits.unguess(counter).await;
        }
    }
}
