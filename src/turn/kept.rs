//! What is kept of a proposed call until its shopper decides, and how the shop is asked for it then.
//! It has personal data, so it goes with its session.

use std::sync::Arc;

use futures_util::FutureExt as _;
use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::ports::{ActionPort, Carried};
use crate::{
    archive::Action,
    assistant::errand::{Reply as Said, refused, render},
    clock, config,
    domain::{AddressBlock, PrincipalId, SiteId, Timestamp},
    tools::{CallError, Caller, Customer, Known, Output, Prepared, Proof, Tools},
};

#[derive(Serialize, Deserialize)]
pub struct Kept {
    arguments: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postcode: Option<String>,
    /// A one-time code was typed for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    code: bool,
}

impl Kept {
    pub fn of(change: &Prepared) -> Self {
        Self::new(change.arguments().clone(), change.caller())
    }

    /// A call that waits for a one-time code.
    pub fn waiting(arguments: &Value, caller: &Caller) -> Self {
        Self::new(arguments.as_object().cloned().unwrap_or_default(), caller)
    }

    fn new(arguments: Map<String, Value>, caller: &Caller) -> Self {
        let Caller { customer, proof, code, .. } = caller.clone();
        let (email, postcode) = match proof {
            Some(Proof::Email(email)) => (Some(email), None),
            Some(Proof::Postcode(code)) => (None, Some(code)),
            None => (None, None),
        };
        let customer = customer.map(|customer| customer.id);
        Self { arguments, customer, email, postcode, code }
    }

