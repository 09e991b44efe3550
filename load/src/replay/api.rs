//! Requests to Rushdesk with a patient client. After refusals for capacity and broken connections
//! it sends the same request with the same key again, until its patience ends.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use anyhow::Context as _;
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{event::Problem, report::Tally};

/// If nothing arrives for this long, not even a heartbeat, the connection counts as broken.
pub const SILENCE: Duration = Duration::from_secs(30);

/// Why a request failed.
#[derive(Debug)]
pub enum Failed {
    /// The server refused, and would refuse again.
    Refused(Problem),
    /// The server was unreachable for longer than the patience.
    Gone,
    /// The response does not follow the contract.
    Broken(anyhow::Error),
}

/// The caller's tokens.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    pub access_token: String,
    pub refresh_token: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
}

pub struct Api {
    pub http: reqwest::Client,
    pub base: String,
    pub patience: Duration,
    pub tally: RefCell<Tally>,
    gone: Cell<bool>,
}

impl Api {
    /// # Errors
    /// If the client cannot be built.
    pub fn new(base: &str, patience: Duration) -> anyhow::Result<Self> {
        let http = crate::http_client()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(SILENCE)
            .pool_idle_timeout(Duration::from_secs(3))
            .build()
            .context("cannot build the HTTP client")?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { http, base, patience, tally: RefCell::default(), gone: Cell::new(false) })
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether a request found the server unreachable for longer than the patience. All other
    /// requests then give up, too.
    pub fn is_gone(&self) -> bool {
        self.gone.get()
    }

    /// After a broken connection: counts it, and waits unless the patience is over.
    ///
    /// # Errors
    /// [`Failed::Gone`].
    pub async fn away(&self, since: Instant, attempt: u32) -> Result<(), Failed> {
        self.tally.borrow_mut().count_error("connection");
        if since.elapsed() >= self.patience {
            self.gone.set(true);
        }
        if self.is_gone() {
            return Err(Failed::Gone);
        }
        sleep(Duration::from_millis(50 << attempt.min(5))).await;
        Ok(())
    }

    /// After a refusal: counts it, and waits if it may pass.
    ///
    /// # Errors
    /// [`Failed::Refused`] if waiting does not help or did not help, or work helps sooner.
    pub async fn refused(&self, problem: Problem, since: Instant) -> Result<(), Failed> {
        if problem.challenge.is_some() {
            return Err(Failed::Refused(problem));
        }
        self.tally.borrow_mut().count_error(&problem.code);
        if self.is_gone() {
            return Err(Failed::Gone);
        }
        if !problem.may_pass() || since.elapsed() >= self.patience.saturating_mul(4) {
            return Err(Failed::Refused(problem));
        }
        self.tally.borrow_mut().report.retries += 1;
        sleep(problem.wait()).await;
        Ok(())
    }

    /// Sends until the request is accepted. `build` creates the same request each time, with the
    /// current token.
    ///
    /// # Errors
    /// See [`Failed`].
    pub async fn send(
        &self,
        visitor: &mut Visitor,
        build: impl Fn(&Visitor) -> RequestBuilder,
    ) -> Result<Response, Failed> {
        let since = Instant::now();
        let mut away_since = since;
        let mut attempt = 0;
        let mut may_refresh = true;
        loop {
            let response = match build(visitor).send().await {
                Ok(response) => response,
                Err(_) => {
                    self.away(away_since, attempt).await?;
                    self.tally.borrow_mut().report.retries += 1;
                    attempt += 1;
                    continue;
                }
            };
            if response.status().is_success() {
                return Ok(response);
            }
            (away_since, attempt) = (Instant::now(), 0);
            let problem = problem_of(response).await;
            if problem.code == "token_expired" && may_refresh {
                may_refresh = false;
                Box::pin(self.refresh(visitor)).await?;
                continue;
            }
            self.refused(problem, since).await?;
        }
    }

    /// # Errors
    /// See [`Failed`].
    pub async fn json<T: DeserializeOwned>(
        &self,
        visitor: &mut Visitor,
        build: impl Fn(&Visitor) -> RequestBuilder,
    ) -> Result<T, Failed> {
        let since = Instant::now();
        let mut attempt = 0;
        loop {
            let response = self.send(visitor, &build).await?;
            match response.bytes().await {
                Ok(body) => {
                    return serde_json::from_slice(&body)
                        .context("an answer is not the JSON that the contract names")
                        .map_err(Failed::Broken);
                }
                Err(_) => self.away(since, attempt).await?,
            }
            attempt += 1;
        }
    }

    /// A new visitor of the site.
    ///
    /// # Errors
    /// See [`Failed`].
    pub async fn visitor(&self, site_key: &str) -> Result<Visitor, Failed> {
        let mut body = json!({"site_key": site_key});
        let url = self.url("/v1/auth/visitor");
        let since = Instant::now();
        loop {
            let nobody = &mut Visitor::default();
            let asked = self.json::<Tokens>(nobody, |_| self.http.post(&url).json(&body)).await;
            let problem = match asked {
                Ok(tokens) => return Ok(tokens.into()),
                Err(Failed::Refused(problem)) if since.elapsed() < self.patience => problem,
                Err(failed) => return Err(failed),
            };
            match problem.challenge {
                Some(challenge) => {
                    body["proof"] = challenge.solved().await.map_err(Failed::Broken)?;
                }
                None => return Err(Failed::Refused(problem)),
            }
        }
    }

    /// # Errors
    /// See [`Failed`].
    pub async fn refresh(&self, visitor: &mut Visitor) -> Result<(), Failed> {
        let body = json!({"refresh_token": visitor.refresh_token});
        let url = self.url("/v1/auth/refresh");
        let tokens: Tokens =
            self.json(&mut Visitor::default(), |_| self.http.post(&url).json(&body)).await?;
        *visitor = tokens.into();
        Ok(())
    }

    /// Creates a session and returns its id.
    ///
    /// # Errors
    /// See [`Failed`].
    pub async fn session(&self, visitor: &mut Visitor) -> Result<String, Failed> {
        #[derive(Deserialize)]
        struct Session {
            id: String,
        }
        let url = self.url("/v1/sessions");
        let build = |visitor: &Visitor| {
            self.http.post(&url).bearer_auth(&visitor.access_token).json(&json!({}))
        };
        Ok(self.json::<Session>(visitor, build).await?.id)
    }
}

impl From<Tokens> for Visitor {
    fn from(tokens: Tokens) -> Self {
        Self { access_token: tokens.access_token, refresh_token: tokens.refresh_token }
    }
}

/// Reads a refusal. A proxy's page without a problem body becomes `http_<status>`.
async fn problem_of(response: Response) -> Problem {
    let status = response.status();
    let after_ms = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .map(|seconds| seconds.saturating_mul(1000));
    let body = response.bytes().await.unwrap_or_default();
    let mut problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    if problem.code.is_empty() {
        problem.code = format!("http_{}", status.as_u16());
    }
    problem.status = status.as_u16();
    problem.retry_after_ms = problem.retry_after_ms.or(after_ms);
    let is_capacity =
        matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    if is_capacity && problem.retry_after_ms.is_none() {
        problem.code.push_str("_without_retry_after");
    }
    problem
}
