// The shopper's own bubble, sent or still on its way.

import { el } from "./dom.js";
import { t } from "./language.js";
import { clockTime, pendingWords } from "./words.js";

export class QuestionView {
  #actions;
  #body = el("div.bubble", { dir: "auto" });
  // A screen reader would read every second of a countdown.
  #note = el("p.note", { "aria-live": "off" });
  #buttons = el("p.note-actions");

  /** `actions.retry(item)`, `actions.edit(item)`. */
  constructor(actions) {
    this.#actions = actions;
    this.node = el(
      "article.message.question",
      {},
      el("h3.visually-hidden", {}, t("you_said")),
      this.#body,
      this.#note,
      this.#buttons,
    );
  }

  update(entry) {
    this.#body.textContent = entry.text;
    const pending = entry.kind === "pending";
    this.node.classList.toggle("pending", pending);
    this.node.classList.toggle("failed", entry.state === "failed");
    this.#buttons.replaceChildren();
    if (pending && entry.state !== "sending" && entry.state !== "waiting") {
      const again = t(entry.state === "failed" ? "try_again" : "try_now");
      this.#buttons.append(
        el("button.text-button", { type: "button", onclick: () => this.#actions.retry(entry) }, again),
        el("button.text-button", { type: "button", onclick: () => this.#actions.edit(entry) }, t("edit")),
      );
    }
    this.tick(entry, Date.now());
  }

  tick(entry, now) {
    const words = entry.kind === "pending" ? pendingWords(entry, now) : clockTime(entry.at);
    if (this.#note.textContent !== words) this.#note.textContent = words;
  }
}

/** A bubble with a message from a person of the shop. */
export class AgentView {
  #author = el("h3.author");
  #body = el("div.prose", { dir: "auto" });

  constructor() {
    this.node = el("article.message.agent", {}, this.#author, this.#body);
  }

  update(entry) {
    this.#author.textContent = entry.name ?? t("our_team");
    this.#body.textContent = entry.text;
  }

  tick() {}
}
