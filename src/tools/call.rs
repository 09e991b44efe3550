//! How a tool is called.

use std::time::Duration;

use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument as _, error, trace_span};

use super::{
    answer::{self, CallError, Known, Output},
    guesses::{Guess, TooMany},
    handle::Tools,
    lookups::Key,
    mcp,
    metrics::{self, Outcome},
    prepared::{Prepared, owner},
    send::{Message, Unsent},
    way::Way,
    web,
};
use crate::{
    config::Effect,
    domain::{ActionId, SiteId},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Of a read, if nothing was sent.
const ATTEMPTS: u32 = 2;
/// Before the next attempt.
const PAUSE: Duration = Duration::from_millis(100);

/// Why there is no output.
#[derive(Clone, Copy, Debug)]
enum Missed {
    Failed(CallError),
    TooManyGuesses,
}

impl From<CallError> for Missed {
    fn from(error: CallError) -> Self {
        Self::Failed(error)
    }
}

impl From<TooMany> for Missed {
    fn from(_: TooMany) -> Self {
        Self::TooManyGuesses
    }
}

impl Tools {
    /// Makes a call. A write needs a key, with which the target does it once; if its future is
    /// dropped, the write is in doubt as well.
    ///
    /// # Errors
    /// [`CallError`]. Only [`CallError::InDoubt`] leaves open what became of a write.
    pub async fn call(
        &self,
        call: &Prepared,
        key: Option<ActionId>,
        deadline: Instant,
    ) -> Result<Output, CallError> {
        let began = Instant::now();
        let deadline = deadline.min(began + call.tool.timeout);
        let tool = call.tool.name.as_str();
        let called = async {
            match (call.tool.effect, key) {
                (Effect::Read, _) => Box::pin(self.look_up(call, deadline)).await,
                (Effect::Write, Some(key)) => self.write(call, key, deadline).await,
                (Effect::Write, None) => {
                    error!(tool, "a write needs a key and was not made");
                    Err(CallError::Unavailable.into())
                }
            }
        };
        // Boxed: every turn has a place for it, and few turns call.
        let called = Box::pin(called.instrument(trace_span!("tool", tool))).await;
        metrics::called(&call.tool.label, outcome(&called), began.elapsed());
        match called {
            Ok(output) => Ok(output),
            Err(Missed::TooManyGuesses) => {
                Ok(Output::Refused { reason: "too_many_tries".to_owned() })
            }
            Err(Missed::Failed(error)) => Err(error),
        }
    }

    /// Asks the target what became of a write.
    ///
    /// # Errors
    /// If it does not say; it may be asked again.
    pub async fn outcome(
        &self,
        site: &SiteId,
        tool: &str,
        key: ActionId,
        deadline: Instant,
    ) -> Result<Known, CallError> {
        let toolbox = self.of(site);
        let tool = toolbox.get(tool).filter(|tool| tool.effect == Effect::Write);
        // The declaration may be gone since the write.
        let tool = tool.ok_or(CallError::Unavailable)?;
        // No server of another kind makes changes.
        let Way::Http(requests) = &tool.way else { return Err(CallError::Unavailable) };
        let url = requests.outcome(key).map_err(|_| CallError::Unavailable)?;
        let message = Message { method: Method::GET, url, headers: HeaderMap::new(), body: None };
        let deadline = deadline.min(Instant::now() + tool.timeout);
        match tool.send(message, deadline).await {
            Ok(reply) => answer::known(&reply, self.result_bytes()),
            Err(Unsent::Busy) => Err(CallError::Busy),
            Err(Unsent::TooLarge) => Err(CallError::TooLarge),
            Err(Unsent::Unreadable) => Err(CallError::BadAnswer),
            Err(Unsent::Refused | Unsent::Unreachable | Unsent::Unsure) => {
                Err(CallError::Unavailable)
            }
        }
    }

    async fn look_up(&self, call: &Prepared, deadline: Instant) -> Result<Output, Missed> {
        let key = Key { owner: call.owner(), what: call.what() };
        let read = async {
            let mut left = ATTEMPTS;
            self.guarded(call, async || {
                loop {
                    left -= 1;
                    match self.once(call, HeaderMap::new(), deadline).await {
                        Err(Unsent::Unreachable) if left > 0 => sleep(PAUSE).await,
                        Ok(output) => return output,
                        Err(Unsent::Busy) => return Err(CallError::Busy),
                        Err(Unsent::TooLarge) => return Err(CallError::TooLarge),
                        Err(Unsent::Unreadable) => return Err(CallError::BadAnswer),
                        Err(Unsent::Refused | Unsent::Unreachable | Unsent::Unsure) => {
                            return Err(CallError::Unavailable);
                        }
                    }
                }
            })
            .await
        };
        let looked_up = Box::pin(self.lookups().get(key, call.tool.cache, read));
        let found = timeout_at(deadline, looked_up).await;
        let (output, ran) = found.map_err(|_| CallError::Unavailable)??;
        metrics::looked_up(&call.tool.label, ran);
        Ok(output)
    }

    async fn write(
        &self,
        call: &Prepared,
        key: ActionId,
        deadline: Instant,
    ) -> Result<Output, Missed> {
        let value = HeaderValue::from_str(&key.to_string());
        let value = value.map_err(|_| CallError::Unavailable)?;
        let headers = HeaderMap::from_iter([(IDEMPOTENCY_KEY, value)]);
        let written =
            self.guarded(call, async || match self.once(call, headers.clone(), deadline).await {
                Ok(output) => output,
                Err(Unsent::Busy) => Err(CallError::Busy),
                Err(Unsent::Refused | Unsent::Unreachable) => Err(CallError::Unavailable),
                Err(Unsent::Unsure | Unsent::TooLarge | Unsent::Unreadable) => {
                    Err(CallError::InDoubt)
                }
            });
        let written = written.await;
        // Also what may have been changed.
        self.lookups().forget(owner(&call.caller));
        written
    }

    /// Counts a try of an order, unless it was right or nobody checked it.
    async fn guarded(
        &self,
        call: &Prepared,
        work: impl AsyncFnOnce() -> Result<Output, CallError>,
    ) -> Result<Output, Missed> {
        let guess = Guess::take(self.limits(), call).await?;
        let done = work().await;
        if done != Ok(Output::NotFound) {
            guess.give_back().await;
        }
        Ok(done?)
    }

    async fn once(
        &self,
        call: &Prepared,
        mut headers: HeaderMap,
        deadline: Instant,
    ) -> Result<Result<Output, CallError>, Unsent> {
        let (tool, request) = (&call.tool, &call.request);
        let requests = match &tool.way {
            Way::Http(requests) => requests,
            Way::Mcp(offered) => {
                let result = tool.ask(offered, request, deadline).await?;
                return Ok(Ok(mcp::output(result, tool.shown_by, self.result_bytes())));
            }
        };
        headers.extend(request.who.clone());
        let message = Message {
            method: requests.method.clone(),
            url: request.url.clone(),
            headers,
            body: request.body.clone(),
        };
        let reply = tool.send(message, deadline).await?;
        let budget = self.result_bytes();
        let Some(most) = tool.web_results else {
            return Ok(answer::output(&reply, tool.effect, tool.shown_by, budget));
        };
        // What nobody reads of a result does not count.
        let whole = answer::output(&reply, tool.effect, tool.shown_by, tool.max_bytes);
        Ok(whole.map(|output| match output {
            Output::Found(found) => Output::Found(answer::cut(web::results(&found, most), budget)),
            other => other,
        }))
    }
}

fn outcome(called: &Result<Output, Missed>) -> Outcome {
    match called {
        Ok(Output::Found(_)) => Outcome::Found,
        Ok(Output::NotFound) => Outcome::NotFound,
        Ok(Output::Refused { .. }) => Outcome::Refused,
        Err(Missed::TooManyGuesses) => Outcome::TooManyTries,
        Err(Missed::Failed(CallError::Unavailable)) => Outcome::Unavailable,
        Err(Missed::Failed(CallError::Busy)) => Outcome::Busy,
        Err(Missed::Failed(CallError::BadAnswer)) => Outcome::BadAnswer,
        Err(Missed::Failed(CallError::TooLarge)) => Outcome::TooLarge,
        Err(Missed::Failed(CallError::InDoubt)) => Outcome::InDoubt,
    }
}
