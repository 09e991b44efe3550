//! How journals grow: one step of a session each, many of them in one transaction.
//!
//! A step names the version of the session that it starts from, and takes effect only where the
//! row stands there; the row is locked in between. So one statement decides who the owner is, what
//! comes next and whether a turn is open. A step that was sent before finds the version that it
//! leads to and is done: it may be repeated until there is an answer.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, QueryResult,
    SelectableHelper as _,
};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl as _};
use tokio::time::Instant;
use tracing::{Instrument as _, trace_span};

use super::{
    actions::{LockActions as _, count_carried_out},
    error::ArchiveError,
    handle::Archive,
    metrics,
    projection::{Views, write_journal},
    query::transact,
    rows::{IdempotencyRow, SessionRow},
    schema::{customer_erasures, erased_sessions, idempotency, sessions, sites},
    sqlite::Sqlite,
    write_all::WriteAll as _,
};
use crate::{
    domain::{
        ActionId, ActionState, Append, Decision, IdempotencyRecord, PrincipalId, Quotas, SessionId,
        SessionMeta, SiteId, Version,
    },
    telemetry::traces,
};

/// One step of a session as rows.
#[derive(Clone)]
pub struct Step {
    session: SessionRow,
    /// None for a session that is new.
    from: Option<Version>,
    views: Views,
    record: Option<IdempotencyRecord>,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// It is in the archive, now or since it was sent before.
    Done(Version),
    /// The idempotency key was there already; nothing was written.
    Replayed(IdempotencyRecord),
    /// The session stands elsewhere; nothing was written.
    Outrun,
    Erased {
        owner: PrincipalId,
    },
    /// There is no such session.
    Missing,
}

impl Step {
    /// Makes a session without events.
    pub fn creation(meta: &SessionMeta) -> Self {
        let session = SessionRow::new(meta, &Version::NEW, None);
        Self { session, from: None, views: Views::default(), record: None }
    }

    /// `replica` appends, and owns the session afterwards.
    pub fn new(append: &Append, replica: &str) -> Self {
        let Append { meta, from, idempotency, .. } = append;
        let views = Views::of(append, replica);
        let to = append.to(views.events.iter().map(|row| row.payload.as_str()));
        let session = SessionRow::new(meta, &to, Some(replica));
        Self { session, from: Some(*from), views, record: idempotency.clone() }
    }
}

impl Archive {
    /// Takes all steps that find their session where they start, in one transaction, and says what
    /// became of each, in their order.
    ///
    /// # Errors
    /// None of the steps was taken; after [`ArchiveError::Timeout`] all of them may have been, and
    /// after a lost connection too. Send the same steps again to find out.
    pub async fn advance(&self, steps: Arc<[Step]>) -> Result<Vec<Advanced>, ArchiveError> {
        let started = Instant::now();
        let span = trace_span!("commit", steps = steps.len());
        let records = steps.iter().filter_map(|step| step.record.as_ref());
        let traces = records.filter_map(|record| record.trace.as_deref());
        traces.for_each(|trace| traces::link(&span, trace));
        let outcome = self.take(steps).instrument(span).await?;
        let is_done = |advanced: &&Advanced| matches!(advanced, Advanced::Done(_));
        metrics::committed(outcome.iter().filter(is_done).count(), started.elapsed());
        Ok(outcome)
    }

