//! `[store]`: where data is stored, in either mode.

use std::time::Duration;

use serde::Deserialize;

use super::{
    check::{Check, Section},
    mysql_address::MysqlAddress,
    redis_address::RedisAddress,
    secret::Secret,
    spans::millis,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreMode {
    Embedded,
    Distributed,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    pub mode: StoreMode,
    pub mysql_url: Secret,
    pub redis_url: Secret,
    pub redis_prefix: String,
    #[serde(rename = "redis_timeout_ms", deserialize_with = "millis")]
    pub redis_timeout: Duration,
    #[serde(rename = "archive_timeout_ms", deserialize_with = "millis")]
    pub archive_timeout: Duration,
    pub redis_pool: usize,
    pub archive_pool: usize,
    pub commit_batch: usize,
    #[serde(rename = "beat_ms", deserialize_with = "millis")]
    pub beat: Duration,
    #[serde(rename = "dead_after_ms", deserialize_with = "millis")]
    pub dead_after: Duration,
}

impl Section for Store {
    fn check(&self, check: &mut Check<'_>) {
        if self.mode == StoreMode::Distributed {
            if let Err(fault) = MysqlAddress::parse(self.mysql_url.expose()) {
                check.require("mysql_url", false, fault);
            }
            if let Err(fault) = RedisAddress::parse(self.redis_url.expose()) {
                check.require("redis_url", false, fault);
            }
        }
        check.not_zero("redis_pool", self.redis_pool);
        check.not_zero("archive_pool", self.archive_pool);
        check.not_zero("commit_batch", self.commit_batch);
        check.require(
            "dead_after_ms",
            self.dead_after >= self.beat * 3,
            "must be at least three times store.beat_ms",
        );
    }
}
