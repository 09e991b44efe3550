// That somebody writes is said every few seconds, and holds for a few more.

const SAY_MS = 3_000;
const HOLDS_MS = 6_000;

/** Says that one writes, but not at every key. */
export class Typist {
  #last = 0;

  /** `say()` tells the server. */
  wrote(say) {
    const now = Date.now();
    if (now - this.#last < SAY_MS) return;
    this.#last = now;
    say();
  }
}

/** Forgets after a while that the other side writes. */
export class Lull {
  #timer = 0;

  begin(end) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(end, HOLDS_MS);
  }
}
