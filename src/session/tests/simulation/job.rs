//! Work of a process, which goes on only when it is told to.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

pub type Work = Pin<Box<dyn Future<Output = ()>>>;

pub struct Job {
    /// The process that does it.
    pub process: usize,
    work: Work,
    signal: Arc<Signal>,
}

struct Signal(AtomicBool);

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Job {
    pub fn new(process: usize, work: impl Future<Output = ()> + 'static) -> Self {
        Self { process, work: Box::pin(work), signal: Arc::new(Signal(AtomicBool::new(true))) }
    }

    /// Whether it can go on.
    pub fn is_ready(&self) -> bool {
        self.signal.0.load(Ordering::Relaxed)
    }

    /// Goes on until it waits for something. Whether it is done.
    pub fn go_on(&mut self) -> bool {
        self.signal.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.signal));
        self.work.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(())
    }
}
