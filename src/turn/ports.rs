//! What a turn needs from the house: messages it may send and indexes it may read.

use std::{fmt, sync::Arc, time::Duration};

use actix::Recipient;

use super::log::TurnLog;
use crate::{
    cache::{Cache, Flights, Kindred},
    config,
    domain::{Lane, PrincipalId, SiteId},
    embedding::messages::Embed,
    inference::{Acquire, Limits},
    knowledge::Knowledge,
};

pub struct Ports {
    /// Absent where there is no embedding model: terms are searched, nothing is cached by meaning.
    pub embedder: Option<EmbedPort>,
    /// Absent where no backend is configured: answers come from the knowledge.
    pub model: Option<ModelPort>,
    pub cache: Option<Cache>,
    pub flights: Flights<TurnLog>,
    pub kindred: Kindred<TurnLog>,
    pub knowledge: Knowledge,
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
    /// Names the models and the prompt; an answer is cached under it.
    pub fingerprint: Arc<str>,
}

/// What a turn is asked.
pub struct TurnInput {
    pub site: SiteId,
    pub visitor: PrincipalId,
    pub locale: String,
    pub text: String,
    /// What it needs, and so how urgently; see `agent::need`.
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
