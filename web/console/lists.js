// The conversations of the desk: those that wait, one's own, and those of others.

import { el } from "../dom.js";

const $ = (id) => document.getElementById(id);

export class Lists {
  #open;

  /** `open(session)` opens a conversation. */
  constructor(open) {
    this.#open = open;
  }

  /** `unread`: conversations with something new. */
  draw(desk, me, current, unread) {
    const names = new Map(desk.agents.map((agent) => [agent.id, agent.name ?? "somebody"]));
    const mine = desk.active.filter((row) => row.agent_id === me);
    const others = desk.active.filter((row) => row.agent_id !== me);
    const now = Date.now();
    const waited = (row) => Math.max(0, now - Date.parse(row.requested_at));
    const waiting = desk.waiting.map((row) => [row, `waits ${minutes(waited(row))}`]);
    this.#list("waiting", waiting, current);
    const news = (row) => (unread.has(row.session_id) ? "new message" : "with you");
    this.#list("mine", mine.map((row) => [row, news(row)]), current);
    this.#list("others", others.map((row) => [row, `with ${names.get(row.agent_id) ?? "somebody"}`]), current);
  }

  #list(id, rows, current) {
    $(`${id}-count`).textContent = String(rows.length);
    const list = $(id);
    const known = new Map([...list.children].map((item) => [item.dataset.session, item]));
    const items = rows.map(([row, more]) => this.#item(known.get(row.session_id), row, more, current));
    // Moving what has the focus would take the focus away.
    const same = items.length === list.children.length && items.every((item, at) => list.children[at] === item);
    if (!same) list.replaceChildren(...items);
  }

  #item(known, row, more, current) {
    const session = row.session_id;
    const item = known ?? el(
      "li",
      { "data-session": session },
      el("button", { type: "button", onclick: () => this.#open(session) }, el("span.reason"), el("span.more")),
    );
    const button = item.firstElementChild;
    button.setAttribute("aria-current", String(session === current));
    button.classList.toggle("news", more === "new message");
    button.querySelector(".reason").textContent = row.reason;
    button.querySelector(".more").textContent = `${row.locale} · ${more}`;
    return item;
  }
}

function minutes(ms) {
  const whole = Math.floor(ms / 60_000);
  return whole === 0 ? "under a minute" : `${whole} min`;
}
