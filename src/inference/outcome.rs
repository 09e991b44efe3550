//! How one request to a backend ended, and what that says about the backend.
//!
//! Every breaker, retry and metric decides by these two functions; wire details stay below them.

/// Which time limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stall {
    /// Nothing was generated after the request was sent.
    FirstToken,
    /// Too long between two tokens.
    Gap,
    /// The whole answer took too long, although tokens came.
    Total,
}

/// The end of one request to one backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Outcome {
    /// The answer came and is proven complete.
    #[error("completed")]
    Completed,
    /// We closed the connection: the shopper left, or the turn was cancelled or panicked.
    #[error("the client left")]
    ClientGone,
    /// The backend refused the request itself.
    #[error("the backend refused the request with {0}")]
    ClientError(u16),
    /// The backend has no room: 429, 503, or it is shutting down.
    #[error("the backend is overloaded or shutting down ({0})")]
    Overloaded(u16),
    /// Any other answer that is not a success.
    #[error("the backend answered {0}")]
    ServerError(u16),
    /// No connection, or it broke before the first byte of the answer.
    #[error("the backend cannot be reached")]
    Connect,
    #[error("the backend stalled ({0:?})")]
    Stalled(Stall),
    /// The stream ended without a finish reason, or in the middle of its transfer.
    #[error("the stream ended early")]
    Truncated,
    /// The backend reported an error inside a stream that had begun with 200.
    #[error("the backend reported an error in the stream")]
    ErrorFrame,
    /// Bytes that do not follow the protocol, or frames over every size limit.
    #[error("the stream is malformed")]
    Malformed,
    /// A complete stream without a tool call or any text that a shopper can see.
    #[error("the answer is empty")]
    Empty,
    /// A tool call without a name, or with arguments that are not a JSON object.
    #[error("a tool call is malformed")]
    BrokenToolCall,
    /// A bare `</think>` came after text was handed on: the text that was shown was a thought.
    #[error("reasoning was shown as the answer")]
    LeakedThought,
}

/// What an outcome says about the backend's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Healthy,
    Unhealthy,
    /// Says nothing: the cause is in the request, the client or the model.
    Neutral,
}

/// The only function that feeds the breakers.
///
/// 429 and 503 count although the backend is alive. It sends them faster than any real answer, so
/// without a breaker the least loaded backend would be the one that refuses everything. A total
/// timeout does not count, since tokens came until then.
pub const fn classify(outcome: &Outcome) -> Class {
    match outcome {
        Outcome::Completed => Class::Healthy,
        Outcome::Overloaded(_)
        | Outcome::ServerError(_)
        | Outcome::Connect
        | Outcome::Stalled(Stall::FirstToken | Stall::Gap)
        | Outcome::Truncated
        | Outcome::ErrorFrame
        | Outcome::Malformed => Class::Unhealthy,
        Outcome::ClientGone
        | Outcome::ClientError(_)
        | Outcome::Stalled(Stall::Total)
        | Outcome::Empty
        | Outcome::BrokenToolCall
        | Outcome::LeakedThought => Class::Neutral,
    }
}

impl Outcome {
    /// Whether another attempt may succeed, as long as no part of this answer was handed on.
    pub const fn retryable(&self) -> bool {
        match self {
            // The key, the model name or the route may be right on another backend; a bad body is
            // bad on all of them.
            Self::ClientError(status) => matches!(status, 401 | 403 | 404 | 405 | 408),
            Self::Overloaded(_)
            | Self::ServerError(_)
            | Self::Connect
            | Self::Stalled(Stall::FirstToken | Stall::Gap)
            | Self::Truncated
            | Self::ErrorFrame
            | Self::Malformed
            | Self::Empty => true,
            Self::Completed
            | Self::ClientGone
            | Self::Stalled(Stall::Total)
            | Self::BrokenToolCall
            | Self::LeakedThought => false,
        }
    }

