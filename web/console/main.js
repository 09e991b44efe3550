// Connects the parts of the console: sign-in, duty, the lists of the desk, and the open conversation.

import { speak } from "../language.js";
import { Account } from "./account.js";
import { DeskApi } from "./api.js";
import { Lists } from "./lists.js";
import { Talk } from "./talk.js";

const DESK_MS = 2_000;
// Several of these fit into the time after which an agent counts as away.
const BEAT_MS = 8_000;

const $ = (id) => document.getElementById(id);

class Console {
  #account = new Account(() => this.#ended("Your sign-in has ended. Please sign in again."));
  #api = new DeskApi(this.#account);
  #lists = new Lists((session) => this.#open(session));
  #talk = null;
  #desk = { waiting: [], active: [], agents: [] };
  #timers = [];
  #looking = false;

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
    if (this.#account.principal) this.#enter();
    else this.#ended("");
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
    });
    $("sign-in").hidden = true;
    $("desk").hidden = $("duty").hidden = false;
    this.#timers = [setInterval(() => this.#look(), DESK_MS), setInterval(() => this.#beat(), BEAT_MS)];
    this.#look();
  }

  async #signOut() {
    $("online").checked = false;
    await this.#api.presence("away", 1).catch(() => {});
    await this.#account.signOut();
    // The next one may be somebody else.
    location.reload();
  }

  #ended(words) {
    this.#timers.forEach(clearInterval);
    this.#talk?.leave();
    $("sign-in").hidden = false;
    $("desk").hidden = $("duty").hidden = true;
    this.#say(words);
  }

  /** Says that one is here. An agent who is not heard of is away, so "away" is said once. */
  #wasOnline = false;
  async #beat() {
    const online = $("online").checked;
    if (!online && !this.#wasOnline) return;
    this.#wasOnline = online;
    const capacity = Math.min(100, Math.max(1, Math.trunc(Number($("capacity").value)) || 1));
    try {
      await this.#api.presence(online ? "online" : "away", capacity);
    } catch (problem) {
      this.#say(problem.detail);
    }
  }

  async #look() {
    if (this.#looking || document.hidden) return;
    this.#looking = true;
    try {
      this.#desk = await this.#api.desk();
      this.#draw();
    } catch (problem) {
      this.#say(problem.detail);
    }
    this.#looking = false;
  }

  #draw() {
    const me = this.#account.principal?.id;
    if (!me) return;
    this.#lists.draw(this.#desk, me, this.#talk.session);
    const waiting = this.#desk.waiting.length;
    document.title = waiting > 0 ? `(${waiting}) Console` : "Console";
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
    this.#talk.leave();
    this.#draw();
    $("waiting").querySelector("button")?.focus();
  }

  #key(event) {
    if ($("desk").hidden) return;
    if (event.key === "Escape") {
      this.#leave();
      return;
    }
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const next = this.#desk.waiting[0]?.session_id;
    const acts = {
      KeyN: () => next && this.#open(next),
      KeyA: () => this.#talk.accept(),
      KeyB: () => this.#talk.release("bot"),
      KeyQ: () => this.#talk.release("queue"),
      KeyC: () => this.#talk.close(),
    };
    const act = acts[event.code];
    if (!act) return;
    event.preventDefault();
    act();
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
