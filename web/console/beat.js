// A worker that keeps the beat: browsers slow down the timers of pages that nobody looks at.

// Several of these fit into the time after which an agent counts as away.
setInterval(() => postMessage(null), 8_000);
