//! Calls that need a one-time code of the shop: which code a session has, and whether one that was
//! typed counts still.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use crate::{
    archive::{Archive, ArchiveError, Count, Json, StepUp},
    clock,
    config::Identity,
    domain::{OneTimeCode, SessionId, Timestamp},
    tools::{CallError, Caller, Checked, Prepared, Refused, Sent, Tool, Tools, subject},
};

/// Of one code.
const TRIES: u64 = 5;
/// The argument that names the order of a call.
const ORDER: &str = "order_number";

/// Clones share the archive.
#[derive(Clone)]
pub struct Codes {
    archive: Archive,
    /// How long a right code counts.
    holds: Duration,
}

/// A call that may not be made before a code was typed.
pub struct Wanting {
    pub tool: Arc<Tool>,
    pub arguments: Value,
    pub caller: Caller,
}

/// What a typed code led to.
pub enum Typed {
    /// The tool that waited for it, and what was kept of its call.
    Right(String, Value),
    /// Or too late, or there is none: nobody can tell which.
    Wrong,
}

impl Codes {
    pub const fn new(archive: Archive, holds: Duration) -> Self {
        Self { archive, holds }
    }

    /// The call, if its caller has shown what it needs. A code that was typed in this session a
    /// short while ago counts.
    ///
    /// # Errors
    /// [`Refused`]; for [`Identity::Code`] a code has to be sent.
    pub async fn prepare(
        &self,
        session: SessionId,
        tool: &Arc<Tool>,
        arguments: Value,
        caller: &Caller,
    ) -> Result<Prepared, Refused> {
        let refused = match tool.prepare(arguments.clone(), caller) {
            Err(refused @ Refused::Identity(Identity::Code)) => refused,
            other => return other,
        };
        let subject = subject(caller, arguments.get(ORDER));
        // Without the archive nobody knows, and the shopper shows it again.
        let known = self.archive.step_up(session).await.ok().flatten();
        let now = clock::now();
        match known.filter(|known| known.subject == subject && known.holds_until > now) {
            Some(_) => tool.prepare(arguments, &Caller { code: true, ..caller.clone() }),
            None => Err(refused),
        }
    }

    /// Has the shop send a code. `kept` is what is needed to make the call that waits for it.
    ///
    /// # Errors
    /// As [`Tools::send_code`], or if the archive does not answer.
    pub async fn send(
        &self,
        tools: &Tools,
        session: SessionId,
        (wanting, kept): (&Wanting, Value),
        deadline: Instant,
    ) -> Result<Sent, CallError> {
        let Wanting { tool, arguments, caller } = wanting;
        let order = arguments.get(ORDER);
        let sent = tools.send_code(caller, order, deadline).await?;
        if let Sent::Challenge { id, valid_for } = &sent {
            let now = clock::now();
            let step_up = StepUp {
                session_id: session,
                subject: subject(caller, order),
                challenge: id.clone(),
                tool: tool.name.clone(),
                arguments: Json(kept),
                tries_left: Count(TRIES),
                expires_at: now.after(*valid_for),
                holds_until: Timestamp::from_millis(0),
            };
            self.archive.keep_step_up(&step_up).await.map_err(unavailable)?;
        }
        Ok(sent)
    }

    /// Has the shop check what was typed. A try is taken first, so that many at once are no more
    /// than many after each other.
    ///
    /// # Errors
    /// If the shop or the archive does not answer.
    pub async fn check(
        &self,
        tools: &Tools,
        session: SessionId,
        (caller, code): (&Caller, &OneTimeCode),
        deadline: Instant,
    ) -> Result<Typed, CallError> {
        let known = self.archive.step_up(session).await.map_err(unavailable)?;
        let Some(known) = known.filter(|known| !known.challenge.is_empty()) else {
            return Ok(Typed::Wrong);
        };
        if !self.archive.take_try(&known, clock::now()).await.map_err(unavailable)? {
            return Ok(Typed::Wrong);
        }
        match tools.check_code(caller, &known.challenge, code, deadline).await? {
            Checked::Wrong => return Ok(Typed::Wrong),
            Checked::Right => {}
        }
        let until = clock::now().after(self.holds);
        self.archive.hold_step_up(&known, until).await.map_err(unavailable)?;
        Ok(Typed::Right(known.tool, known.arguments.0))
    }
}

fn unavailable(_: ArchiveError) -> CallError {
    CallError::Unavailable
}
