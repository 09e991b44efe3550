//! The dependencies of a turn: messages that it may send and indexes that it may read.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix::Recipient;
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::Instant;

use super::{
    codes::Codes,
    decisions::Decisions,
    roster::{Duty, Roster},
    undo::Undos,
};
use crate::{
    archive::Action,
    brownout::Brownout,
    cache::{Cache, Demand, Flights, SimilarFlights, Witness},
    config,
    desk::Desk,
    domain::{
        ActionId, AddressBlock, HandoffId, Hours, Lane, OneTimeCode, PageContext, PrincipalId,
        SiteId, Timestamp,
    },
    embedding::messages::Embed,
    guard::{self, Pages, Policy},
    inference::{Acquire, Limits, PressureGauge},
    knowledge::Knowledge,
    log::TurnLog,
    relay::Relay,
    tools::{Customer, Tools},
};

/// How long no tools are sent to model servers that have refused them.
const AFTER_A_REFUSAL: Duration = Duration::from_secs(600);

pub struct Ports {
    pub actions: ActionPort,
    pub codes: Codes,
    pub undos: Undos,
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
    pub tools: Tools,
    pub desk: Desk,
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

/// A call of the shop.
type Calling = Arc<dyn Fn(Action, Instant) -> BoxFuture<'static, Carried> + Send + Sync>;

/// How the shop is asked to make a change that its shopper has confirmed. Both have until the
/// instant that they are given.
#[derive(Clone)]
pub struct ActionPort {
    /// Asks for the change, once, with the id of the action as the key.
    pub call: Calling,
    /// Asks what became of that key. It changes nothing; a shop that never saw the key refuses it
    /// from now on, and that is [`Carried::NotDone`].
    pub recall: Calling,
    pub timeout: Duration,
    /// How long a proposal may be confirmed.
    pub valid_for: Duration,
}

impl ActionPort {
    /// Of a service without tools: nothing is carried out, and nothing ever was.
    pub fn none(config: &config::Actions) -> Self {
        let nothing: Calling = Arc::new(|_, _| std::future::ready(Carried::NotDone).boxed());
        Self {
            call: Arc::clone(&nothing),
            recall: nothing,
            timeout: config.timeout,
            valid_for: config.valid_for,
        }
    }
}

/// What the shop said about a change. The texts are for the shopper, in the language of the
/// action; an empty one means that there is nothing more to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    Done {
        said: String,
        /// Until then the shop takes it back.
        undo_until: Option<Timestamp>,
    },
    /// The shop refused it, and nothing was changed.
    Failed(String),
    /// It is certain that nothing was changed.
    NotDone,
    /// There is no answer, so it may have been done.
    Unknown,
}

/// A shop, as its turns see it.
pub struct Shop {
    /// For people; empty if it is not known.
    pub name: String,
    /// Its own numbers and names.
    pub own: guard::Shop,
    /// When its people are there, if it says so.
    pub hours: Option<Hours>,
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
    pub takes_tools: TakesTools,
}

/// Whether the model servers take requests with tools. One that was not started for tools refuses
/// every such request, so they are left out for a while after a refusal.
#[derive(Default)]
pub struct TakesTools {
    refused: Mutex<Option<Instant>>,
}

impl TakesTools {
    pub fn refused(&self) {
        *self.lock() = Some(Instant::now());
    }

    pub fn is_worth_trying(&self) -> bool {
        self.lock().is_none_or(|at| at.elapsed() >= AFTER_A_REFUSAL)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    /// The visitor, if the shop knows them.
    pub customer: Option<Customer>,
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
    /// The one-time code that was taken out of `text`.
    pub code: Option<OneTimeCode>,
    /// The handoff of the session, if the shopper waits for a person.
    pub handoff: Option<HandoffId>,
    /// Changes that were made in the session, the newest last.
    pub made: Vec<ActionId>,
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
