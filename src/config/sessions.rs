//! `[sessions]`: how many conversations, turns and streams one replica accepts.

use std::time::Duration;

use serde::Deserialize;

use super::{
    check::{Check, Section},
    spans::{millis, seconds},
};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    pub max_sessions: usize,
    #[serde(rename = "idle_timeout_s", deserialize_with = "seconds")]
    pub idle_timeout: Duration,
    pub max_message_chars: usize,
    #[serde(rename = "max_wait_ms", deserialize_with = "millis")]
    pub max_wait: Duration,
    pub tail_events: usize,
    pub max_turns: usize,
    pub max_streams: usize,
    pub max_streams_per_visitor: usize,
    pub max_streams_per_site: usize,
    #[serde(rename = "resume_grace_ms", deserialize_with = "millis")]
    pub resume_grace: Duration,
}

impl Section for Sessions {
    fn check(&self, check: &mut Check<'_>) {
        check.not_zero("max_sessions", self.max_sessions);
        check.not_zero("max_turns", self.max_turns);
        check.not_zero("max_streams", self.max_streams);
        check.not_zero("max_streams_per_visitor", self.max_streams_per_visitor);
        check.not_zero("max_streams_per_site", self.max_streams_per_site);
        check.not_zero("tail_events", self.tail_events);
        check.not_zero("max_message_chars", self.max_message_chars);
    }
}
