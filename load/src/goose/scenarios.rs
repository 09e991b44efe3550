//! The scenarios: the shoppers, their behaviour, and the thresholds.

use std::{sync::Arc, time::Duration};

use clap::ValueEnum;
use goose::{config::GooseConfiguration, prelude::*};
use rushdesk_load::questions::{Mix, ONE_QUESTION};

use super::{
    shopper::{Reading, Shopper},
    socket,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// An ordinary day: a few questions per shopper, of which half are asked by others, too.
    Steady,
    /// Ten shoppers, then two hundred within five seconds for half a minute, then ten again.
    Burst,
    /// Conversations of fifteen turns.
    Long,
    /// All shoppers ask the same question, in five wordings.
    Hot,
    /// Streams that are cut after the first words and resumed from their last position.
    Reconnect,
    /// Readers that take a piece of the answer every 100 ms.
    Slow,
    /// Visitors, registrations, sign-ins and refreshed tokens, without questions.
    Login,
    /// Streams, JSON and WebSockets at the same time.
    Mixed,
}

/// The course of one shopper's visit.
#[derive(Clone, Copy)]
struct Visit {
    turns: usize,
    /// Pause between an answer and the next question.
    thinks: (Duration, Duration),
    reading: Reading,
}

const ORDINARY: Visit = Visit {
    turns: 3,
    thinks: (Duration::from_secs(1), Duration::from_secs(3)),
    reading: Reading::Whole,
};

/// Numbers of users, and the time in which each is reached.
const BURST: &str = "10,5s;10,15s;200,5s;200,30s;10,5s;10,20s";

impl Kind {
    /// Everything but the target. `given` tells whether an option is on the command line. Options
    /// that shape the load exclude many others, so our shape only sets the options that are not
    /// given.
    ///
    /// # Errors
    /// If an option contradicts another.
    pub fn attack(
        self,
        configuration: GooseConfiguration,
        site_key: String,
        given: impl Fn(&str) -> bool,
    ) -> Result<GooseAttack, GooseError> {
        let mut attack = GooseAttack::initialize_with_config(configuration)?;
        let scenarios = self.scenarios(&site_key.into())?;
        attack = *attack.set_default(GooseDefault::NoTelnet, true)?;
        let any = |options: &[&str]| options.iter().any(|option| given(option));
        let is_shaped = any(&["users", "run_time", "iterations", "increase_rate", "increase_time"]);
        if self == Self::Burst && !is_shaped && !given("test_plan") {
            attack = *attack.set_default(GooseDefault::TestPlan, BURST)?;
        } else if !given("test_plan") {
            attack = *attack.set_default(GooseDefault::Users, self.users())?;
            if !any(&["increase_rate", "increase_time"]) {
                attack = *attack.set_default(GooseDefault::IncreaseRate, "10")?;
            }
            if !any(&["run_time", "iterations"]) {
                attack = *attack.set_default(GooseDefault::RunTime, 60)?;
            }
        }
        // Thresholds are judged at the end, so that a report always covers a whole run.
        attack = *attack.set_default(GooseDefault::NoThresholdAbort, true)?;
        for rule in self.thresholds() {
            attack = *attack.set_default(GooseDefault::Threshold, *rule)?;
        }
        Ok(scenarios.into_iter().fold(attack, GooseAttack::register_scenario))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Burst => "burst",
            Self::Long => "long",
            Self::Hot => "hot",
            Self::Reconnect => "reconnect",
            Self::Slow => "slow",
            Self::Login => "login",
            Self::Mixed => "mixed",
        }
    }

    fn users(self) -> usize {
        match self {
            Self::Hot => 100,
            Self::Slow => 50,
            Self::Steady
            | Self::Burst
            | Self::Long
            | Self::Reconnect
            | Self::Login
            | Self::Mixed => 20,
        }
    }

    /// The promises of the product on a machine that is not overloaded. In a burst the promise is
    /// an honest answer within ten seconds.
    fn thresholds(self) -> &'static [&'static str] {
        match self {
            Self::Burst => {
                &["error-rate<5%", "p99<10s for SSE first token", "p95<10s for SSE answer"]
            }
            Self::Login => &["error-rate<1%", "p99<2s for POST visitor"],
            Self::Reconnect => &["error-rate<1%", "p99<1s for SSE resumed"],
            Self::Mixed => {
                &["error-rate<1%", "p99<3s for SSE first token", "p99<3s for WS first token"]
            }
            Self::Steady | Self::Long | Self::Hot | Self::Slow => {
                &["error-rate<1%", "p99<3s for SSE first token"]
            }
        }
    }

    /// One scenario, or three for the mix, between which the users are divided.
    fn scenarios(self, key: &Arc<str>) -> Result<Vec<Scenario>, GooseError> {
        let (half, own) = (Questions::mixed(0.5), Questions::mixed(0.0));
        let reads = |reading| Visit { reading, ..ORDINARY };
        let once = Visit { turns: 1, ..ORDINARY };
        let transaction = match self {
            Self::Steady => asks(key, ORDINARY, half),
            Self::Burst => asks(key, once, Questions::mixed(0.7)),
            Self::Long => {
                let thinks = (Duration::from_millis(200), Duration::from_millis(800));
                asks(key, Visit { turns: 15, thinks, ..ORDINARY }, half)
            }
            Self::Hot => asks(key, once, Questions::One),
            Self::Reconnect => asks(key, reads(Reading::Cut), own),
            Self::Slow => asks(key, reads(Reading::Slow), own),
            Self::Login => signs_in(key),
            Self::Mixed => {
                let of =
                    |name: &str, transaction| Scenario::new(name).register_transaction(transaction);
                return Ok(vec![
                    of("streams", asks(key, ORDINARY, half.clone())).set_weight(2)?,
                    of("json", asks(key, reads(Reading::Json), half.clone())),
                    of("sockets", follows(key, half)),
                ]);
            }
        };
        Ok(vec![Scenario::new(self.name()).register_transaction(transaction)])
    }
}

