// The sources of one answer: numbered chips, and below them the source that is open.

import { el, icon, link, safeLink } from "./dom.js";
import { t } from "./language.js";

let nextId = 0;

export class SourcesView {
  #id = `source-${(nextId += 1)}`;
  #chips = el("div.chips", { role: "group", "aria-label": t("sources") });
  #panel = el("div.source", { id: this.#id, hidden: true });
  #citations = [];
  #open = null;

  constructor() {
    this.node = el("div.sources", { hidden: true }, this.#chips, this.#panel);
  }

  update(citations) {
    const same = citations.map(({ id }) => id).join() === this.#citations.map(({ id }) => id).join();
    this.#citations = citations;
    if (same) return;
    this.node.hidden = citations.length === 0;
    this.#chips.replaceChildren(...citations.map((citation) => this.#chip(citation)));
    this.#show(citations.some(({ id }) => id === this.#open) ? this.#open : null);
  }

  /** The small number inside the text, or null if there is no such source. */
  reference(id) {
    const citation = this.#citations.find((known) => known.id === id);
    if (!citation) return null;
    const attributes = {
      type: "button",
      "aria-label": t("source_of", { id, title: citation.title }),
      title: citation.title,
      onclick: () => this.#show(id),
    };
    return el("button.ref", attributes, id);
  }

  #chip({ id, title }) {
    const attributes = {
      type: "button",
      "data-source": id,
      "aria-expanded": "false",
      "aria-controls": this.#id,
      onclick: () => this.#show(this.#open === id ? null : id),
    };
    return el(
      "button.chip",
      attributes,
      el("span.visually-hidden", {}, `${t("source")} `),
      el("b", {}, id),
      el("span", {}, title),
    );
  }

  #show(id) {
    this.#open = id;
    for (const chip of this.#chips.children) {
      chip.setAttribute("aria-expanded", String(chip.dataset.source === id));
    }
    const citation = this.#citations.find((known) => known.id === id);
    this.#panel.hidden = !citation;
    if (!citation) return;
    const { title, quote, url } = citation;
    const page = url && safeLink(url) && link(url, t("open_page"), icon("out"));
    this.#panel.replaceChildren(
      el("p", {}, el("strong", { dir: "auto" }, title)),
      el("blockquote", { dir: "auto" }, quote),
      ...(page ? [el("p", {}, page)] : []),
    );
    this.#panel.scrollIntoView({ block: "nearest" });
  }
}
