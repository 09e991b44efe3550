//! The life of a turn, top to bottom: mask, exact, coalesce, embed, semantic, coalesce, retrieve, answer, remember.

use std::{collections::BTreeSet, sync::Arc};

use tokio::time::Instant;
use tracing::{Instrument as _, trace_span};

use super::{
    elsewhere::{self, Lead, Leadership},
    ports::{Ports, Purpose, TurnInput},
    twin::{Step, Twin},
    write,
};
use crate::{
    assistant::prompt::ASSISTANT,
    brownout::{self, Service},
    cache::{
        self, CachedAnswer, EntryId, Flight, FlightKey, Freshness, Hit, Join, Led, Made, Partition,
        Question, may_store,
    },
    clock,
    domain::{
        CacheInfo, CacheTier, Citation, Fact, FinishReason, Live, MessageId, Problem, Route,
        ServiceLevel, SessionMeta, SiteId, Stage, Ticket, Timestamp, Timings, Usage,
    },
    embedding::messages::{Embedding, embed},
    guard::{Masked, mask},
    knowledge::{Passage, Query},
    log::TurnLog,
};

/// Leaders on other replicas whose failure a question outlives before it answers alone.
const LEADERS: usize = 3;

/// Answers a turn into its log and says how it ended. The caller closes the log.
///
/// Dropping the future cancels the turn: a backend's connection closes and its slot is free.
///
/// # Errors
/// The problem that the shopper sees in `turn.failed`.
pub async fn run_turn(mut turn: Turn) -> Result<Fact, Problem> {
    if let Some(fact) = turn.exact() {
        return Ok(fact);
    }
    let _flight = match turn.coalesce().await {
        Coalesced::Answered(fact) => return Ok(*fact),
        Coalesced::Leading(flown) => Some(flown),
        Coalesced::Alone => None,
    };
    let embedding = turn.embed().await;
    if let Some(hit) = turn.semantic(embedding.as_ref()) {
        return Ok(turn.serve(&hit));
    }
    let _led = match turn.coalesce_by_meaning(embedding.as_ref()).await {
        Coalesced::Answered(fact) => return Ok(*fact),
        Coalesced::Leading(led) => Some(led),
        Coalesced::Alone => None,
    };
    let passages = turn.retrieve(embedding.as_ref());
    let answer = write::answer(&mut turn, &passages).await?;
    turn.remember(&answer, &passages, embedding.as_ref());
    Ok(turn.complete(answer))
}

/// An answer before it is an event.
pub struct Answer {
    pub text: String,
    pub route: Route,
    pub citations: Vec<Citation>,
    pub usage: Option<Usage>,
    pub cache: Option<CacheInfo>,
    pub finish_reason: FinishReason,
    /// The ticket that it opens.
    pub ticket: Option<Ticket>,
    /// The level of service that went into it. Only what is given in full is given to others.
    pub given_at: ServiceLevel,
}

/// What a turn knows of itself while it runs.
pub struct Turn {
    pub ports: Arc<Ports>,
    pub input: TurnInput,
    pub log: Arc<TurnLog>,
    /// The text without personal data; all that model, cache and index ever see.
    pub masked: Masked,
    pub timings: Timings,
    /// As it was when the turn began.
    pub service: Service,
    begun: Instant,
    began_at: Timestamp,
    partition: Partition,
    /// Absent where the answer must not be shared.
    question: Option<Question>,
    /// Whether the question was asked before and its answer may be shared.
    pub in_demand: bool,
    looked_up: bool,
}

/// A leader's places, in this process and among the replicas.
type Flown = (Flight<TurnLog>, Option<Leadership>);

enum Coalesced<L> {
    Answered(Box<Fact>),
    Leading(L),
    Alone,
}

impl Turn {
    pub fn new(ports: Arc<Ports>, input: TurnInput, log: Arc<TurnLog>) -> Self {
        let masked = mask(&input.text);
        let service = match input.purpose {
            Purpose::Conversation | Purpose::Completion => ports.brownout.service(),
            Purpose::Ticket => Service::FULL,
        };
        let partition = partition(&ports, &input.site, &input.locale);
        let question = Question::new(&masked, input.history.is_empty()).ok();
        Self {
            ports,
            input,
            log,
            masked,
            timings: Timings::default(),
            service,
            begun: Instant::now(),
            began_at: clock::now(),
            partition,
            question,
            in_demand: false,
            looked_up: false,
        }
    }

