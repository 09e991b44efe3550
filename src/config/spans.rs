//! Durations, which the configuration gives as whole numbers.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

pub(super) fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

pub(super) fn millis_of_each<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[Duration; N], D::Error> {
    let found = Vec::<u64>::deserialize(deserializer)?;
    let spans: Vec<Duration> = found.into_iter().map(Duration::from_millis).collect();
    spans.try_into().map_err(|found: Vec<_>| {
        D::Error::custom(format!("needs {N} numbers, not {}", found.len()))
    })
}
