// Every request of the page to the server. Adds the token, renews it once after a 401, and turns
// every failure into a `Problem`. It knows routes and formats and never touches the page.

import { locale } from "./language.js";
import { Problem } from "./problem.js";

const TIMEOUT_MS = 30_000;
const PAGE = 100;
const MAX_PAGES = 50;

export class Api {
  #identity;

  constructor(identity) {
    this.#identity = identity;
  }

  async createSession() {
    return this.#json("POST", "/v1/sessions", { body: { locale } });
  }

  /** The newest conversations of this visitor. */
  async sessions() {
    return (await this.#json("GET", "/v1/sessions?limit=30")).items;
  }

  /** The snapshot of a conversation: its state, and whether the bot or a person answers. */
  session(session) {
    return this.#json("GET", `/v1/sessions/${session}`);
  }

  eraseSession(session) {
    return this.#json("DELETE", `/v1/sessions/${session}`);
  }

  /** The whole history, oldest first. */
  async messages(session) {
    const all = [];
    let after = 0;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const path = `/v1/sessions/${session}/messages?after_seq=${after}&limit=${PAGE}`;
      const { items, next_cursor: more } = await this.#json("GET", path);
      all.push(...items);
      const last = items.at(-1)?.seq ?? after;
      if (!more || last <= after) break;
      after = last;
    }
    return all;
  }

  /** Sends a message; the answer arrives on the event stream. */
  sendMessage(session, { key, text }, signal) {
    return this.#json("POST", `/v1/sessions/${session}/messages`, {
      body: { text, client_message_id: key, locale },
      headers: { "Idempotency-Key": key, Prefer: "respond-async" },
      signal,
    });
  }

  /** Confirms or declines a change that was proposed. */
  decide({ action_id: id, hash }, decision) {
    return this.#json("POST", `/v1/actions/${id}/${decision}`, {
      body: decision === "confirm" ? { hash } : undefined,
      headers: { Prefer: "respond-async" },
    });
  }

  cancelTurn(session, turn) {
    return this.#json("POST", `/v1/sessions/${session}/turns/${turn}/cancel`);
  }

  rate(message, rating, comment) {
    const body = comment ? { rating, comment } : { rating };
    return this.#json("POST", `/v1/messages/${message}/feedback`, { body });
  }

  /** The response of the event stream, with its body unread. `signal` ends it. */
  async events(session, { after, lastEventId }, signal) {
    const query = lastEventId ? "" : `?after=${after}`;
    const headers = { Accept: "text/event-stream" };
    if (lastEventId) headers["Last-Event-ID"] = lastEventId;
    return this.#request("GET", `/v1/sessions/${session}/events${query}`, { headers, signal });
  }

  async #json(method, path, { signal, ...options } = {}) {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    const response = await this.#request(method, path, { ...options, signal: either });
    return response.json().catch(() => ({}));
  }

  async #request(method, path, options) {
    const token = await this.#identity.token();
    const response = await send(method, path, options, token);
    if (response.status !== 401) return checked(response);
    const renewed = await this.#identity.renew(token);
    return checked(await send(method, path, options, renewed));
  }
}

async function send(method, path, { body, headers = {}, signal }, token) {
  const init = { method, signal, headers: { ...headers, "Accept-Language": locale, Authorization: `Bearer ${token}` } };
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  try {
    return await fetch(path, init);
  } catch {
    throw Problem.unreachable();
  }
}

async function checked(response) {
  if (!response.ok) throw await Problem.of(response);
  return response;
}
