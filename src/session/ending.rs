//! The end of a turn becomes durable.

use std::time::Duration;

use tracing::{error, warn};

use super::{metrics, state::Session};
use crate::{
    clock,
    domain::{Append, Appended, Ending, Event, Fact, Part, SessionMeta, TurnId, Version},
    journal::{Journal, JournalError},
};

/// Events read at once in search of an end that somebody else gave a turn.
const PAGE: u32 = 64;
/// Waits between attempts to make the end of a turn durable, at first and at most.
const ENDING_RETRY: Duration = Duration::from_millis(250);
const ENDING_RETRY_MAX: Duration = Duration::from_secs(2);

/// A turn that this replica runs, and where its session stood when it began.
pub struct Begun {
    pub turn_id: TurnId,
    pub meta: SessionMeta,
    pub version: Version,
}

/// How a turn ended.
#[derive(Clone)]
pub struct Ended {
    ending: Ending,
    append: Append,
    /// Where the session stands if this replica appended the end.
    version: Option<Version>,
    /// What was appended while the turn ran.
    before: Vec<Event>,
}

impl Ended {
    /// What was appended since the turn began, its end last.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.before.iter().chain(&self.append.events)
    }

    /// Counts what became of proposals, if this replica appended it.
    pub fn count(&self) {
        if self.version.is_some() {
            metrics::acted(&self.append);
        }
    }

    /// The session takes the end in.
    pub fn take_in(&self, session: &mut Session) {
        match self.version {
            Some(version) if self.append.from == *session.version() => {
                session.accepted(&self.append, version);
            }
            // The next message reads the session first.
            _ => {
                session.outrun_by(&self.before);
                session.outrun_by(&self.append.events);
            }
        }
    }
}

impl Begun {
    /// Returns when the turn has an end in the journal: this one, or one that another replica gave
    /// it. `withdraw` takes back the text that was shown.
    ///
    /// There is no limit: what may have been written is never taken back. The same bytes are sent
    /// until the archive has them, or has another end.
    pub async fn end(&self, journal: &Journal, ending: Ending, withdraw: impl Fn()) -> Ended {
        let session = Session::owned(self.meta.clone(), self.version, &[]);
        let append = session.ending(self.turn_id, &ending, clock::now());
        let mut ended = Ended { ending, append, version: None, before: Vec::new() };
        ended.version = self.make_durable(journal, &mut ended, withdraw).await;
        ended
    }

    /// Where the session stands afterwards; `None` if a person or another replica ended the turn, or
    /// the session is gone.
    async fn make_durable(
        &self,
        journal: &Journal,
        ended: &mut Ended,
        withdraw: impl Fn(),
    ) -> Option<Version> {
        let turn_id = self.turn_id;
        let mut pause = ENDING_RETRY;
        loop {
            // Boxed: the way through the stores is long, and a turn carries it while it runs.
            match Box::pin(journal.append(&ended.append)).await {
                Ok(Appended::Done(version)) => return Some(version),
                Ok(Appended::Replayed(_)) => return None,
                Ok(Appended::Outrun) => match self.adopt(journal, ended, &withdraw).await {
                    Ok(Adopted::Ended) => {
                        match ended.append.events.first().map(|event| &event.fact) {
                            Some(Fact::TurnCancelled { .. }) => withdraw(),
                            _ => warn!(%turn_id, "a turn was ended by another replica"),
                        }
                        return None;
                    }
                    Ok(Adopted::Behind) => {}
                    Ok(Adopted::Lost) => {
                        error!(%turn_id, "a turn has no end in the journal");
                        return None;
                    }
                    Err(JournalError::Erased { .. } | JournalError::NotFound) => return None,
                    Err(JournalError::Archive(_)) => tokio::time::sleep(pause).await,
                },
                Err(JournalError::Erased { .. } | JournalError::NotFound) => return None,
                Err(error) => {
                    if !error.is_in_doubt() {
                        error!(%error, %turn_id, "the end of a turn was refused");
                    }
                    tokio::time::sleep(pause).await;
                }
            }
            pause = (pause * 2).min(ENDING_RETRY_MAX);
        }
    }

    /// Finds out what was appended since this turn began. If the session still belongs to this
    /// replica, `append` is made to follow it. If another person may speak by now, the turn's text
    /// comes too late and it ends as cancelled.
    async fn adopt(
        &self,
        journal: &Journal,
        ended: &mut Ended,
        withdraw: impl Fn(),
    ) -> Result<Adopted, JournalError> {
        let turn_id = self.turn_id;
        let mut after = ended.append.from.seq;
        let mut before = Vec::new();
        loop {
            let events = journal.events(self.meta.id, after, PAGE).await?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            for event in events {
                if event.turn_id == turn_id && event.fact.part() == Part::Ends {
                    ended.append.meta.last_seq = event.seq;
                    ended.append.events = vec![event];
                    ended.before.append(&mut before);
                    return Ok(Adopted::Ended);
                }
                before.push(event);
            }
        }
        let now = journal.open(self.meta.id).await?;
        if now.version.seq != after {
            // Something was appended in between; the next attempt finds it.
            return Ok(Adopted::Behind);
        }
        if now.version.owner_epoch != self.version.owner_epoch {
            return Ok(Adopted::Lost);
        }
        let session = Session::owned(now.meta, now.version, &now.events);
        if session.meta.epoch > self.meta.epoch {
            withdraw();
            // What was done was done, whoever may speak.
            let outcome = ended.ending.outcome.take();
            let cancelled = Ending::from(Fact::cancelled(String::new()));
            ended.ending = Ending { outcome, ..cancelled };
        }
        ended.append = session.ending(turn_id, &ended.ending, clock::now());
        ended.before.append(&mut before);
        Ok(Adopted::Behind)
    }
}

/// What a turn found that could not append its end.
enum Adopted {
    /// Another replica has ended the turn.
    Ended,
    /// The end comes behind what was appended.
    Behind,
    /// The session went on elsewhere, and the turn has no end there.
    Lost,
}
