//! What a turn needs from the house: messages it may send and indexes it may read.

use std::{fmt, sync::Arc, time::Duration};

use actix::Recipient;

use crate::{
    brownout::Brownout,
    cache::{Cache, Demand, Flights, SimilarFlights},
    config,
    domain::{Lane, PrincipalId, SiteId},
    embedding::messages::Embed,
    inference::{Acquire, Limits, PressureGauge},
    knowledge::Knowledge,
    log::TurnLog,
    relay::Relay,
};

pub struct Ports {
    /// Absent where there is no embedding model: terms are searched, nothing is cached by meaning.
    pub embedder: Option<EmbedPort>,
    /// Absent where no backend is configured: answers come from the knowledge.
    pub model: Option<ModelPort>,
    pub cache: Option<Cache>,
    pub flights: Flights<TurnLog>,
    pub similar: SimilarFlights<TurnLog>,
    pub demand: Demand,
    /// The way to other replicas; absent where there is only one process.
    pub relay: Option<Arc<Relay>>,
    pub knowledge: Knowledge,
    pub brownout: Arc<Brownout>,
    pub turn: config::Turn,
}

pub struct EmbedPort {
    pub embed: Recipient<Embed>,
    /// Name, quantisation and hash of the model: vectors of two embedders never meet.
    pub id: Arc<str>,
    pub timeout: Duration,
}

pub struct ModelPort {
    pub acquire: Recipient<Acquire>,
    pub limits: Limits,
    /// How long turns wait for it.
    pub pressure: Arc<PressureGauge>,
    /// Names the models and the prompt; an answer is cached under it.
    pub fingerprint: Arc<str>,
}

/// What becomes of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody reads along in a session; the answer may come later, as a ticket.
    Conversation,
    /// Somebody waits who cannot be reached later.
    Completion,
    /// Nobody waits: a ticket gets a full answer when there is room for it.
    Ticket,
}

/// What a turn is asked.
pub struct TurnInput {
    pub purpose: Purpose,
    pub site: SiteId,
    pub visitor: PrincipalId,
    pub locale: String,
    pub text: String,
    /// What it needs, and so how urgently; see `assistant::need`.
    pub lane: Lane,
    /// Earlier exchanges, oldest first.
    pub history: Vec<Exchange>,
}

/// One earlier message and its answer, where it had one.
#[derive(Clone)]
pub struct Exchange {
    pub user: String,
    pub answer: Option<String>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exchange([{} chars])", self.user.chars().count())
    }
}
