//! The actor around [`Queue`] and [`Router`]: turns messages into their verbs and decisions into replies.

use std::{sync::Arc, time::Duration};

use actix::{
    Actor, ActorFutureExt, Addr, ArbiterHandle, AsyncContext, Context, Handler, MessageResult,
    Recipient, SpawnHandle, WrapFuture,
};
use tokio::time::Instant;

use super::{
    backend::StartError,
    drain::jittered,
    health::{self, Health},
    messages::{
        Acquire, AcquireRequest, BackendStatus, Close, Grant, Observe, PoolStatus, Refused,
        SlotReleased,
    },
    metrics,
    queue::{Bounds, Dismissed, Entry, Next, Queue},
    router::Router,
    slot::SlotPass,
    station::{Station, Stations},
};
use crate::config;

/// While somebody waits: how often deadlines, positions, breakers and limiters are looked at. Also
/// the longest that a release unnoticed by a rebuilt pool can cost.
const TICK: Duration = Duration::from_millis(100);
const MAILBOX: usize = 1024;

/// Grants slots. Never touches a token, never waits in a handler, never grants beyond the slots.
pub struct InferencePool {
    queue: Queue,
    router: Router,
    stations: Stations,
    health: Vec<Health>,
    health_interval: Duration,
    tick: Option<SpawnHandle>,
    closing: bool,
}

/// The pool as its owner holds it: the ports, and what a rebuilt actor goes on with.
///
/// A panic in a handler closes the actor's address for good and every port with it. The slots and
/// breakers live on: [`Pool::rebuilt`] gives a new pool over them. Ports that were handed out do not
/// follow, so an owner that cannot hand out new ones ends the process when [`Pool::is_alive`] says no.
#[derive(Clone)]
pub struct Pool {
    pub acquire: Recipient<Acquire>,
    pub observe: Recipient<Observe>,
    pub close: Recipient<Close>,
    address: Addr<InferencePool>,
    config: Arc<config::Inference>,
    stations: Stations,
}

impl InferencePool {
    /// Starts the pool over `backends` on `arbiter`. A `rustls` provider must be installed before.
    pub fn start(
        config: &config::Inference,
        backends: Vec<config::Backend>,
        arbiter: &ArbiterHandle,
    ) -> Result<Pool, StartError> {
        let stations = Station::all(config, backends)?;
        Ok(Self::over(stations, Arc::new(config.clone()), arbiter))
    }

    fn over(stations: Stations, config: Arc<config::Inference>, arbiter: &ArbiterHandle) -> Pool {
        let bounds = Bounds {
            entries: config.max_queue,
            tokens: config.max_queue_tokens,
            per_visitor: config.max_queue_per_visitor,
        };
        let (on_arbiter, health_interval) = (stations.clone(), config.health_interval);
        let address = Self::start_in_arbiter(arbiter, move |ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            Self {
                queue: Queue::new(bounds),
                router: Router::new(on_arbiter.clone()),
                health: vec![Health::default(); on_arbiter.len()],
                stations: on_arbiter,
                health_interval,
                tick: None,
                closing: false,
            }
        });
        Pool {
            acquire: address.clone().recipient(),
            observe: address.clone().recipient(),
            close: address.clone().recipient(),
            address,
            config,
            stations,
        }
    }

    /// Gives out what can be given out, then tells those who wait where they stand.
    fn dispatch(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        let released = ctx.address().recipient::<SlotReleased>();
        let router = &mut self.router;
        // An exclusion only narrows the choice: where a request without one finds no place, none does.
        let mut exhausted = false;
        let mut place = |request: &AcquireRequest| {
            let pass = if exhausted { None } else { router.place(&request.exclude, &released) };
            exhausted |= pass.is_none() && request.exclude.is_empty();
            pass
        };
        loop {
            match self.queue.next(now, &mut place) {
                Next::Grant(entry, pass) => grant(entry, pass, now),
                Next::Dismiss(dismissed) => dismiss(dismissed),
                Next::Nobody => break,
            }
        }
        if let Some(refused) = self.outage() {
            self.queue.clear(refused).into_iter().for_each(dismiss);
        }
        metrics::queue(self.queue.len(), self.queue.tokens());
        if !self.queue.is_empty() && self.tick.is_none() {
            self.tick = Some(ctx.run_later(TICK, Self::tick));
        }
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        self.tick = None;
        self.queue.sweep(Instant::now()).into_iter().for_each(dismiss);
        self.dispatch(ctx);
        for (entry, position) in self.queue.positions() {
            if let Some(queued) = &entry.acquire.queued {
                queued.send_if_modified(|shown| shown.replace(position) != Some(position));
            }
        }
    }

    fn outage(&self) -> Option<Refused> {
        let retry_after = self.router.outage(self.health_interval.max(Duration::from_secs(1)))?;
        Some(Refused::NoBackend { retry_after })
    }

    fn poll_health(&mut self, index: usize, ctx: &mut Context<Self>) {
        let Some(station) = self.stations.get(index).cloned() else { return };
        let deadline = self.health_interval;
        let answer = async move { health::ask(&station.backend, deadline).await };
        let taken = answer.into_actor(self).map(move |answer, pool, ctx| {
            if let (Some(health), Some(station)) =
                (pool.health.get_mut(index), pool.stations.get(index))
            {
                health.answered(answer, station.progress());
                station.set_healthy(health.is_healthy());
            }
            pool.dispatch(ctx);
            ctx.run_later(pool.health_interval, move |pool, ctx| pool.poll_health(index, ctx));
        });
        ctx.spawn(taken);
    }
}

