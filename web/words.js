// The page's texts about routes, stages, waits and failures.

const ROUTES = {
  exact: ["from cache", "The same question was answered before."],
  semantic: ["from cache", "A question with the same meaning was answered before."],
  coalesced: ["shared answer", "Another shopper asked the same question at the same time."],
  knowledge: ["from our help pages", "Quoted from the shop's own pages."],
  tool: ["looked up for you", "Looked up in the shop's systems."],
  model: ["written by the assistant", "Written by a language model; please check what matters."],
  human: ["from our team", "Written by a person from the shop."],
  template: ["standard reply", "A fixed reply of the shop."],
};

// Shorter than the server's own sentences, which also say what to do; here the page does that.
const PAUSES = {
  unreachable: "No connection.",
  rate_limited: "You have sent many messages.",
  proof_required: "We are very busy right now.",
  overloaded: "We are very busy right now.",
  draining: "We are restarting.",
  dependency_unavailable: "A part of our service is unavailable.",
};

const STAGES = {
  searching: "Looking in our help pages…",
  thinking: "Thinking…",
  writing: "Writing…",
};

/** `{label, title}` of the badge, or null for a route this page does not know. */
export function routeWords(route) {
  const words = ROUTES[route];
  return words ? { label: words[0], title: words[1] } : null;
}

/** The same for a question that will be answered later. */
export function ticketWords({ state }) {
  return state === "open"
    ? { label: "kept for later", title: "The answer will appear here; you do not need to wait." }
    : { label: "answered below", title: "The answer is further down." };
}

const ASKED_CHARS = 120;

/** The question of an answer that came later. */
export function askedWords(question) {
  const short = question.length > ASKED_CHARS ? `${question.slice(0, ASKED_CHARS)}…` : question;
  return `To your earlier question: “${short}”`;
}

export function stageWords(stage) {
  return STAGES[stage] ?? "One moment…";
}

export function queueWords({ position, until }, now) {
  const place = position <= 1 ? "You are next in line" : `You are number ${position} in line`;
  const left = until - now;
  return left > 1_000 ? `${place} · about ${duration(left)}` : `${place}…`;
}

/** Why a message has not been sent, and what happens next. */
export function pendingWords({ state, until, problem }, now) {
  switch (state) {
    case "waiting":
      return "Will be sent when this answer is finished.";
    case "paused":
      return `${PAUSES[problem.code] ?? problem.detail} Trying again in ${duration(until - now)}.`;
    case "failed":
      return problem.status === 0 ? "Not sent: no connection." : `Not sent. ${problem.detail}`;
    default:
      return "Sending…";
  }
}

/** Why an answer is not complete. */
export function failureWords({ status, problem }) {
  if (status === "cancelled") return "You stopped this answer.";
  return problem?.detail ?? "This answer was interrupted.";
}

export function duration(ms) {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 60) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  const minutes = Math.round(seconds / 60);
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}

export function clockTime(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function dayAndTime(iso) {
  return new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
