//! Guesses of passwords: a few are free, then each waits twice as long as the one before.
//!
//! A guess counts before the password is checked, so many at once are no more than many after each
//! other. An account is only a name here; one that does not exist has the same waits.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::quota::{Limited, Scope};
use crate::config;

/// How long an account waits after so many guesses without a success.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    pub free: u32,
    pub longest: Duration,
}

impl Waits {
    pub fn new(limits: &config::Limits) -> Self {
        Self { free: limits.account_guesses, longest: limits.account_longest_wait }
    }

    /// An account is forgotten this long after the last guess. To wait for that gives no more
    /// guesses than to go on with the longest wait after each.
    pub fn memory(&self) -> Duration {
        self.longest.saturating_mul(self.free)
    }

    /// One second after the last free guess, doubled by each further one.
    fn after(&self, guesses: u32) -> Duration {
        let Some(doubled) = guesses.checked_sub(self.free) else { return Duration::ZERO };
        Duration::from_secs(1_u64 << doubled.min(32)).min(self.longest)
    }
}

/// A refusal of a further guess.
pub fn limited(retry_after: Duration) -> Limited {
    Limited { retry_after, scope: Scope::Account }
}

/// The accounts of one process.
pub struct Guesses {
    waits: Waits,
    max_accounts: usize,
    accounts: Mutex<HashMap<String, Account>>,
}

#[derive(Clone, Copy)]
struct Account {
    guesses: u32,
    /// The next guess is refused before this.
    open_at: Instant,
    last: Instant,
}

impl Guesses {
    pub fn new(waits: Waits, max_accounts: usize) -> Self {
        Self { waits, max_accounts: max_accounts.max(2), accounts: Mutex::default() }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<String, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn take(&self, account: &str, now: Instant) -> Result<(), Limited> {
        let mut accounts = self.accounts();
        let known = accounts.get(account).filter(|known| known.last + self.waits.memory() > now);
        if let Some(wait) = known.and_then(|known| known.open_at.checked_duration_since(now))
            && !wait.is_zero()
        {
            return Err(limited(wait));
        }
        let guesses = known.map_or(0, |known| known.guesses).saturating_add(1);
        if accounts.len() >= self.max_accounts && !accounts.contains_key(account) {
            make_room(&mut accounts, self.waits.memory(), now);
        }
        let open_at = now + self.waits.after(guesses);
        accounts.insert(account.to_owned(), Account { guesses, open_at, last: now });
        Ok(())
    }

    /// Undoes [`Guesses::take`] for a guess that nobody checked.
    pub fn give_back(&self, account: &str, now: Instant) {
        if let Some(known) = self.accounts().get_mut(account) {
            known.guesses = known.guesses.saturating_sub(1);
            known.open_at = now;
        }
    }

    /// The password was right.
    pub fn forget(&self, account: &str) {
        self.accounts().remove(account);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.accounts().len()
    }
}

/// Forgets the old ones, or else the half with the fewest guesses: names that are made up have one
/// each, and cannot push out an account that is attacked.
fn make_room(accounts: &mut HashMap<String, Account>, memory: Duration, now: Instant) {
    let before = accounts.len();
    accounts.retain(|_, account| account.last + memory > now);
    if accounts.len() < before {
        return;
    }
    let mut all: Vec<u32> = accounts.values().map(|account| account.guesses).collect();
    let middle = all.len() / 2;
    let (_, median, _) = all.select_nth_unstable(middle);
    let median = *median;
    let mut surplus = middle;
    // Those below the median go first; of those at it, as many as are still needed.
    surplus -= accounts.values().filter(|account| account.guesses < median).count().min(surplus);
    accounts.retain(|_, account| {
        if account.guesses != median {
            return account.guesses > median;
        }
        let goes = surplus > 0;
        surplus -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn guesses() -> Guesses {
        Guesses::new(Waits { free: 3, longest: 60 * SECOND }, 100)
    }

    #[test]
    fn a_few_guesses_are_free_then_each_waits_twice_as_long() {
        let (guesses, mut now) = (guesses(), Instant::now());
        for _ in 0..3 {
            guesses.take("ann", now).unwrap();
        }
        for wait in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let wait = wait * SECOND;
            assert_eq!(guesses.take("ann", now), Err(limited(wait)));
            let almost = Duration::from_millis(1);
            assert_eq!(guesses.take("ann", now + wait - almost), Err(limited(almost)));
            now += wait;
            guesses.take("ann", now).unwrap();
        }
        guesses.take("bob", now).unwrap();
    }

    #[test]
    fn a_success_much_time_and_what_nobody_checked_open_the_account() {
        let (guesses, now) = (guesses(), Instant::now());
        let exhaust = || while guesses.take("ann", now).is_ok() {};
        exhaust();
        guesses.forget("ann");
        for _ in 0..3 {
            guesses.take("ann", now).unwrap();
        }
        guesses.give_back("ann", now);
        guesses.take("ann", now).unwrap();
        assert!(guesses.take("ann", now).is_err());
        for _ in 0..3 {
            guesses.take("ann", now + guesses.waits.memory()).unwrap();
        }
    }

    #[test]
    fn made_up_names_do_not_push_out_an_account_that_is_attacked() {
        let (guesses, now) = (guesses(), Instant::now());
        while guesses.take("ann", now).is_ok() {}
        for n in 0..10_000 {
            guesses.take(&format!("nobody {n}"), now).unwrap();
            assert!(guesses.len() <= 100);
        }
        assert!(guesses.take("ann", now).is_err());
    }
}
