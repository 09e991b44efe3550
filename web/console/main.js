// Connects the parts of the console: sign-in, duty, the lists of the desk, and the open conversation.

import { speak } from "../language.js";
import { EventStream } from "../stream.js";
import { Account } from "./account.js";
import { DeskApi } from "./api.js";
import { Lists } from "./lists.js";
import { Talk } from "./talk.js";

// Shorter breaks of a connection are not shown.
const OFFLINE_AFTER_MS = 1_500;
const LOST = "The connection is lost; trying again.";
// Waiting times are shown in minutes.
const CLOCK_MS = 20_000;
// What one said about one's duty; it lives as long as the sign-in of this tab.
const DUTY = "rushdesk:duty";

const $ = (id) => document.getElementById(id);

class Console {
  #account = new Account(() => this.#leaveDesk("Your sign-in has ended. Please sign in again."));
  #api = new DeskApi(this.#account);
  #lists = new Lists((session) => this.#open(session));
  #talk = null;
  #desk = { waiting: [], active: [], agents: [] };
  /** Null until they are read. */
  #ended = null;
  #clock = 0;
  #beats = null;
  #looking = false;
  #stream = null;
  #offline = 0;
  /** Conversations of one's own in which the shopper has said something that was not shown. */
  #unread = new Set();

