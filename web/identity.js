// Who the page is to the server: one anonymous visitor, with a short access token and a refresh token.
// Refreshing is single flight: within the page by one promise, across tabs by a lock, because each
// refresh token works once.

import { Problem } from "./problem.js";
import * as store from "./store.js";

const LEEWAY_MS = 15_000;

export class Identity {
  #siteKey;
  #onNewVisitor;
  #renewing = null;

  /** `onNewVisitor` is told when an earlier visitor could not be continued. */
  constructor(siteKey, onNewVisitor) {
    this.#siteKey = siteKey;
    this.#onNewVisitor = onNewVisitor;
  }

  /** Whether this browser has been here before. */
  get known() {
    return store.read("tokens") !== null;
  }

  /** An access token with some life left. */
  async token() {
    const tokens = store.read("tokens");
    if (tokens && tokens.expiresAt - Date.now() > LEEWAY_MS) return tokens.access;
    return this.renew(tokens?.access);
  }

  /** A newer access token than `stale`. A network failure is thrown and keeps the visitor. */
  renew(stale) {
    this.#renewing ??= exclusively(() => this.#renew(stale)).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renew(stale) {
    const tokens = store.read("tokens");
    if (!tokens) return this.#newVisitor();
    if (tokens.access !== stale) return tokens.access;
    try {
      return keep(await post("/v1/auth/refresh", { refresh_token: tokens.refresh }));
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.retryable || problem.status >= 500) throw problem;
      store.forgetAll();
      const access = await this.#newVisitor();
      this.#onNewVisitor();
      return access;
    }
  }

  async #newVisitor() {
    return keep(
      await post("/v1/auth/visitor", { site_key: this.#siteKey, locale: navigator.language }),
    );
  }
}

function keep(reply) {
  store.write("tokens", {
    access: reply.access_token,
    refresh: reply.refresh_token,
    expiresAt: Date.now() + reply.expires_in * 1000,
  });
  return reply.access_token;
}

function exclusively(work) {
  return navigator.locks ? navigator.locks.request("rushdesk:identity", work) : work();
}

async function post(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
  } catch {
    throw Problem.unreachable();
  }
  if (!response.ok) throw await Problem.of(response);
  return response.json();
}
