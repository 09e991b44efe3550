// One answer: its text while it grows, then its badge, sources and buttons.

import { CardsView } from "./cards.js";
import { shownText } from "./conversation.js";
import { el, icon } from "./dom.js";
import { FeedbackView } from "./feedback.js";
import { t } from "./language.js";
import { renderMarkdown } from "./markdown.js";
import { SourcesView } from "./sources.js";
import {
  askedWords,
  clockTime,
  failureWords,
  queueWords,
  routeWords,
  stageWords,
  ticketWords,
} from "./words.js";

const COPIED_MS = 2_000;

export class AnswerView {
  #actions;
  #entry = null;
  #asked = el("p.asked", { dir: "auto", hidden: true });
  #prose = el("div.prose", { dir: "auto" });
  #progress = el("p.progress");
  #failure = el("p.failure", { hidden: true });
  #footer = el("footer.answer-footer", { hidden: true });
  #sources = new SourcesView();
  #cards = new CardsView((card, decision) => this.#actions.decide(this.#entry, card, decision));
  #choices = el("div.choices", { hidden: true });
  #feedback;
  #copy;
  #refs = "";

  /** `actions.rate(entry, rating, comment)`, `actions.askAgain(entry)`, `actions.ask(text)`,
   * `actions.decide(entry, card, decision)`, `actions.say(words)`. */
  constructor(actions) {
    this.#actions = actions;
    this.#feedback = new FeedbackView((rating, comment) => actions.rate(this.#entry, rating, comment));
    this.#copy = el(
      "button.icon-button",
      { type: "button", "aria-label": t("copy"), title: t("copy"), onclick: () => this.#copyText() },
      icon("copy"),
    );
    this.node = el(
      "article.message.answer",
      {},
      el("h3.visually-hidden", {}, t("assistant_said")),
      this.#progress,
      this.#asked,
      this.#prose,
      this.#failure,
      this.#sources.node,
      this.#cards.node,
      this.#choices,
      this.#footer,
      this.#feedback.form,
    );
  }

  update(entry) {
    this.#entry = entry;
    const writing = entry.status === "streaming";
    const text = shownText(entry);
    this.#asked.hidden = entry.asked === null;
    if (entry.asked !== null) this.#asked.textContent = askedWords(entry.asked);
    this.#text(text, entry.citations);
    this.node.classList.toggle("writing", writing && text !== "");
    this.#progress.hidden = !writing || (text !== "" && entry.queue === null);
    this.#failure.hidden = writing || (entry.status === "complete" && !entry.cut);
    this.#footer.hidden = writing;
    this.#cards.update(entry.cards, entry.decided);
    this.#offer(entry.choices);
    this.tick(entry, Date.now());
    if (!this.#failure.hidden) this.#fail(entry);
    if (!writing) this.#finish(entry);
  }

  tick(entry, now) {
    if (this.#progress.hidden) return;
    const words = entry.queue ? queueWords(entry.queue, now) : stageWords(entry.stage);
    if (this.#progress.dataset.words === words) return;
    this.#progress.dataset.words = words;
    const dots = el("span.dots", { "aria-hidden": "true" }, el("i"), el("i"), el("i"));
    this.#progress.replaceChildren(dots, words);
  }

  /** Replaces the text with the finished one, so that a screen reader reads it once and completely. */
  announce() {
    this.#prose.replaceChildren();
    this.#refs = "";
    this.#text(shownText(this.#entry), this.#entry.citations);
  }

  #text(text, citations) {
    const refs = citations.map(({ id }) => id).join();
    if (refs !== this.#refs) this.#prose.replaceChildren();
    this.#refs = refs;
    this.#sources.update(citations);
    renderMarkdown(this.#prose, text, (id) => this.#sources.reference(id));
  }

  #offer(choices) {
    this.#choices.hidden = choices.length === 0;
    // What takes a change back has no words of its own in the history.
    const button = ({ label = t("undo"), text = label }) =>
      el("button.choice", { type: "button", dir: "auto", onclick: () => this.#actions.ask(text) }, label);
    this.#choices.replaceChildren(...choices.map(button));
  }

  #fail(entry) {
    if (entry.status === "complete") {
      this.#failure.replaceChildren(t("length_limit"));
      return;
    }
    this.#failure.classList.toggle("calm", entry.status === "cancelled");
    this.#failure.replaceChildren(
      el("span", {}, failureWords(entry)),
      el(
        "button.text-button",
        { type: "button", onclick: () => this.#actions.askAgain(entry) },
        t("ask_again"),
      ),
    );
  }

  #finish(entry) {
    const kept = entry.ticket !== null && !entry.late;
    // Nothing was looked up where a change is offered.
    const offers = entry.cards.some((card) => card.kind === "action");
    const words = kept ? ticketWords(entry.ticket) : offers ? null : routeWords(entry.route);
    const kind = kept ? "ticket" : entry.route;
    const badge = words && el(`span.badge.${kind}`, { title: words.title }, words.label);
    const time = entry.at && el("time.soft", { datetime: entry.at }, clockTime(entry.at));
    const useful = entry.text !== "" && navigator.clipboard;
    const rateable = entry.status === "complete" && entry.message !== null && !kept;
    this.#feedback.update(entry.rating);
    const tools = el("span.tools", {}, useful && this.#copy, ...(rateable ? this.#feedback.buttons : []));
    const focused = this.#footer.contains(document.activeElement) ? document.activeElement : null;
    this.#footer.replaceChildren(...[badge, time, tools].filter(Boolean));
    focused?.focus({ preventScroll: true });
  }

  async #copyText() {
    try {
      await navigator.clipboard.writeText(this.#entry.text);
    } catch {
      this.#actions.say(t("copy_refused"));
      return;
    }
    this.#actions.say(t("copied"));
    this.#copy.replaceChildren(icon("check"));
    setTimeout(() => this.#copy.replaceChildren(icon("copy")), COPIED_MS);
  }
}
