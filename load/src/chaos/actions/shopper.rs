//! One shopper: a visitor with a session, who has changes proposed and decides on them.

use std::{ops::Range, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::{UNCONFIRMED, trouble::Progress};
use crate::{
    replay::{Api, Failed, Visitor},
    shop::{Added, added},
};

/// The shop may be away when a change is asked for.
const PROPOSALS: u32 = 60;
const AGAIN: Duration = Duration::from_millis(700);
/// While a turn runs on another replica.
const POLL: Duration = Duration::from_millis(300);
const THINKS_MS: u64 = 300;
const PAGE: usize = 100;

/// What a shopper does with a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Button,
    Words,
    /// A no by the button, or in words.
    Declines(bool),
    /// Confirms what was not shown.
    OtherHash,
    /// "Yes, but".
    Hesitates,
    Leaves,
}

impl Way {
    /// Of the change at a place. Four of five are confirmed.
    fn of(place: u32) -> Self {
        let round = place / UNCONFIRMED;
        match (place % UNCONFIRMED, round % 5) {
            (0..4, _) if (place + round).is_multiple_of(2) => Self::Button,
            (0..4, _) => Self::Words,
            (_, 0) => Self::Declines(true),
            (_, 1) => Self::Declines(false),
            (_, 2) => Self::OtherHash,
            (_, 3) => Self::Hesitates,
            _ => Self::Leaves,
        }
    }

    pub const fn confirms(self) -> bool {
        matches!(self, Self::Button | Self::Words)
    }
}

/// A change that a shopper asked for.
#[derive(Clone, Debug)]
pub struct Change {
    pub order: String,
    pub way: Way,
    /// `None`: nothing was proposed.
    pub action: Option<String>,
    /// Why the decision was not taken.
    pub refused: Option<String>,
}

/// A session, and what was asked for in it.
pub struct Visit {
    visitor: Visitor,
    session: String,
    pub changes: Vec<Change>,
}

pub type History = Vec<Said>;

/// A message of the history, as far as it tells what became of a change.
#[derive(Clone, Debug, Deserialize)]
pub struct Said {
    seq: u64,
    pub outcome: Option<Outcome>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Outcome {
    pub action_id: String,
    pub status: String,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Said>,
}

#[derive(Deserialize)]
struct Turn {
    status: String,
    #[serde(default)]
    answer: Value,
}

impl Visit {
    #[cfg(test)]
    pub fn of(changes: Vec<Change>) -> Self {
        Self { visitor: Visitor::default(), session: String::new(), changes }
    }

    /// # Errors
    /// When the session cannot be read.
    pub async fn history(&self, api: &Api) -> Result<History, Failed> {
        let mut history = History::new();
        loop {
            let after = history.last().map_or(0, |said: &Said| said.seq);
            let path = format!("messages?after_seq={after}&limit={PAGE}");
            let url = api.url(&format!("/v1/sessions/{}/{path}", self.session));
            let get = |visitor: &Visitor| api.http.get(&url).bearer_auth(&visitor.access_token);
            let page: Page = api.json(&mut self.visitor.clone(), get).await?;
            if page.items.is_empty() {
                return Ok(history);
            }
            history.extend(page.items);
        }
    }
}

pub struct Shopper<'a> {
    api: &'a Api,
    progress: &'a Progress,
    visitor: Visitor,
    session: String,
    random: StdRng,
}

impl<'a> Shopper<'a> {
    /// Asks for the changes at `places`, one after the other.
    pub async fn visit(
        api: &'a Api,
        progress: &'a Progress,
        seed: u64,
        places: Range<u32>,
    ) -> Visit {
        let random =
            StdRng::seed_from_u64(seed ^ u64::from(places.start).wrapping_mul(0x9e37_79b9));
        let mut visitor = Visitor::default();
        let mut changes: Vec<Change> = places.clone().map(change).collect();
        let arrived = async {
            visitor = api.visitor("pk_demo").await?;
            api.session(&mut visitor).await
        };
        let session = arrived.await.unwrap_or_default();
        let mut shopper = Self { api, progress, visitor, session, random };
        for (change, place) in changes.iter_mut().zip(places) {
            if let Err(failed) = shopper.change(place, change).await {
                change.refused = Some(named(&failed));
            }
        }
        Visit { visitor: shopper.visitor, session: shopper.session, changes }
    }

