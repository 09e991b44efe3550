// The page's sentences about routes, stages, waits and failures.

import { clockTime, dayAndTime, duration, later, number, t } from "./language.js";

export { clockTime, dayAndTime };

// The words of some routes, stages and problems. Those of problems are shorter than the server's own
// sentences, which also say what to do; here the page does that.
const ROUTES = {
  exact: ["from_cache", "exact_why"],
  semantic: ["from_cache", "semantic_why"],
  coalesced: ["shared", "coalesced_why"],
  knowledge: ["pages", "pages_why"],
  tool: ["tool", "tool_why"],
  model: ["model", "model_why"],
  // The assistant says that a person comes; what a person writes has their name.
  human: ["template", "template_why"],
  template: ["template", "template_why"],
};
const PAUSES = {
  unreachable: "unreachable",
  rate_limited: "rate_limited",
  proof_required: "busy",
  overloaded: "busy",
  draining: "draining",
  dependency_unavailable: "unavailable",
};
const STAGES = ["searching", "thinking", "writing"];

const badge = ([label, title]) => ({ label: t(label), title: t(title) });

/** `{label, title}` of the badge, or null for a route this page does not know. */
export function routeWords(route) {
  return ROUTES[route] ? badge(ROUTES[route]) : null;
}

/** The same for a question that will be answered later. */
export function ticketWords({ state }) {
  return badge(state === "open" ? ["kept", "kept_why"] : ["answered", "answered_why"]);
}

const ASKED_CHARS = 120;

/** The question of an answer that came later. */
export function askedWords(question) {
  const short = question.length > ASKED_CHARS ? `${question.slice(0, ASKED_CHARS)}…` : question;
  return t("earlier", { question: short });
}

export function stageWords(stage) {
  return t(STAGES.includes(stage) ? stage : "moment");
}

export function queueWords({ position, until }, now) {
  const place = position <= 1 ? t("next_in_line") : t("number_in_line", { place: number(position) });
  const left = until - now;
  return left > 1_000 ? t("about", { place, time: duration(left) }) : `${place}…`;
}

/** Who is to come or has come, or that it is over; null while the assistant alone answers. */
export function peopleWords({ human, personName, awaits, closed }, now) {
  if (closed) return t("is_closed");
  if (human) return personName ? t("talking_to", { name: personName }) : t("talking_to_team");
  if (!awaits) return null;
  const comes = t("person_comes");
  return awaits.position ? `${comes} ${queueWords(awaits, now)}` : comes;
}

/** Why a message has not been sent, and what happens next. */
export function pendingWords({ state, until, problem }, now) {
  switch (state) {
    case "waiting":
      return t("waiting");
    case "paused": {
      const why = PAUSES[problem.code] ? t(PAUSES[problem.code]) : problem.detail;
      return t("paused", { why, when: later(until - now) });
    }
    case "failed":
      return problem.status === 0 ? t("not_connected") : t("not_sent", { why: problem.detail });
    default:
      return t("sending");
  }
}

/** Why an answer is not complete. */
export function failureWords({ status, problem }) {
  if (status === "cancelled") return t("stopped");
  return problem?.detail ?? t("interrupted");
}
