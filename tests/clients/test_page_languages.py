"""The chat page in the language of its shopper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from chat_page import ChatPage

LANGUAGES = ["ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"]


@pytest.mark.parametrize(
    ("browser_language", "lang", "direction", "welcome"),
    [
        ("de-AT", "de-AT", "ltr", "Guten Tag. Wie können wir Ihnen helfen?"),
        ("ar", "ar", "rtl", "مرحبا. كيف يمكننا مساعدتك؟"),
        ("sv-SE", "en", "ltr", "Hello. What can we help you with?"),
    ],
)
def test_the_page_speaks_the_language_of_the_browser(
    new_chat: Callable[..., ChatPage], browser_language: str, lang: str, direction: str, welcome: str
) -> None:
    page = new_chat(locale=browser_language).page
    expect(page.locator("#welcome-title")).to_have_text(welcome)
    root = page.locator("html")
    expect(root).to_have_attribute("lang", lang)
    expect(root).to_have_attribute("dir", direction)


def test_the_address_counts_more_than_the_browser(new_chat: Callable[..., ChatPage]) -> None:
    chat = new_chat(locale="de-DE")
    created: list[str] = []
    chat.page.on("request", lambda request: created.append(request.post_data or "") if request.url.endswith("/v1/sessions") else None)
    chat.page.goto(f"{chat.url}/?lang=fr")
    expect(chat.page.locator("#text")).to_have_attribute("placeholder", "Posez-nous une question…")
    chat.page.locator(".example").first.click()
    expect(chat.page.locator(".answer .badge")).to_be_visible()
    assert created == ['{"locale":"fr"}']


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_missing_and_nothing_sticks_out_on_a_small_screen(
    new_chat: Callable[..., ChatPage], artifacts: Path, language: str
) -> None:
    chat = new_chat(viewport={"width": 320, "height": 640})
    page = chat.page
    page.goto(f"{chat.url}/?lang={language}")
    expect(page.locator("html")).to_have_attribute("lang", language)
    shown = page.evaluate("[...document.querySelectorAll('[data-t]')].map((node) => node.textContent.trim())")
    assert not [words for words in shown if "_" in words], shown
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=artifacts / f"language-{language}.png", animations="disabled")


def test_the_keyboard_reaches_everything_from_right_to_left(new_chat: Callable[..., ChatPage]) -> None:
    page = new_chat(locale="ar").page
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    # The browser may begin at the document itself.
    reached = [name for name in reached if name]
    assert reached[:3] == ["skip", "conversations", "scroller"], reached
    assert reached[3:7] == ["example"] * 4 and "text" in reached, reached
    field = page.locator("#text")
    assert field.evaluate("(node) => getComputedStyle(node).direction") == "rtl"
    field.fill("Hello")
    assert field.evaluate("(node) => getComputedStyle(node).direction") == "ltr"
