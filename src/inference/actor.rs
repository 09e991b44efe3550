//! The actor around [`Queue`] and [`Router`]: turns messages into their verbs and decisions into
//! replies.

use std::{sync::Arc, time::Duration};

use actix::{
    Actor, ActorFutureExt, Addr, ArbiterHandle, AsyncContext, Context, Handler, MessageResult,
    Recipient, SpawnHandle, WrapFuture,
};
use tokio::time::{Instant, timeout};

use super::{
    backend::{Look, StartError},
    budget::Budget,
    forecast::{Forecasts, jittered},
    health::{self, Health},
    messages::{
        Acquire, AcquirePort, AcquireRequest, Ask, Close, Grant, Observe, Refused, SlotReleased,
    },
    metrics,
    pressure::{PressureGauge, Reading},
    queue::{Bounds, Dismissed, Next, Place, Queue},
    router::Router,
    slot::{OnRelease, SlotPass},
    source::Source,
    station::{Station, Stations},
    status::{BackendStatus, PoolStatus},
};
use crate::{
    config::{self, Tier},
    domain::Lane,
};

/// How often deadlines, positions, breakers and limiters are checked while a request waits.
const TICK: Duration = Duration::from_millis(100);
/// A forecast is reused for this long, even if slots change meanwhile.
const FORECAST_AGE: Duration = Duration::from_millis(20);
const MAILBOX: usize = 1024;

/// Status is measured at most this often, however many callers ask.
const MEASURE_EACH: Duration = Duration::from_secs(1);

/// Grants slots. Never touches a token, never waits in a handler, never grants beyond the slots.
pub struct InferencePool {
    queue: Queue,
    router: Router,
    budget: Budget,
    stations: Stations,
    health: Vec<Health>,
    config: Arc<config::Inference>,
    forecasts: (Instant, Forecasts),
    pressure: Arc<PressureGauge>,
    measured: Option<Instant>,
    tick: Option<SpawnHandle>,
    closing: bool,
}

/// The pool as its owner holds it.
///
/// A panic in a handler closes the actor's address for good, and with it every port. Ports that
/// were handed out cannot be moved to a new pool. So the owner ends the process when
/// [`Pool::is_alive`] is false.
#[derive(Clone)]
pub struct Pool {
    pub acquire: AcquirePort,
    pub observe: Recipient<Observe>,
    pub close: Recipient<Close>,
    address: Addr<InferencePool>,
    pressure: Arc<PressureGauge>,
}

