// Asks how the help of a person, or a late answer, was: one to five, and a comment if the shopper likes.

import { el } from "./dom.js";
import { t } from "./language.js";

const SCORES = [1, 2, 3, 4, 5];

export class CsatView {
  #root;
  #rate;
  #comment = null;

  /** `rate(score, comment)` resolves to whether it was kept. `leave()`: not now. */
  constructor(root, { rate, leave }) {
    this.#root = root;
    this.#rate = rate;
    root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    root.addEventListener("reset", () => leave());
  }

  show(shown) {
    this.#root.hidden = !shown;
    if (!shown) this.#root.replaceChildren();
    else if (!this.#root.hasChildNodes()) this.#draw();
  }

  #draw() {
    this.#comment = el("input", { type: "text", maxlength: "2000", placeholder: t("rate_comment"), "aria-label": t("rate_comment"), dir: "auto" });
    const choice = (score) =>
      el(
        "label.score",
        {},
        el("input", { type: "radio", name: "score", value: String(score), required: true, "aria-label": t("rate_score", { score }) }),
        el("span", { "aria-hidden": "true" }, String(score)),
      );
    this.#root.replaceChildren(
      el("fieldset", {}, el("legend", {}, t("rate_help")), ...SCORES.map(choice)),
      this.#comment,
      el("button.button", { type: "submit" }, t("send")),
      el("button.text-button", { type: "reset" }, t("not_now")),
    );
  }

  async #submit() {
    const score = Number(new FormData(this.#root).get("score"));
    const button = this.#root.querySelector('[type="submit"]');
    button.disabled = true;
    const kept = await this.#rate(score, this.#comment.value.trim());
    if (!kept) button.disabled = false;
  }
}
