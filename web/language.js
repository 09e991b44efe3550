// The language of the page, chosen once, and its words: one file for each language in `words/`.
// `?lang=` counts more than the languages of the browser; English is the last resort.

const LANGUAGES = ["en", "ar", "de", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"];
const FROM_RIGHT = ["ar"];

const code = (tag) => tag.split("-")[0].toLowerCase();
const isTag = (tag) => /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(tag ?? "");
const asked = new URLSearchParams(location.search).get("lang")?.replaceAll("_", "-");
const tags = [asked, ...navigator.languages].filter(isTag);
const spoken = tags.find((tag) => LANGUAGES.includes(code(tag))) ?? "en";

/** What the server is told: it may know more languages than the page. */
export const locale = tags[0] ?? "en";

const ordinals = new Intl.NumberFormat(spoken);
const relative = new Intl.RelativeTimeFormat(spoken, { numeric: "always" });
const words = {};

/** Fetches the words and translates what is marked with `data-t`. Nothing else works before. */
export async function speak() {
  const get = async (language) => (await fetch(`/assets/words/${language}.json`)).json();
  const language = code(spoken);
  Object.assign(words, await get(language));
  const { documentElement: root } = document;
  root.lang = spoken;
  root.dir = FROM_RIGHT.includes(language) ? "rtl" : "ltr";
  for (const node of document.querySelectorAll("[data-t]")) translate(node);
}

/** `data-t="close; title newest"`: the text of the node, and its attribute `title`. */
function translate(node) {
  for (const part of node.dataset.t.split(";")) {
    const [first, second] = part.trim().split(" ");
    if (second === undefined) node.textContent = t(first);
    else node.setAttribute(first, t(second));
  }
}

/** The words for `key`, with `{names}` replaced. */
export function t(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function number(value) {
  return ordinals.format(value);
}

/** "12 seconds" */
export function duration(ms) {
  const [value, unit] = rounded(ms);
  return new Intl.NumberFormat(spoken, { style: "unit", unit, unitDisplay: "long" }).format(value);
}

/** "in 12 seconds" */
export function later(ms) {
  return relative.format(...rounded(ms));
}

function rounded(ms) {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return seconds < 60 ? [seconds, "second"] : [Math.round(seconds / 60), "minute"];
}

export function clockTime(iso) {
  return new Date(iso).toLocaleTimeString(spoken, { hour: "2-digit", minute: "2-digit" });
}

export function dayAndTime(iso) {
  return new Date(iso).toLocaleString(spoken, { dateStyle: "medium", timeStyle: "short" });
}
