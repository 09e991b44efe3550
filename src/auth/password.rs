//! Passwords: Argon2id on a bounded thread pool.
//!
//! The cost is what the OWASP Password Storage Cheat Sheet recommends for Argon2id: 19 MiB, two
//! passes, one lane
//! (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>). A check
//! takes about 30 ms of a core. A flood of sign-ins must not fill the memory or block the threads
//! that serve other requests. So a few checks run, some wait for a bounded time, and the rest are
//! refused at once.

use std::{fmt, sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

/// The library's default has the cost named above; a test checks the hashes.
const COST: Params = Params::DEFAULT;
/// Longest wait for a free worker and for the check itself.
const LIMIT: Duration = Duration::from_secs(5);
/// How many checks may wait, for each one that may run.
const WAITING_PER_WORKER: usize = 32;
/// Allowed lengths in characters. There is no rule about the characters: NIST SP 800-63B advises
/// against it.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=256;
/// The hash that is checked if there is no account. It costs the same, and no known password
/// matches.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$cnVzaGRlc2stZHVtbXktMQ\
                     $tZr1fGk0m3hUQ2sYx7pWcN5vBdEaLo8RqTjHiKuMzXA";

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("password must have 8 to 256 characters")]
    Length,
    /// Too many checks at once.
    #[error("too many password checks")]
    Busy,
    /// The stored hash cannot be read, or a hash could not be created.
    #[error("password hash failed")]
    Hash,
}

/// A password that is long enough.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// # Errors
    /// [`PasswordError::Length`].
    pub fn parse(text: String) -> Result<Self, PasswordError> {
        if LENGTHS.contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(PasswordError::Length)
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password]")
    }
}

/// Hashes and checks passwords. Clones share their workers.
#[derive(Clone)]
pub struct Passwords {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    argon2: Argon2<'static>,
}

impl Passwords {
    /// `workers` checks run at the same time, each in 19 MiB.
    pub fn new(workers: usize) -> Self {
        Self {
            running: Arc::new(Semaphore::new(workers)),
            admitted: Arc::new(Semaphore::new(workers + workers * WAITING_PER_WORKER)),
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, COST),
        }
    }

    /// A PHC string with a random salt.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] if no worker was free in time, [`PasswordError::Hash`].
    pub async fn hash(&self, password: Password) -> Result<String, PasswordError> {
        let argon2 = self.argon2.clone();
        self.run(move || {
            let hash: PasswordHash =
                argon2.hash_password(password.0.as_bytes()).map_err(|_| PasswordError::Hash)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether `password` matches `hash`. Without a hash the answer is no after the same work, so
    /// the time does not reveal whether the account exists.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] if no worker was free in time, [`PasswordError::Hash`] if `hash` is
    /// not a PHC string.
    pub async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, PasswordError> {
        let argon2 = self.argon2.clone();
        self.run(move || {
            let known = hash.is_some();
            let hash = PasswordHash::new(hash.as_deref().unwrap_or(DUMMY))
                .map_err(|_| PasswordError::Hash)?;
            Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _admitted = self.admitted.try_acquire().map_err(|_| PasswordError::Busy)?;
        let checked = async {
            let running = self.running.clone().acquire_owned().await;
            let running = running.map_err(|_| PasswordError::Busy)?;
            // The permit moves into the task: a caller that gives up does not free the place while
            // the thread still works.
            let thread = spawn_blocking(move || {
                let outcome = work();
                drop(running);
                outcome
            });
            thread.await.map_err(|_| PasswordError::Hash)?
        };
        timeout(LIMIT, checked).await.unwrap_or(Err(PasswordError::Busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new(2);
        let hash = passwords.hash(password("correct horse")).await.unwrap();
        let fits = async |text: &str, hash: &str| {
            passwords.verify(text.to_owned(), Some(hash.to_owned())).await.unwrap()
        };
        assert!(fits("correct horse", &hash).await);
        assert!(!fits("correct horsf", &hash).await);
        let other = passwords.hash(password("correct horse")).await.unwrap();
        assert_ne!(hash, other, "the salt is random");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }

    #[tokio::test]
    async fn an_account_that_does_not_exist_costs_the_same_work() {
        let dummy = PasswordHash::new(DUMMY).unwrap();
        let real = Passwords::new(1).hash(password("correct horse")).await.unwrap();
        let real = PasswordHash::new(&real).unwrap();
        assert_eq!(dummy.algorithm, real.algorithm);
        assert_eq!(dummy.version, real.version);
        assert_eq!(dummy.params, real.params);
        assert_eq!(dummy.hash.map(|hash| hash.len()), real.hash.map(|hash| hash.len()));
        assert_eq!(dummy.salt.map(|salt| salt.len()), real.salt.map(|salt| salt.len()));
        let passwords = Passwords::new(1);
        assert_eq!(passwords.verify("correct horse".into(), None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_is_an_error_and_not_a_wrong_password() {
        let passwords = Passwords::new(1);
        let outcome = passwords.verify("correct horse".into(), Some("plain".into())).await;
        assert_eq!(outcome, Err(PasswordError::Hash));
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_gets_no_place_in_time_is_refused() {
        let passwords = Passwords::new(1);
        let _taken = passwords.running.clone().acquire_owned().await.unwrap();
        let outcome = passwords.verify("correct horse".into(), None).await;
        assert_eq!(outcome, Err(PasswordError::Busy));
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_may_wait_are_refused_at_once() {
        let passwords = Passwords::new(1);
        let _taken = passwords.running.clone().acquire_owned().await.unwrap();
        let begun = tokio::time::Instant::now();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..1 + WAITING_PER_WORKER {
            let passwords = passwords.clone();
            waiting.spawn(async move { passwords.verify("correct horse".into(), None).await });
        }
        tokio::task::yield_now().await;
        let outcome = passwords.verify("correct horse".into(), None).await;
        assert_eq!((outcome, begun.elapsed()), (Err(PasswordError::Busy), Duration::ZERO));
        assert!(waiting.join_all().await.iter().all(|one| *one == Err(PasswordError::Busy)));
        assert_eq!(begun.elapsed(), LIMIT);
    }

    #[test]
    fn the_length_counts_characters() {
        assert!(Password::parse("1234567".into()).is_err());
        assert!(Password::parse("ééééééé".into()).is_err(), "14 bytes");
        assert!(Password::parse("éééééééé".into()).is_ok());
        assert!(Password::parse("é".repeat(256)).is_ok());
        assert!(Password::parse("é".repeat(257)).is_err());
        assert_eq!(format!("{:?}", password("correct horse")), "[password]");
    }
}
