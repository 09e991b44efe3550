// Gives the open conversation to somebody else of the shop, or back to the queue, with a note.

import { el } from "../dom.js";

const QUEUE = "queue";

const $ = (id) => document.getElementById(id);

export class Pass {
  #on;

  /** `on.pass(to, note)`: `to` is an agent's id, or "queue". Resolves to null, or to what went wrong. */
  constructor(on) {
    this.#on = on;
    $("pass-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    $("pass-cancel").addEventListener("click", () => $("pass").close());
  }

  /** `agents`: who is on duty besides oneself. */
  open(agents) {
    const choices = agents.map(({ id, name, active, capacity }) =>
      el("option", { value: id, disabled: active >= capacity }, `${name ?? "Somebody"} (has ${active} of ${capacity})`),
    );
    $("pass-to").replaceChildren(...choices, el("option", { value: QUEUE }, "The queue"));
    $("pass-to").value = choices.find((choice) => !choice.disabled)?.value ?? QUEUE;
    $("pass-note").value = "";
    $("pass-problem").textContent = "";
    $("pass").showModal();
  }

  async #submit() {
    const button = $("pass-form").querySelector('button[type="submit"]');
    button.disabled = true;
    const problem = await this.#on.pass($("pass-to").value, $("pass-note").value.trim());
    button.disabled = false;
    $("pass-problem").textContent = problem ?? "";
    if (problem === null) $("pass").close();
  }
}
