//! One request to a target: with a permit, past the breaker, before the deadline.

use std::time::Duration;

use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, timeout_at},
};
use tracing::{debug, error};
use uuid::Uuid;

use super::{answer::is_failure, tool::Tool};
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

impl Tool {
    pub(super) async fn send(&self, message: Message, deadline: Instant) -> Result<Reply, Unsent> {
        let _permits = self.permits(deadline).await.ok_or(Unsent::Busy)?;
        if !self.target.admits() {
            return Err(Unsent::Refused);
        }
        let request_id = Uuid::now_v7();
        let Message { method, url, mut headers, body } = message;
        headers.extend(self.requests.headers.clone());
        if let Ok(id) = HeaderValue::from_str(&request_id.to_string()) {
            headers.insert(REQUEST_ID, id);
        }
        let wanted = Wanted { method, url, headers, body, max_bytes: self.max_bytes };
        let reply = self.client.send(wanted, deadline).await;
        let tool = self.name.as_str();
        match reply {
            Ok(reply) => {
                self.target.note(is_failure(reply.status));
                debug!(tool, %request_id, status = reply.status.as_u16(), "tool answered");
                Ok(reply)
            }
            Err(fault) => {
                debug!(tool, %request_id, %fault, "tool did not answer");
                Err(match fault {
                    OutboundError::OutOfReach => {
                        error!(tool, target = self.target.origin, %fault, "tool was not called");
                        self.target.note(true);
                        Unsent::Refused
                    }
                    OutboundError::Unreachable => {
                        self.target.note(true);
                        Unsent::Unreachable
                    }
                    OutboundError::NoAnswer => {
                        self.target.note(true);
                        Unsent::Unsure
                    }
                    // One answer that is too large says nothing about the next one.
                    OutboundError::TooLarge => Unsent::TooLarge,
                    OutboundError::Encoded => Unsent::Unreadable,
                })
            }
        }
    }

    async fn permits(&self, deadline: Instant) -> Option<[SemaphorePermit<'_>; 2]> {
        let both = async {
            // That of the tool first: who waits for it holds no place of the target.
            let own = self.permits.acquire().await.ok()?;
            Some([own, self.target.permits.acquire().await.ok()?])
        };
        timeout_at(deadline.min(Instant::now() + PATIENCE), both).await.ok().flatten()
    }
}