impl Pool {
    /// Whether the actor still takes messages.
    pub fn is_alive(&self) -> bool {
        self.address.connected()
    }

    /// A new pool over the same backends, slots and breakers; for when this one is dead.
    pub fn rebuilt(&self, arbiter: &ArbiterHandle) -> Self {
        InferencePool::over(self.stations.clone(), self.config.clone(), arbiter)
    }
}

impl Actor for InferencePool {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        (0..self.stations.len()).for_each(|index| self.poll_health(index, ctx));
    }
}

impl Handler<Acquire> for InferencePool {
    type Result = ();

    fn handle(&mut self, acquire: Acquire, ctx: &mut Self::Context) {
        let refused = if self.closing { Some(Refused::Closing) } else { self.outage() };
        if let Some(refused) = refused {
            return dismiss(Dismissed { acquire, refused });
        }
        self.queue.offer(acquire, Instant::now()).into_iter().for_each(dismiss);
        self.dispatch(ctx);
    }
}

impl Handler<SlotReleased> for InferencePool {
    type Result = ();

    fn handle(&mut self, _: SlotReleased, ctx: &mut Self::Context) {
        self.dispatch(ctx);
    }
}

impl Handler<Close> for InferencePool {
    type Result = ();

    fn handle(&mut self, _: Close, _: &mut Self::Context) {
        self.closing = true;
        self.queue.clear(Refused::Closing).into_iter().for_each(dismiss);
    }
}

impl Handler<Observe> for InferencePool {
    type Result = MessageResult<Observe>;

    fn handle(&mut self, _: Observe, _: &mut Self::Context) -> Self::Result {
        let wait = match self.router.has_room() && self.queue.is_empty() {
            true => Duration::ZERO,
            false => self.queue.wait_of_a_newcomer(),
        };
        let status = |station: &Arc<Station>| BackendStatus {
            name: station.backend.name.to_string(),
            model: station.backend.model.to_string(),
            slots: station.slots,
            in_flight: station.in_flight(),
            breaker: station.breaker.state(),
            healthy: station.is_healthy(),
        };
        MessageResult(PoolStatus {
            queued: self.queue.len(),
            queued_tokens: self.queue.tokens(),
            wait_ms: wait.as_millis() as u64,
            closing: self.closing,
            backends: self.stations.iter().map(status).collect(),
        })
    }
}

fn grant(entry: Entry, pass: SlotPass, now: Instant) {
    let waited = now.saturating_duration_since(entry.arrived);
    metrics::granted(waited);
    if let Some(queued) = &entry.acquire.queued {
        queued.send_replace(None);
    }
    let grant = Grant { backend: pass.backend().clone(), pass, waited };
    // Who left in this very moment gets nothing: the pass inside gives its slot back.
    drop(entry.acquire.reply.send(Ok(grant)));
}

fn dismiss(dismissed: Dismissed) {
    let unit = rand::random::<f64>();
    let refused = match dismissed.refused {
        Refused::QueueFull { retry_after } => {
            Refused::QueueFull { retry_after: jittered(retry_after, unit) }
        }
        Refused::TooManyOfVisitor { retry_after } => {
            Refused::TooManyOfVisitor { retry_after: jittered(retry_after, unit) }
        }
        Refused::NoBackend { retry_after } => {
            Refused::NoBackend { retry_after: jittered(retry_after, unit) }
        }
        other @ (Refused::DeadlinePassed | Refused::Closing) => other,
    };
    metrics::refused(refused.label());
    if let Some(queued) = &dismissed.acquire.queued {
        queued.send_replace(None);
    }
    // Nobody listens any more where the receiver is gone.
    let _ = dismissed.acquire.reply.send(Err(refused));
}
