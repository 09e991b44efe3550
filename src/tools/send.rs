//! What goes to a target: with a permit, past the breaker, before the deadline.

use std::time::Duration;

use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use rmcp::model::CallToolResult;
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, timeout_at},
};
use tracing::{debug, error};
use uuid::Uuid;

use super::{answer::is_failure, mcp::Fault, request::Filled, tool::Tool, way::Offered};
use crate::net::{OutboundError, Reply, Wanted};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest wait for a permit: who waits longer is one too many.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsent {
    /// No place, and nothing was sent.
    Busy,
    /// The breaker is open, and nothing was sent.
    Refused,
    /// Nothing was sent.
    Unreachable,
    /// The request may have arrived.
    Unsure,
    TooLarge,
    Unreadable,
}

/// What is sent besides the headers of the target.
pub(super) struct Message {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
}

/// Whether a fault of a session says that the server is not well.
pub(super) fn is_ill(fault: &Fault) -> bool {
    match fault {
        Fault::Outbound(OutboundError::TooLarge | OutboundError::Encoded) | Fault::Protocol => {
            false
        }
        Fault::Outbound(_) => true,
        Fault::Status(status) => is_failure(*status),
    }
}

impl Tool {
    pub(super) async fn send(&self, message: Message, deadline: Instant) -> Result<Reply, Unsent> {
        let _permits = self.admitted(deadline).await?;
        let request_id = Uuid::now_v7();
        let Message { method, url, mut headers, body } = message;
        headers.extend(self.way.headers());
        headers.extend(named(request_id));
        let wanted = Wanted { method, url, headers, body, max_bytes: self.max_bytes };
        let reply = self.target.client.send(wanted, deadline).await;
        let tool = self.name.as_str();
        match reply {
            Ok(reply) => {
                self.target.answered(reply.status);
                self.target.note(is_failure(reply.status));
                debug!(tool, %request_id, status = reply.status.as_u16(), "tool answered");
                Ok(reply)
            }
            Err(fault) => Err(self.unsent(fault.into(), request_id)),
        }
    }

    /// Calls a tool of an MCP server.
    pub(super) async fn ask(
        &self,
        offered: &Offered,
        request: &Filled,
        deadline: Instant,
    ) -> Result<CallToolResult, Unsent> {
        let _permits = self.admitted(deadline).await?;
        let request_id = Uuid::now_v7();
        let mut headers = request.who.clone();
        headers.extend(named(request_id));
        // Made of a map.
        let arguments = request.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
        let (name, arguments) = (&offered.name, arguments.unwrap_or_default());
        let called = offered.remote.call(name, arguments, headers, self.max_bytes, deadline).await;
        match called {
            Ok(result) => {
                self.target.note(false);
                debug!(tool = self.name, %request_id, "tool answered");
                Ok(result)
            }
            Err(fault) => Err(self.unsent(fault, request_id)),
        }
    }

    /// Notes what a fault says of the target.
    fn unsent(&self, fault: Fault, request_id: Uuid) -> Unsent {
        let tool = self.name.as_str();
        debug!(tool, %request_id, %fault, "tool did not answer");
        // One answer that is too large says nothing about the next one.
        if !matches!(fault, Fault::Outbound(OutboundError::TooLarge | OutboundError::Encoded)) {
            self.target.note(is_ill(&fault));
        }
        match fault {
            Fault::Outbound(OutboundError::OutOfReach) => {
                error!(tool, target = self.target.origin, %fault, "tool was not called");
                Unsent::Refused
            }
            Fault::Outbound(OutboundError::Unreachable) => Unsent::Unreachable,
            Fault::Outbound(OutboundError::NoAnswer) => Unsent::Unsure,
            Fault::Outbound(OutboundError::TooLarge) => Unsent::TooLarge,
            Fault::Outbound(OutboundError::Encoded) | Fault::Protocol => Unsent::Unreadable,
            Fault::Status(status) => {
                self.target.answered(status);
                match status {
                    reqwest::StatusCode::TOO_MANY_REQUESTS => Unsent::Busy,
                    status if is_failure(status) => Unsent::Unsure,
                    _ => Unsent::Unreadable,
                }
            }
        }
    }

    /// Places for one call, if the breaker lets it through.
    async fn admitted(&self, deadline: Instant) -> Result<[SemaphorePermit<'_>; 2], Unsent> {
        let both = async {
            // That of the tool first: who waits for it holds no place of the target.
            let own = self.permits.acquire().await.ok()?;
            Some([own, self.target.permits.acquire().await.ok()?])
        };
        let permits = timeout_at(deadline.min(Instant::now() + PATIENCE), both).await;
        let permits = permits.ok().flatten().ok_or(Unsent::Busy)?;
        if self.target.admits() { Ok(permits) } else { Err(Unsent::Refused) }
    }
}

/// The header by which an operator finds a call in the logs of both sides.
fn named(request_id: Uuid) -> Option<(HeaderName, HeaderValue)> {
    Some((REQUEST_ID, HeaderValue::from_str(&request_id.to_string()).ok()?))
}