    /// Whether another attempt may succeed although a part of this answer was shown. The new answer
    /// visibly replaces that part.
    pub const fn restartable(&self) -> bool {
        match self {
            // What was shown must be withdrawn in any case, and the next answer is held back.
            Self::LeakedThought => true,
            Self::Truncated
            | Self::ErrorFrame
            | Self::Malformed
            | Self::Connect
            | Self::Stalled(Stall::FirstToken | Stall::Gap) => true,
            Self::Completed
            | Self::ClientGone
            | Self::ClientError(_)
            | Self::Overloaded(_)
            | Self::ServerError(_)
            | Self::Stalled(Stall::Total)
            | Self::Empty
            | Self::BrokenToolCall => false,
        }
    }

    /// The meaning of a fault in a last frame that the body left open: half a frame is an early end
    /// and not a malformed stream.
    pub(super) const fn at_the_end(self) -> Self {
        if matches!(self, Self::Malformed) { Self::Truncated } else { self }
    }

    /// Whether the slot was held for a typical time. This is false if the request was refused at
    /// once.
    pub(super) const fn has_run(&self) -> bool {
        !matches!(
            self,
            Self::ClientError(_) | Self::Overloaded(_) | Self::ServerError(_) | Self::Connect
        )
    }

    /// The label of this outcome in metrics and logs.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClientGone => "client_gone",
            Self::ClientError(_) => "client_error",
            Self::Overloaded(_) => "overloaded",
            Self::ServerError(_) => "server_error",
            Self::Connect => "connect",
            Self::Stalled(Stall::FirstToken) => "stalled_first_token",
            Self::Stalled(Stall::Gap) => "stalled_gap",
            Self::Stalled(Stall::Total) => "stalled_total",
            Self::Truncated => "truncated",
            Self::ErrorFrame => "error_frame",
            Self::Malformed => "malformed",
            Self::Empty => "empty",
            Self::BrokenToolCall => "broken_tool_call",
            Self::LeakedThought => "leaked_thought",
        }
    }

    /// Classifies a response that is not a success. `body` is the beginning of the response body.
    pub fn of_response(status: u16, body: &[u8]) -> Self {
        // vLLM's API process sends this while it drains. Its health route stays 200, so no other
        // sign exists.
        const DRAINING: &[u8] = b"cannot schedule new futures after shutdown";
        let draining = status == 500 && body.windows(DRAINING.len()).any(|part| part == DRAINING);
        match status {
            429 | 503 => Self::Overloaded(status),
            _ if draining => Self::Overloaded(status),
            400..=499 => Self::ClientError(status),
            _ => Self::ServerError(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_request_neither_hurts_the_backend_nor_is_it_tried_elsewhere() {
        let outcome = Outcome::of_response(400, b"{}");
        assert_eq!(classify(&outcome), Class::Neutral);
        assert!(!outcome.retryable());
    }

    #[test]
    fn a_draining_backend_is_told_from_a_failing_one() {
        let body = br#"{"error":{"message":"cannot schedule new futures after shutdown"}}"#;
        assert_eq!(Outcome::of_response(500, body), Outcome::Overloaded(500));
        assert_eq!(Outcome::of_response(500, b"Internal Server Error"), Outcome::ServerError(500));
    }

    #[test]
    fn overload_stalls_and_broken_streams_count_against_the_backend_and_are_tried_elsewhere() {
        for outcome in [
            Outcome::Overloaded(503),
            Outcome::Overloaded(429),
            Outcome::ServerError(502),
            Outcome::Connect,
            Outcome::Stalled(Stall::FirstToken),
            Outcome::Stalled(Stall::Gap),
            Outcome::Truncated,
            Outcome::ErrorFrame,
        ] {
            assert_eq!(classify(&outcome), Class::Unhealthy, "{outcome}");
            assert!(outcome.retryable(), "{outcome}");
        }
    }

    #[test]
    fn a_client_that_left_and_a_slow_whole_answer_say_nothing_about_the_backend() {
        assert_eq!(classify(&Outcome::ClientGone), Class::Neutral);
        assert_eq!(classify(&Outcome::Stalled(Stall::Total)), Class::Neutral);
    }
}
