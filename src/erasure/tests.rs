use actix::{Actor, Context, Handler, ResponseFuture};
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use tempfile::TempDir;
use tokio_util::task::TaskTracker;

use super::*;
use crate::{
    archive::GroupCommit,
    config::{Config, Sources},
    domain::SessionId,
    peers::Peers,
    relay::Rumour,
    session::feed::Feed,
};

/// A session whose actor hears of nothing before it may.
struct Deaf(Arc<Semaphore>);

impl Actor for Deaf {
    type Context = Context<Self>;
}

impl Handler<Rumour> for Deaf {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Rumour, _: &mut Self::Context) -> Self::Result {
        let may_hear = Arc::clone(&self.0);
        Box::pin(async move { drop(may_hear.acquire().await) })
    }
}

/// An eraser over an archive in a file, without other replicas and without a cache.
struct Bench {
    folder: TempDir,
    archive: Archive,
    lookout: Arc<Lookout>,
    eraser: Eraser,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Config::load(&Sources::default()).unwrap().store;
        let file = folder.path().join("archive.db");
        let archive = Archive::open_sqlite(&file, &store).await.unwrap();
        archive.migrate().await.unwrap();
        let commits = GroupCommit::start(archive.clone(), 16, &TaskTracker::new());
        let peers = Arc::new(Peers::alone("one/1".into()));
        let journal = Journal::new(archive.clone(), commits, peers, None, 64);
        let lookout = Arc::<Lookout>::default();
        let erased = Arc::new(Erased::new(Duration::from_mins(15)));
        let eraser = Eraser::new(archive.clone(), journal, Arc::clone(&lookout), None, erased);
        Self { folder, archive, lookout, eraser }
    }

    async fn begin(&self, customer: PrincipalId) {
        let site = SiteId::parse("demo").unwrap();
        self.eraser.begin(&site, customer, None).await.unwrap();
    }

    async fn row(&self, customer: PrincipalId) -> CustomerErasure {
        self.archive.erasure(customer).await.unwrap().unwrap()
    }
}

#[actix::test]
async fn an_erasure_is_not_done_while_a_session_in_memory_has_not_heard_of_it() {
    let bench = Bench::new().await;
    let (customer, may_hear) = (PrincipalId::new(), Arc::new(Semaphore::new(0)));
    let actor = Deaf(Arc::clone(&may_hear)).start().recipient();
    bench.lookout.enter(customer, &Feed::new(SessionId::new(), 0, 8), actor);
    bench.begin(customer).await;
    tokio::time::pause();
    bench.eraser.go_on().await;
    let row = bench.row(customer).await;
    assert!(row.archive_at.is_some() && row.cache_at.is_some(), "{row:?}");
    assert_eq!((row.replicas_at, row.erased_at), (None, None));
    may_hear.add_permits(8);
    bench.eraser.go_on().await;
    assert!(bench.row(customer).await.erased_at.is_some());
}

#[actix::test]
async fn an_erasure_is_not_done_while_a_file_has_copies_of_what_was_deleted() {
    let bench = Bench::new().await;
    let customer = PrincipalId::new();
    let file = bench.folder.path().join("archive.db").display().to_string();
    let mut reader = SqliteConnection::establish(&file).unwrap();
    reader.batch_execute("BEGIN; SELECT COUNT(*) FROM customer_erasures").unwrap();
    bench.begin(customer).await;
    bench.eraser.go_on().await;
    let row = bench.row(customer).await;
    assert_eq!((row.archive_at, row.replicas_at, row.erased_at), (None, None, None));
    reader.batch_execute("COMMIT").unwrap();
    bench.eraser.go_on().await;
    assert!(bench.row(customer).await.erased_at.is_some());
}

#[actix::test]
async fn erasures_that_cannot_end_keep_no_other_one_from_its_turn() {
    let bench = Bench::new().await;
    let stuck: Vec<PrincipalId> =
        (1..=u128::from(ROUND)).map(|n| PrincipalId(Uuid::from_u128(n))).collect();
    let last = PrincipalId(Uuid::max());
    let may_hear = Arc::new(Semaphore::new(0));
    let actor = Deaf(Arc::clone(&may_hear)).start().recipient();
    for customer in &stuck {
        bench.lookout.enter(*customer, &Feed::new(SessionId::new(), 0, 8), actor.clone());
        bench.begin(*customer).await;
    }
    bench.begin(last).await;
    tokio::time::pause();
    bench.eraser.go_on().await;
    assert!(bench.row(last).await.erased_at.is_none(), "a round is bounded");
    bench.eraser.go_on().await;
    assert!(bench.row(last).await.erased_at.is_some());
    may_hear.add_permits(1_000);
    // The next round begins at the front again.
    bench.eraser.go_on().await;
    assert_eq!(bench.archive.open_erasures().await.unwrap(), 0);
}
