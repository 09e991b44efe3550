// Messages that the server has not accepted yet. Stores them in the browser until it has, and sends
// them one after the other. Each keeps its Idempotency-Key. Waits as long as the server asks.
//
// An item's `state` is "sending", "waiting" (for the end of an answer), "paused" (until `until`) or
// "failed". A text leaves the outbox only if the server has it or the shopper takes it back.

import { t } from "./language.js";
import { Problem } from "./problem.js";
import * as store from "./store.js";

const MAX_ATTEMPTS = 6;
// The end of a turn is an event; polling covers the case that it was missed.
const TURN_POLL_MS = 10_000;
// Older messages are not sent automatically; the shopper decides.
const FRESH_MS = 120_000;

export class Outbox {
  items = [];
  #transport;
  #busy = false;
  #wake = () => {};

  /**
   * `transport.send(item, signal)` returns what became of it; `transport.accepted(item, that)`;
   * `transport.blocked()` returns whether a turn is running; `transport.changed(item)`, of one
   * item or, without one, of the list; `transport.sessionGone()` forgets the conversation.
   */
  constructor(transport) {
    this.#transport = transport;
  }

  /** Loads the messages for `session` that were not sent before a reload. */
  restore(session) {
    const known = new Set(this.items.map((item) => item.key));
    for (const { key, text, session: of, at } of store.read("outbox", [])) {
      const here = of === null || of === session;
      if (!here || known.has(key)) continue;
      const item = newItem(key, text, of, at);
      if (Date.now() - at > FRESH_MS) {
        item.state = "failed";
        item.problem = new Problem({ code: "left_behind", detail: t("left_behind") });
      }
      this.items.push(item);
    }
    this.#transport.changed();
    this.#work();
  }

  add(text, session) {
    const item = newItem(crypto.randomUUID?.() ?? fallbackUuid(), text, session, Date.now());
    this.items.push(item);
    this.#keep();
    this.#work();
    return item;
  }

  /** Sends a failed or paused item now. */
  retry(item) {
    item.attempts = 0;
    if (item.state === "failed") this.#set(item, "sending");
    this.#wake();
    this.#work();
  }

  /** Takes an item back and returns its text. */
  withdraw(item) {
    this.#remove(item);
    item.abort?.abort();
    this.#wake();
    return item.text;
  }

  /** The server has this item, because an event names it. */
  delivered(key) {
    const item = this.items.find((candidate) => candidate.key === key);
    if (item) this.#remove(item);
  }

  /** The server is reachable again. A pause that it requested is kept. */
  connected() {
    for (const item of this.items) {
      if (item.state === "failed" && item.problem.status === 0) this.retry(item);
    }
    const next = this.items.find((item) => item.state !== "failed");
    if (next?.state === "paused" && next.problem.status === 0) this.#wake();
  }

  /** The answer that a message waited for has ended. */
  turnEnded() {
    if (this.items.some((item) => item.state === "waiting")) this.#wake();
  }

  /** Another conversation is opened; stored messages stay for later. */
  clear() {
    const items = this.items;
    this.items = [];
    items.forEach((item) => item.abort?.abort());
    this.#wake();
  }

  async #work() {
    if (this.#busy) return;
    this.#busy = true;
    for (;;) {
      const item = this.items.find((candidate) => candidate.state !== "failed");
      if (!item) break;
      await this.#attempt(item);
    }
    this.#busy = false;
  }

  async #attempt(item) {
    if (this.#transport.blocked()) {
      this.#set(item, "waiting");
      await this.#sleep(TURN_POLL_MS);
      if (!this.items.includes(item)) return;
    }
    this.#set(item, "sending");
    item.abort = new AbortController();
    try {
      const taken = await this.#transport.send(item, item.abort.signal);
      if (!this.items.includes(item)) return;
      this.#remove(item);
      this.#transport.accepted(item, taken);
    } catch (error) {
      if (!this.items.includes(item)) return;
      await this.#failed(item, error instanceof Problem ? error : Problem.unreachable());
    }
  }

  async #failed(item, problem) {
    item.problem = problem;
    if (problem.code === "turn_active") {
      this.#set(item, "waiting");
      await this.#sleep(TURN_POLL_MS);
      return;
    }
    item.attempts += 1;
    const backoff = Math.min(30_000, 1_000 * 2 ** item.attempts) * (0.5 + Math.random() / 2);
    if (item.attempts >= MAX_ATTEMPTS) {
      this.#set(item, "failed");
    } else if (problem.code === "request_in_progress") {
      await this.#sleep(problem.retryAfterMs ?? 1_000);
    } else if (problem.gone && item.session !== null) {
      item.session = null;
      this.#transport.sessionGone();
    } else if (problem.retryable) {
      item.until = Date.now() + (problem.retryAfterMs ?? backoff);
      this.#set(item, "paused");
      await this.#sleep(item.until - Date.now());
    } else {
      this.#set(item, "failed");
    }
  }

  #set(item, state) {
    if (item.state === state && state !== "paused") return;
    item.state = state;
    item.rev += 1;
    this.#keep();
    this.#transport.changed(item);
  }

  #remove(item) {
    this.items = this.items.filter((other) => other !== item);
    const stored = store.read("outbox", []).filter(({ key }) => key !== item.key);
    store.write("outbox", stored);
    this.#transport.changed();
  }

  #keep() {
    const mine = new Set(this.items.map((item) => item.key));
    const others = store.read("outbox", []).filter(({ key }) => !mine.has(key));
    const items = this.items.map(({ key, text, session, at }) => ({ key, text, session, at }));
    store.write("outbox", [...others, ...items]);
  }

  #sleep(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function newItem(key, text, session, at) {
  return {
    kind: "pending",
    view: `question:${key}`,
    key,
    text,
    session,
    at,
    state: "sending",
    until: 0,
    attempts: 0,
    problem: null,
    abort: null,
    rev: 0,
  };
}

// `crypto.randomUUID` exists only on secure origins.
function fallbackUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