    async fn take(&self, steps: Arc<[Step]>) -> Result<Vec<Advanced>, ArchiveError> {
        let (new, old): (Vec<&Step>, Vec<&Step>) =
            steps.iter().partition(|step| step.from.is_none());
        let blanks: Vec<SessionRow> = new.iter().map(|step| step.session.clone()).collect();
        let made: Vec<SessionId> = blanks.iter().map(|row| row.id).collect();
        let mut ids: Vec<SessionId> = old.iter().map(|step| step.session.id).collect();
        // One order for all replicas, so that two that lock the same rows wait instead of
        // deadlocking.
        ids.sort_unstable();
        ids.dedup();
        let needed: Vec<ActionId> = steps.iter().flat_map(Step::needed).collect();
        let claims: Vec<Claim> = steps.iter().flat_map(Step::claims).collect();
        let mut busy: Vec<SiteId> = claims.iter().map(|claim| claim.site.clone()).collect();
        busy.sort_unstable();
        busy.dedup();
        let keys: Vec<String> = steps.iter().filter_map(Step::key).map(str::to_owned).collect();
        transact!(self, |conn| {
            let mut plan = Plan::default();
            if !blanks.is_empty() {
                conn.insert_all(&blanks).await?;
            }
            for row in conn.lock_sessions(&ids).await? {
                plan.rows.insert(row.id, row);
            }
            // Before the first plain read: what is counted below is what the holder before has left.
            conn.lock_sites(&busy).await?;
            // An erasure leaves a tombstone before it deletes the row.
            let absent = ids.iter().filter(|id| !plan.rows.contains_key(id)).copied();
            let doubtful: Vec<SessionId> = absent.chain(made.iter().copied()).collect();
            if !doubtful.is_empty() {
                let erased = erased_sessions::table
                    .filter(erased_sessions::session_id.eq_any(&doubtful))
                    .select((erased_sessions::session_id, erased_sessions::owner));
                plan.erased = erased.load(conn).await?.into_iter().collect();
            }
            if !blanks.is_empty() {
                let owners = blanks.iter().map(|row| row.owner_id);
                let gone = customer_erasures::table
                    .filter(customer_erasures::customer_id.eq_any(owners))
                    .select(customer_erasures::customer_id);
                let gone: HashSet<PrincipalId> = gone.load(conn).await?.into_iter().collect();
                let of_gone = blanks.iter().filter(|row| gone.contains(&row.owner_id));
                plan.erased.extend(of_gone.map(|row| (row.id, row.owner_id)));
            }
            let came_back: Vec<SessionId> =
                made.iter().filter(|id| plan.erased.contains_key(id)).copied().collect();
            if !came_back.is_empty() {
                let rows = sessions::table.filter(sessions::id.eq_any(&came_back));
                diesel::delete(rows).execute(conn).await?;
            }
            if !keys.is_empty() {
                let used = idempotency::table.filter(
                    idempotency::session_id
                        .eq_any(&ids)
                        .and(idempotency::idempotency_key.eq_any(&keys)),
                );
                let used: Vec<IdempotencyRow> =
                    used.select(IdempotencyRow::as_select()).load(conn).await?;
                let used = used
                    .into_iter()
                    .map(|row| ((row.session_id, row.idempotency_key.clone()), row.into_record()));
                plan.records = used.collect();
            }
            if !needed.is_empty() {
                let standing = conn.lock_actions(&needed).await?.into_iter();
                plan.actions =
                    standing.map(|(id, state, decision)| (id, (state, decision))).collect();
            }
            for claim in &claims {
                let since = claim.quotas.since;
                let used = count_carried_out!(conn, &claim.site, claim.owner, since);
                plan.used.insert(claim.action, used);
            }
            let outcome = steps.iter().map(|step| plan.take(step)).collect();
            let moved: Vec<SessionRow> =
                plan.moved.iter().filter_map(|id| plan.rows.get(id)).cloned().collect();
            write_journal!(conn, &moved, &plan.views);
            Ok(outcome)
        })
    }
}

impl Step {
    fn key(&self) -> Option<&str> {
        self.record.as_ref().map(|record| record.key.as_str())
    }

    /// The actions that it may only change while they are open. The end of a running turn is not
    /// held up: nobody else settles its action before.
    fn needed(&self) -> Vec<ActionId> {
        let needed = self.record.iter().flat_map(|_| self.views.actions.needed());
        needed.collect()
    }
}

/// A step that has a confirmed action carried out, as far as there is room for one more.
#[derive(Clone)]
struct Claim {
    action: ActionId,
    site: SiteId,
    owner: PrincipalId,
    quotas: Quotas,
}

impl Step {
    fn claims(&self) -> impl Iterator<Item = Claim> {
        let (site, owner) = (&self.session.site_id, self.session.owner_id);
        let claims = self.views.actions.claims();
        claims.map(move |(action, quotas)| Claim { action, site: site.clone(), owner, quotas })
    }
}

