// One open conversation: its history, then its events; the reply, and who may speak.

import { Conversation, shownText } from "../conversation.js";
import { el } from "../dom.js";
import { EventStream } from "../stream.js";
import { Lull, Typist } from "../typing.js";
import { Notes } from "./notes.js";
import { Pass } from "./pass.js";
import { moment } from "./times.js";

const NEAR_END_PX = 80;
const LOST = "Nothing was heard of you for a while, so this conversation went back to the queue.";
const AUTHORS = { question: "Shopper", answer: "Assistant" };

const $ = (id) => document.getElementById(id);

export class Talk {
  #api;
  #me;
  #on;
  #session = null;
  #stream = null;
  #conversation = new Conversation();
  #controller = "bot";
  /** `seq` of the newest event that is on the page. */
  #seen = 0;
  #nodes = new Map();
  /** The reply that is on its way keeps its key until the server has it. */
  #reply = null;
  /** What was typed and not sent, by conversation. */
  #drafts = new Map();
  /** A change of who may speak, and a reply, are on their way each on its own. */
  #acting = false;
  #sending = false;
  #notes;
  #pass = new Pass({ pass: (to, note) => this.#passOn(to, note) });
  /** Whether the newest message is in view. */
  #atEnd = true;
  #typist = new Typist();
  #lull = new Lull();

