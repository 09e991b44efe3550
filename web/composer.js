// The shopper's input field. Keeps the draft over a reload; Enter sends, Shift+Enter makes a new
// line.

import { t } from "./language.js";
import * as store from "./store.js";

export class Composer {
  #form;
  #text;
  #send;
  #stop;

  /** `on.send(text)`, `on.stop()`, `on.typing()`. */
  constructor(form, on) {
    this.#form = form;
    this.#text = form.elements.namedItem("text");
    this.#send = form.querySelector(".send");
    this.#stop = form.querySelector(".stop");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#text.value.trim();
      if (text === "") return;
      this.set("");
      on.send(text);
    });
    this.#text.addEventListener("keydown", (event) => {
      // While an input method is active, Enter chooses a character.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.#text.addEventListener("input", () => {
      this.#changed();
      if (this.#text.value !== "") on.typing();
    });
    this.#stop.addEventListener("click", () => {
      on.stop();
      this.focus();
    });
    // Something may have been typed before the page was ready.
    this.set(this.#text.value || store.read("draft", ""));
  }

  set(text) {
    this.#text.value = text;
    this.#changed();
  }

  focus() {
    this.#text.focus();
  }

  update({ running, stopping, closed }) {
    this.#stop.hidden = !running;
    this.#stop.disabled = stopping;
    this.#form.classList.toggle("closed", closed);
    this.#text.placeholder = t(closed ? "closed" : "ask_us");
  }

  #changed() {
    // An empty field begins where the language of the page begins.
    this.#text.dir = this.#text.value === "" ? "" : "auto";
    this.#send.disabled = this.#text.value.trim() === "";
    store.write("draft", this.#text.value);
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}