/// The questions.
#[derive(Clone)]
pub enum Questions {
    /// The hot question, in five wordings.
    One,
    /// A share from the hot set of 1,000; the others are asked only once.
    Mixed(Arc<Mix>),
}

impl Questions {
    /// `share` of the hot set, 0 to 1.
    fn mixed(share: f64) -> Self {
        Self::Mixed(Arc::new(Mix::new(share, 1000)))
    }

    /// The next question of this user.
    pub fn pick(&self, user: &GooseUser, turn: usize) -> String {
        let number = user.weighted_users_index * 1_000_003 + user.get_iterations() * 101 + turn;
        match self {
            Self::One => ONE_QUESTION[number % ONE_QUESTION.len()].to_owned(),
            Self::Mixed(mix) => mix.pick(number, &mut rand::rng()),
        }
    }
}

/// A visitor who opens a session and sends questions.
fn asks(key: &Arc<str>, visit: Visit, questions: Questions) -> Transaction {
    let key = key.clone();
    Transaction::new(Arc::new(move |user| {
        let (key, questions) = (key.clone(), questions.clone());
        Box::pin(async move {
            let mut shopper = Shopper::arrives(user, &key).await?;
            for turn in 0..visit.turns {
                let text = questions.pick(user, turn);
                shopper.asks(user, &text, visit.reading).await?;
                tokio::time::sleep(rand::random_range(visit.thinks.0..visit.thinks.1)).await;
            }
            Ok(())
        })
    }))
    .set_name("visit")
}

/// The same over a WebSocket.
fn follows(key: &Arc<str>, questions: Questions) -> Transaction {
    let key = key.clone();
    Transaction::new(Arc::new(move |user| {
        Box::pin(socket::visit(user, key.clone(), questions.clone()))
    }))
    .set_name("socket")
}

fn signs_in(key: &Arc<str>) -> Transaction {
    let key = key.clone();
    Transaction::new(Arc::new(move |user| Box::pin(Shopper::signs_in_and_out(user, key.clone()))))
        .set_name("sign in")
}