    /// The whole answer, where the cache holds one to exactly this question; looked up once. Waits for nothing, so
    /// whoever begins the turn may write question and answer down in one step.
    pub fn exact(&mut self) -> Option<Fact> {
        if std::mem::replace(&mut self.looked_up, true) {
            return None;
        }
        let (cache, question) = (self.ports.cache.as_ref()?, self.question.as_ref()?);
        let begun = Instant::now();
        let hit = cache.exact(&self.partition, question, self.freshness(), clock::now());
        self.timings.cache_ms = Some(millis(begun));
        hit.map(|hit| self.serve(&hit))
    }

    /// An older answer is better than none where service is low.
    fn freshness(&self) -> Freshness {
        if self.service.level >= ServiceLevel::KNOWLEDGE {
            Freshness::Stale
        } else {
            Freshness::Fresh
        }
    }

    /// The ticket that this turn may open.
    pub fn ticket(&self) -> Option<Ticket> {
        let deliverable = self.input.purpose == Purpose::Conversation;
        let may = deliverable && self.ports.brownout.tickets();
        may.then(|| Ticket::opened_by(self.log.turn_id()))
    }

    /// Follows an identical question in flight. A leader that ends without an answer is replaced by a follower.
    async fn coalesce(&mut self) -> Coalesced<Flown> {
        // Nobody who waits may follow one that does not hurry.
        let hurried = self.input.purpose != Purpose::Ticket;
        let Some(question) = self.question.as_ref().filter(|_| hurried) else {
            return Coalesced::Alone;
        };
        let key = FlightKey::new(&self.partition, question);
        self.in_demand = self.ports.demand.again(key) && self.ports.cache.is_some();
        let mut joined = self.ports.flights.join(key, || Arc::clone(&self.log));
        loop {
            let leader = match joined {
                Join::Lead(flight) => return self.lead(key, flight).await,
                Join::Follow(leader) => leader,
            };
            if let Some(answer) = self.follow(&leader).await {
                return Coalesced::Answered(Box::new(self.complete(answer)));
            }
            joined = self.ports.flights.take_over(key, &leader, || Arc::clone(&self.log));
        }
    }

    /// Follows a question in flight that would be a semantic hit. Without a model there is nothing to wait for.
    async fn coalesce_by_meaning(
        &mut self,
        embedding: Option<&Embedding>,
    ) -> Coalesced<Led<TurnLog>> {
        let Some(embedding) = embedding.filter(|embedding| !embedding.truncated) else {
            return Coalesced::Alone;
        };
        let ports = Arc::clone(&self.ports);
        let mut dead = None;
        loop {
            let hurried = self.input.purpose != Purpose::Ticket;
            let (Some(question), Some(_), Some(_), true) =
                (&self.question, &ports.cache, &ports.model, hurried)
            else {
                return Coalesced::Alone;
            };
            let (vector, log) = (&embedding.vector, &self.log);
            match ports.kindred.join(&self.partition, question, vector, log, dead.as_ref()) {
                Join::Lead(led) => return Coalesced::Leading(led),
                Join::Follow(leader) => {
                    if let Some(answer) = self.follow(&leader).await {
                        return Coalesced::Answered(Box::new(self.complete(answer)));
                    }
                    dead = Some(leader);
                }
            }
        }
    }

    /// First in this process, perhaps not of all. Without a model an answer costs less than asking elsewhere.
    async fn lead(&mut self, key: FlightKey, flight: Flight<TurnLog>) -> Coalesced<Flown> {
        let relay = self.ports.relay.clone().filter(|_| self.ports.model.is_some());
        let most = self.ports.turn.max_answer_bytes;
        for _ in 0..LEADERS {
            match elsewhere::lead(relay.as_ref(), &key, &self.log, most).await {
                Lead::Here(place) => return Coalesced::Leading((flight, place)),
                Lead::Elsewhere(leader) => {
                    if let Some(answer) = self.follow(&leader).await {
                        return Coalesced::Answered(Box::new(self.complete(answer)));
                    }
                }
            }
        }
        Coalesced::Leading((flight, None))
    }

