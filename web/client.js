// Requests with a token, which is renewed once after a 401; every failure becomes a `Problem`. And
// what every page reads of a conversation. It knows formats and never touches the page.

import { locale } from "./language.js";
import { Problem } from "./problem.js";

const TIMEOUT_MS = 30_000;
const PAGE = 100;
const MAX_PAGES = 50;

export class Client {
  #identity;

  /** `identity.token()` and `identity.renew(stale)` return access tokens. */
  constructor(identity) {
    this.#identity = identity;
  }

  /** The snapshot of a conversation: its state, and whether the bot or a person answers. */
  session(session) {
    return this.json("GET", `/v1/sessions/${session}`);
  }

  /** The whole history, oldest first. */
  async messages(session) {
    const all = [];
    let after = 0;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const path = `/v1/sessions/${session}/messages?after_seq=${after}&limit=${PAGE}`;
      const { items, next_cursor: more } = await this.json("GET", path);
      all.push(...items);
      const last = items.at(-1)?.seq ?? after;
      if (!more || last <= after) break;
      after = last;
    }
    return all;
  }

  /** Says that one writes. Nobody waits for it, and it may be lost. */
  typing(session) {
    this.request("POST", `/v1/sessions/${session}/typing`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => {});
  }

  /** The response of the event stream, with its body unread. `signal` ends it. */
  async events(session, { after, lastEventId }, signal) {
    const query = lastEventId ? "" : `?after=${after}`;
    const headers = { Accept: "text/event-stream" };
    if (lastEventId) headers["Last-Event-ID"] = lastEventId;
    return this.request("GET", `/v1/sessions/${session}/events${query}`, { headers, signal });
  }

  async json(method, path, { signal, ...options } = {}) {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    const response = await this.request(method, path, { ...options, signal: either });
    return response.json().catch(() => ({}));
  }

  async request(method, path, options) {
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
