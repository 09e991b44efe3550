// The drawer with this visitor's conversations. Titles are the first questions, kept in this browser only.

import { el, icon } from "./dom.js";
import { t } from "./language.js";
import * as store from "./store.js";
import { dayAndTime } from "./words.js";

const MAX_TITLES = 100;

export class PastConversations {
  #dialog;
  #list;
  #api;
  #on;
  #current = null;

  /** `on.open(session)`, `on.erased(session)`. */
  constructor(dialog, api, on) {
    this.#dialog = dialog;
    this.#list = dialog.querySelector(".past-list");
    this.#api = api;
    this.#on = on;
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    // A click outside the drawer closes it.
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  /** Opens the drawer; `current` is the conversation on the page. `known` is false before the first visit. */
  async show(current, known) {
    this.#current = current;
    this.#dialog.showModal();
    if (!known) return this.#say(t("listed"));
    this.#say(t("loading"));
    try {
      const sessions = (await this.#api.sessions()).filter((session) => session.last_seq > 0);
      if (sessions.length === 0) this.#say(t("listed"));
      else this.#list.replaceChildren(...sessions.map((session) => this.#row(session)));
    } catch (problem) {
      this.#say(problem.detail);
    }
  }

  #row(session) {
    const title = store.read("titles", {})[session.id] ?? t("untitled");
    const open = () => {
      this.#dialog.close();
      this.#on.open(session.id);
    };
    const row = el(
      "li",
      {},
      el(
        "button.past",
        { type: "button", "aria-current": session.id === this.#current ? "true" : null, onclick: open },
        el("span.past-title", { dir: "auto" }, title),
        el("time.soft", { datetime: session.updated_at }, dayAndTime(session.updated_at)),
      ),
      el(
        "button.icon-button",
        { type: "button", "aria-label": t("delete_of", { title }), title: t("delete"), onclick: () => this.#ask(row, session, title) },
        icon("bin"),
      ),
    );
    return row;
  }

  #ask(row, session, title) {
    const erase = async () => {
      try {
        await this.#api.eraseSession(session.id);
      } catch (problem) {
        if (!problem.gone) return this.#say(problem.detail);
      }
      row.remove();
      forgetTitle(session.id);
      this.#on.erased(session.id);
    };
    const keep = el(
      "button.text-button",
      { type: "button", onclick: () => row.replaceWith(this.#row(session)) },
      t("keep"),
    );
    row.replaceChildren(
      el("p.past-ask", {}, t("delete_ask", { title })),
      el("button.text-button.danger", { type: "button", onclick: erase }, t("delete")),
      keep,
    );
    keep.focus();
  }

  #say(words) {
    this.#list.replaceChildren(el("li.soft", {}, words));
  }
}

/** Remembers the first question of a conversation as its title. */
export function rememberTitle(session, question) {
  const titles = store.read("titles", {});
  if (titles[session]) return;
  const entries = [...Object.entries(titles), [session, question.slice(0, 80)]];
  store.write("titles", Object.fromEntries(entries.slice(-MAX_TITLES)));
}

function forgetTitle(session) {
  const { [session]: _, ...others } = store.read("titles", {});
  store.write("titles", others);
}