    /// As it is stored.
    pub fn sealed(&self) -> Value {
        // Plain data with text keys, so this never fails.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The call that was proposed. `None` if it cannot be made any more: the tool is gone, or takes
    /// other arguments.
    fn prepare(tools: &Tools, action: &Action) -> Option<Prepared> {
        let kept: Self = serde_json::from_value(action.arguments.0.clone()).ok()?;
        let code = kept.code;
        kept.call(tools, &action.tool, (&action.site_id, action.owner_id, None), code)
    }

    /// The call that waited for the code that `caller` has typed. `None` if it cannot be made any
    /// more, or waited for somebody else.
    pub fn after_code(
        tools: &Tools,
        caller: &Caller,
        tool: &str,
        sealed: &Value,
    ) -> Option<Prepared> {
        let kept: Self = serde_json::from_value(sealed.clone()).ok()?;
        let now = caller.customer.as_ref().map(|customer| &customer.id);
        if kept.customer.as_ref() != now {
            return None;
        }
        kept.call(tools, tool, (&caller.site, caller.visitor, caller.from), true)
    }

    fn call(
        self,
        tools: &Tools,
        tool: &str,
        (site, visitor, from): (&SiteId, PrincipalId, Option<AddressBlock>),
        code: bool,
    ) -> Option<Prepared> {
        let Self { arguments, customer, email, postcode, .. } = self;
        let caller = Caller {
            site: site.clone(),
            visitor,
            from,
            customer: customer.map(|id| Customer { id, email: None }),
            proof: email.map(Proof::Email).or(postcode.map(Proof::Postcode)),
            code,
        };
        tools.of(site).get(tool)?.prepare(Value::Object(arguments), &caller).ok()
    }

    fn arguments(action: &Action) -> Map<String, Value> {
        let kept: Option<Self> = serde_json::from_value(action.arguments.0.clone()).ok();
        kept.map(|kept| kept.arguments).unwrap_or_default()
    }
}

/// The number of the order that a change is about.
pub fn order(action: &Action) -> Option<String> {
    let arguments = Kept::arguments(action);
    arguments.get("order_number").and_then(Value::as_str).map(str::to_owned)
}

/// When the shop was asked for a change that was confirmed.
pub fn asked_at(action: &Action) -> Timestamp {
    action.reviewed_at.or(action.decided_at).unwrap_or(action.proposed_at)
}

/// Until when the shop takes a change back that it was asked for at `asked_at`. `None` if it does
/// not.
pub fn undo_until(tools: &Tools, action: &Action, asked_at: Timestamp) -> Option<Timestamp> {
    let toolbox = tools.of(&action.site_id);
    let undo = toolbox.get(&action.tool)?.undo.as_ref()?;
    toolbox.get(&undo.tool)?;
    Some(asked_at.after(undo.within))
}

/// The call that takes a change back, for the same shopper who has shown the same. What the change
/// did is asked of the shop, if it is needed. `None` if no such call can be made.
///
/// # Errors
/// If the shop does not say what the change did.
pub async fn undo(
    tools: &Tools,
    action: &Action,
    deadline: Instant,
) -> Result<Option<Prepared>, CallError> {
    let toolbox = tools.of(&action.site_id);
    let Some(undo) = toolbox.get(&action.tool).and_then(|tool| tool.undo.as_ref()) else {
        return Ok(None);
    };
    let kept: Option<Kept> = serde_json::from_value(action.arguments.0.clone()).ok();
    let Some(kept) = kept else { return Ok(None) };
    let result = match undo.needs_result() {
        true => match tools.outcome(&action.site_id, &action.tool, action.id, deadline).await? {
            Known::Done(result) => result,
            Known::Failed { .. } | Known::NeverSeen => return Ok(None),
        },
        false => Value::Null,
    };
    let arguments = undo.filled(&kept.arguments, &result);
    let (code, kept) = (kept.code, Kept { arguments, ..kept });
    Ok(kept.call(tools, &undo.tool, (&action.site_id, action.owner_id, None), code))
}

impl ActionPort {
    /// Asks the shops of the sites.
    pub fn new(tools: &Tools, config: &config::Actions) -> Self {
        let (calling, recalling) = (tools.clone(), tools.clone());
        Self {
            call: Arc::new(move |action, deadline| {
                let tools = calling.clone();
                async move { call(&tools, &action, deadline).await }.boxed()
            }),
            recall: Arc::new(move |action, deadline| {
                let tools = recalling.clone();
                async move { recall(&tools, &action, deadline).await }.boxed()
            }),
            timeout: config.timeout,
            valid_for: config.valid_for,
        }
    }
}

async fn call(tools: &Tools, action: &Action, deadline: Instant) -> Carried {
    let Some(prepared) = Kept::prepare(tools, action) else { return Carried::NotDone };
    let (language, asked_at) = (action.language, clock::now());
    match tools.call(&prepared, Some(action.id), deadline).await {
        Ok(Output::Found(value)) => done(tools, action, &value, asked_at),
        Ok(Output::NotFound) => Carried::Failed(Said::NotFound.text(language).to_owned()),
        Ok(Output::Refused { reason }) => Carried::Failed(refused(&reason, language).to_owned()),
        Err(CallError::InDoubt) => Carried::Unknown,
        Err(CallError::Busy) => Carried::Failed(Said::Busy.text(language).to_owned()),
        Err(CallError::Unavailable | CallError::BadAnswer | CallError::TooLarge) => {
            Carried::Failed(Said::Unavailable.text(language).to_owned())
        }
    }
}

async fn recall(tools: &Tools, action: &Action, deadline: Instant) -> Carried {
    match tools.outcome(&action.site_id, &action.tool, action.id, deadline).await {
        Ok(Known::Done(value)) => done(tools, action, &value, asked_at(action)),
        Ok(Known::Failed { reason }) => {
            Carried::Failed(refused(&reason, action.language).to_owned())
        }
        Ok(Known::NeverSeen) => Carried::NotDone,
        Err(_) => Carried::Unknown,
    }
}

/// What was done, in words; empty if the tool is not built in.
fn done(tools: &Tools, action: &Action, value: &Value, asked_at: Timestamp) -> Carried {
    let rendered = render(&action.tool, &Kept::arguments(action), value, today(), action.language);
    let said = rendered.map(|rendered| rendered.text).unwrap_or_default();
    Carried::Done { said, undo_until: undo_until(tools, action, asked_at) }
}

fn today() -> Date {
    let now = jiff::Timestamp::from_millisecond(clock::now().as_millis()).unwrap_or_default();
    now.to_zoned(TimeZone::UTC).date()
}