  start() {
    $("site-key").value = document.querySelector('meta[name="rushdesk-site-key"]').content;
    $("sign-in").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#signIn();
    });
    $("sign-out").addEventListener("click", () => this.#signOut());
    $("online").addEventListener("change", () => this.#beat());
    $("capacity").addEventListener("change", () => this.#beat());
    $("to-lists").addEventListener("click", () => this.#leave());
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("visibilitychange", () => this.#talk && this.#draw());
    if (this.#account.principal) this.#enter();
    else this.#leaveDesk("");
  }

  /** The conversations that others may take from here. */
  get #colleagues() {
    const me = this.#account.principal?.id;
    return this.#desk.agents.filter((agent) => agent.id !== me);
  }

  async #signIn() {
    const button = $("sign-in").querySelector("button");
    button.disabled = true;
    try {
      await this.#account.signIn($("site-key").value.trim(), $("email").value.trim(), $("password").value);
      $("password").value = "";
      this.#say("");
      this.#enter();
    } catch (problem) {
      this.#say(problem.detail);
    }
    button.disabled = false;
  }

  #enter() {
    this.#talk ??= new Talk(this.#api, this.#account.principal.id, {
      say: (words) => this.#say(words),
      changed: () => this.#look(),
      live: (live) => this.#live(live),
      colleagues: () => this.#colleagues,
    });
    $("sign-in").hidden = true;
    $("desk").hidden = $("duty").hidden = false;
    const { online, capacity } = JSON.parse(sessionStorage.getItem(DUTY) ?? "{}");
    $("online").checked = online ?? false;
    $("capacity").value = capacity ?? $("capacity").value;
    this.#clock = setInterval(() => this.#draw(), CLOCK_MS);
    this.#beats = new Worker("/assets/console/beat.js");
    this.#beats.onmessage = () => this.#beat();
    this.#beat();
    this.#follow();
    $("online").focus();
  }

  /** One stream for the desk and all conversations of one's own. */
  #follow() {
    this.#stream?.stop();
    const api = { events: (_, { lastEventId }, signal) => this.#api.deskEvents(lastEventId, signal) };
    this.#stream = new EventStream(api, null, 0, {
      event: (name, event) => this.#event(name, event),
      live: (live) => this.#live(live),
      reset: () => this.#follow(),
      gone: () => this.#say("The desk is not there."),
    });
    this.#stream.run();
  }

  #event(name, event) {
    if (name === "desk.queue") {
      this.#take(event);
    } else if (name === "message.delivered" && (event.session_id !== this.#talk.session || document.hidden)) {
      this.#unread.add(event.session_id);
      this.#draw();
    }
  }

  /** The desk as it is now. One that is gone from it has ended. */
  #take(desk) {
    const open = new Set([...desk.waiting, ...desk.active].map((row) => row.handoff_id));
    const before = [...this.#desk.waiting, ...this.#desk.active];
    this.#desk = desk;
    const mine = new Set(desk.active.map((row) => row.session_id));
    this.#unread.forEach((session) => mine.has(session) || this.#unread.delete(session));
    this.#draw();
    if (this.#ended === null || before.some((row) => !open.has(row.handoff_id))) this.#readEnded();
  }

  async #signOut() {
    $("online").checked = false;
    sessionStorage.removeItem(DUTY);
    await this.#api.presence("away", 1).catch(() => {});
    await this.#account.signOut();
    // The next one may be somebody else.
    location.reload();
  }

  #leaveDesk(words) {
    clearInterval(this.#clock);
    this.#beats?.terminate();
    this.#stream?.stop();
    this.#talk?.leave();
    $("sign-in").hidden = false;
    $("desk").hidden = $("duty").hidden = true;
    this.#say(words);
    $("email").focus();
  }

  /**
   * Says that one is here. An agent who is not heard of is away, so "away" is said once; again and again by
   * somebody who still has conversations, or they would be given to others.
   */
  #wasOnline = false;
  async #beat() {
    const online = $("online").checked;
    const me = this.#account.principal?.id;
    const busy = this.#desk.active.some((row) => row.agent_id === me);
    if (!online && !this.#wasOnline && !busy) return;
    this.#wasOnline = online;
    const capacity = Math.min(100, Math.max(1, Math.trunc(Number($("capacity").value)) || 1));
    sessionStorage.setItem(DUTY, JSON.stringify({ online, capacity }));
    try {
      await this.#api.presence(online ? "online" : "away", capacity);
    } catch (problem) {
      this.#say(problem.detail);
    }
  }

  async #look() {
    if (this.#looking) return;
    this.#looking = true;
    try {
      this.#take(await this.#api.desk());
    } catch (problem) {
      this.#say(problem.detail);
    }
    this.#looking = false;
  }

  async #readEnded() {
    try {
      this.#ended = (await this.#api.ended()).items;
      this.#draw();
    } catch {
      // The next change of the desk reads them again.
    }
  }

  #draw() {
    const me = this.#account.principal?.id;
    if (!me) return;
    if (!document.hidden) this.#unread.delete(this.#talk.session);
    this.#lists.draw(this.#desk, this.#ended ?? [], me, this.#talk.session, this.#unread);
    const news = this.#desk.waiting.length + this.#unread.size;
    document.title = news > 0 ? `(${news}) Console` : "Console";
    $("desk").classList.toggle("talking", this.#talk.session !== null);
    $("empty").hidden = this.#talk.session !== null;
  }

  async #open(session) {
    const opened = this.#talk.open(session);
    this.#draw();
    await opened;
    this.#draw();
  }

  #leave() {
    const session = this.#talk.session;
    if (session === null) return;
    this.#talk.leave();
    this.#draw();
    this.#lists.focus(session);
  }

  #key(event) {
    if ($("desk").hidden || event.isComposing || $("pass").open) return;
    if (event.key === "Escape") {
      this.#leave();
      return;
    }
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const next = this.#desk.waiting[0]?.session_id;
    const acts = {
      n: () => next && this.#open(next),
      a: () => this.#talk.accept(),
      b: () => this.#talk.release("bot"),
      q: () => this.#talk.release("queue"),
      t: () => this.#talk.pass(),
      c: () => this.#talk.close(),
    };
    // The letter that is typed, wherever its key is: where Alt makes another one, that is what is meant.
    const act = acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #live(live) {
    clearTimeout(this.#offline);
    if (!live) this.#offline = setTimeout(() => this.#say(LOST), OFFLINE_AFTER_MS);
    else if ($("notice").textContent === LOST) this.#say("");
  }

  #say(words) {
    if ($("notice").textContent !== words) $("notice").textContent = words;
  }
}

await speak();
// The words of this page are English; problems come in the language of the browser.
document.documentElement.lang = "en";
document.documentElement.dir = "ltr";
new Console().start();