  /** `me` is the own id. `on.say(words)`, `on.changed()`, `on.live(boolean)`, `on.colleagues()`. */
  constructor(api, me, on) {
    this.#api = api;
    this.#me = me;
    this.#on = on;
    this.#notes = new Notes(api, (words) => on.say(words));
    $("accept").addEventListener("click", () => this.accept());
    $("to-bot").addEventListener("click", () => this.release("bot"));
    $("to-queue").addEventListener("click", () => this.release("queue"));
    $("to-agent").addEventListener("click", () => this.pass());
    $("close").addEventListener("click", () => this.close());
    $("lines").addEventListener("scroll", () => this.#look());
    // Notes and the line above the reply take room from the messages, and not from the newest one.
    new ResizeObserver(() => this.#atEnd && this.#toEnd()).observe($("lines"));
    $("reply").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    $("text").addEventListener("input", () => {
      if (this.#mine && $("text").value !== "") this.#typist.wrote(() => this.#api.typing(this.#session));
    });
    $("text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
  }

  get session() {
    return this.#session;
  }

  async open(session) {
    this.leave();
    this.#session = session;
    $("text").value = this.#drafts.get(session) ?? "";
    $("notes").open = false;
    await Promise.all([this.#load(session), this.#notes.open(session)]);
    $("text").focus();
  }

  leave() {
    this.#stream?.stop();
    this.#stream = null;
    if (this.#session) this.#drafts.set(this.#session, $("text").value);
    $("text").value = "";
    this.#session = null;
    this.#reply = null;
    this.#nodes.clear();
    $("lines").replaceChildren();
    $("talk").hidden = true;
  }

  accept() {
    return this.#act(() => this.#api.accept(this.#session));
  }

  release(to) {
    return this.#act(() => this.#api.release(this.#session, to));
  }

  /** Asks to whom, and for a note. */
  pass() {
    if (this.#acting || !this.#mine) return;
    this.#pass.open(this.#on.colleagues());
  }

  async #passOn(to, note) {
    const session = this.#session;
    try {
      if (note !== "") await this.#notes.write(session, note);
      const work = () => (to === "queue" ? this.#api.release(session, to) : this.#api.transfer(session, to));
      this.#controller = (await work()).controller;
    } catch (problem) {
      return problem.detail;
    }
    this.#on.say("");
    this.#on.changed();
    if (this.#session !== null) this.#draw();
    return null;
  }

  close() {
    return this.#act(() => this.#api.close(this.#session));
  }

  async #load(session) {
    try {
      const [snapshot, messages] = await Promise.all([this.#api.session(session), this.#api.messages(session)]);
      if (this.#session !== session) return;
      this.#conversation = new Conversation();
      this.#conversation.load(messages, snapshot);
      this.#controller = snapshot.controller;
      this.#seen = this.#conversation.lastSeq;
      $("talk").hidden = false;
      this.#draw();
      this.#toEnd();
    } catch (problem) {
      if (this.#session !== session) return;
      this.#on.say(problem.detail);
      if (problem.gone) this.leave();
      else setTimeout(() => this.#session === session && this.#load(session), 3_000);
      return;
    }
    this.#stream?.stop();
    this.#stream = new EventStream(this.#api, session, this.#conversation.lastSeq, {
      event: (name, event) => this.#event(name, event),
      live: (live) => this.#on.live(live),
      reset: () => this.#load(session),
      gone: () => {
        this.leave();
        this.#on.say("This conversation is gone.");
      },
    });
    this.#stream.run();
  }

  #event(name, event) {
    this.#conversation.apply(name, event);
    this.#seen = Math.max(this.#seen, event.seq ?? 0);
    if (name === "shopper.typing") this.#lull.begin(() => this.#pauseTyping());
    if (name === "handoff.ended" && event.reason && this.#mine) this.#on.say(LOST);
    if (name === "control.changed") this.#controller = event.controller;
    if (name.startsWith("handoff.") || name === "control.changed") this.#on.changed();
    this.#draw();
  }

  #pauseTyping() {
    this.#conversation.pauseTyping();
    this.#draw();
  }

  async #act(work) {
    if (this.#acting || this.#session === null) return;
    this.#acting = true;
    this.#draw();
    try {
      this.#controller = (await work()).controller;
      this.#on.say("");
    } catch (problem) {
      this.#on.say(problem.detail);
    }
    this.#acting = false;
    this.#on.changed();
    if (this.#session !== null) this.#draw();
    if (this.#mine) $("text").focus();
  }

  async #send() {
    const text = $("text").value.trim();
    if (text === "" || this.#sending || !this.#mine) return;
    if (this.#reply?.text !== text) this.#reply = { key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, text };
    const session = this.#session;
    this.#sending = true;
    this.#draw();
    try {
      await this.#api.say(session, this.#reply.key, text, this.#seen);
      if (this.#session === session) {
        this.#reply = null;
        // What was typed meanwhile is the next reply.
        if ($("text").value.trim() === text) $("text").value = "";
      }
      this.#on.say("");
    } catch (problem) {
      const stale = problem.code === "stale_view";
      this.#on.say(stale ? "The shopper has written something new. Read it, then send again." : problem.detail);
    }
    this.#sending = false;
    if (this.#session !== null) this.#draw();
    $("text").focus();
  }

  get #mine() {
    return this.#controller === `agent:${this.#me}`;
  }

  #draw() {
    const free = this.#controller === "bot";
    $("accept").disabled = this.#acting || !free;
    const { closed } = this.#conversation;
    for (const id of ["to-bot", "to-queue", "to-agent"]) $(id).disabled = this.#acting || !this.#mine;
    $("close").disabled = this.#acting || closed || !(free || this.#mine);
    $("text").disabled = !this.#mine;
    $("reply").querySelector("button").disabled = this.#sending || !this.#mine;
    const bot = closed ? "Closed. A message of the shopper opens it again." : "The assistant answers.";
    const who = this.#mine ? "You have this conversation." : free ? bot : "Somebody else has it.";
    if ($("who").textContent !== who) $("who").textContent = who;
    $("shopper-typing").hidden = !this.#conversation.shopperTyping;
    this.#lines();
  }

  #lines() {
    const lines = $("lines");
    const atEnd = this.#atEnd;
    const { entries } = this.#conversation;
    const shown = new Set(entries.map((entry) => entry.view));
    for (const [view, line] of this.#nodes) {
      if (shown.has(view)) continue;
      line.node.remove();
      this.#nodes.delete(view);
    }
    for (const entry of entries) {
      let line = this.#nodes.get(entry.view);
      if (!line) {
        line = { node: el(`article.line.${entry.kind}`, {}, el("h3.author", {}, el("span"), el("time")), el("p.said", { dir: "auto" })), rev: -1 };
        this.#nodes.set(entry.view, line);
        lines.append(line.node);
      }
      if (line.rev === entry.rev) continue;
      line.rev = entry.rev;
      line.node.querySelector(".author span").textContent = AUTHORS[entry.kind] ?? entry.name ?? "Our team";
      const time = line.node.querySelector("time");
      time.dateTime = entry.at ?? "";
      time.textContent = entry.at ? ` · ${moment(entry.at)}` : "";
      line.node.querySelector(".said").textContent = entry.kind === "answer" ? shownText(entry) || "…" : entry.text;
    }
    if (atEnd) this.#toEnd();
  }

  #look() {
    const lines = $("lines");
    this.#atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < NEAR_END_PX;
  }

  #toEnd() {
    $("lines").scrollTop = $("lines").scrollHeight;
    this.#atEnd = true;
  }
}
