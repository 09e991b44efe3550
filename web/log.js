// The conversation on the page: one view for each entry, drawn at most once per frame, and a scroll
// position that follows new text only while the reader is at the end.

import { AnswerView } from "./answer.js";
import { AgentView, QuestionView } from "./question.js";

const NEAR_END_PX = 64;
const TICK_MS = 500;

export class Log {
  #root;
  #scroller;
  #jump;
  #actions;
  #views = new Map();
  #entries = [];
  #frame = 0;
  #ticker = 0;
  #following = true;

  constructor({ root, scroller, jump }, actions) {
    this.#root = root;
    this.#scroller = scroller;
    this.#jump = jump;
    this.#actions = actions;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    jump.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.#follow()).observe(scroller);
  }

  /** Shows these entries in the next frame. */
  draw(entries) {
    this.#entries = entries;
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  toEnd() {
    this.#following = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#jump.hidden = true;
  }

  #draw() {
    this.#frame = 0;
    const writing = this.#entries.some((entry) => entry.status === "streaming");
    const wasWriting = this.#root.getAttribute("aria-busy") === "true";
    if (writing !== wasWriting) this.#root.setAttribute("aria-busy", String(writing));

    const shown = new Set(this.#entries.map((entry) => entry.view));
    for (const [key, { node }] of this.#views) {
      if (!shown.has(key)) {
        node.remove();
        this.#views.delete(key);
      }
    }
    this.#entries.forEach((entry, index) => this.#place(entry, index));
    this.#follow();
    this.#tickWhileNeeded();
  }

  #follow() {
    // The empty page is read from its top.
    if (this.#entries.length === 0) this.#jump.hidden = true;
    else if (this.#following) this.toEnd();
    else this.#scrolled();
  }

  #place(entry, index) {
    let view = this.#views.get(entry.view);
    const fresh = view === undefined;
    if (fresh) {
      view = this.#makeView(entry);
      this.#views.set(entry.view, view);
    }
    const place = this.#root.children[index];
    if (place !== view.node) this.#root.insertBefore(view.node, place ?? null);
    const state = `${entry.kind}/${entry.status ?? entry.state}/${entry.rev}`;
    if (view.state === state) return;
    const ended = view.streaming && entry.status !== "streaming";
    view.state = state;
    view.streaming = entry.status === "streaming";
    view.update(entry);
    if (ended) view.announce();
  }

  #makeView({ kind }) {
    if (kind === "answer") return new AnswerView(this.#actions);
    return kind === "agent" ? new AgentView() : new QuestionView(this.#actions);
  }

  // Countdowns change without events.
  #tickWhileNeeded() {
    const needed = this.#entries.some((entry) => entry.queue || entry.state === "paused");
    if (needed === this.#ticker > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = needed ? setInterval(() => this.#tick(), TICK_MS) : 0;
  }

  #tick() {
    const now = Date.now();
    this.#entries.forEach((entry) => this.#views.get(entry.view)?.tick(entry, now));
  }

  #scrolled() {
    if (this.#entries.length === 0) return;
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    this.#jump.hidden = this.#following;
  }
}
