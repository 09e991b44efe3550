//! Whether an agent who is silent would have been heard.

use std::time::Duration;

use crate::domain::Timestamp;

/// Between two looks at the archive; after a longer gap agents may have spoken in vain.
const GAP: Duration = Duration::from_secs(15);

/// Since when this process looks at the archive without a gap. After an outage of the archive, a
/// pause of the process or a start, no agent counts as silent for the time before.
pub struct Hearing {
    since: Timestamp,
    last: Timestamp,
}

impl Hearing {
    pub fn from(now: Timestamp) -> Self {
        Self { since: now, last: now }
    }

    /// The archive answered.
    pub fn heard(&mut self, now: Timestamp) {
        if now.since(self.last) > GAP || now < self.last {
            self.since = now;
        }
        self.last = now;
    }

    /// An agent whose last word is from before then has been silent for `span`; `None` while that
    /// cannot be known.
    pub fn silent(&self, now: Timestamp, span: Duration) -> Option<Timestamp> {
        (now.since(self.since) >= span).then(|| now.before(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn nobody_is_silent_before_this_process_could_hear_them() {
        let span = Duration::from_secs(60);
        let mut hearing = Hearing::from(at(0));
        for now in (0..=60).step_by(5) {
            hearing.heard(at(now));
        }
        assert_eq!(hearing.silent(at(59), span), None);
        assert_eq!(hearing.silent(at(61), span), Some(at(1)));
        // The archive was away, or the process was paused.
        hearing.heard(at(100));
        assert_eq!(hearing.silent(at(100), span), None);
        assert_eq!(hearing.silent(at(160), span), Some(at(100)));
        // The clock was set back.
        hearing.heard(at(90));
        assert_eq!(hearing.silent(at(149), span), None);
    }
}
