"""Changes that a shopper confirms on the chat page. The events are those of the API, played by the test."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from chat_page import ChatPage

ACTION = "01990000-0000-7000-8000-000000000001"
HASH = "b1fc33a423cc60272010fbb3fb679521c57e69c20b1a501da0ed723ac5df5db4"


def proposal(**fields: object) -> dict[str, object]:
    expires_at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 900))
    return {
        "kind": "action",
        "action_id": ACTION,
        "tool": "order_cancel",
        "effect": "Cancel order FJ-10234",
        "fields": [{"label": "Order", "value": "FJ-10234"}, {"label": "You get back", "value": "129.90 EUR"}],
        "hash": HASH,
        "expires_at": expires_at,
        **fields,
    }


class Played:
    """A server whose turns are played by the test: it takes each message, and answers what it is told."""

    def __init__(self, chat: ChatPage, cards: list[dict[str, object]]) -> None:
        self.chat = chat
        self.seq = 0
        self.turn = 0
        self.pending = ""
        self.decisions: list[tuple[str, str | None]] = []
        self.outcome: tuple[str, str] | None = ("done", "Order FJ-10234 is cancelled.")
        self.refusal: dict[str, object] | None = None
        self.cards = cards
        chat.page.route("**/v1/sessions/*/messages", self._message)
        chat.page.route("**/v1/sessions/*/events*", self._events)
        chat.page.route("**/v1/actions/**", self._decision)

    def event(self, kind: str, **fields: object) -> None:
        self.seq += 1
        turn = f"01990000-0000-7000-8000-{self.turn:012}"
        data = {"type": kind, "v": 1, "seq": self.seq, "turn_id": turn, "at": "2026-11-30T08:00:00.000Z", **fields}
        self.pending += f"id: {self.seq}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"

    def answer(self, text: str, **fields: object) -> None:
        self.event("answer.completed", message_id="01990000-0000-7000-8000-00000000000a", text=text, route="tool", citations=[], **fields)

    def _message(self, route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        asked = route.request.post_data_json
        self.turn += 1
        self.event("message.created", text=asked["text"], client_message_id=asked["client_message_id"])
        for card in self.cards:
            if card["kind"] == "action":
                self.event("action.proposed", **{name: value for name, value in card.items() if name != "kind"})
        self.answer("I can do that. Shall I?", cards=self.cards)
        turn = f"01990000-0000-7000-8000-{self.turn:012}"
        route.fulfill(status=202, json={"turn_id": turn, "status": "running"})

    def _decision(self, route: Route) -> None:
        decision = route.request.url.rsplit("/", 1)[1]
        body = json.loads(route.request.post_data) if route.request.post_data else {}
        self.decisions.append((decision, body.get("hash")))
        if self.refusal:
            route.fulfill(status=409, content_type="application/problem+json", json=self.refusal)
            return
        self.turn += 1
        self.event("message.created", text="Yes, please: Cancel order FJ-10234")
        if self.outcome:
            status, detail = self.outcome
            self.event("action.result", action_id=ACTION, status=status, detail=detail)
            self.answer(detail)
        route.fulfill(status=202, json={"status": "running"})

    def _events(self, route: Route) -> None:
        """What has happened since the last time; then the page comes again."""
        body, self.pending = f"retry: 150\n\n{self.pending}: more\n\n", ""
        route.fulfill(status=200, content_type="text/event-stream", body=body)


@pytest.fixture
def play(new_chat: Callable[..., ChatPage]) -> Callable[..., tuple[Played, Locator]]:
    def play(*cards: dict[str, object], **options: object) -> tuple[Played, Locator]:
        chat = new_chat(**options)
        chat.expects_network_noise = True
        played = Played(chat, list(cards))
        chat.field.fill("Please cancel my order FJ-10234")
        chat.field.press("Enter")
        # By class, since names are in the language of the page.
        return played, chat.page.locator(".answer").first.locator(".card")

    return play


@pytest.mark.parametrize(
    ("button", "decision", "status", "words"),
    [
        ("Confirm", ("confirm", HASH), "done", "Done."),
        ("No, do not", ("decline", None), "declined", "You declined. Nothing was changed."),
        ("Confirm", ("confirm", HASH), "unknown", "We are checking."),
    ],
)
def test_a_change_is_decided_once(
    play: Callable[..., tuple[Played, Locator]], button: str, decision: tuple[str, str | None], status: str, words: str
) -> None:
    played, card = play(proposal())
    played.outcome = (status, "This is what became of it.")
    expect(card.get_by_role("heading")).to_have_text("Cancel order FJ-10234")
    expect(card.locator("dd")).to_have_text(["FJ-10234", "129.90 EUR"])
    pressed = card.get_by_role("button", name=button)
    pressed.dblclick()
    expect(card.get_by_role("status")).to_have_text(words)
    assert played.decisions == [decision]
    for other in card.locator("button").all():
        expect(other).to_be_disabled()
    expect(played.chat.answers.nth(1).locator(".prose")).to_have_text("This is what became of it.")
    expect(played.chat.questions).to_have_count(2)


def test_what_is_not_known_yet_is_told_later(play: Callable[..., tuple[Played, Locator]]) -> None:
    played, card = play(proposal())
    played.outcome = ("unknown", "We are checking.")
    card.get_by_role("button", name="Confirm").click()
    expect(card.get_by_role("status")).to_have_text("We are checking.")
    played.turn += 1
    played.event("action.result", action_id=ACTION, status="done", detail="Order FJ-10234 is cancelled.")
    played.answer("Order FJ-10234 is cancelled.")
    expect(card.get_by_role("status")).to_have_text("Done.", timeout=15_000)
    expect(played.chat.answers).to_have_count(3)


def test_a_refused_decision_can_be_made_again(play: Callable[..., tuple[Played, Locator]]) -> None:
    played, card = play(proposal())
    played.refusal = {"code": "turn_active", "status": 409, "detail": "Please wait."}
    card.get_by_role("button", name="Confirm").click()
    expect(played.chat.page.locator("#status")).to_have_text("That did not work. Please wait.")
    played.refusal = None
    card.get_by_role("button", name="Confirm").click()
    expect(card.get_by_role("status")).to_have_text("Done.")


def test_an_offer_of_the_past_cannot_be_confirmed(play: Callable[..., tuple[Played, Locator]]) -> None:
    _, card = play(proposal(expires_at="2026-01-01T00:00:00.000Z"))
    expect(card.get_by_role("status")).to_have_text("This offer has expired.")
    expect(card.get_by_role("button", name="Confirm")).to_be_hidden()


def test_what_a_card_says_stays_text_and_links_are_safe(play: Callable[..., tuple[Played, Locator]]) -> None:
    evil = "<img src=x onerror=alert(1)>"
    fields = [{"label": evil, "value": evil}]
    _, card = play(
        {"kind": "order", "title": evil, "fields": fields, "url": "javascript:alert(1)"},
        {"kind": "product", "title": "Vidde 2", "fields": fields, "url": "https://shop.example/vidde"},
        {"kind": "teapot", "title": "of a newer server"},
        proposal(effect=evil, fields=fields),
    )
    expect(card).to_have_count(3)
    expect(card.locator("img")).to_have_count(0)
    expect(card.nth(0).get_by_role("heading")).to_have_text(evil)
    expect(card.nth(0).locator("a")).to_have_count(0)
    link = card.nth(1).locator("a")
    expect(link).to_have_attribute("href", "https://shop.example/vidde")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


@pytest.mark.parametrize("palette", ["light", "dark"])
@pytest.mark.parametrize(("width", "language"), [(1100, "en"), (360, "de"), (360, "ar")])
def test_pictures_of_cards(
    play: Callable[..., tuple[Played, Locator]], artifacts: Path, palette: str, width: int, language: str
) -> None:
    order = {
        "kind": "order",
        "title": "Order FJ-10234",
        "fields": [{"label": "Status", "value": "Processing"}, {"label": "Items", "value": "Down jacket, size M"}],
        "url": "https://carrier.example/track/1",
    }
    size = {"width": width, "height": 760}
    played, card = play(order, proposal(), color_scheme=palette, viewport=size, locale=language)
    expect(card).to_have_count(2)
    page = played.chat.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=artifacts / f"cards-{language}-{palette}-{width}.png", animations="disabled")
    card.nth(1).locator("button").first.click()
    expect(card.nth(1).get_by_role("status")).to_be_visible()
    expect(page.locator(".answer")).to_have_count(2)
    page.screenshot(path=artifacts / f"cards-done-{language}-{palette}-{width}.png", animations="disabled")
