// The page's identity for the server: one anonymous visitor, with a short-lived access token and a
// refresh token. Refreshing is single flight: one promise within the page, and a lock across tabs,
// because each refresh token works only once.

import { locale } from "./language.js";
import { Problem } from "./problem.js";
import { solve } from "./proof.js";
import * as store from "./store.js";

const LEEWAY_MS = 15_000;

export class Identity {
  #siteKey;
  #onNewVisitor;
  #renewing = null;

  /** `onNewVisitor` is called if an earlier visitor could not be continued. */
  constructor(siteKey, onNewVisitor) {
    this.#siteKey = siteKey;
    this.#onNewVisitor = onNewVisitor;
  }

  /** Whether this browser has been here before. */
  get known() {
    return store.read("tokens") !== null;
  }

  /** An access token that is still valid for a while. */
  async token() {
    const tokens = store.read("tokens");
    if (tokens && tokens.expiresAt - Date.now() > LEEWAY_MS) return tokens.access;
    return this.renew(tokens?.access);
  }

  /** An access token newer than `stale`. Throws on a network failure and keeps the visitor. */
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
    const body = { site_key: this.#siteKey, locale };
    try {
      return keep(await post("/v1/auth/visitor", body));
    } catch (problem) {
      const { challenge } = problem;
      if (!challenge) throw problem;
      const proof = { challenge: challenge.token, nonce: await solve(challenge) };
      return keep(await post("/v1/auth/visitor", { ...body, proof }));
    }
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
      headers: { "Content-Type": "application/json", "Accept-Language": locale },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
  } catch {
    throw Problem.unreachable();
  }
  if (!response.ok) throw await Problem.of(response);
  return response.json();
}