impl InferencePool {
    /// Starts the pool over `sources` on `arbiter`. A `rustls` provider must be installed first.
    pub fn start(
        config: &config::Inference,
        sources: impl IntoIterator<Item = impl Into<Source>>,
        arbiter: &ArbiterHandle,
    ) -> Result<Pool, StartError> {
        let stations = Station::all(config, sources.into_iter().map(Into::into).collect())?;
        let pressure = Arc::<PressureGauge>::default();
        let mut pool = Self::new(stations, Arc::new(config.clone()), pressure.clone());
        // The gauge must be right before the first message arrives, too.
        pool.show(Instant::now());
        let address = Self::start_in_arbiter(arbiter, move |ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            pool
        });
        Ok(Pool {
            acquire: address.clone().recipient(),
            observe: address.clone().recipient(),
            close: address.clone().recipient(),
            address,
            pressure,
        })
    }

    fn new(
        stations: Stations,
        config: Arc<config::Inference>,
        pressure: Arc<PressureGauge>,
    ) -> Self {
        let bounds = Bounds {
            entries: config.max_queue,
            tokens: config.max_queue_tokens,
            per_visitor: config.max_queue_per_visitor,
            per_address: config.max_queue_per_address,
            lanes: config.lanes,
            promote_after: config.promote_after,
        };
        let router = Router::new(stations.clone());
        let now = Instant::now();
        Self {
            queue: Queue::new(bounds),
            forecasts: (now, router.forecasts(now)),
            router,
            budget: Budget::new(config.hedge_budget),
            health: vec![Health::default(); stations.len()],
            stations,
            config,
            pressure,
            measured: None,
            tick: None,
            closing: false,
        }
    }

    /// Grants what can be granted, then tells the waiting requests their positions.
    fn dispatch(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        while let Some(next) = self.next(now, ctx) {
            match next {
                Next::Grant(entry, pass) => {
                    let lane = entry.acquire.request.lane;
                    let waited = now.saturating_duration_since(entry.arrived);
                    metrics::granted(lane, waited, entry.promised());
                    if entry.acquire.request.ask == Ask::First {
                        self.budget.asked();
                    } else {
                        self.budget.asked_again();
                    }
                    self.grant(entry.acquire, pass, waited);
                }
                Next::Dismiss(dismissed) => dismiss(dismissed),
                Next::Nobody => break,
            }
        }
        if let Some(refused) = self.outage(Tier::Small) {
            self.queue.clear(refused).into_iter().for_each(dismiss);
        }
        if !self.queue.is_empty() {
            self.foresee(now);
            self.queue.tell_newcomer(&self.forecasts.1, now);
            if self.tick.is_none() {
                self.tick = Some(ctx.run_later(TICK, Self::tick));
            }
        }
        self.show(now);
    }

    /// The queue's next decision. Returns `None` without reading the queue if no slot is free.
    fn next(&mut self, now: Instant, ctx: &mut Context<Self>) -> Option<Next<SlotPass>> {
        if self.queue.is_empty() || !self.router.has_room() {
            return None;
        }
        let released = released(ctx);
        let router = &mut self.router;
        // An exclusion only narrows the choice: if a request without exclusions finds no place, no
        // request of its tier does.
        let mut exhausted = [false; 2];
        Some(self.queue.next(now, |request| {
            let tier = usize::from(request.tier == Tier::Small);
            if exhausted[tier] {
                return Place::NotThis;
            }
            if let Some(pass) = router.place(request, &released) {
                return Place::Here(pass);
            }
            exhausted[tier] |= request.exclude.is_empty();
            // Small answers may use every backend. If they find no place, no request does.
            if exhausted[1] || (exhausted[0] && router.tiers_are_one()) {
                Place::Full
            } else {
                Place::NotThis
            }
        }))
    }

    fn grant(&self, acquire: Acquire, pass: SlotPass, waited: Duration) {
        if let Some(queued) = &acquire.queued {
            queued.send_replace(None);
        }
        let hedge_after = pass
            .late_first_token()
            .filter(|_| acquire.request.ask != Ask::Hedge && self.config.hedge_budget > 0.0)
            .map(|late| late.max(self.config.hedge_min));
        let grant = Grant { pass, waited, hedge_after };
        // If the requester has just left, the pass inside the grant gives its slot back.
        drop(acquire.reply.send(Ok(grant)));
    }

    /// A second request next to the first. It gets a slot that nobody waits for, or none.
    fn hedge(&mut self, acquire: Acquire, ctx: &mut Context<Self>) {
        if !self.queue.is_empty() || !self.budget.has_one() {
            return;
        }
        let released = released(ctx);
        if let Some(pass) = self.router.place(&acquire.request, &released) {
            self.budget.asked_again();
            self.grant(acquire, pass, Duration::ZERO);
        }
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        self.tick = None;
        let now = Instant::now();
        self.foresee(now);
        self.queue.patrol(&self.forecasts.1, now).into_iter().for_each(dismiss);
        self.dispatch(ctx);
        self.measure(now);
    }

    /// Measures each lane's depth, age and forecast: while a request waits, and when status is
    /// read.
    fn measure(&mut self, now: Instant) {
        self.measured = Some(now);
        metrics::queue(self.queue.lanes(), self.queue.tokens());
        let free = self.queue.is_empty() && self.router.has_room_for(Tier::Full);
        self.foresee(now);
        let oldest = self.queue.oldest_of_lanes(now);
        for (lane, oldest) in Lane::ALL.into_iter().zip(oldest) {
            let forecast = &self.forecasts.1.full;
            let predicted = if free {
                Duration::ZERO
            } else {
                self.queue.predict_stranger(lane, forecast, now)
            };
            metrics::waits(lane, oldest, predicted);
        }
    }

    /// Recomputes the forecasts if they are too old.
    fn foresee(&mut self, now: Instant) {
        if now.saturating_duration_since(self.forecasts.0) >= FORECAST_AGE {
            self.forecasts = (now, self.router.forecasts(now));
        }
    }

    fn show(&mut self, now: Instant) {
        let free = self.queue.is_empty() && self.router.has_room_for(Tier::Full);
        let predicted_wait = if free {
            Duration::ZERO
        } else {
            self.foresee(now);
            self.queue.predict_stranger(Lane::Browse, &self.forecasts.1.full, now)
        };
        self.pressure.set(Reading {
            queued: self.queue.len(),
            predicted_wait,
            oldest_wait: self.queue.longest_turn(now),
            somebody_waits: self.queue.somebody_waits(),
            free_slots: self.router.free_slots(),
            has_backend: self.outage(Tier::Small).is_none(),
        });
    }

    fn outage(&self, tier: Tier) -> Option<Refused> {
        let longest = self.config.health_interval.max(Duration::from_secs(1));
        let retry_after = self.router.outage(tier, longest)?;
        Some(Refused::NoBackend { retry_after })
    }

    fn poll_health(&mut self, index: usize, ctx: &mut Context<Self>) {
        let Some(station) = self.stations.get(index).cloned() else { return };
        let deadline = self.config.health_interval;
        let answer = async move { health::ask(&station.backend, deadline).await };
        let taken = answer.into_actor(self).map(move |answer, pool, ctx| {
            if let (Some(health), Some(station)) =
                (pool.health.get_mut(index), pool.stations.get(index))
            {
                health.answered(answer, station.progress());
                station.set_healthy(health.is_healthy());
            }
            pool.dispatch(ctx);
            ctx.run_later(deadline, move |pool, ctx| pool.poll_health(index, ctx));
        });
        ctx.spawn(taken);
    }

    fn poll_load(&mut self, index: usize, ctx: &mut Context<Self>) {
        let Some(station) = self.stations.get(index).cloned() else { return };
        let deadline = self.config.load_interval;
        let look = async move {
            let look = timeout(deadline, station.backend.ask_load()).await.unwrap_or(Look::Missed);
            station.looked(look);
        };
        let looked = look.into_actor(self).map(move |(), _, ctx| {
            ctx.run_later(deadline, move |pool, ctx| pool.poll_load(index, ctx));
        });
        ctx.spawn(looked);
    }
}

