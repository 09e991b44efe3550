// Thumbs up and down for one answer. A thumb counts at once; after "down" a comment may follow.

import { el, icon } from "./dom.js";
import { t } from "./language.js";

export class FeedbackView {
  #rate;
  #up = this.#thumb("up", t("good"));
  #down = this.#thumb("down", t("bad"));
  #comment = el("textarea", { rows: "2", maxlength: "1000", placeholder: t("optional") });
  buttons = [this.#up, this.#down];
  form = this.#makeForm();

  /** `rate(rating, comment)` */
  constructor(rate) {
    this.#rate = rate;
  }

  update(rating) {
    this.#up.setAttribute("aria-pressed", String(rating === "up"));
    this.#down.setAttribute("aria-pressed", String(rating === "down"));
  }

  #thumb(rating, label) {
    const attributes = {
      type: "button",
      "aria-label": label,
      title: label,
      "aria-pressed": "false",
      onclick: () => this.#press(rating),
    };
    return el("button.icon-button", attributes, icon(rating));
  }

  #press(rating) {
    this.#rate(rating);
    this.form.hidden = rating !== "down";
    if (rating === "down") this.#comment.focus();
  }

  #makeForm() {
    const close = () => {
      this.form.hidden = true;
      this.#down.focus();
    };
    const onsubmit = (event) => {
      event.preventDefault();
      const comment = this.#comment.value.trim();
      if (comment) this.#rate("down", comment);
      this.#comment.value = "";
      close();
    };
    return el(
      "form.feedback",
      { hidden: true, onsubmit },
      el("label", {}, t("what_wrong"), this.#comment),
      el(
        "p.note-actions",
        {},
        el("button.button", { type: "submit" }, t("send_comment")),
        el("button.text-button", { type: "button", onclick: close }, t("no_comment")),
      ),
    );
  }
}
