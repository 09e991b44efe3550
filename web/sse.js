// Parses the text/event-stream format: bytes in, frames out, wherever the network cuts them.

export class SseParser {
  #rest = "";
  #frame = emptyFrame();
  #onFrame;

  /** `onFrame({event, data, id, retry})`: `id` and `retry` are null if the frame has none. */
  constructor(onFrame) {
    this.#onFrame = onFrame;
  }

  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    lines.forEach((line) => this.#line(line));
  }

  #line(line) {
    if (line === "") {
      const frame = this.#frame;
      this.#frame = emptyFrame();
      if (frame.lines.length > 0 || frame.retry !== null) {
        const { lines, ...rest } = frame;
        this.#onFrame({ ...rest, data: lines.join("\n") });
      }
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#frame.event = value;
    else if (field === "data") this.#frame.lines.push(value);
    else if (field === "id" && !value.includes("\0")) this.#frame.id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.#frame.retry = Number(value);
  }
}

function emptyFrame() {
  return { event: "message", lines: [], id: null, retry: null };
}
