// One conversation as data: the history, and the change that each event makes. Applying an event
// twice changes nothing, so a replay after a reconnect never repeats text. No page, no network.
//
// An entry is a bubble. `kind` is "question", "answer" or "agent". `view` is its id for as long as
// it is shown. `rev` increases with each change.

/** A message that follows within this time and before the first word joins the one before it. */
const GATHER_MS = 1200;

export class Conversation {
  entries = [];
  /** `seq` of the last durable event in the history. */
  lastSeq = 0;
  closed = false;
  /** Whether a person from the shop has taken over. */
  human = false;
  agentTyping = false;
  shopperTyping = false;
  /** Who that is, if it is known. */
  personName = null;
  /** `{position, until}` while somebody is to come; both may be null. */
  awaits = null;
  /** Somebody came, and has not ended it. */
  helped = false;
  /** The conversation waits for another person, because the last one passed it on or is gone. */
  requeued = false;
  /** There was help that the shopper has not rated. */
  unrated = false;

  /** Starts over from the history and the snapshot of the session. */
  load(messages, session) {
    this.entries = [];
    this.human = session.controller !== "bot";
    this.closed = session.state === "closed";
    this.pauseTyping();
    this.personName = null;
    this.awaits = session.handoff && !this.human ? { position: null, until: null } : null;
    this.helped = this.human;
    this.requeued = false;
    this.unrated = false;
    messages.forEach((message) => this.#fromHistory(message));
    this.lastSeq = Math.max(0, ...messages.filter((m) => m.status !== "streaming").map((m) => m.seq));
    const last = this.entries.at(-1);
    if (last?.kind === "question" && !last.delivered && !this.human) this.#answer(last.turn);
  }

  /** The server has accepted the message as the turn `turn`, or delivered it to a person. */
  accept({ key, text }, { turn, delivered }) {
    this.#question(turn, { key, text, delivered });
    if (!delivered) this.#answer(turn);
  }

  /** The answer in progress, if there is one. */
  get running() {
    return this.entries.find((entry) => entry.kind === "answer" && entry.status === "streaming");
  }

  /** Whether a further message can still be answered together with the one that is being answered. */
  get gathers() {
    const { running } = this;
    return Boolean(running) && running.text === "" && Date.now() - running.since < GATHER_MS;
  }

  /** Changes an entry and marks it as changed. */
  change(entry, fields) {
    Object.assign(entry, fields);
    entry.rev += 1;
  }

  apply(name, event) {
    switch (name) {
      case "message.created":
        this.#question(event.turn_id, { key: event.client_message_id, text: event.text, at: event.at });
        if (!this.human) this.#answer(event.turn_id);
        break;
      case "turn.queued": {
        const queue = { position: event.position, until: Date.now() + event.eta_ms };
        this.#live(event, () => ({ queue, stage: null }));
        break;
      }
      case "turn.started":
        this.#live(event, () => ({ queue: null, route: event.route }));
        break;
      case "turn.status":
        this.#live(event, () => ({ queue: null, stage: event.stage }));
        break;
      case "answer.delta":
        this.#live(event, (answer) =>
          event.index > answer.index
            ? { index: event.index, text: answer.text + event.text, queue: null }
            : null,
        );
        break;
      case "answer.replaced":
        this.#live(event, () => ({ text: event.text, preview: "" }));
        break;
      case "answer.citation":
        this.#live(event, (answer) =>
          answer.citations.some((known) => known.id === event.id)
            ? null
            : { citations: [...answer.citations, event] },
        );
        break;
      case "answer.completed":
        this.#end(event, "complete", {
          route: event.route,
          citations: event.citations ?? [],
          cut: event.finish_reason === "length",
          cards: event.cards ?? [],
          choices: event.choices ?? [],
          ...ticketFields(event.ticket),
        });
        break;
      case "action.result":
        this.#decided(event);
        break;
      case "turn.failed":
        this.#end(event, "failed", { problem: event.problem });
        break;
      case "turn.cancelled":
        if (event.reason === "superseded" && !event.text) this.#remove(event.turn_id);
        else this.#end(event, "cancelled", {});
        break;
      case "agent.message":
        this.agentTyping = false;
        this.#agent({ id: event.message_id, text: event.text, agent: event.agent, created_at: event.at });
        break;
      case "message.delivered":
        this.shopperTyping = false;
        this.#question(event.turn_id, { key: event.client_message_id, text: event.text, at: event.at, delivered: true });
        break;
      case "handoff.queued":
        this.awaits = {
          position: event.position,
          until: event.eta_ms === undefined ? null : Date.now() + event.eta_ms,
        };
        break;
      case "handoff.accepted":
        this.awaits = null;
        this.helped = true;
        this.personName = event.agent?.name ?? null;
        break;
      case "handoff.ended":
        this.awaits = null;
        this.requeued = event.to === "queue";
        if (this.helped && !this.requeued) [this.unrated, this.helped] = [true, false];
        break;
      case "agent.typing":
        this.agentTyping = true;
        break;
      case "shopper.typing":
        this.shopperTyping = true;
        break;
      case "control.changed":
        this.human = event.controller !== "bot";
        this.pauseTyping();
        this.#dropBrokenOff();
        break;
      case "session.rated":
        this.unrated = false;
        break;
      case "session.closed":
        this.closed = true;
        break;
      case "session.reopened":
        this.closed = false;
        break;
      default:
        // A newer server may send events that this page does not know.
        break;
    }
  }

  /** Nobody writes, as far as is known. */
  pauseTyping() {
    this.agentTyping = false;
    this.shopperTyping = false;
  }

  #fromHistory(message) {
    const { turn_id: turn, created_at: at } = message;
    if (message.role === "user") {
      // Said to a person, it has no answer of the assistant.
      this.#question(turn, { text: message.text, at, delivered: message.route === "human" });
    } else if (message.role === "agent") {
      this.#agent(message);
    } else if (message.status === "streaming") {
      this.change(this.#answer(turn), { preview: message.text, message: message.id, at });
    } else {
      this.change(this.#answer(turn), {
        message: message.id,
        text: message.text,
        status: message.status,
        route: message.route ?? null,
        citations: message.citations ?? [],
        cards: message.cards ?? [],
        choices: canUndo(message.outcome) ? [{ undo: true }] : [],
        rating: message.feedback ?? null,
        ...ticketFields(message.ticket),
        at,
      });
      this.#settle(message.ticket, turn);
      if (message.outcome) this.#decided(message.outcome);
    }
  }

  /** It is known, or for now not known, what became of a change. */
  #decided({ action_id: id, status }) {
    const offers = (entry) => entry.cards?.some((card) => card.action_id === id);
    const entry = this.entries.find(offers);
    if (entry) this.decide(entry, id, status);
  }

  /** Marks a change of an answer: "pending", what became of it, or null for undecided. */
  decide(entry, id, state) {
    this.change(entry, { decided: { ...entry.decided, [id]: state } });
  }

  #question(turn, { key, text, at, delivered = false }) {
    const known = this.entries.find((entry) => entry.kind === "question" && entry.turn === turn);
    if (known) return;
    for (const entry of this.entries) {
      if (entry.choices?.length > 0) this.change(entry, { choices: [] });
    }
    this.entries.push({
      kind: "question",
      view: `question:${key ?? turn}`,
      turn,
      text,
      delivered,
      at: at ?? new Date().toISOString(),
      rev: 0,
    });
  }

  #answer(turn) {
    const known = this.entries.find((entry) => entry.kind === "answer" && entry.turn === turn);
    if (known) return known;
    const answer = {
      kind: "answer",
      view: `answer:${turn}`,
      turn,
      message: null,
      status: "streaming",
      since: Date.now(),
      text: "",
      // Text from the history, shown until the pieces have caught up with it.
      preview: "",
      index: -1,
      stage: null,
      queue: null,
      route: null,
      citations: [],
      // What was looked up, and changes that wait for a yes or no; their states by id.
      cards: [],
      decided: {},
      // Ways to go on, `{label, text}`, until the shopper asks something. `{undo}` takes back what was done.
      choices: [],
      rating: null,
      problem: null,
      cut: false,
      // A question that will be answered later: `{id, state}` of its ticket.
      ticket: null,
      // This answer came later; it names the question that it answers.
      late: false,
      asked: null,
      at: null,
      rev: 0,
    };
    this.entries.push(answer);
    return answer;
  }

  #agent(message) {
    const view = `agent:${message.id}`;
    if (this.entries.some((entry) => entry.view === view)) return;
    this.#dropBrokenOff();
    const name = message.agent?.name ?? null;
    if (this.human) this.personName = name;
    this.entries.push({ kind: "agent", view, name, text: message.text, at: message.created_at, rev: 0 });
  }

  /** An answer that a person's coming broke off shows nothing. */
  #dropBrokenOff() {
    const isBroken = ({ kind, status, text }) => kind === "answer" && status === "cancelled" && text === "";
    this.entries = this.entries.filter((entry) => !isBroken(entry));
  }

  #live(event, fieldsOf) {
    const answer = this.#answer(event.turn_id);
    if (answer.status !== "streaming") return;
    const fields = fieldsOf(answer);
    if (fields) this.change(answer, fields);
  }

  #end(event, status, fields) {
    const answer = this.#answer(event.turn_id);
    if (answer.status !== "streaming") return;
    if (event.ticket?.state === "answered") this.unrated = true;
    const { message_id: message, text, at } = event;
    this.change(answer, { message, text, at, status, queue: null, preview: "", ...fields });
    this.#settle(event.ticket, event.turn_id);
  }

  /** The next turn answers this question, too. */
  #remove(turn) {
    this.entries = this.entries.filter((entry) => entry.kind !== "answer" || entry.turn !== turn);
  }

  /** The answer to a ticket arrived as the turn `turn`. It names its question, and the ticket is closed. */
  #settle(ticket, turn) {
    if (ticket?.state !== "answered") return;
    const kept = this.entries.find(
      (entry) => entry.kind === "answer" && entry.turn !== turn && entry.ticket?.id === ticket.id,
    );
    if (!kept) return;
    const question = this.entries.find((entry) => entry.kind === "question" && entry.turn === kept.turn);
    this.change(kept, { ticket });
    this.change(this.#answer(turn), { asked: question?.text ?? null });
  }
}

function ticketFields(ticket) {
  return { ticket: ticket ?? null, late: ticket?.state === "answered" };
}

/** The part of an answer's text that may be shown now. */
export function shownText(answer) {
  return answer.text.length >= answer.preview.length ? answer.text : answer.preview;
}

/** Whether a change was made that can still be taken back. */
function canUndo(outcome) {
  return outcome?.undo_until !== undefined && Date.parse(outcome.undo_until) > Date.now();
}
