//! Texts between the actor and the threads: bounded, oldest first, and without abandoned ones.
//!
//! A text waits twice: as received, then tokenised. The next free thread does the next step, so a
//! lone text runs at once, and texts that arrive during a batch form the next one. One permit in
//! each job bounds both stages together.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::Instant,
};

use super::{
    batcher::{Limits, choose},
    error::EmbedError,
    messages::{Embed, Embedding},
    metrics::{self, Outcome},
    tokenizer::Tokens,
};

/// How many texts one thread tokenises in a row. It is small, so that a burst is shared between
/// threads.
const TOKENIZE_AT_ONCE: usize = 16;

/// A caller that waits for a vector.
pub struct Job {
    pub text: String,
    deadline: Instant,
    since: Instant,
    reply: oneshot::Sender<Result<Embedding, EmbedError>>,
    /// Its place in the queue until it enters a batch.
    place: Option<OwnedSemaphorePermit>,
}

impl Job {
    pub fn finish(self, result: Result<Embedding, EmbedError>) {
        metrics::text(match result {
            Ok(_) => Outcome::Done,
            Err(EmbedError::Timeout) => Outcome::Expired,
            Err(_) => Outcome::Failed,
        });
        // If the caller has left in the meantime, the result is dropped.
        let _ = self.reply.send(result);
    }

    /// Returns the job if its caller still waits.
    pub fn alive(self, now: Instant) -> Option<Self> {
        if self.reply.is_closed() {
            metrics::text(Outcome::Abandoned);
            None
        } else if self.deadline <= now {
            self.finish(Err(EmbedError::Timeout));
            None
        } else {
            Some(self)
        }
    }
}

/// A job whose text has been tokenised.
pub struct Ready {
    pub job: Job,
    pub tokens: Tokens,
}

/// The next work for a thread.
pub enum Work {
    Tokenize(Vec<Job>),
    Batch(Vec<Ready>),
}

#[derive(Default)]
struct State {
    raw: VecDeque<Job>,
    ready: VecDeque<Ready>,
    idle: usize,
    closed: bool,
}

pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    places: Arc<Semaphore>,
    bound: usize,
    budget: usize,
    batches: AtomicU64,
    threads: AtomicUsize,
}

impl Queue {
    /// `bound`: how many texts may wait. `budget`: padded tokens of one batch.
    pub fn new(bound: usize, budget: usize) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            places: Arc::new(Semaphore::new(bound)),
            bound,
            budget,
            batches: AtomicU64::new(0),
            threads: AtomicUsize::new(0),
        }
    }

    /// Adds the request, or refuses it through its reply.
    pub fn push(&self, request: Embed) {
        let Embed { text, deadline, reply, .. } = request;
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            metrics::text(Outcome::Refused);
            let _ = reply.send(Err(EmbedError::Overloaded));
            return;
        };
        let job = Job { text, deadline, since: Instant::now(), reply, place: Some(place) };
        let mut state = self.lock();
        if state.closed {
            job.finish(Err(EmbedError::Closed));
            return;
        }
        state.raw.push_back(job);
        drop(state);
        metrics::queued(self.queued());
        self.changed.notify_one();
    }

    /// Adds tokenised texts, ordered by the age of their jobs.
    pub fn push_ready(&self, texts: Vec<Ready>) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        for text in texts {
            // Two threads may tokenise at the same time and finish in either order.
            let place = state.ready.partition_point(|other| other.job.since <= text.job.since);
            state.ready.insert(place, text);
        }
        // The caller takes a batch next; another thread is woken for the rest.
        if state.ready.len() > 1 {
            self.changed.notify_one();
        }
    }

    /// Blocks until there is work; `None` once the queue is closed.
    pub fn take(&self) -> Option<Work> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(work) = state.next(self.budget, Instant::now()) {
                if !state.raw.is_empty() || !state.ready.is_empty() {
                    self.changed.notify_one();
                }
                drop(state);
                if let Work::Batch(batch) = &work {
                    self.batches.fetch_add(1, Ordering::Relaxed);
                    metrics::waited(batch.iter().map(|text| text.job.since.elapsed()));
                }
                return Some(work);
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Threads end after their current batch; callers that still wait get `Closed`.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let raw = std::mem::take(&mut state.raw);
        let ready = std::mem::take(&mut state.ready);
        drop(state);
        self.changed.notify_all();
        for job in raw.into_iter().chain(ready.into_iter().map(|text| text.job)) {
            job.finish(Err(EmbedError::Closed));
        }
    }

    pub fn queued(&self) -> usize {
        self.bound - self.places.available_permits()
    }

    pub fn bound(&self) -> usize {
        self.bound
    }

    pub fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    pub fn threads_alive(&self) -> usize {
        self.threads.load(Ordering::Relaxed)
    }

    /// Counts a thread for as long as the guard lives.
    pub fn thread(&self) -> ThreadAlive<'_> {
        self.threads.fetch_add(1, Ordering::Relaxed);
        ThreadAlive(&self.threads)
    }

    /// No code that can panic runs under the lock, so even a poisoned state is consistent.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self, budget: usize, now: Instant) -> Option<Work> {
        if !self.raw.is_empty() {
            let some = self.raw.len().min(TOKENIZE_AT_ONCE);
            return Some(Work::Tokenize(self.raw.drain(..some).collect()));
        }
        self.ready = std::mem::take(&mut self.ready)
            .into_iter()
            .filter_map(|Ready { job, tokens }| Some(Ready { job: job.alive(now)?, tokens }))
            .collect();
        let lengths: Vec<usize> = self.ready.iter().map(|text| text.tokens.ids.len()).collect();
        let texts = lengths.len().div_ceil(self.idle + 1);
        let chosen = choose(&lengths, Limits { budget, texts });
        let mut batch = Vec::with_capacity(chosen.len());
        for position in chosen.into_iter().rev() {
            if let Some(mut text) = self.ready.remove(position) {
                text.job.place = None;
                batch.push(text);
            }
        }
        batch.reverse();
        (!batch.is_empty()).then_some(Work::Batch(batch))
    }
}

pub struct ThreadAlive<'a>(&'a AtomicUsize);

impl Drop for ThreadAlive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