    async fn follow(&mut self, leader: &Arc<TurnLog>) -> Option<Answer> {
        self.start(Route::Coalesced);
        let mut twin = Twin::of(leader);
        let mut shown = false;
        let end = loop {
            match twin.next().await {
                Step::Text(text) => {
                    self.first_token();
                    shown = true;
                    if !self.log.push_text(&text) {
                        break None;
                    }
                }
                Step::Replaced(text) => {
                    self.log.push(&Live::AnswerReplaced { reason: "restarted".into(), text });
                }
                Step::Ended(event) => break Some(event),
            }
        };
        if let Some(event) = end
            && let Fact::AnswerCompleted { text, citations, finish_reason, cache, ticket, .. } =
                &event.fact
        {
            // Each question has a ticket of its own; where none may be opened, another leader is tried.
            let own = ticket.and_then(|_| self.ticket());
            if own.is_some() == ticket.is_some() {
                self.cite(citations);
                own.iter().for_each(|_| brownout::metrics::ticket_opened());
                return Some(Answer {
                    text: text.clone(),
                    route: if own.is_some() { Route::Template } else { Route::Coalesced },
                    citations: citations.clone(),
                    usage: None,
                    cache: *cache,
                    finish_reason: *finish_reason,
                    ticket: own,
                    given_at: self.service.level,
                });
            }
        }
        if shown {
            let text = String::new();
            self.log.push(&Live::AnswerReplaced { reason: "leader_ended".into(), text });
        }
        None
    }

    /// Fails open: without a vector the terms are searched and nothing is cached by meaning.
    async fn embed(&mut self) -> Option<Embedding> {
        let port = self.ports.embedder.as_ref()?;
        let begun = Instant::now();
        let text = self.retrieval_text();
        let embedding = embed(&port.embed, text, port.timeout).instrument(trace_span!("embed"));
        let embedding = embedding.await.ok();
        self.timings.embed_ms = Some(millis(begun));
        embedding
    }

    /// A follow-up is searched together with what it follows.
    fn retrieval_text(&self) -> String {
        match (&self.question, self.input.history.last()) {
            (None, Some(earlier)) => {
                format!("{} {}", mask(&earlier.user).text, self.masked.text)
            }
            _ => self.masked.text.clone(),
        }
    }

    fn semantic(&mut self, embedding: Option<&Embedding>) -> Option<Hit> {
        let (cache, question) = (self.ports.cache.as_ref()?, self.question.as_ref()?);
        let embedding = embedding.filter(|embedding| !embedding.truncated)?;
        let begun = Instant::now();
        let (vector, freshness) = (&embedding.vector, self.freshness());
        let hit = cache.semantic(&self.partition, question, vector, freshness, clock::now());
        let spent = millis(begun);
        self.timings.cache_ms = Some(self.timings.cache_ms.unwrap_or(0) + spent);
        hit
    }

    fn retrieve(&mut self, embedding: Option<&Embedding>) -> Vec<Passage> {
        self.log.push(&Live::TurnStatus { stage: Stage::Searching });
        let begun = Instant::now();
        let earlier: Vec<String> =
            self.input.history.iter().map(|exchange| mask(&exchange.user).text).collect();
        let context: Vec<&str> = earlier.iter().map(String::as_str).collect();
        let text = self.retrieval_text();
        let query = Query {
            vector: embedding.map(|embedding| &*embedding.vector),
            context: &context,
            locale: Some(&self.input.locale),
            ..Query::new(&text)
        };
        let passages =
            self.ports.knowledge.search(&self.input.site, &query, self.ports.turn.passages);
        self.timings.retrieve_ms = Some(millis(begun));
        passages
    }