/// What a transaction found, and what it will write.
#[derive(Default)]
struct Plan {
    rows: HashMap<SessionId, SessionRow>,
    records: HashMap<(SessionId, String), IdempotencyRecord>,
    erased: HashMap<SessionId, PrincipalId>,
    actions: HashMap<ActionId, (ActionState, Option<Decision>)>,
    /// For each claim, what its shopper and its site had carried out before this transaction.
    used: HashMap<ActionId, (u64, u64)>,
    /// What this transaction claims.
    claimed: Vec<Claim>,
    moved: HashSet<SessionId>,
    views: Views,
}

impl Plan {
    fn take(&mut self, step: &Step) -> Advanced {
        let id = step.session.id;
        if let Some(owner) = self.erased.get(&id) {
            return Advanced::Erased { owner: *owner };
        }
        // The row of a new session was written already, or was there before.
        let Some(from) = step.from else { return Advanced::Done(Version::NEW) };
        let Some(row) = self.rows.get(&id) else { return Advanced::Missing };
        let (at, to) = (row.version(), step.session.version());
        // A repetition: the head says that these events are there.
        if at == to {
            return Advanced::Done(to);
        }
        if let Some(record) = &step.record
            && let Some(known) = self.records.get(&(id, record.key.clone()))
        {
            return Advanced::Replayed(known.clone());
        }
        let fits = |id: ActionId| {
            let standing = self.actions.get(&id);
            standing.is_some_and(|standing| step.views.actions.fits(id, *standing))
        };
        if at != from || !step.needed().into_iter().all(fits) {
            return Advanced::Outrun;
        }
        let claims: Vec<Claim> = step.claims().collect();
        if claims.iter().any(|claim| self.is_too_much(claim)) {
            return Advanced::Outrun;
        }
        self.claimed.extend(claims);
        if let Some(record) = &step.record {
            self.records.insert((id, record.key.clone()), record.clone());
        }
        self.rows.insert(id, step.session.clone());
        self.moved.insert(id);
        self.views.extend(&step.views);
        Advanced::Done(to)
    }
}

impl Plan {
    fn is_too_much(&self, claim: &Claim) -> bool {
        let (of_shopper, of_site) = self.used.get(&claim.action).copied().unwrap_or_default();
        let same = |fits: &dyn Fn(&Claim) -> bool| {
            self.claimed.iter().filter(|other| fits(other)).count() as u64
        };
        let of_shopper = of_shopper + same(&|other| other.owner == claim.owner);
        claim.quotas.are_used(of_shopper, of_site + same(&|other| other.site == claim.site))
    }
}

/// Reads rows and holds them until the end of the transaction.
trait LockSessions {
    async fn lock_sessions(&mut self, ids: &[SessionId]) -> QueryResult<Vec<SessionRow>>;

    /// Of two transactions that count what a site has had done, one waits for the other.
    async fn lock_sites(&mut self, ids: &[SiteId]) -> QueryResult<()>;
}

impl LockSessions for AsyncMysqlConnection {
    async fn lock_sessions(&mut self, ids: &[SessionId]) -> QueryResult<Vec<SessionRow>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sessions::table.filter(sessions::id.eq_any(ids)).order(sessions::id.asc());
        rows.select(SessionRow::as_select()).for_update().load(self).await
    }

    async fn lock_sites(&mut self, ids: &[SiteId]) -> QueryResult<()> {
        if !ids.is_empty() {
            let rows = sites::table.filter(sites::id.eq_any(ids)).order(sites::id.asc());
            rows.select(sites::id).for_update().load::<SiteId>(self).await?;
        }
        Ok(())
    }
}

impl LockSessions for Sqlite {
    /// The first statement of a transaction that writes holds the whole file.
    async fn lock_sessions(&mut self, ids: &[SessionId]) -> QueryResult<Vec<SessionRow>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = || sessions::table.filter(sessions::id.eq_any(ids));
        let hold = diesel::update(rows()).set(sessions::last_seq.eq(sessions::last_seq));
        hold.execute(self).await?;
        rows().select(SessionRow::as_select()).load(self).await
    }

    async fn lock_sites(&mut self, _: &[SiteId]) -> QueryResult<()> {
        Ok(())
    }
}
