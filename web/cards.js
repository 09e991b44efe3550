// Boxes under an answer: an order or a product that was looked up, and a change that waits for the
// shopper's yes or no.

import { el, icon, link, safeLink } from "./dom.js";
import { t } from "./language.js";

/** What became of a change, and while that is not known, as words of the page. */
const STATES = {
  pending: "action_pending",
  done: "action_done",
  failed: "action_failed",
  unknown: "action_unknown",
  declined: "action_declined",
  expired: "action_expired",
};

export class CardsView {
  #decide;
  node = el("div.cards", { hidden: true });

  /** `decide(card, decision)`, `decision` is "confirm" or "decline". */
  constructor(decide) {
    this.#decide = decide;
  }

  /** `decided` has the state of each change by its id: "pending" or what became of it. */
  update(cards, decided) {
    this.node.hidden = cards.length === 0;
    const focused = this.node.contains(document.activeElement);
    this.node.replaceChildren(...cards.map((card) => this.#card(card, decided)).filter(Boolean));
    if (focused) this.node.querySelector("[tabindex]")?.focus({ preventScroll: true });
  }

  #card(card, decided) {
    if (card.kind === "action") return this.#action(card, decided[card.action_id] ?? null);
    if (card.kind !== "order" && card.kind !== "product") return null;
    // The page of an order is the one on which its parcel is followed.
    const label = t(card.kind === "order" ? "track_parcel" : "open_page");
    const page = card.url && safeLink(card.url) && link(card.url, label, icon("out"));
    return el(
      `section.card.${card.kind}`,
      {},
      el("h4", { dir: "auto" }, card.title),
      fields(card.fields),
      page && el("p", {}, page),
    );
  }

  #action(card, decided) {
    const state = decided ?? (Date.parse(card.expires_at) <= Date.now() ? "expired" : null);
    const ended = state !== null && state !== "pending";
    const button = (kind, decision, words) =>
      el(
        `button.${kind}`,
        { type: "button", disabled: state !== null, onclick: () => this.#decide(card, decision) },
        words,
      );
    return el(
      `section.card.action${ended ? `.${state}` : ""}`,
      { tabindex: "-1", role: "group", "aria-label": card.effect },
      el("h4", { dir: "auto" }, card.effect),
      fields(card.fields),
      el(
        "p.card-actions",
        {},
        button("button", "confirm", t("confirm")),
        button("text-button", "decline", t("decline")),
      ),
      state !== null && el("p.card-state", { role: "status" }, t(STATES[state])),
    );
  }
}

function fields(list) {
  if (!list || list.length === 0) return null;
  const row = ({ label, value }) => [el("dt", { dir: "auto" }, label), el("dd", { dir: "auto" }, value)];
  return el("dl", {}, ...list.flatMap(row));
}
