// Connects the parts of the page: which conversation is open, and where events go.
//
//   composer ─▶ outbox ─▶ api ─▶ server ─▶ stream ─▶ conversation ─▶ log

import { Api } from "./api.js";
import { Composer } from "./composer.js";
import { CsatView } from "./csat.js";
import { Conversation } from "./conversation.js";
import { Identity } from "./identity.js";
import { speak, t } from "./language.js";
import { Log } from "./log.js";
import { Outbox } from "./outbox.js";
import { PastConversations, rememberTitle } from "./past.js";
import { Problem } from "./problem.js";
import * as store from "./store.js";
import { EventStream } from "./stream.js";
import { Lull, Typist } from "./typing.js";
import { pendingWords, peopleWords, queueWords } from "./words.js";

// Shorter breaks of the connection are not shown.
const OFFLINE_AFTER_MS = 1_500;
const RETRY_HISTORY_MS = 3_000;
const RESET_MS = 600;
const SAY_MS = 6_000;

const $ = (id) => document.getElementById(id);
const siteKey = document.querySelector('meta[name="rushdesk-site-key"]').content;

class Chat {
  #identity = new Identity(siteKey, () => this.#newVisitor());
  #api = new Api(this.#identity);
  #conversation = new Conversation();
  #session = null;
  #stream = null;
  #stopping = null;
  #loading = null;
  #sayTimer = 0;
  #offlineTimer = 0;
  #typist = new Typist();
  #lull = new Lull();

