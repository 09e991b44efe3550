// Every request of the chat page to the server.

import { Client } from "./client.js";
import { locale } from "./language.js";

export class Api extends Client {
  async createSession() {
    return this.json("POST", "/v1/sessions", { body: { locale } });
  }

  /** The newest conversations of this visitor. */
  async sessions() {
    return (await this.json("GET", "/v1/sessions?limit=30")).items;
  }

  eraseSession(session) {
    return this.json("DELETE", `/v1/sessions/${session}`);
  }

  /** Sends a message; the answer arrives on the event stream. */
  sendMessage(session, { key, text }, signal) {
    return this.json("POST", `/v1/sessions/${session}/messages`, {
      body: { text, client_message_id: key, locale },
      headers: { "Idempotency-Key": key, Prefer: "respond-async" },
      signal,
    });
  }

  /** Confirms or declines a change that was proposed. */
  decide({ action_id: id, hash }, decision) {
    return this.json("POST", `/v1/actions/${id}/${decision}`, {
      body: decision === "confirm" ? { hash } : undefined,
      headers: { Prefer: "respond-async" },
    });
  }

  cancelTurn(session, turn) {
    return this.json("POST", `/v1/sessions/${session}/turns/${turn}/cancel`);
  }

  rate(message, rating, comment) {
    const body = comment ? { rating, comment } : { rating };
    return this.json("POST", `/v1/messages/${message}/feedback`, { body });
  }

  /** How the help was, 1 to 5. */
  rateHelp(session, score, comment) {
    const body = comment ? { score, comment } : { score };
    return this.json("POST", `/v1/sessions/${session}/csat`, { body });
  }

  /** Back to the assistant: nobody is waited for, and a person who has come leaves. */
  backToAssistant(session) {
    return this.json("POST", `/v1/sessions/${session}/release`, { body: { to: "bot" } });
  }
}