impl Pool {
    /// Whether the actor still takes messages.
    pub fn is_alive(&self) -> bool {
        self.address.connected()
    }

    /// The pool's current load, kept up to date.
    pub fn pressure(&self) -> Arc<PressureGauge> {
        self.pressure.clone()
    }
}

impl Actor for InferencePool {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        for index in 0..self.stations.len() {
            self.poll_health(index, ctx);
            if self.stations[index].backend.reports_load() {
                self.poll_load(index, ctx);
            }
        }
    }
}

impl Handler<Acquire> for InferencePool {
    type Result = ();

    fn handle(&mut self, acquire: Acquire, ctx: &mut Self::Context) {
        let AcquireRequest { tier, ask, .. } = acquire.request;
        let refused = if self.closing { Some(Refused::Closing) } else { self.outage(tier) };
        if let Some(refused) = refused {
            return dismiss(Dismissed { acquire, refused });
        }
        if ask == Ask::Hedge {
            return self.hedge(acquire, ctx);
        }
        let now = Instant::now();
        let free = self.queue.is_empty() && self.router.has_room_for(tier);
        if !free {
            self.foresee(now);
        }
        let dismissed = self.queue.offer(acquire, &self.forecasts.1, free, now);
        let turned_away = dismissed.iter().any(Dismissed::is_for_the_wait);
        dismissed.into_iter().for_each(dismiss);
        self.dispatch(ctx);
        if turned_away {
            self.pressure.turned_away();
        }
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
        self.show(Instant::now());
    }
}

impl Handler<Observe> for InferencePool {
    type Result = MessageResult<Observe>;

    fn handle(&mut self, _: Observe, _: &mut Self::Context) -> Self::Result {
        let now = Instant::now();
        self.show(now);
        // Status may be read at any rate, so the measurement is limited here.
        if self.measured.is_none_or(|at| now.saturating_duration_since(at) >= MEASURE_EACH) {
            self.measure(now);
        }
        let status = |station: &Arc<Station>| BackendStatus {
            name: station.backend.name().to_string(),
            model: station.backend.model().to_string(),
            slots: station.cap,
            slots_learned: station.slots(),
            in_flight: station.in_flight(),
            breaker: station.breaker.state(),
            healthy: station.is_healthy(),
        };
        MessageResult(PoolStatus {
            queued: self.queue.len(),
            queued_tokens: self.queue.tokens(),
            wait_ms: self.pressure.predicted_wait().as_millis() as u64,
            oldest_wait_ms: self.pressure.oldest_wait().as_millis() as u64,
            lanes: self.queue.lanes().collect(),
            closing: self.closing,
            backends: self.stations.iter().map(status).collect(),
        })
    }
}

/// Tells the pool that a slot is free.
fn released(ctx: &Context<InferencePool>) -> OnRelease {
    let pool = ctx.address();
    #[expect(clippy::disallowed_methods, reason = "a drop cannot wait, and slots bound these")]
    Arc::new(move || pool.do_send(SlotReleased))
}

fn dismiss(dismissed: Dismissed) {
    let refused = dismissed.refused.spread(|span| jittered(span, rand::random()));
    metrics::refused(refused.label());
    if let Some(queued) = &dismissed.acquire.queued {
        queued.send_replace(None);
    }
    // If the receiver is gone, nobody needs the answer.
    let _ = dismissed.acquire.reply.send(Err(refused));
}
