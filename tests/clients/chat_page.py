"""The chat page as a shopper uses it, and what it must never do meanwhile."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

# Messages that the browser logs when the network fails, as in some tests.
NETWORK_NOISE = re.compile(r"Failed to load resource|net::ERR_")
ROUTE_WORDS = re.compile(
    "from cache|shared answer|from our help pages|looked up for you|written by the assistant|standard reply"
)


class ChatPage:
    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.log = page.get_by_role("log", name="Conversation")
        self.field = page.locator("#text")
        self.send_button = page.get_by_role("button", name="Send", exact=True)
        self.stop_button = page.get_by_role("button", name="Stop the answer")
        self.answers = self.log.locator(".answer")
        self.questions = self.log.locator(".question")
        self.complaints: list[str] = []
        self.expects_network_noise = False
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._requested)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def open(self) -> ChatPage:
        self.page.goto(self.url)
        expect(self.field).to_be_visible()
        # It has a direction once its words are there.
        expect(self.page.locator("html[dir]")).to_be_attached()
        return self

    def ask(self, text: str) -> None:
        self.field.fill(text)
        self.send_button.click()

    def expect_complete(self, answer: Locator, text: str | None = None) -> None:
        """Expects a complete answer: it has its badge and, if given, this text."""
        expect(answer.locator(".badge")).to_have_text(ROUTE_WORDS, timeout=20_000)
        expect(self.log).to_have_attribute("aria-busy", "false")
        if text is not None:
            expect(answer.locator(".prose")).to_have_text(text)

    def expect_calm(self) -> None:
        assert self.complaints == []

    def _heard(self, message: ConsoleMessage) -> None:
        noise = self.expects_network_noise and NETWORK_NOISE.search(message.text)
        if message.type in ("error", "warning") and not noise:
            self.complaints.append(f"{message.type}: {message.text}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.complaints.append(f"another origin: {request.url}")
