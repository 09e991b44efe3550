//! Why the model gave no answer, and what that means for the shopper.

use std::time::Duration;

use crate::{
    domain::{ErrorCode, Problem, ServiceLevel},
    inference::{GenerateError, Refused},
};

/// When a client may try again after an operator's order refused it.
const AFTER_AN_ORDER: Duration = Duration::from_secs(30);

/// Why the model gave no answer.
pub enum Failure {
    Generate(GenerateError),
    /// The answer ended normally but was empty.
    Empty,
    /// An operator took the model out of service.
    Ordered,
}

impl From<GenerateError> for Failure {
    fn from(error: GenerateError) -> Self {
        Self::Generate(error)
    }
}

impl Failure {
    /// Whether the question may become a ticket: if the queue had no room for it, and at the last
    /// level after any failure. A visitor or an address with too many requests gets an error
    /// instead, and a service that is shutting down promises nothing.
    pub fn may_wait(&self, level: ServiceLevel) -> bool {
        match self {
            Self::Generate(GenerateError::Refused(refused)) => match refused {
                Refused::QueueFull { .. }
                | Refused::TooLate { .. }
                | Refused::NoBackend { .. }
                | Refused::DeadlinePassed => true,
                Refused::TooManyOfVisitor { .. }
                | Refused::TooManyOfAddress { .. }
                | Refused::Closing => false,
            },
            Self::Generate(_) | Self::Empty => level >= ServiceLevel::TICKET,
            Self::Ordered => true,
        }
    }

    /// The public form of the failure.
    pub fn problem(&self) -> Problem {
        let retry = |code: ErrorCode, after: Duration| {
            let mut problem = Problem::new(code);
            problem.retry_after_ms = u64::try_from(after.as_millis()).ok();
            problem
        };
        let error = match self {
            Self::Generate(error) => error,
            Self::Empty => return Problem::new(ErrorCode::DependencyUnavailable),
            Self::Ordered => return retry(ErrorCode::Overloaded, AFTER_AN_ORDER),
        };
        match error {
            GenerateError::Refused(
                Refused::QueueFull { retry_after } | Refused::TooLate { retry_after },
            ) => retry(ErrorCode::Overloaded, *retry_after),
            // Caused by the visitor.
            GenerateError::Refused(
                Refused::TooManyOfVisitor { retry_after }
                | Refused::TooManyOfAddress { retry_after },
            ) => retry(ErrorCode::RateLimited, *retry_after),
            GenerateError::Refused(Refused::NoBackend { retry_after }) => {
                retry(ErrorCode::DependencyUnavailable, *retry_after)
            }
            GenerateError::Refused(Refused::DeadlinePassed) => Problem::new(ErrorCode::Overloaded),
            GenerateError::Refused(Refused::Closing) => Problem::new(ErrorCode::Draining),
            GenerateError::Timeout(_) => Problem::new(ErrorCode::UpstreamTimeout),
            GenerateError::Upstream(_) => Problem::new(ErrorCode::DependencyUnavailable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_whose_questions_wait_already_is_told_apart_from_a_full_queue() {
        let retry_after = Duration::from_secs(3);
        for (refused, status) in [
            (Refused::TooManyOfVisitor { retry_after }, 429),
            (Refused::TooManyOfAddress { retry_after }, 429),
            (Refused::QueueFull { retry_after }, 503),
            (Refused::TooLate { retry_after }, 503),
        ] {
            let problem = Failure::Generate(refused.into()).problem();
            assert_eq!((problem.status, problem.retry_after_ms), (status, Some(3_000)));
        }
    }
}
