// The page's data in this browser: tokens, the open conversation, titles, unsent messages.
// Everything belongs to one visitor; `forgetAll` is called when that visitor no longer exists. If
// the browser refuses storage, the values last as long as the page.

const PREFIX = "rushdesk:";
const NAMES = ["tokens", "session", "titles", "outbox", "draft"];
const memory = new Map();

export function read(name, fallback = null) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return memory.get(name) ?? fallback;
  }
}

export function write(name, value) {
  memory.set(name, value);
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden; the value is still in memory.
  }
}

export function forget(name) {
  memory.delete(name);
  try {
    localStorage.removeItem(PREFIX + name);
  } catch {
    // Nothing was stored.
  }
}

export function forgetAll() {
  NAMES.forEach(forget);
}
