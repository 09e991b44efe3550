// Sets a new password with a one-time link: `/reset#<site key>/<token>`.

import { locale, speak, t } from "./language.js";
import { Problem } from "./problem.js";

const form = document.getElementById("form");
const outcome = document.getElementById("outcome");
const [siteKey, token] = location.hash.slice(1).split("/");
// Neither the history nor a screenshot shows the token.
history.replaceState(null, "", location.pathname);

await speak();
if (!siteKey || !token) say(t("reset_incomplete"), true);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await reset(document.getElementById("password").value);
    say(t("reset_done"), true);
  } catch (problem) {
    say(problem.detail, problem.status === 401);
  }
  button.disabled = false;
});

async function reset(password) {
  let response;
  try {
    response = await fetch("/v1/auth/reset", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": locale },
      body: JSON.stringify({ site_key: siteKey, reset_token: token, new_password: password }),
      signal: AbortSignal.timeout(20_000),
    });
  } catch {
    throw Problem.unreachable();
  }
  if (!response.ok) throw await Problem.of(response);
}

function say(text, isLast) {
  outcome.textContent = text;
  form.hidden = isLast;
}
