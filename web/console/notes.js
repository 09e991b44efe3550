// What the people of the shop write about a conversation for each other: notes and tags.

import { el } from "../dom.js";
import { moment } from "./times.js";

const $ = (id) => document.getElementById(id);

const newKey = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

export class Notes {
  #api;
  #say;
  #session = null;
  /** A note that is on its way keeps its key until the server has it. */
  #note = null;
  #busy = false;

  /** `say(words)` tells the reader something. */
  constructor(api, say) {
    this.#api = api;
    this.#say = say;
    $("note-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add();
    });
    $("tag-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#tag();
    });
  }

  async open(session) {
    this.#session = session;
    this.#note = null;
    $("note-text").value = "";
    this.#draw({ notes: [], tags: [] });
    await this.#load(session);
  }

  async #load(session) {
    try {
      const found = await this.#api.notes(session);
      if (this.#session === session) this.#draw(found);
    } catch (problem) {
      if (this.#session === session) this.#say(problem.detail);
    }
  }

  /** Writes a note for somebody else to read. */
  async write(session, text) {
    if (this.#note?.text !== text) this.#note = { key: newKey(), text };
    await this.#api.note(session, this.#note.key, text);
    this.#note = null;
    if (this.#session === session) await this.#load(session);
  }

  async #add() {
    const text = $("note-text").value.trim();
    const session = this.#session;
    if (text === "" || session === null) return;
    await this.#work(async () => {
      await this.write(session, text);
      if (this.#session === session) $("note-text").value = "";
    });
  }

  async #tag() {
    const session = this.#session;
    if (session === null) return;
    const tags = $("tags").value.split(",").map((tag) => tag.trim()).filter((tag) => tag !== "");
    await this.#work(async () => {
      await this.#api.tag(session, tags);
      await this.#load(session);
    });
  }

  async #work(work) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await work();
      this.#say("");
    } catch (problem) {
      this.#say(problem.detail);
    }
    this.#busy = false;
  }

  #draw({ notes, tags }) {
    const about = [notes.length > 0 ? `${notes.length}` : "", tags.join(", ")].filter((part) => part !== "");
    $("notes-about").textContent = about.join(" · ");
    const line = ({ text, author, created_at: at }) => {
      return el("li", {}, el("p.by", {}, `${author.name ?? "Somebody"} · ${moment(at)}`), el("p.note", { dir: "auto" }, text));
    };
    $("note-list").replaceChildren(...notes.map(line));
    $("tags").value = tags.join(", ");
  }
}
