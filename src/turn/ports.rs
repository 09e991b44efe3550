//! The dependencies of a turn: messages that it may send and indexes that it may read.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use actix::Recipient;

use super::{
    decisions::Decisions,
    roster::{Duty, Roster},
};
use crate::{
    brownout::Brownout,
    cache::{Cache, Demand, Flights, SimilarFlights, Witness},
    config,
    domain::{AddressBlock, Lane, PageContext, PrincipalId, SiteId},
    embedding::messages::Embed,
    guard::{self, Pages, Policy},
    inference::{Acquire, Limits, PressureGauge},
    knowledge::Knowledge,
    log::TurnLog,
    relay::Relay,
};

pub struct Ports {
    /// Absent without an embedding model: the search uses terms, and nothing is cached by meaning.
    pub embedder: Option<EmbedPort>,
    /// Absent without a configured backend: answers come from the knowledge.
    pub model: Option<ModelPort>,
    pub cache: Option<Cache>,
    pub flights: Flights<TurnLog>,
    pub similar: SimilarFlights<TurnLog>,
    pub demand: Demand,
    /// The connection to other replicas; absent if there is only one process.
    pub relay: Option<Arc<Relay>>,
    pub knowledge: Knowledge,
    pub brownout: Arc<Brownout>,
    pub turn: config::Turn,
    /// What the configuration says of each shop.
    pub shops: HashMap<SiteId, Shop>,
    /// A shop that the configuration does not name.
    pub other_shop: Shop,
    pub roster: Roster,
    pub guards: Guards,
    pub decisions: Decisions,
}

/// What each site does about sentences of a model that no source supports.
pub struct Guards {
    pub sites: HashMap<SiteId, Arc<Policy>>,
    /// Of a site that is not in the configuration.
    pub other: Arc<Policy>,
}

impl Guards {
    pub fn of(&self, site: &SiteId) -> Arc<Policy> {
        Arc::clone(self.sites.get(site).unwrap_or(&self.other))
    }
}

impl Ports {
    pub fn shop(&self, site: &SiteId) -> &Shop {
        self.shops.get(site).unwrap_or(&self.other_shop)
    }

    /// The assistants that answer for a site now.
    pub fn duty(&self, site: &SiteId) -> Arc<Duty> {
        self.roster.of(site).unwrap_or_else(|| Arc::clone(&self.shop(site).configured))
    }

    /// What is the shop's own, and so no personal data of a shopper.
    pub fn own_of(&self, site: &SiteId) -> guard::Shop {
        let pages = SitePages { knowledge: self.knowledge.clone(), site: site.clone() };
        guard::Shop { pages: Some(Arc::new(pages)), ..self.shop(site).own.clone() }
    }
}

/// The pages of one site.
struct SitePages {
    knowledge: Knowledge,
    site: SiteId,
}

impl Pages for SitePages {
    fn say(&self, phrase: &str) -> bool {
        self.knowledge.says(&self.site, phrase)
    }
}

/// A shop, as its turns see it.
pub struct Shop {
    /// For people; empty if it is not known.
    pub name: String,
    /// Its own numbers and names.
    pub own: guard::Shop,
    /// Its assistants, unless an admin has activated others.
    pub configured: Arc<Duty>,
}

pub struct EmbedPort {
    pub embed: Recipient<Embed>,
    /// Name, quantisation and hash of the model: vectors of two embedders are never compared.
    pub id: Arc<str>,
    pub timeout: Duration,
    /// See `triage::Prior`; for this model.
    pub like_example: f32,
}

pub struct ModelPort {
    pub acquire: Recipient<Acquire>,
    pub limits: Limits,
    /// How long turns wait for the model.
    pub pressure: Arc<PressureGauge>,
    /// Identifies the models and the prompt; it is part of the cache key.
    pub fingerprint: Arc<str>,
}

/// What happens with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A reader in a session; the answer may also come later, as a ticket.
    Conversation,
    /// A client waits that cannot be reached later.
    Completion,
    /// No reader waits: a ticket gets a full answer when there is capacity.
    Ticket,
    /// An admin tries assistants that are not active.
    Check,
}

/// The input of a turn before masking.
pub struct TurnInput {
    pub purpose: Purpose,
    pub site: SiteId,
    pub visitor: PrincipalId,
    /// Where the message came from, if that is known.
    pub from: Option<AddressBlock>,
    /// The visitor, for the trust in cached answers.
    pub witness: Witness,
    pub locale: String,
    /// What the shopper was looking at, as the shop's page said.
    pub page: Option<Box<PageContext>>,
    pub text: String,
    /// The need, and thus the urgency; see `triage::lane`.
    pub lane: Lane,
    /// Earlier exchanges, oldest first.
    pub history: Vec<Exchange>,
    /// Other assistants than those that are active.
    pub duty: Option<Arc<Duty>>,
}

/// One earlier message and its answer, if it had one.
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
