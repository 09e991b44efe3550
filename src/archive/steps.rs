//! A thread on which calls of an archive in a file are made one after the other, each when its
//! future is polled for the second time. So the order of all calls is the order of the polls.

use std::{
    cell::Cell,
    future::poll_fn,
    task::{Context, Poll, Waker},
};

use super::error::ArchiveError;

thread_local! {
    /// Whether calls fail before they reach the archive; none on all other threads.
    static FAIL: Cell<Option<bool>> = const { Cell::new(None) };
}

/// While it is held, its thread is such a thread.
#[must_use]
pub struct Steps(());

impl Drop for Steps {
    fn drop(&mut self) {
        FAIL.set(None);
    }
}

pub fn begin() -> Steps {
    FAIL.set(Some(false));
    Steps(())
}

/// Whether this is such a thread.
pub fn are_taken() -> bool {
    FAIL.get().is_some()
}

/// Whether calls fail from now on.
pub fn fail(fail: bool) {
    FAIL.set(Some(fail));
}

/// What others do comes before what follows.
pub async fn next() -> Result<(), ArchiveError> {
    if are_taken() {
        pause().await;
    }
    match FAIL.get() {
        Some(true) => Err(ArchiveError::Unavailable("it was cut off".into())),
        Some(false) | None => Ok(()),
    }
}

/// Pending once, and ready to go on.
pub async fn pause() {
    let mut has_paused = false;
    poll_fn(|cx| {
        if has_paused {
            return Poll::Ready(());
        }
        has_paused = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Makes all the steps of something that waits for nothing else.
pub fn at_once<T>(work: impl Future<Output = T>) -> T {
    let mut work = Box::pin(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
