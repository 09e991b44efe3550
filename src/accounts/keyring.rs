//! Signing keys of the identity providers, fetched from the configured addresses only.
//!
//! A token with an unknown key triggers a fetch. So fetches are rate-limited, run one at a time,
//! and are bounded in time and size. While a provider is unreachable its keys stay valid for a day,
//! and tokens with a known key do not wait.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::{sync::Mutex, time::Instant};
use tracing::{info, warn};

use super::error::AccountError;
use crate::{
    auth::{Verified, oidc},
    config,
    domain::Timestamp,
    net::Fetcher,
};

const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
const MAX_BYTES: usize = 64 * 1024;
/// After this time the next request fetches the keys again, so that revoked keys stop working.
const FRESH: Duration = Duration::from_secs(600);
/// If the provider has not answered for this long, its keys are no longer accepted.
const USABLE: Duration = Duration::from_hours(24);
/// Rate limit of fetches for each provider: a burst, then one in each period.
const FETCHES: NonZeroU32 = NonZeroU32::new(3).unwrap();
const FETCH_PERIOD: Duration = Duration::from_secs(10);

pub struct Keyring {
    providers: Vec<Arc<Provider>>,
}

struct Provider {
    settings: config::Oidc,
    fetcher: Fetcher,
    keys: ArcSwapOption<Fetched>,
    fetching: Arc<Mutex<()>>,
    is_away: AtomicBool,
    limiter: DefaultDirectRateLimiter,
}

struct Fetched {
    keys: oidc::KeySet,
    at: Instant,
}

impl Keyring {
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(providers: &[config::Oidc]) -> Result<Self, reqwest::Error> {
        let fetcher = Fetcher::new(FETCH_TIMEOUT, MAX_BYTES)?;
        let provider = |settings| Arc::new(Provider::new(settings, fetcher.clone()));
        Ok(Self { providers: providers.iter().map(provider).collect() })
    }

    /// The person that a provider's token identifies. The issuer of `claimed` selects the provider.
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
    fn new(settings: &config::Oidc, fetcher: Fetcher) -> Self {
        let quota = Quota::with_period(FETCH_PERIOD).unwrap_or(Quota::per_minute(FETCHES));
        Self {
            settings: settings.clone(),
            fetcher,
            keys: ArcSwapOption::empty(),
            fetching: Arc::default(),
            is_away: AtomicBool::new(false),
            limiter: RateLimiter::direct(quota.allow_burst(FETCHES)),
        }
    }

    async fn verify(
        self: &Arc<Self>,
        claimed: &oidc::Claimed,
        token: &str,
        now: Timestamp,
    ) -> Result<Verified, AccountError> {
        let checked = |fetched: &Fetched| {
            let key = fetched.keys.find(claimed)?;
            Some(oidc::verify(&self.settings, key, token, now))
        };
        if let Some(outcome) = self.younger_than(USABLE).as_deref().and_then(checked) {
            self.refresh();
            return Ok(outcome?);
        }
        // Fetch once more for an unknown key.
        self.fetch().await;
        let known = self.younger_than(USABLE).ok_or(AccountError::KeysAway)?;
        Ok(checked(&known).ok_or(AccountError::TokenInvalid)??)
    }

    fn younger_than(&self, age: Duration) -> Option<Arc<Fetched>> {
        self.keys.load_full().filter(|fetched| fetched.at.elapsed() < age)
    }

    /// Refreshes old keys in the background, without delaying the request that noticed.
    #[expect(
        clippy::disallowed_methods,
        reason = "a shutdown need not wait for keys that are only in memory"
    )]
    fn refresh(self: &Arc<Self>) {
        if self.younger_than(FRESH).is_some() {
            return;
        }
        let Ok(turn) = Arc::clone(&self.fetching).try_lock_owned() else { return };
        // Another request may have fetched the keys while this one waited for its turn.
        if self.younger_than(FRESH).is_none() && self.limiter.check().is_ok() {
            let this = Arc::clone(self);
            tokio::spawn(async move {
                this.load().await;
                drop(turn);
            });
        }
    }

    /// Fetches the keys if the limit allows. Concurrent requests wait for this fetch.
    async fn fetch(&self) {
        let before = self.keys.load_full().map(|fetched| fetched.at);
        let _turn = self.fetching.lock().await;
        let now = self.keys.load_full().map(|fetched| fetched.at);
        if before == now && self.limiter.check().is_ok() {
            self.load().await;
        }
    }

    async fn load(&self) {
        let issuer = &self.settings.issuer;
        match self.download().await {
            Ok(keys) => {
                self.keys.store(Some(Arc::new(Fetched { keys, at: Instant::now() })));
                if self.is_away.swap(false, Relaxed) {
                    info!(issuer, "keys of the identity provider can be fetched again");
                }
            }
            Err(reason) => {
                if !self.is_away.swap(true, Relaxed) {
                    warn!(issuer, %reason, "keys of the identity provider cannot be fetched");
                }
            }
        }
    }

    async fn download(&self) -> Result<oidc::KeySet, String> {
        let fetched = self.fetcher.get(&self.settings.jwks_url, "application/json").await;
        let body = fetched.map_err(|error| error.to_string())?;
        oidc::KeySet::parse(&body).ok_or_else(|| "the response is not a set of keys".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use futures_util::FutureExt as _;
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
    use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
    use serde_json::json;

    use super::*;

    const ED25519: &str = include_str!("../../tests/fixtures/oidc/ed25519.pem");

    fn settings(jwks_url: String) -> config::Oidc {
        let settings = json!({
            "site": "shop", "issuer": "https://id.example", "audience": "rushdesk",
            "jwks_url": jwks_url, "role_claim": "role", "agent": ["desk"],
        });
        serde_json::from_value(settings).unwrap()
    }

    fn token(key: &EncodingKey, id: &str) -> String {
        let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::EdDSA) };
        let claims = json!({
            "iss": "https://id.example", "aud": "rushdesk", "sub": "ann", "exp": 300, "role": "desk",
        });
        encode(&header, &claims, key).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_a_known_key_does_not_wait_for_a_provider_that_is_away() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Accepts connections and never responds.
        let away = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", away.local_addr().unwrap());
        let provider = Arc::new(Provider::new(
            &settings(url),
            Fetcher::new(FETCH_TIMEOUT, MAX_BYTES).unwrap(),
        ));
        let der = PrivateKeyDer::from_pem_slice(ED25519.as_bytes()).unwrap();
        let key = EncodingKey::from_ed_der(der.secret_der());
        let mut jwk = json!(Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap());
        jwk["kid"] = "known".into();
        let keys = oidc::KeySet::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
        provider.keys.store(Some(Arc::new(Fetched { keys, at: Instant::now() })));

        let at_once = |id: &str| {
            let token = token(&key, id);
            let claimed = oidc::Claimed::of(&token).unwrap();
            provider.verify(&claimed, &token, Timestamp::from_millis(0)).now_or_never()
        };
        assert!(at_once("known").unwrap().is_ok());
        assert!(provider.fetching.try_lock().is_ok(), "fresh keys are not fetched");
        tokio::time::advance(FRESH).await;
        for _ in 0..100 {
            assert!(at_once("known").unwrap().is_ok());
        }
        assert!(provider.fetching.try_lock().is_err(), "old keys are fetched beside");
        assert!(at_once("unknown").is_none(), "an unknown key waits");
        tokio::time::advance(USABLE).await;
        assert!(at_once("known").is_none(), "nobody is let in by keys of yesterday");
    }
}
