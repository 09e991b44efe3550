//! One answer in progress: waits for a slot, then sends its pieces on time. Dropping it cancels it.
//!
//! All answers of a thread share the timer wheel of its runtime. A token costs one entry there and
//! one small string.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, sleep_until},
};

use super::{
    fault::Fault,
    frames::{Frames, Usage},
    stats::Account,
    text::Lorem,
};

/// Pause between the last token and the break of [`Fault::Die`], so that the body is flushed
/// before.
const BEFORE_DEATH: Duration = Duration::from_millis(5);
/// How many tokens of reasoning [`Fault::Think`] sends.
const THOUGHTS: usize = 5;
/// How many good tokens [`Fault::Garbage`] sends.
const BEFORE_GARBAGE: usize = 3;

/// The simulated break of a connection.
#[derive(Debug)]
pub struct Died;

impl fmt::Display for Died {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the simulated connection died, as its model's name asks")
    }
}

impl std::error::Error for Died {}

/// The timing of the tokens of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub first: Duration,
    pub gap: Duration,
}

pub struct Talk {
    pub frames: Frames,
    pub lorem: Lorem,
    pub fault: Fault,
    pub pace: Pace,
    /// Number of tokens that the model would generate, and the client's limit.
    pub tokens: usize,
    pub limit: Option<usize>,
    pub prompt_tokens: usize,
    pub account: Account,
    /// `None`: unlimited. The semaphore is fair, so waiting is first in, first out.
    pub slots: Option<Arc<Semaphore>>,
}

/// How the tokens of an answer end.
enum Ending {
    Finish,
    Error,
    Garbage,
    Cut,
    Die,
}

struct Speaking {
    talk: Talk,
    script: Script,
    step: Step,
    begun: Instant,
    said: usize,
    tail: VecDeque<Bytes>,
    _slot: Option<OwnedSemaphorePermit>,
}

enum Step {
    Slot,
    Tokens,
    Tail,
    Die,
}

struct Script {
    thoughts: usize,
    tokens: usize,
    ending: Ending,
    reason: &'static str,
}

impl Talk {
    /// The answer as the pieces of a response body.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes, Died>> {
        let script = self.script();
        let speaking = Speaking {
            talk: self,
            script,
            step: Step::Slot,
            begun: Instant::now(),
            said: 0,
            tail: VecDeque::new(),
            _slot: None,
        };
        stream::unfold(Box::new(speaking), Speaking::next)
    }

    /// The answer as one JSON body, after the time for its tokens.
    ///
    /// # Errors
    /// [`Died`] for every model whose answers do not end normally.
    pub async fn whole(mut self) -> Result<String, Died> {
        let _slot = self.take_slot().await;
        let script = self.script();
        let said = script.thoughts + script.tokens;
        sleep_until(self.due(Instant::now(), said.saturating_sub(1))).await;
        self.account.done();
        if !matches!(script.ending, Ending::Finish) {
            return Err(Died);
        }
        self.account.sent_tokens(said);
        let text = self.lorem.text(script.tokens);
        let thought: String =
            (0..script.thoughts).map(|index| self.lorem.piece(index + 8)).collect();
        let usage = Usage { prompt: self.prompt_tokens, completion: said };
        Ok(self.frames.whole(&text, &thought, script.reason, usage))
    }

    fn script(&self) -> Script {
        let limit = self.limit.unwrap_or(usize::MAX);
        let (ending, most) = match self.fault {
            Fault::Die(k) => (Ending::Die, k),
            Fault::Error(k) => (Ending::Error, k),
            Fault::Cut(k) => (Ending::Cut, k),
            Fault::Garbage => (Ending::Garbage, BEFORE_GARBAGE),
            Fault::Empty => (Ending::Finish, 0),
            Fault::None
            | Fault::Stall
            | Fault::Busy
            | Fault::Broken
            | Fault::Slow
            | Fault::Think => (Ending::Finish, self.tokens),
        };
        let tokens = most.min(limit);
        let reason = if tokens < most { "length" } else { "stop" };
        let thoughts = if self.fault == Fault::Think { THOUGHTS } else { 0 };
        Script { thoughts, tokens, ending, reason }
    }

    async fn take_slot(&mut self) -> Option<OwnedSemaphorePermit> {
        let slot = match &self.slots {
            // The semaphore is never closed, so an error cannot happen.
            Some(slots) => slots.clone().acquire_owned().await.ok(),
            None => None,
        };
        self.account.got_slot();
        if self.fault == Fault::Stall {
            std::future::pending::<()>().await;
        }
        slot
    }

    /// When token `index` is due. Absolute, so that a late token does not delay the ones after it.
    fn due(&self, begun: Instant, index: usize) -> Instant {
        let slow = if self.fault == Fault::Slow { 10 } else { 1 };
        let after = self.pace.first + self.pace.gap * u32::try_from(index).unwrap_or(u32::MAX);
        begun + after * slow
    }
}

impl Speaking {
    async fn next(mut self: Box<Self>) -> Option<(Result<Bytes, Died>, Box<Self>)> {
        loop {
            match self.step {
                Step::Slot => {
                    self._slot = self.talk.take_slot().await;
                    self.begun = Instant::now();
                    self.step = Step::Tokens;
                    if let Some(opening) = self.talk.frames.opening() {
                        sleep_until(self.talk.due(self.begun, 0)).await;
                        return Some((Ok(opening), self));
                    }
                }
                Step::Tokens if self.said < self.script.thoughts + self.script.tokens => {
                    let due = self.talk.due(self.begun, self.said);
                    if due > Instant::now() {
                        sleep_until(due).await;
                    }
                    return Some((Ok(self.say()), self));
                }
                Step::Tokens => self.end(),
                Step::Tail => return Some((Ok(self.tail.pop_front()?), self)),
                Step::Die => {
                    sleep(BEFORE_DEATH).await;
                    self.step = Step::Tail;
                    return Some((Err(Died), self));
                }
            }
        }
    }

    fn say(&mut self) -> Bytes {
        let (frames, lorem) = (&self.talk.frames, &self.talk.lorem);
        let frame = match self.said.checked_sub(self.script.thoughts) {
            Some(index) => frames.token(lorem.piece(index)),
            None => frames.thought(lorem.piece(self.said + 8)),
        };
        self.said += 1;
        self.talk.account.sent_tokens(1);
        frame
    }

    fn end(&mut self) {
        let usage = Usage { prompt: self.talk.prompt_tokens, completion: self.said };
        let tail = match self.script.ending {
            Ending::Finish => self.talk.frames.finish(self.script.reason, usage),
            Ending::Error => self.talk.frames.error(),
            Ending::Garbage => self.talk.frames.garbage(),
            Ending::Cut | Ending::Die => Vec::new(),
        };
        self.tail = tail.into();
        self.step = if matches!(self.script.ending, Ending::Die) { Step::Die } else { Step::Tail };
        self.talk.account.done();
    }
}