    async fn change(&mut self, place: u32, change: &mut Change) -> Result<(), Failed> {
        let added = added(place);
        let text = wish(place, &added);
        let mut offer = Value::Null;
        for _ in 0..PROPOSALS {
            offer = proposal(&self.say(&text).await?);
            if offer.is_null() && added.is_delivered {
                // It asks which items.
                offer = proposal(&self.say("all").await?);
            }
            if !offer.is_null() {
                break;
            }
            sleep(AGAIN).await;
        }
        let Some(action) = offer["action_id"].as_str() else { return Ok(()) };
        change.action = Some(action.to_owned());
        sleep(Duration::from_millis(self.random.random_range(0..THINKS_MS))).await;
        let hash = offer["hash"].as_str().unwrap_or_default();
        match change.way {
            Way::Button => self.press(action, Some(hash)).await.map(drop),
            Way::Words => self.decide("yes", change).await,
            Way::Declines(true) => self.press(action, None).await.map(drop),
            Way::Declines(false) => self.decide("no", change).await,
            Way::Hesitates => self.say("yes, but not like that").await.map(drop),
            Way::OtherHash => match self.press(action, Some(&"0".repeat(64))).await {
                Err(Failed::Refused(problem)) if problem.code == "effect_changed" => Ok(()),
                Err(failed) => Err(failed),
                Ok(_) => {
                    change.refused = Some("another hash was taken".to_owned());
                    Ok(())
                }
            },
            Way::Leaves => Ok(()),
        }
    }

    /// A yes or no in words has to be taken for one.
    async fn decide(&mut self, text: &str, change: &mut Change) -> Result<(), Failed> {
        let turn = self.say(text).await?;
        if turn.status == "completed" && turn.answer["outcome"].is_null() {
            change.refused = Some(format!("\"{text}\" was not taken for a decision"));
        }
        Ok(())
    }

    async fn say(&mut self, text: &str) -> Result<Turn, Failed> {
        let url = self.api.url(&format!("/v1/sessions/{}/messages", self.session));
        let (key, body) = (Uuid::new_v4().to_string(), json!({ "text": text }));
        let post = |api: &Api| api.http.post(&url).header("idempotency-key", &key).json(&body);
        self.turn(post).await
    }

    /// The button of a proposal; without a hash the one that declines.
    async fn press(&mut self, action: &str, hash: Option<&str>) -> Result<Turn, Failed> {
        let which = if hash.is_some() { "confirm" } else { "decline" };
        let url = self.api.url(&format!("/v1/actions/{action}/{which}"));
        let post = |api: &Api| match hash {
            Some(hash) => api.http.post(&url).json(&json!({ "hash": hash })),
            None => api.http.post(&url),
        };
        self.turn(post).await
    }

    /// Sends the same request until its turn has ended.
    async fn turn(&mut self, post: impl Fn(&Api) -> RequestBuilder) -> Result<Turn, Failed> {
        let api = self.api;
        loop {
            let build = |visitor: &Visitor| post(api).bearer_auth(&visitor.access_token);
            let turn: Turn = api.json(&mut self.visitor, build).await?;
            if turn.status != "running" {
                self.progress.ended_turns.update(|ended| ended + 1);
                return Ok(turn);
            }
            sleep(POLL).await;
        }
    }
}

/// The change that an answer proposes, if it does.
fn proposal(turn: &Turn) -> Value {
    let cards = turn.answer["cards"].as_array().into_iter().flatten();
    cards.into_iter().find(|card| card["kind"] == "action").cloned().unwrap_or_default()
}

fn change(place: u32) -> Change {
    Change { order: added(place).number, way: Way::of(place), action: None, refused: None }
}

/// What the shopper writes.
fn wish(place: u32, Added { number, customer, is_delivered }: &Added) -> String {
    let email = customer.email;
    match (is_delivered, place % 3) {
        (true, _) => format!("I want to return order {number}, my e-mail is {email}"),
        (false, 0) => format!("Please cancel my order {number}, my e-mail is {email}"),
        (false, _) => format!(
            "Please change the delivery address of order {number} to Hafenstrasse {place}, 18055 Rostock. \
             My e-mail is {email}"
        ),
    }
}

fn named(failed: &Failed) -> String {
    match failed {
        Failed::Refused(problem) => problem.code.clone(),
        Failed::Gone => "the service was gone".to_owned(),
        Failed::Broken(error) => format!("{error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_of_five_changes_are_confirmed_and_by_both_ways() {
        let ways: Vec<Way> = (0..1_250).map(Way::of).collect();
        let count = |wanted: Way| ways.iter().filter(|way| **way == wanted).count();
        assert_eq!(ways.iter().filter(|way| way.confirms()).count(), 1_000);
        assert!(count(Way::Button) > 400 && count(Way::Words) > 400);
        for rare in
            [Way::Declines(true), Way::Declines(false), Way::OtherHash, Way::Hesitates, Way::Leaves]
        {
            assert_eq!(count(rare), 50, "{rare:?}");
        }
    }
}
