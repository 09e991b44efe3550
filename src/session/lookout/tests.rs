use actix::{Actor, Context, Handler, ResponseFuture};
use tokio::sync::Semaphore;

use super::*;

/// An actor that hears a rumour once it may.
struct Probe {
    may_hear: Arc<Semaphore>,
    heard: Arc<Mutex<Vec<Rumour>>>,
}

impl Actor for Probe {
    type Context = Context<Self>;
}

impl Handler<Rumour> for Probe {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, rumour: Rumour, _: &mut Self::Context) -> Self::Result {
        let (may_hear, heard) = (Arc::clone(&self.may_hear), Arc::clone(&self.heard));
        Box::pin(async move {
            if may_hear.acquire().await.is_ok() {
                heard.lock().unwrap().push(rumour);
            }
        })
    }
}

/// A session that is open here, and what its actor has heard.
struct Opened {
    feed: Arc<Feed>,
    heard: Arc<Mutex<Vec<Rumour>>>,
}

impl Opened {
    fn new(lookout: &Lookout, owner: PrincipalId, may_hear: &Arc<Semaphore>) -> Self {
        let (feed, heard) = (Feed::new(SessionId::new(), 0, 8), Arc::default());
        let probe = Probe { may_hear: Arc::clone(may_hear), heard: Arc::clone(&heard) };
        lookout.enter(owner, &feed, probe.start().recipient());
        Self { feed, heard }
    }

    async fn heard(&self) -> Vec<Rumour> {
        // What was sent is handled before this timer.
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.heard.lock().unwrap().clone()
    }
}

fn all() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(Semaphore::MAX_PERMITS))
}

#[actix::test]
async fn what_was_erased_while_it_was_being_opened_is_ended_at_once() {
    tokio::time::pause();
    let (lookout, person, other) = (Lookout::default(), PrincipalId::new(), PrincipalId::new());
    assert!(lookout.forget(person).await);
    let late = Opened::new(&lookout, person, &all());
    assert_eq!(late.heard().await, [Rumour::Erased]);
    let present = Opened::new(&lookout, other, &all());
    assert_eq!(present.heard().await, []);

    lookout.erased(&[present.feed.session_id()]);
    assert_eq!(present.heard().await, [Rumour::Erased]);
    // Another actor that had begun to read it before.
    let (probe, heard) = (all(), Arc::default());
    let probe = Probe { may_hear: probe, heard: Arc::clone(&heard) };
    lookout.enter(other, &present.feed, probe.start().recipient());
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(*heard.lock().unwrap(), [Rumour::Erased]);
}

#[actix::test]
async fn a_person_is_forgotten_when_every_open_session_has_heard_of_it() {
    tokio::time::pause();
    let (lookout, person) = (Lookout::default(), PrincipalId::new());
    let may_hear = Arc::new(Semaphore::new(0));
    let quick = Opened::new(&lookout, person, &all());
    let busy = Opened::new(&lookout, person, &may_hear);
    let other = Opened::new(&lookout, PrincipalId::new(), &all());
    let begun = Instant::now();
    assert!(!lookout.forget(person).await, "one of them has not heard it");
    assert_eq!(begun.elapsed().as_secs(), TELLING.as_secs());
    assert_eq!((quick.heard().await, busy.heard().await), (vec![Rumour::Erased], vec![]));
    may_hear.add_permits(8);
    assert!(lookout.forget(person).await);
    lookout.leave(&busy.feed);
    may_hear.forget_permits(8);
    assert!(lookout.forget(person).await, "one that left holds nothing");
    assert_eq!(other.heard().await, []);
}
