//! The signing keys of the shops' identity providers: fetched from the configured addresses and from nowhere else.
//!
//! A token can make the service fetch keys by naming one that is not known, so fetches are limited, one at a time, and
//! bounded in time and size. While a provider is away its keys go on for a day.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::{Client, redirect::Policy};
use tokio::{sync::Mutex, time::Instant};
use tracing::{info, warn};

use super::AccountError;
use crate::{
    auth::{Verified, oidc},
    config,
    domain::Timestamp,
};

const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
const MAX_BYTES: usize = 64 * 1024;
/// After this time keys are fetched anew, so that one that was withdrawn stops working.
const FRESH: Duration = Duration::from_secs(600);
/// Without any answer from the provider, nobody is let in after this.
const USABLE: Duration = Duration::from_hours(24);
/// Fetches of one provider: so many at once, then one in each period.
const FETCHES: NonZeroU32 = NonZeroU32::new(3).unwrap();
const FETCH_PERIOD: Duration = Duration::from_secs(10);

pub struct Keyring {
    providers: Vec<Provider>,
}

struct Provider {
    settings: config::Oidc,
    client: Client,
    keys: ArcSwapOption<Fetched>,
    fetching: Mutex<()>,
    limiter: DefaultDirectRateLimiter,
}

struct Fetched {
    keys: oidc::KeySet,
    at: Instant,
}

impl Keyring {
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(providers: &[config::Oidc]) -> Result<Self, reqwest::Error> {
        let providers = providers.iter().map(Provider::new).collect::<Result<_, _>>()?;
        Ok(Self { providers })
    }

    /// Who a provider says this is. The issuer of `claimed` picks the provider.
    pub async fn verify(
        &self,
        claimed: &oidc::Claimed,
        token: &str,
        now: Timestamp,
    ) -> Result<Verified, AccountError> {
        let provider = self.providers.iter().find(|p| p.settings.issuer == claimed.issuer);
        provider.ok_or(AccountError::TokenInvalid)?.verify(claimed, token, now).await
    }
}

impl Provider {
    fn new(settings: &config::Oidc) -> Result<Self, reqwest::Error> {
        let quota = Quota::with_period(FETCH_PERIOD).unwrap_or(Quota::per_minute(FETCHES));
        Ok(Self {
            settings: settings.clone(),
            client: Client::builder()
                .redirect(Policy::none())
                .timeout(FETCH_TIMEOUT)
                // Kept connections would belong to the thread that happened to make them.
                .pool_max_idle_per_host(0)
                .build()?,
            keys: ArcSwapOption::empty(),
            fetching: Mutex::default(),
            limiter: RateLimiter::direct(quota.allow_burst(FETCHES)),
        })
    }

    async fn verify(
        &self,
        claimed: &oidc::Claimed,
        token: &str,
        now: Timestamp,
    ) -> Result<Verified, AccountError> {
        let checked = |fetched: &Fetched| {
            let key = fetched.keys.find(claimed)?;
            Some(oidc::verify(&self.settings, key, token, now))
        };
        let known = self.keys.load_full();
        let is_fresh = known.as_ref().is_some_and(|fetched| fetched.at.elapsed() < FRESH);
        match known.as_deref().and_then(checked) {
            Some(outcome) if is_fresh => return Ok(outcome?),
            // Unknown keys are looked for once more; keys of some age are asked for again.
            _ => self.fetch().await,
        }
        let known = self.keys.load_full().filter(|fetched| fetched.at.elapsed() < USABLE);
        let known = known.ok_or(AccountError::KeysAway)?;
        Ok(checked(&known).ok_or(AccountError::TokenInvalid)??)
    }

    /// Gets the keys where the limit allows; whoever comes meanwhile waits for this fetch and begins none.
    async fn fetch(&self) {
        let before = self.keys.load_full().map(|fetched| fetched.at);
        let _turn = self.fetching.lock().await;
        let now = self.keys.load_full().map(|fetched| fetched.at);
        if before != now || self.limiter.check().is_err() {
            return;
        }
        let issuer = &self.settings.issuer;
        match self.download().await {
            Ok(keys) => {
                info!(issuer, "fetched the keys of an identity provider");
                self.keys.store(Some(Arc::new(Fetched { keys, at: Instant::now() })));
            }
            Err(reason) => {
                warn!(issuer, reason, "the keys of an identity provider are not to be had")
            }
        }
    }

    async fn download(&self) -> Result<oidc::KeySet, &'static str> {
        let request = self.client.get(&self.settings.jwks_url).header("accept", "application/json");
        let mut response = request.send().await.map_err(|_| "it does not answer")?;
        if response.status() != reqwest::StatusCode::OK {
            return Err("it answers with an error or elsewhere");
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| "its answer breaks off")? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err("its answer is too large");
            }
            body.extend_from_slice(&chunk);
        }
        oidc::KeySet::parse(&body).ok_or("its answer is no set of keys")
    }
}
