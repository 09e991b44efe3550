// Every request of the console to the server.

import { Client } from "../client.js";

export class DeskApi extends Client {
  /** Who waits, who has which conversation, and who is on duty. */
  desk() {
    return this.json("GET", "/v1/desk/queue");
  }

  /** The newest conversations that are over. */
  ended() {
    return this.json("GET", "/v1/desk/ended");
  }

  /** The response of the agent's own stream, with its body unread. `signal` ends it. */
  deskEvents(lastEventId, signal) {
    const headers = { Accept: "text/event-stream" };
    if (lastEventId) headers["Last-Event-ID"] = lastEventId;
    return this.request("GET", "/v1/desk/events", { headers, signal });
  }

  /** Notes and tags of a conversation. */
  notes(session) {
    return this.json("GET", `/v1/desk/sessions/${session}`);
  }

  note(session, key, text) {
    const headers = { "Idempotency-Key": key };
    return this.json("POST", `/v1/sessions/${session}/messages`, { body: { text, visibility: "note" }, headers });
  }

  tag(session, tags) {
    return this.json("PUT", `/v1/desk/sessions/${session}/tags`, { body: { tags } });
  }

  presence(state, capacity) {
    return this.json("PUT", "/v1/desk/presence", { body: { state, capacity } });
  }

  accept(session) {
    return this.json("POST", `/v1/sessions/${session}/accept`);
  }

  /** To "bot" or "queue". */
  release(session, to) {
    return this.json("POST", `/v1/sessions/${session}/release`, { body: { to } });
  }

  /** To another agent, by id. */
  transfer(session, to) {
    return this.json("POST", `/v1/sessions/${session}/transfer`, { body: { to } });
  }

  close(session) {
    return this.json("POST", `/v1/sessions/${session}/close`);
  }

  /** `seen`: `seq` of the newest message that was on the page. */
  say(session, key, text, seen) {
    return this.json("POST", `/v1/sessions/${session}/messages`, {
      body: { text, client_message_id: key, last_seen_seq: seen },
      headers: { "Idempotency-Key": key },
    });
  }
}