    fn serve(&mut self, hit: &Hit) -> Fact {
        let route = match hit.tier {
            CacheTier::Exact => Route::Exact,
            CacheTier::Semantic => Route::Semantic,
        };
        if let Some(usage) = hit.answer.usage {
            cache::metrics::saved(usage);
        }
        self.start(route);
        self.first_token();
        let complete = self.log.push_text(&hit.answer.text);
        self.cite(&hit.answer.citations);
        let age_ms = u64::try_from(hit.age.as_millis()).ok();
        self.complete(Answer {
            text: self.log.text(),
            route,
            citations: hit.answer.citations.clone(),
            usage: None,
            cache: Some(CacheInfo { tier: hit.tier, age_ms, entry: Some(hit.id.0) }),
            finish_reason: if complete { FinishReason::Stop } else { FinishReason::Length },
            ticket: None,
            given_at: self.service.level,
        })
    }

    /// Only a complete answer of the shop's model or knowledge is shared with others.
    fn remember(&self, answer: &Answer, passages: &[Passage], embedding: Option<&Embedding>) {
        let (Some(cache), Some(question)) = (&self.ports.cache, &self.question) else { return };
        let made = Made {
            route: answer.route,
            finish_reason: Some(answer.finish_reason),
            service_level: answer.given_at,
            used_tools: false,
            truncated: embedding.is_some_and(|embedding| embedding.truncated),
            text: &answer.text,
        };
        if let Err(why) = may_store(&made) {
            cache::metrics::refused(why);
            return;
        }
        // Asking the knowledge again is as fast as a neighbour of the question, and surer.
        let by_meaning = answer.route == Route::Model;
        let vector = embedding.filter(|_| by_meaning).map(|e| Arc::clone(&e.vector));
        let documents: Vec<String> =
            answer.citations.iter().map(|citation| citation.document_id.clone()).collect();
        let cited = passages.iter().filter(|passage| documents.contains(&passage.document_id));
        let tags: BTreeSet<&String> = cited.flat_map(|passage| &passage.tags).collect();
        let cached = CachedAnswer {
            text: answer.text.clone(),
            citations: answer.citations.clone(),
            usage: answer.usage,
            tags: tags.into_iter().cloned().collect(),
            documents,
            made_at: self.began_at,
        };
        cache.put(&self.partition, question, vector, cached, clock::now());
    }

    /// Says how the turn is answered.
    pub fn start(&self, route: Route) {
        self.log.push(&Live::TurnStarted { route, service_level: self.service.level });
    }

    /// Marks the first piece of the answer.
    pub fn first_token(&mut self) {
        let elapsed = millis(self.begun);
        self.timings.first_token_ms.get_or_insert(elapsed);
    }

    pub fn cite(&self, citations: &[Citation]) {
        for citation in citations {
            self.log.push(&Live::AnswerCitation { citation: citation.clone() });
        }
    }

    fn complete(&self, answer: Answer) -> Fact {
        Fact::AnswerCompleted {
            message_id: MessageId::new(),
            text: answer.text,
            route: answer.route,
            service_level: self.service.level,
            citations: answer.citations,
            usage: answer.usage,
            timings: Timings { total_ms: millis(self.begun), ..self.timings },
            cache: answer.cache,
            finish_reason: answer.finish_reason,
            ticket: answer.ticket,
        }
    }
}

/// Everything that two shoppers must have in common to share an answer.
fn partition(ports: &Ports, site: &SiteId, locale: &str) -> Partition {
    let embedder = ports.embedder.as_ref().map_or_else(|| "none".into(), |e| Arc::clone(&e.id));
    let fingerprint =
        ports.model.as_ref().map_or_else(|| "knowledge".into(), |m| Arc::clone(&m.fingerprint));
    Partition {
        site: site.clone(),
        locale: locale.into(),
        audience: "public".into(),
        knowledge_version: ports.knowledge.version(site),
        assistant: ASSISTANT.into(),
        fingerprint,
        embedder,
    }
}

/// The cached answer to exactly this question, where there is one.
pub fn cached_as(
    ports: &Ports,
    meta: &SessionMeta,
    text: &str,
    first_turn: bool,
) -> Option<EntryId> {
    let question = Question::new(&mask(text), first_turn).ok()?;
    let partition = partition(ports, &meta.site_id, &meta.locale);
    let hit = ports.cache.as_ref()?.exact(&partition, &question, Freshness::Fresh, clock::now())?;
    Some(hit.id)
}

pub fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
