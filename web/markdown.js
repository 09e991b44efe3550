// The small part of Markdown that answers use: paragraphs, lists, headings as bold lines, code,
// bold, italic, links. Anything else stays as written; nothing becomes HTML.

import { el, link, safeLink } from "./dom.js";

const MAX_DEPTH = 4;
const BULLET = /^\s*[-*•]\s+(.*)$/;
const NUMBER = /^\s*(\d{1,3})[.)]\s+(.*)$/;
const HEADING = /^#{1,6}\s+(.*)$/;
const FENCE = /^\s*```/;

// Spans are bounded, so that hostile text has a linear cost.
const INLINE = new RegExp(
  [
    "`(?<code>[^`\\n]{1,500})`",
    "\\*\\*(?<bold>\\S(?:[^]{0,500}?\\S)?)\\*\\*",
    "(?<![\\p{L}\\p{N}*])\\*(?<star>[^\\s*](?:[^*\\n]{0,500}?[^\\s*])?)\\*(?!\\*)",
    "(?<![\\p{L}\\p{N}_])_(?<under>[^\\s_](?:[^_\\n]{0,500}?[^\\s_])?)_(?![\\p{L}\\p{N}_])",
    "\\[(?<label>[^\\[\\]\\n]{1,300})\\]\\((?<target>[^()\\s]{1,2000})\\)",
    "\\[(?<ref>\\d{1,2})\\]",
    "(?<url>https?://[^\\s<>\"'`\\])]{1,2000}[^\\s<>\"'`\\]).,;:!?])",
  ].join("|"),
  "gu",
);

/** Renders `text` into `root`, keeping the nodes of blocks that did not change since the last time. */
export function renderMarkdown(root, text, makeRef) {
  const blocks = splitBlocks(text);
  blocks.forEach((block, index) => {
    const source = `${block.kind}\n${block.lines.join("\n")}`;
    const old = root.children[index];
    if (old?.markdownSource === source) return;
    const node = renderBlock(block, makeRef);
    node.markdownSource = source;
    if (old) old.replaceWith(node);
    else root.append(node);
  });
  while (root.children.length > blocks.length) root.lastElementChild.remove();
}

function splitBlocks(text) {
  const blocks = [];
  let block = null;
  const open = (kind, line, extra = {}) => {
    block = { kind, lines: [line], ...extra };
    blocks.push(block);
  };
  for (const line of text.split("\n")) {
    const bullet = BULLET.exec(line);
    const number = NUMBER.exec(line);
    if (block?.kind === "code" && !block.closed) {
      if (FENCE.test(line)) block.closed = true;
      else block.lines.push(line);
    } else if (FENCE.test(line)) {
      open("code", "");
      block.lines = [];
    } else if (line.trim() === "") {
      block = null;
    } else if (HEADING.test(line)) {
      open("heading", HEADING.exec(line)[1]);
      block = null;
    } else if (bullet) {
      if (block?.kind === "bullets") block.lines.push(bullet[1]);
      else open("bullets", bullet[1]);
    } else if (number) {
      if (block?.kind === "numbers") block.lines.push(number[2]);
      else open("numbers", number[2], { start: Number(number[1]) });
    } else if (block && block.kind !== "code") {
      // A wrapped line continues the current block: its paragraph or its last list item.
      if (block.kind === "text") block.lines.push(line);
      else block.lines.push(`${block.lines.pop()}\n${line.trim()}`);
    } else {
      open("text", line);
    }
  }
  return blocks;
}

function renderBlock({ kind, lines, start }, makeRef) {
  const inline = (text) => renderInline(text, makeRef, 0);
  switch (kind) {
    case "code":
      return el("pre", { tabindex: "0" }, el("code", {}, lines.join("\n")));
    case "heading":
      return el("p", {}, el("strong", {}, ...inline(lines[0])));
    case "bullets":
      return el("ul", {}, ...lines.map((line) => el("li", {}, ...inline(line))));
    case "numbers":
      return el("ol", { start }, ...lines.map((line) => el("li", {}, ...inline(line))));
    default:
      return el("p", {}, ...inline(lines.join("\n")));
  }
}

function renderInline(text, makeRef, depth) {
  if (depth >= MAX_DEPTH) return [text];
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    const node = renderSpan(match.groups, makeRef, depth);
    if (node === null) continue;
    nodes.push(text.slice(end, match.index), node);
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}

function renderSpan({ code, bold, star, under, label, target, ref, url }, makeRef, depth) {
  const inner = (text) => renderInline(text, makeRef, depth + 1);
  if (code !== undefined) return el("code", {}, code);
  if (bold !== undefined) return el("strong", {}, ...inner(bold));
  if (star !== undefined || under !== undefined) return el("em", {}, ...inner(star ?? under));
  if (url !== undefined) return link(url, url);
  if (ref !== undefined) return makeRef?.(ref) ?? null;
  return safeLink(target) === null ? null : link(target, label);
}
