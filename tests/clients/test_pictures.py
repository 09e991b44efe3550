"""Takes pictures of the page, in both palettes, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from chat_page import ChatPage
from model_server import ModelServer

ADVICE = """For a windy ridge I would take the **tunnel tent**:

- It is lighter for the same room, about *2.4 kg* for two people.
- Pitched along the wind it stands calmly.
- You need at least six good pegs; take `Y-pegs` for loose ground.

The dome tent is easier to pitch alone. Our [guide](https://fjellheim.example/guide) compares both in detail,
with measured weights and packing sizes."""


@pytest.mark.parametrize("palette", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_pictures(
    new_chat: Callable[..., ChatPage], model: ModelServer, artifacts: Path, palette: str, width: int
) -> None:
    size = {"width": width, "height": 800 if width > 600 else 740}
    chat = new_chat(color_scheme=palette, viewport=size, device_scale_factor=2 if width < 600 else 1)
    chat.expects_network_noise = True

    def picture(name: str) -> None:
        path = artifacts / f"{name}-{palette}-{width}.png"
        chat.page.screenshot(path=path, animations="disabled")
        assert path.stat().st_size > 5_000

    picture("1-welcome")
    chat.page.get_by_role("button", name="How do I return").click()
    chat.expect_complete(chat.answers.first)
    chat.answers.first.get_by_role("group", name="Sources").get_by_role("button").first.click()
    script = model.tell(ADVICE, hold_after=40)
    chat.ask(script.question)
    expect(chat.answers.nth(1).locator(".prose")).to_contain_text("Pitched along")
    picture("2-writing")
    script.release()
    chat.expect_complete(chat.answers.nth(1))
    picture("3-answered")

    chat.page.route("**/messages", _busy)
    chat.answers.nth(1).get_by_role("button", name="Bad answer").click()
    chat.ask("And which one is better for two people and a dog?")
    expect(chat.questions.nth(2)).to_contain_text("Trying again in")
    picture("4-busy")
    chat.page.get_by_role("button", name="Your conversations").click()
    expect(chat.page.locator(".past")).to_have_count(1)
    picture("5-conversations")


def _busy(route: Route) -> None:
    route.fulfill(
        status=503,
        content_type="application/problem+json",
        headers={"Retry-After": "12"},
        body='{"code":"overloaded","detail":"We are very busy right now; please try again in a moment."}',
    )
