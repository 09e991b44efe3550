// Failures of a request as one type: the server's problem (RFC 9457), or that it was unreachable.

import { t } from "./language.js";

export class Problem extends Error {
  constructor({ status, code, detail, retryAfterMs = null, challenge = null }) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfterMs = retryAfterMs;
    /** The proof of work that would let a new visitor in. */
    this.challenge = challenge;
  }

  /** Whether the same request may succeed later. */
  get retryable() {
    return this.status === 0 || [408, 429, 502, 503, 504].includes(this.status);
  }

  /** Whether the conversation does not exist (any longer) for this visitor. */
  get gone() {
    return this.status === 403 || this.status === 404 || this.status === 410;
  }

  static unreachable() {
    return new Problem({ status: 0, code: "unreachable", detail: t("no_shop") });
  }

  static async of(response) {
    const body = await response.json().catch(() => ({}));
    return new Problem({
      status: response.status,
      code: body.code ?? "internal",
      detail: body.detail ?? t("wrong"),
      retryAfterMs: body.retry_after_ms ?? retryAfterHeader(response),
      challenge: body.challenge,
    });
  }
}

function retryAfterHeader(response) {
  const seconds = Number.parseFloat(response.headers.get("Retry-After") ?? "");
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : null;
}
