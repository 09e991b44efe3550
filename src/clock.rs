//! The wall clock. Spans and deadlines use `tokio::time::Instant`, so that tests can stop time.

use std::time::SystemTime;

use crate::domain::Timestamp;

pub fn now() -> Timestamp {
    SystemTime::now().into()
}
