//! Whether a backend works, judged by progress and not by an open port.
//!
//! Each backend is polled. A refused connection or a bad status ejects it at once. A slow answer
//! does not, because a busy vLLM starves its own API process while tokens flow. So slow answers
//! count only if no token came since the last one, and only several in a row. If a backend answers
//! the poll but never decodes, its stalls open the breaker.

use std::time::Duration;

use tokio::time::timeout;

use super::backend::Backend;

/// Slow answers in a row, without a token between them, after which a backend is unhealthy.
const SLOW_ANSWERS: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthAnswer {
    Well,
    Unwell,
    Slow,
}

/// Polls once, for at most `deadline`.
pub async fn ask(backend: &Backend, deadline: Duration) -> HealthAnswer {
    match timeout(deadline, backend.is_there()).await {
        Ok(true) => HealthAnswer::Well,
        Ok(false) => HealthAnswer::Unwell,
        Err(_) => HealthAnswer::Slow,
    }
}

/// The state of one backend after its poll answers so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Health {
    slow: u32,
    progress: u64,
    unhealthy: bool,
}

impl Health {
    /// Records an answer. `progress` is the station's count of tokens so far.
    pub fn answered(&mut self, answer: HealthAnswer, progress: u64) {
        let decodes = std::mem::replace(&mut self.progress, progress) != progress;
        match answer {
            HealthAnswer::Well => *self = Self { progress, ..Self::default() },
            HealthAnswer::Unwell => self.unhealthy = true,
            HealthAnswer::Slow if decodes => self.slow = 0,
            HealthAnswer::Slow => {
                self.slow += 1;
                self.unhealthy |= self.slow >= SLOW_ANSWERS;
            }
        }
    }

    pub fn is_healthy(&self) -> bool {
        !self.unhealthy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_answer_fails_nobody_but_several_without_a_token_do() {
        let mut health = Health::default();
        health.answered(HealthAnswer::Slow, 0);
        health.answered(HealthAnswer::Slow, 0);
        assert!(health.is_healthy());
        health.answered(HealthAnswer::Slow, 0);
        assert!(!health.is_healthy());
    }

    #[test]
    fn slow_answers_do_not_count_while_tokens_flow() {
        let mut health = Health::default();
        for progress in 1..100 {
            health.answered(HealthAnswer::Slow, progress);
        }
        assert!(health.is_healthy());
    }

    #[test]
    fn a_bad_answer_counts_at_once_and_a_good_one_heals() {
        let mut health = Health::default();
        health.answered(HealthAnswer::Unwell, 0);
        assert!(!health.is_healthy());
        health.answered(HealthAnswer::Well, 0);
        assert!(health.is_healthy());
    }
}
