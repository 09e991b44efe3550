// The conversations of the desk: those that wait, one's own, those of others, and those that are over.

import { el } from "../dom.js";
import { since } from "./times.js";

const $ = (id) => document.getElementById(id);

export class Lists {
  #open;

  /** `open(session)` opens a conversation. */
  constructor(open) {
    this.#open = open;
  }

  /** `unread`: conversations with something new. `ended`: those that are over, the newest end first. */
  draw(desk, ended, me, current, unread) {
    const mine = desk.active.filter((row) => row.agent_id === me);
    const others = desk.active.filter((row) => row.agent_id !== me);
    const waits = (row) => `${row.urgent ? "first: had somebody before · " : ""}waits ${since(row.requested_at)}`;
    this.#list("waiting", desk.waiting.map((row) => [row, waits(row)]), current);
    const news = (row) => (unread.has(row.session_id) ? "new message" : `with you for ${since(row.accepted_at)}`);
    this.#list("mine", mine.map((row) => [row, news(row)]), current);
    const whose = (row) => row.agent_name ?? "somebody";
    const busy = (row) => `with ${whose(row)} for ${since(row.accepted_at)}`;
    this.#list("others", others.map((row) => [row, busy(row)]), current);
    const by = (row) => {
      if (!row.accepted_at) return row.to === "closed" ? "closed, nobody had it" : "nobody came";
      return `${row.to === "closed" ? "closed" : "with the assistant"}, ${row.agent_id === me ? "was yours" : `was with ${whose(row)}`}`;
    };
    this.#list("ended", ended.map((row) => [row, `${since(row.ended_at)} ago · ${by(row)}`]), current);
  }

  /** Moves the focus to a conversation in the lists, or to the first one. */
  focus(session) {
    const all = [...document.querySelectorAll(".lists li")];
    const item = all.find(({ dataset }) => dataset.session === session) ?? all[0];
    (item?.firstElementChild ?? $("online")).focus();
  }

  #list(id, rows, current) {
    $(`${id}-count`).textContent = String(rows.length);
    const list = $(id);
    const known = new Map([...list.children].map((item) => [item.dataset.handoff, item]));
    const items = rows.map(([row, more]) => this.#item(known.get(row.handoff_id), row, more, current));
    // Moving what has the focus would take the focus away.
    const same = items.length === list.children.length && items.every((item, at) => list.children[at] === item);
    if (!same) list.replaceChildren(...items);
  }

  #item(known, row, more, current) {
    const session = row.session_id;
    const item = known ?? el(
      "li",
      { "data-session": session, "data-handoff": row.handoff_id },
      el("button", { type: "button", onclick: () => this.#open(session) }, el("span.reason", { dir: "auto" }), el("span.more")),
    );
    const button = item.firstElementChild;
    button.setAttribute("aria-current", String(session === current));
    button.classList.toggle("news", more === "new message");
    button.title = row.reason;
    button.querySelector(".reason").textContent = row.reason;
    button.querySelector(".more").textContent = `${row.locale} · ${more}`;
    return item;
  }
}
