//! One-time codes: the shop sends one to the address that it has on file, and says whether what the
//! shopper typed is right. Neither the address nor the code is known or kept here.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    answer::{CallError, Output},
    caller::Caller,
    handle::Tools,
    prepared::{Prepared, hash, owner},
};
use crate::domain::{OneTimeCode, SiteId};

/// How long a code can be typed, if the shop does not say.
const USUAL: Duration = Duration::from_mins(10);
const LONGEST: Duration = Duration::from_mins(30);
const LONGEST_CHALLENGE: usize = 200;

/// What became of the wish for a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The shop's name for it.
    Challenge { id: String, valid_for: Duration },
    /// There is no such order, or what was shown for it is wrong.
    NotFound,
    /// The shop sends none, for a reason of one word; `too_many_tries` after too many codes.
    Refused(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    Right,
    /// Or too late: nobody can tell which.
    Wrong,
}

#[derive(Deserialize)]
struct Challenge {
    challenge: String,
    #[serde(default)]
    valid_for_s: Option<u64>,
}

impl Tools {
    /// Has the shop send a code to whom `caller` has shown to be: the customer of the order, or the
    /// one who is signed in. Codes that are never typed are counted, so that nobody is flooded.
    ///
    /// # Errors
    /// [`CallError`], and then no code is on its way as far as is known.
    pub async fn send_code(
        &self,
        caller: &Caller,
        order: Option<&Value>,
        deadline: Instant,
    ) -> Result<Sent, CallError> {
        let of_order = order.map(|order| format!("/code/{}/order/{order}", caller.site));
        // Whoever shows the same for an order fills the same letter box.
        for counter in [Some(counter(caller)), of_order].into_iter().flatten() {
            if self.limits().guess(&counter).await.is_err() {
                return Ok(Sent::Refused("too_many_tries".to_owned()));
            }
        }
        let (name, arguments) = match order {
            Some(order) => ("send_code_for_order", json!({ "order_number": order })),
            None => ("send_code", json!({})),
        };
        let call = self.hook(&caller.site, name, arguments, caller)?;
        match self.call(&call, None, deadline).await? {
            Output::Found(value) => {
                let said = Challenge::deserialize(&value).map_err(|_| CallError::BadAnswer)?;
                let fits = (1..=LONGEST_CHALLENGE).contains(&said.challenge.len());
                let valid_for = said.valid_for_s.map_or(USUAL, Duration::from_secs).min(LONGEST);
                let sent = Sent::Challenge { id: said.challenge, valid_for };
                fits.then_some(sent).ok_or(CallError::BadAnswer)
            }
            Output::NotFound => Ok(Sent::NotFound),
            Output::Refused { reason } => Ok(Sent::Refused(reason)),
        }
    }

    /// Asks the shop whether a code is right. The caller has counted the try.
    ///
    /// # Errors
    /// [`CallError`]; the shop may have counted it.
    pub async fn check_code(
        &self,
        caller: &Caller,
        challenge: &str,
        code: &OneTimeCode,
        deadline: Instant,
    ) -> Result<Checked, CallError> {
        let arguments = json!({ "challenge": challenge, "code": code.expose() });
        let call = self.hook(&caller.site, "check_code", arguments, caller)?;
        match self.call(&call, None, deadline).await? {
            Output::Found(_) => {
                self.limits().guessed(&counter(caller)).await;
                Ok(Checked::Right)
            }
            Output::NotFound | Output::Refused { .. } => Ok(Checked::Wrong),
        }
    }

    fn hook(
        &self,
        site: &SiteId,
        name: &str,
        arguments: Value,
        caller: &Caller,
    ) -> Result<Prepared, CallError> {
        let toolbox = self.of(site);
        // A checked configuration has the hooks wherever a tool needs them.
        let tool = toolbox.hook(name).ok_or(CallError::Unavailable)?;
        tool.prepare(arguments, caller).map_err(|_| CallError::Unavailable)
    }
}

/// A site's name has no `/`, so this is no account of a person.
fn counter(caller: &Caller) -> String {
    format!("/code/{}/visitor/{}", caller.site, caller.visitor)
}

/// For whom a code stands, as a hash: the customer, or the order and what was shown for it.
pub fn subject(caller: &Caller, order: Option<&Value>) -> String {
    let order = order.map(|order| order.to_string().to_lowercase()).unwrap_or_default();
    hex::encode(hash(&[&owner(caller), order.as_bytes(), &caller.shown()]))
}
