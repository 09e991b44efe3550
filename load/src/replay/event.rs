//! Events as a client of Rushdesk reads them, from SSE and WebSocket alike.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::proof::Challenge;

/// One event with its position in the stream.
#[derive(Clone, Debug)]
pub struct Frame {
    /// SSE's `event:`; socket frames only have the `type` in the JSON.
    pub name: Option<String>,
    pub id: Option<String>,
    pub event: Event,
}

/// The fields that the checks read. All are optional, so that a wrong event is a finding and not a
/// crash.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Event {
    #[serde(rename = "type", default)]
    pub kind: String,
    pub seq: Option<u64>,
    pub session_id: Option<String>,
    pub turn_id: Option<String>,
    pub index: Option<u64>,
    pub text: Option<String>,
    pub message_id: Option<String>,
    pub route: Option<String>,
    pub problem: Option<Problem>,
    pub reconnect_after_ms: Option<u64>,
    /// Only in a socket's frames, which have no `id:` line.
    event_id: Option<String>,
    /// Only in a socket's error frames, which contain the problem's fields themselves.
    code: Option<String>,
    retry_after_ms: Option<u64>,
}

/// The fields of a problem body that a client acts on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Problem {
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub status: u16,
    pub retry_after_ms: Option<u64>,
    #[serde(default)]
    pub challenge: Option<Challenge>,
}

impl Problem {
    /// Whether the same request with the same key may succeed later.
    pub fn may_pass(&self) -> bool {
        // A replica that was paused in the middle of a request says that the request came too slowly.
        matches!(self.status, 408 | 429 | 502 | 503 | 504)
            || matches!(
                self.code.as_str(),
                "rate_limited"
                    | "overloaded"
                    | "draining"
                    | "dependency_unavailable"
                    | "request_in_progress"
                    | "turn_active"
            )
    }

    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.retry_after_ms.unwrap_or(500).clamp(20, 60_000))
    }
}

impl Frame {
    /// # Errors
    /// If `data` is not a JSON object with the right types.
    pub fn of_sse(sse: crate::sse::SseEvent) -> serde_json::Result<Self> {
        let event = serde_json::from_str(&sse.data)?;
        Ok(Self { name: Some(sse.name), id: sse.id, event })
    }

    /// # Errors
    /// If `text` is not a JSON object with the right types.
    pub fn of_socket(text: &str) -> serde_json::Result<Self> {
        let mut event: Event = serde_json::from_str(text)?;
        if event.problem.is_none() && (event.code.is_some() || event.kind == "error") {
            event.problem = Some(Problem {
                code: event.code.take().unwrap_or_default(),
                status: 0,
                retry_after_ms: event.retry_after_ms,
                challenge: None,
            });
        }
        Ok(Self { name: None, id: event.event_id.take(), event })
    }
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Completed,
    Failed,
    Cancelled,
}

impl Ended {
    pub fn of_kind(kind: &str) -> Option<Self> {
        match kind {
            "answer.completed" => Some(Self::Completed),
            "turn.failed" => Some(Self::Failed),
            "turn.cancelled" => Some(Self::Cancelled),
            _ => None,
        }
    }
}