  #outbox = new Outbox({
    send: (item, signal) => this.#send(item, signal),
    accepted: (item, taken) => this.#change(() => this.#conversation.accept(item, taken)),
    blocked: () => Boolean(this.#conversation.running) && !this.#conversation.gathers,
    changed: (item) => this.#outboxChanged(item),
    sessionGone: () => this.#leave(),
  });

  #log = new Log(
    { root: $("log"), scroller: $("scroller"), jump: $("jump") },
    {
      retry: (item) => this.#outbox.retry(item),
      edit: (item) => this.#edit(item),
      rate: (entry, rating, comment) => this.#rate(entry, rating, comment),
      askAgain: (entry) => this.#askAgain(entry),
      ask: (text) => this.#ask(text),
      decide: (entry, card, decision) => this.#decide(entry, card, decision),
      say: (words) => this.#say(words),
    },
  );

  #composer = new Composer($("composer"), {
    send: (text) => this.#ask(text),
    stop: () => this.#stop(),
    typing: () => {
      if (this.#conversation.human) this.#typist.wrote(() => this.#api.typing(this.#session));
    },
  });

  #csat = new CsatView($("csat"), {
    rate: (score, comment) => this.#rateHelp(score, comment),
    leave: () => this.#change(() => Object.assign(this.#conversation, { unrated: false })),
  });

  #past = new PastConversations($("past"), this.#api, {
    open: (session) => this.#open(session),
    erased: (session) => session === this.#session && this.#leave(),
  });

  start() {
    $("new").addEventListener("click", () => this.#startAfresh());
    $("conversations").addEventListener("click", () =>
      this.#past.show(this.#session, this.#identity.known),
    );
    $("back").addEventListener("click", () => this.#backToAssistant());
    for (const example of document.querySelectorAll(".example")) {
      example.addEventListener("click", () => this.#ask(example.querySelector("span").textContent));
    }
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !$("past").open) this.#stop();
    });
    window.addEventListener("online", () => this.#networkIsBack());
    window.addEventListener("offline", () => this.#stream?.reconnect());
    const session = store.read("session");
    if (session && this.#identity.known) this.#open(session);
    else this.#outbox.restore(null);
    this.#draw();
    // On a touch screen the keyboard would cover the page.
    if (matchMedia("(pointer: fine)").matches) this.#composer.focus();
  }

  #ask(text) {
    this.#outbox.add(text, this.#session);
    this.#log.toEnd();
    this.#draw();
    this.#composer.focus();
  }

  async #send(item, signal) {
    if (this.#session === null) {
      const { id } = await this.#api.createSession();
      // The shopper may have opened another conversation in the meantime.
      if (signal.aborted) throw Problem.unreachable();
      this.#enter(id);
      this.#follow();
    }
    item.session = this.#session;
    rememberTitle(this.#session, item.text);
    const { turn_id: turn, status } = await this.#api.sendMessage(this.#session, item, signal);
    return { turn, delivered: status === "delivered" };
  }

  #outboxChanged(item) {
    if (item?.state === "paused" || item?.state === "failed") this.#tell(pendingWords(item, Date.now()));
    this.#draw();
  }

  #edit(item) {
    this.#composer.set(this.#outbox.withdraw(item));
    this.#composer.focus();
  }

  #askAgain(answer) {
    const question = this.#conversation.entries.find(
      (entry) => entry.kind === "question" && entry.turn === answer.turn,
    );
    if (question) this.#ask(question.text);
  }

  async #stop() {
    const turn = this.#conversation.running?.turn;
    if (!turn || this.#stopping === turn) return;
    this.#stopping = turn;
    this.#draw();
    try {
      await this.#api.cancelTurn(this.#session, turn);
    } catch (problem) {
      this.#stopping = null;
      this.#say(t("stop_failed", { why: problem.detail }));
      this.#draw();
    }
  }

  /** What changes then comes on the event stream. */
  async #backToAssistant() {
    $("back").disabled = true;
    try {
      await this.#api.backToAssistant(this.#session);
    } catch (problem) {
      this.#say(t("back_failed", { why: problem.detail }));
    }
    $("back").disabled = false;
    this.#composer.focus();
  }

  /** The turn of the decision comes on the event stream. */
  async #decide(entry, card, decision) {
    // A second click comes before the buttons are drawn as disabled.
    if (entry.decided[card.action_id]) return;
    this.#change(() => this.#conversation.decide(entry, card.action_id, "pending"));
    this.#log.toEnd();
    try {
      await this.#api.decide(card, decision);
    } catch (problem) {
      this.#change(() => this.#conversation.decide(entry, card.action_id, null));
      this.#say(t("decide_failed", { why: problem.detail }));
    }
  }

  async #rate(entry, rating, comment) {
    const before = entry.rating;
    this.#change(() => this.#conversation.change(entry, { rating }));
    try {
      await this.#api.rate(entry.message, rating, comment);
      this.#say(t("thanks"));
    } catch (problem) {
      this.#change(() => this.#conversation.change(entry, { rating: before }));
      this.#say(t("feedback_failed", { why: problem.detail }));
    }
  }

  async #rateHelp(score, comment) {
    try {
      await this.#api.rateHelp(this.#session, score, comment);
    } catch (problem) {
      this.#say(t("feedback_failed", { why: problem.detail }));
      return false;
    }
    this.#change(() => Object.assign(this.#conversation, { unrated: false }));
    this.#say(t("thanks"));
    this.#composer.focus();
    return true;
  }

  /** Opens an earlier conversation: its history first, then its events. */
  async #open(session) {
    this.#outbox.clear();
    this.#leave();
    this.#enter(session);
    await this.#load(session);
  }

  async #load(session) {
    if (this.#session !== session) return;
    this.#loading = session;
    this.#draw();
    while (this.#session === session) {
      try {
        const [snapshot, messages] = await Promise.all([
          this.#api.session(session),
          this.#api.messages(session),
        ]);
        if (this.#session !== session) return;
        this.#loading = null;
        this.#online(true);
        const first = messages.find(({ role }) => role === "user");
        if (first) rememberTitle(session, first.text);
        this.#change(() => this.#conversation.load(messages, snapshot));
        this.#log.toEnd();
        this.#follow();
        this.#outbox.restore(session);
        return;
      } catch (problem) {
        if (this.#session !== session) return;
        if (problem.gone) return this.#gone();
        this.#online(false);
        await new Promise((resolve) => setTimeout(resolve, problem.retryAfterMs ?? RETRY_HISTORY_MS));
      }
    }
  }

  #follow() {
    const session = this.#session;
    this.#stream = new EventStream(this.#api, session, this.#conversation.lastSeq, {
      event: (name, event) => this.#event(name, event),
      live: (live) => this.#online(live),
      reset: () => setTimeout(() => this.#load(session), RESET_MS * (0.5 + Math.random())),
      gone: () => this.#gone(),
    });
    this.#stream.run();
  }

  #event(name, event) {
    this.#change(() => this.#conversation.apply(name, event));
    if (name === "agent.typing") {
      this.#lull.begin(() => this.#change(() => this.#conversation.pauseTyping()));
    }
    const taken = name === "message.created" || name === "message.delivered";
    if (taken && event.client_message_id) {
      this.#outbox.delivered(event.client_message_id);
    }
    const queue = name === "turn.queued" && this.#conversation.running?.queue;
    if (queue) this.#tell(queueWords(queue, Date.now()));
    if (name === "control.changed") {
      const { human, requeued } = this.#conversation;
      this.#say(human ? t("joined") : requeued ? "" : t("assistant_again"));
    }
    // The page says already that it is closed.
    if (name === "session.closed") this.#say("");
  }

  #enter(session) {
    this.#session = session;
    store.write("session", session);
  }

  /** Closes the open conversation; unsent items without a conversation stay. */
  #leave() {
    this.#stream?.stop();
    this.#stream = null;
    this.#session = null;
    this.#stopping = null;
    this.#loading = null;
    store.forget("session");
    this.#online(true);
    this.#conversation = new Conversation();
    this.#draw();
  }

  #startAfresh() {
    if (this.#session !== null) {
      this.#outbox.clear();
      this.#leave();
    }
    this.#composer.focus();
  }

  #gone() {
    this.#leave();
    this.#say(t("gone"));
  }

  #newVisitor() {
    this.#leave();
    this.#say(t("visit_ended"));
  }

  #networkIsBack() {
    this.#stream?.reconnect();
    this.#outbox.connected();
  }

  #online(live) {
    clearTimeout(this.#offlineTimer);
    if (live) {
      $("connection").hidden = true;
      this.#outbox.connected();
      return;
    }
    this.#offlineTimer = setTimeout(() => {
      $("connection").hidden = false;
      $("connection-words").textContent = t(
        navigator.onLine ? "reconnecting" : "offline",
      );
    }, OFFLINE_AFTER_MS);
  }

  /** Changes the conversation and draws it; messages that waited for the end of an answer continue. */
  #change(work) {
    const before = this.#conversation.running;
    work();
    const after = this.#conversation.running;
    if (before && before !== after) {
      this.#stopping = null;
      this.#outbox.turnEnded();
    }
    this.#draw();
  }

  #draw() {
    const { entries, running, closed, agentTyping } = this.#conversation;
    const all = [...entries, ...this.#outbox.items];
    this.#log.draw(all);
    $("welcome").hidden = all.length > 0 || this.#loading !== null;
    $("loading").hidden = this.#loading === null || entries.length > 0;
    $("typing").hidden = !agentTyping;
    const people = peopleWords(this.#conversation, Date.now());
    $("people").hidden = people === null;
    if ($("people-words").textContent !== (people ?? "")) $("people-words").textContent = people ?? "";
    $("back").hidden = closed;
    const { unrated, human, awaits } = this.#conversation;
    this.#csat.show(unrated && !human && !awaits);
    $("hint-words").textContent = t(this.#conversation.human ? "hint_person" : "hint");
    $("new").disabled = all.length === 0;
    this.#composer.update({
      running: Boolean(running),
      stopping: running !== undefined && this.#stopping === running.turn,
      closed,
    });
  }

  /** One short sentence for eyes and screen readers. */
  #say(words) {
    clearTimeout(this.#sayTimer);
    $("status").textContent = words;
    this.#sayTimer = setTimeout(() => $("status").replaceChildren(), SAY_MS);
  }

  /** The same for screen readers only, if the page already shows it elsewhere. */
  #tell(words) {
    $("announcer").textContent = words;
  }
}

await speak();
new Chat().start();
