// The only reader of a conversation's events. It reconnects with backoff and jitter, resumes with
// Last-Event-ID, and detects a silent connection. It does not interpret events, except for the
// three about the stream itself.

import { Problem } from "./problem.js";
import { SseParser } from "./sse.js";

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;
// The server sends a comment at least every 15 s.
const SILENCE_MS = 40_000;

export class EventStream {
  #api;
  #session;
  #after;
  #on;
  #lastEventId = null;
  #delay = FIRST_DELAY_MS;
  #attempt = 0;
  #stopped = false;
  #connection = null;
  #wake = () => {};

  /**
   * `on.event(name, data)`, `on.live(boolean)`, `on.reset()` (history must be read again; the stream has
   * stopped), `on.gone()` (there is no such conversation; the stream has stopped).
   */
  constructor(api, session, after, on) {
    this.#api = api;
    this.#session = session;
    this.#after = after;
    this.#on = on;
  }

  async run() {
    while (!this.#stopped) {
      const pause = await this.#connect();
      if (this.#stopped) return;
      this.#on.live(false);
      await this.#sleep(pause);
    }
  }

  stop() {
    this.#stopped = true;
    this.#connection?.abort();
    this.#wake();
  }

  /** The network is back or has changed: tries at once. */
  reconnect() {
    this.#attempt = 0;
    this.#connection?.abort();
    this.#wake();
  }

  /** Reads until the connection ends. Returns the milliseconds to wait before the next one. */
  async #connect() {
    const connection = new AbortController();
    this.#connection = connection;
    const silence = watchdog(SILENCE_MS, () => connection.abort());
    let pause = null;
    try {
      const position = { after: this.#after, lastEventId: this.#lastEventId };
      const response = await this.#api.events(this.#session, position, connection.signal);
      this.#on.live(true);
      const parser = new SseParser((frame) => {
        if (!this.#stopped) pause = this.#frame(frame) ?? pause;
      });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        silence.touch();
        parser.push(value);
      }
    } catch (error) {
      if (error instanceof Problem && error.gone && !this.#stopped) {
        this.stop();
        this.#on.gone();
      }
      pause ??= error instanceof Problem ? error.retryAfterMs : null;
    } finally {
      silence.stop();
    }
    return pause ?? this.#backoff();
  }

  /** Handles one frame. Returns a pause if the server asks for one. */
  #frame({ event, data, id, retry }) {
    if (retry !== null) this.#delay = Math.min(retry, MAX_DELAY_MS);
    if (data === "") return null;
    this.#attempt = 0;
    const fields = parse(data);
    if (event === "stream.reset") {
      this.stop();
      this.#on.reset();
    } else if (event === "server.draining") {
      return fields.reconnect_after_ms ?? null;
    } else {
      this.#on.event(event, fields);
    }
    if (id !== null) this.#lastEventId = id;
    return null;
  }

  // The first wait is the server's own `retry:`, which already differs from client to client.
  #backoff() {
    const grown = Math.min(MAX_DELAY_MS, this.#delay * 2 ** this.#attempt);
    const jitter = this.#attempt === 0 ? 1 : 0.5 + Math.random() / 2;
    this.#attempt += 1;
    return grown * jitter;
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

function watchdog(ms, onSilence) {
  let timer = setTimeout(onSilence, ms);
  return {
    touch() {
      clearTimeout(timer);
      timer = setTimeout(onSilence, ms);
    },
    stop: () => clearTimeout(timer),
  };
}

function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return {};
  }
}
