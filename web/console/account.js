// Somebody of the shop who is signed in. The tokens live as long as the tab.

import { Problem } from "../problem.js";

const KEY = "rushdesk:console";
const LEEWAY_MS = 15_000;
const TIMEOUT_MS = 20_000;

export class Account {
  #renewing = null;
  #onEnded;

  /** `onEnded` is called if the sign-in cannot be continued. */
  constructor(onEnded) {
    this.#onEnded = onEnded;
  }

  /** `{id, role, site_id}`, or null. */
  get principal() {
    return read()?.principal ?? null;
  }

  async signIn(siteKey, email, password) {
    const reply = await post("/v1/auth/login", { site_key: siteKey, email, password });
    if (!["agent", "admin"].includes(reply.principal.role)) {
      throw new Problem({ status: 403, code: "forbidden", detail: "This account is not one of the shop's people." });
    }
    keep(reply);
  }

  async signOut() {
    const tokens = read();
    sessionStorage.removeItem(KEY);
    if (tokens) await post("/v1/auth/logout", { refresh_token: tokens.refresh }).catch(() => {});
  }

  async token() {
    const tokens = read();
    if (tokens && tokens.expiresAt - Date.now() > LEEWAY_MS) return tokens.access;
    return this.renew(tokens?.access);
  }

  /** An access token newer than `stale`. */
  renew(stale) {
    this.#renewing ??= this.#renew(stale).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renew(stale) {
    const tokens = read();
    if (tokens && tokens.access !== stale) return tokens.access;
    try {
      if (!tokens) throw new Problem({ status: 401, code: "token_invalid", detail: "Please sign in." });
      return keep(await post("/v1/auth/refresh", { refresh_token: tokens.refresh }));
    } catch (problem) {
      if (problem.status === 401) {
        sessionStorage.removeItem(KEY);
        this.#onEnded();
      }
      throw problem;
    }
  }
}

function read() {
  return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
}

function keep(reply) {
  const { access_token: access, refresh_token: refresh, expires_in: seconds, principal } = reply;
  const expiresAt = Date.now() + seconds * 1000;
  sessionStorage.setItem(KEY, JSON.stringify({ access, refresh, expiresAt, principal }));
  return access;
}

async function post(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw Problem.unreachable();
  }
  if (!response.ok) throw await Problem.of(response);
  return response.status === 204 ? {} : response.json().catch(() => ({}));
}
