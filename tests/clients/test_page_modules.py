"""The difficult modules of the page, run in a real browser."""

from __future__ import annotations

import hashlib

import pytest

from chat_page import ChatPage


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_frames_are_the_same_wherever_the_network_cuts_them(chat: ChatPage, newline: str) -> None:
    text = newline.join(
        [": hello", "", "retry: 700", "", "id: 3.1", "event: answer.delta", 'data: {"a":', "data: 1}", "", "data:x", "", "data: lost"]
    )
    whole, *cut = chat.page.evaluate(
        """async (text) => {
          const { SseParser } = await import("/assets/sse.js");
          const read = (pieces) => {
            const frames = [];
            const parser = new SseParser((frame) => frames.push(frame));
            pieces.forEach((piece) => parser.push(piece));
            return frames;
          };
          const cuts = Array.from(text, (_, at) => [text.slice(0, at), text.slice(at)]);
          return [read([text]), ...cuts.map(read), read([...text])];
        }""",
        text,
    )
    assert whole == [
        {"event": "message", "id": None, "retry": 700, "data": ""},
        {"event": "answer.delta", "id": "3.1", "retry": None, "data": '{"a":\n1}'},
        {"event": "message", "id": None, "retry": None, "data": "x"},
    ]
    assert all(frames == whole for frames in cut)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"),
        ("## Title\nText", "<p><strong>Title</strong></p><p>Text</p>"),
        ("- a\n- **b**\n\n2. c", '<ul><li>a</li><li><strong>b</strong></li></ul><ol start="2"><li>c</li></ol>'),
        ("*a* and _b_ but snake_case_name and 2 * 3 * 4", "<p><em>a</em> and <em>b</em> but snake_case_name and 2 * 3 * 4</p>"),
        ("`**a**` **open", "<p><code>**a**</code> **open</p>"),
        ("```js\n<b>\n```\nafter", '<pre tabindex="0"><code>&lt;b&gt;</code></pre><p>after</p>'),
        ("[x](javascript:alert(1)) [y](//evil) [z](data:x)", "<p>[x](javascript:alert(1)) [y](//evil) [z](data:x)</p>"),
        ("<i>a</i> &amp;", "<p>&lt;i&gt;a&lt;/i&gt; &amp;amp;</p>"),
        ("Known [1], unknown [2].", '<p>Known <sup>1</sup>, unknown [2].</p>'),
    ],
)  # fmt: skip
def test_markdown_becomes_nodes_and_the_rest_stays_text(chat: ChatPage, text: str, html: str) -> None:
    assert _render(chat, [text]) == html


def test_links_open_apart_and_end_before_the_punctuation(chat: ChatPage) -> None:
    rendered = _render(chat, ["See https://shop.example/a_b_c?d=1."])
    assert rendered == (
        '<p>See <a href="https://shop.example/a_b_c?d=1" target="_blank" rel="noopener noreferrer nofollow">'
        "https://shop.example/a_b_c?d=1</a>.</p>"
    )


def test_markdown_that_grows_ends_as_if_it_had_come_whole(chat: ChatPage) -> None:
    text = "Intro **bold** and\n\n- one\n- two\n\n1. x\n2. y\n\n```\ncode\n```\n\nLast [link](https://a.example/)."
    assert _render(chat, [text[:end] for end in range(len(text) + 1)]) == _render(chat, [text])


@pytest.mark.parametrize("piece", ["**a ", "*a", "_a ", "[a](", "`", "[[[", "- ", "https://"])
def test_hostile_markdown_costs_little_time(chat: ChatPage, piece: str) -> None:
    milliseconds = chat.page.evaluate(
        """async (text) => {
          const { renderMarkdown } = await import("/assets/markdown.js");
          const start = performance.now();
          renderMarkdown(document.createElement("div"), text);
          return performance.now() - start;
        }""",
        (piece * 32768)[:32768],
    )
    assert milliseconds < 1500


def test_a_replay_of_events_changes_nothing(chat: ChatPage) -> None:
    shown = chat.page.evaluate(
        """async () => {
          const { Conversation, shownText } = await import("/assets/conversation.js");
          const turn = { turn_id: "t", at: "2026-01-01T00:00:00.000Z" };
          const events = [
            ["message.created", { ...turn, message_id: "q", text: "Hello" }],
            ["answer.delta", { ...turn, index: 0, text: "One " }],
            ["answer.delta", { ...turn, index: 1, text: "two." }],
            ["answer.citation", { ...turn, id: "1", title: "Page", quote: "…" }],
          ];
          const conversation = new Conversation();
          for (let round = 0; round < 2; round += 1) {
            events.forEach(([name, event]) => conversation.apply(name, event));
          }
          const [question, answer] = conversation.entries;
          return [conversation.entries.length, question.text, shownText(answer), answer.citations.length];
        }"""
    )
    assert shown == [2, "Hello", "One two.", 1]


def test_a_late_answer_names_its_question_and_closes_the_ticket(chat: ChatPage) -> None:
    shown = chat.page.evaluate(
        """async () => {
          const { Conversation } = await import("/assets/conversation.js");
          const at = "2026-01-01T00:00:00.000Z";
          const end = (turn, text, state) => ["answer.completed", {
            turn_id: turn, at, message_id: turn, text, route: "template", ticket: { id: "one", state },
          }];
          const events = [
            ["message.created", { turn_id: "one", at, message_id: "q", text: "Where are my boots?" }],
            end("one", "Kept.", "open"),
            end("two", "On their way.", "answered"),
          ];
          const conversation = new Conversation();
          for (let round = 0; round < 2; round += 1) {
            events.forEach(([name, event]) => conversation.apply(name, event));
          }
          const [, kept, late] = conversation.entries;
          return [conversation.entries.length, kept.ticket.state, kept.late, late.asked, late.late];
        }"""
    )
    assert shown == [3, "answered", False, "Where are my boots?", True]


def _render(chat: ChatPage, stages: list[str]) -> str:
    """The markup after each stage was rendered over the previous one."""
    return chat.page.evaluate(
        """async (stages) => {
          const { renderMarkdown } = await import("/assets/markdown.js");
          const root = document.createElement("div");
          const makeRef = (id) => {
            if (id !== "1") return null;
            const node = document.createElement("sup");
            node.textContent = id;
            return node;
          };
          stages.forEach((text) => renderMarkdown(root, text, makeRef));
          return root.innerHTML;
        }""",
        stages,
    )


@pytest.mark.parametrize("length", [0, 54, 55, 56, 63, 64, 300])
def test_the_proof_of_work_fits_the_hash_that_the_server_computes(chat: ChatPage, length: int) -> None:
    token = "é" + "x" * length
    nonce = chat.page.evaluate(
        """async ([token, bits]) => {
          const { solve } = await import("/assets/proof.js");
          return solve({ token, bits });
        }""",
        [token, 10],
    )
    assert hashlib.sha256(f"{token}.{nonce}".encode()).hexdigest().startswith("00")
    assert int(hashlib.sha256(f"{token}.{nonce}".encode()).hexdigest()[:4], 16) < 1 << 6
