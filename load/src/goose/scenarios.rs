//! The scenarios: who comes, what they do, and what must hold.

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
    /// An ordinary day: some questions of each shopper, half of them asked by others too.
    Steady,
    /// Ten shoppers, then two hundred within five seconds for half a minute, then ten.
    Burst,
    /// Conversations of fifteen turns.
    Long,
    /// Everybody asks the same, in five wordings.
    Hot,
    /// Streams that are cut after the first words and resumed with their last position.
    Reconnect,
    /// Readers that take a piece of the answer every 100 ms.
    Slow,
    /// Visitors, registrations, sign-ins and refreshed tokens, without a question.
    Login,
    /// Streams, JSON and WebSockets at once.
    Mixed,
}

/// What a visit of one shopper is made of.
#[derive(Clone, Copy)]
struct Visit {
    turns: usize,
    /// Between one answer and the next question.
    thinks: (Duration, Duration),
    reading: Reading,
}

const ORDINARY: Visit = Visit {
    turns: 3,
    thinks: (Duration::from_secs(1), Duration::from_secs(3)),
    reading: Reading::Whole,
};

impl Kind {
    /// Everything but the target.
    ///
    /// # Errors
    /// When an option contradicts another.
    pub fn attack(
        self,
        configuration: GooseConfiguration,
        site_key: String,
    ) -> Result<GooseAttack, GooseError> {
        // A plan and a number of users exclude each other; a user's choice of either wins.
        let has_users = configuration.users.is_some();
        let mut attack = GooseAttack::initialize_with_config(configuration)?;
        let key: Arc<str> = site_key.into();
        let scenario = self.transactions(Scenario::new(self.name()), &key)?;
        attack = *attack.set_default(GooseDefault::NoTelnet, true)?;
        if self == Self::Burst && !has_users {
            attack = *attack
                .set_default(GooseDefault::TestPlan, "10,5s;10,15s;200,5s;200,30s;10,5s;10,20s")?;
        } else if !has_users {
            attack = *attack.set_default(GooseDefault::Users, self.users())?;
            attack = *attack.set_default(GooseDefault::IncreaseTime, 5)?;
            attack = *attack.set_default(GooseDefault::RunTime, 60)?;
        }
        // The verdict is that of the whole run, so that a report always shows a whole run.
        attack = *attack.set_default(GooseDefault::NoThresholdAbort, true)?;
        for rule in self.thresholds() {
            attack = *attack.set_default(GooseDefault::Threshold, *rule)?;
        }
        Ok(attack.register_scenario(scenario))
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
            _ => 20,
        }
    }

    /// Promises of the product on a machine that is not overloaded, but for the burst: there an honest answer within ten
    /// seconds is what is promised.
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
            _ => &["error-rate<1%", "p99<3s for SSE first token"],
        }
    }

    fn transactions(self, scenario: Scenario, key: &Arc<str>) -> Result<Scenario, GooseError> {
        let half = Questions::Mixed(0.5);
        let own = Questions::Mixed(0.0);
        let visit = |reading| Visit { reading, ..ORDINARY };
        Ok(match self {
            Self::Steady => scenario.register_transaction(asks(key, ORDINARY, half)),
            Self::Burst => scenario.register_transaction(asks(
                key,
                Visit { turns: 1, ..ORDINARY },
                Questions::Mixed(0.7),
            )),
            Self::Long => {
                let brisk = (Duration::from_millis(200), Duration::from_millis(800));
                let visit = Visit { turns: 15, thinks: brisk, ..ORDINARY };
                scenario.register_transaction(asks(key, visit, half))
            }
            Self::Hot => scenario.register_transaction(asks(
                key,
                Visit { turns: 1, ..ORDINARY },
                Questions::One,
            )),
            Self::Reconnect => scenario.register_transaction(asks(key, visit(Reading::Cut), own)),
            Self::Slow => scenario.register_transaction(asks(key, visit(Reading::Slow), own)),
            Self::Login => {
                let key = key.clone();
                scenario.register_transaction(
                    Transaction::new(Arc::new(move |user| {
                        Box::pin(Shopper::signs_in_and_out(user, key.clone()))
                    }))
                    .set_name("sign in"),
                )
            }
            Self::Mixed => {
                let socket_key = key.clone();
                let socket = Transaction::new(Arc::new(move |user| {
                    Box::pin(socket::visit(user, socket_key.clone(), half))
                }));
                scenario
                    .register_transaction(asks(key, ORDINARY, half).set_weight(2)?)
                    .register_transaction(asks(key, visit(Reading::Json), half))
                    .register_transaction(socket.set_name("socket"))
            }
        })
    }
}

/// What is asked.
#[derive(Clone, Copy)]
pub enum Questions {
    /// The hot question, in five wordings.
    One,
    /// This share from the hot set of 1,000, the others asked by nobody else.
    Mixed(f64),
}

impl Questions {
    /// The `turn`-th question of visit `visit` of user `user`.
    pub fn pick(self, user: usize, visit: usize, turn: usize) -> String {
        let number = user * 1_000_003 + visit * 101 + turn;
        match self {
            Self::One => ONE_QUESTION[number % ONE_QUESTION.len()].to_owned(),
            Self::Mixed(share) => Mix::new(share, 1000).pick(number, &mut rand::rng()),
        }
    }
}

/// A visitor who opens a session and asks.
fn asks(key: &Arc<str>, visit: Visit, questions: Questions) -> Transaction {
    let key = key.clone();
    Transaction::new(Arc::new(move |user| {
        let key = key.clone();
        Box::pin(async move {
            let mut shopper = Shopper::arrives(user, &key).await?;
            for turn in 0..visit.turns {
                let text = questions.pick(user.weighted_users_index, user.get_iterations(), turn);
                shopper.asks(user, &text, visit.reading).await?;
                tokio::time::sleep(rand::random_range(visit.thinks.0..visit.thinks.1)).await;
            }
            Ok(())
        })
    }))
    .set_name("visit")
}
