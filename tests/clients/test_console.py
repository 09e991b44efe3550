"""A shopper on the chat page and somebody of the shop on the console, at the same time."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from chat_page import ChatPage
from model_server import ModelServer, numbered
from rushdesk import Server

PASSWORD = "a long pass phrase"


class ConsolePage(ChatPage):
    """The console as an agent uses it."""

    def __init__(self, page: Page, url: str) -> None:
        super().__init__(page, url)
        self.waiting = page.locator("#waiting button")
        self.mine = page.locator("#mine button")
        self.lines = page.locator("#lines .line")
        self.reply = page.locator("#text")

    def open(self) -> ConsolePage:
        self.page.goto(f"{self.url}/console")
        expect(self.page.get_by_role("heading", name="Sign in")).to_be_visible()
        return self

    def sign_in(self, email: str) -> ConsolePage:
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#desk")).to_be_visible()
        return self

    def on_duty(self) -> ConsolePage:
        with self.page.expect_response("**/v1/desk/presence"):
            self.page.get_by_label("On duty").check()
        return self

    def say(self, text: str) -> None:
        expect(self.reply).to_be_enabled()
        self.reply.fill(text)
        self.reply.press("Enter")


def new_agent(server: Server, name: str) -> str:
    email = f"{uuid.uuid4()}@example.com"
    command = [Path(os.environ["RUSHDESK_BIN"]).resolve(), "users", "create", "--site", "demo", "--email", email, "--name", name]
    done = subprocess.run(command, input=PASSWORD, text=True, env=server.environment, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return email


@pytest.fixture
def new_console(browser: Browser, server: Server) -> Iterator[Callable[..., ConsolePage]]:
    opened: list[ConsolePage] = []

    def open_console(name: str, **options: object) -> ConsolePage:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, **options})
        context.set_default_timeout(15_000)
        console = ConsolePage(context.new_page(), server.url)
        opened.append(console)
        return console.open().sign_in(new_agent(server, name)).on_duty()

    yield open_console
    for console in opened:
        console.page.get_by_role("button", name="Sign out").click()
        expect(console.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=15_000)
        expect(console.page.get_by_label("E-mail")).to_be_focused()
        console.context.close()
        console.expect_calm()


def test_a_person_is_asked_for_comes_and_leaves(new_chat: Callable[..., ChatPage], new_console: Callable[..., ConsolePage]) -> None:
    console, chat = new_console("Mara"), new_chat()
    chat.ask("I want to talk to a human")
    expect(chat.page.locator("#people")).to_contain_text("A person from our team will answer here.", timeout=20_000)
    expect(console.waiting).to_have_count(1, timeout=10_000)
    # By keyboard alone.
    console.page.keyboard.press("Alt+n")
    expect(console.lines.first).to_contain_text("I want to talk to a human")
    console.page.keyboard.press("Alt+a")
    expect(console.page.locator("#who")).to_have_text("You have this conversation.")
    expect(chat.page.locator("#people")).to_contain_text("You are talking to Mara.")
    console.say("Hello, I am Mara.")
    bubble = chat.log.locator(".agent")
    expect(bubble).to_contain_text("Hello, I am Mara.")
    expect(bubble.locator(".author")).to_have_text("Mara")
    chat.ask("Hello Mara, where is my parcel?")
    expect(console.lines.last).to_contain_text("Hello Mara, where is my parcel?")
    # It is no turn: nothing is waited for.
    expect(chat.log).to_have_attribute("aria-busy", "false")
    chat.page.reload()
    expect(chat.questions).to_have_count(2)
    expect(chat.page.locator("#people")).to_contain_text("You are talking to")
    expect(chat.log).to_have_attribute("aria-busy", "false")
    chat.page.get_by_role("button", name="Back to the assistant").click()
    expect(chat.page.locator("#people")).to_be_hidden()
    expect(console.page.locator("#who")).to_have_text("The assistant answers.")
    expect(console.mine).to_have_count(0, timeout=10_000)
    # How it was is asked once.
    rating = chat.page.locator("#csat")
    expect(rating).to_contain_text("How was the help that you had?")
    rating.get_by_label("4 of 5").check()
    rating.get_by_label("Anything to add?").fill("Mara was kind")
    with chat.page.expect_response("**/csat") as rated:
        rating.get_by_role("button", name="Send").click()
    assert rated.value.status == 201
    expect(rating).to_be_hidden()
    expect(chat.page.locator("#status")).to_have_text("Thank you for your feedback.")


def test_a_person_takes_over_while_the_assistant_writes(
    new_chat: Callable[..., ChatPage], new_console: Callable[..., ConsolePage], model: ModelServer
) -> None:
    console, chat = new_console("Noor"), new_chat()
    chat.ask("I want to talk to a human")
    expect(console.waiting).to_have_count(1, timeout=10_000)
    script = model.tell(numbered(12), hold_after=30)
    chat.ask(script.question)
    expect(chat.answers.last).to_contain_text("This is point 2")
    console.page.keyboard.press("Alt+n")
    console.page.keyboard.press("Alt+a")
    console.say("I take it from here.")
    expect(chat.log.locator(".agent")).to_contain_text("I take it from here.")
    # Nothing of the broken answer is left, and nothing of it comes.
    script.release()
    expect(chat.log).not_to_contain_text("This is point")
    expect(chat.log).to_have_attribute("aria-busy", "false")
    expect(console.page.locator("#lines")).not_to_contain_text("This is point")
    console.page.keyboard.press("Alt+c")
    expect(chat.field).to_have_attribute("placeholder", "Closed. Write to open it again.")
    # Both sides read that it is over.
    expect(chat.page.locator("#people-words")).to_have_text("This conversation is closed.")
    expect(chat.page.get_by_role("button", name="Back to the assistant")).to_be_hidden()
    expect(console.page.locator("#who")).to_contain_text("Closed.")
    expect(console.page.locator("#close")).to_be_disabled()
    expect(console.page.locator("#ended button").first).to_contain_text("closed, was yours", timeout=10_000)


def test_nobody_answers_what_they_have_not_read(new_chat: Callable[..., ChatPage], new_console: Callable[..., ConsolePage]) -> None:
    console, chat = new_console("Mara"), new_chat()
    chat.ask("I want to talk to a human")
    expect(console.waiting).to_have_count(1, timeout=10_000)
    console.page.keyboard.press("Alt+n")
    console.page.keyboard.press("Alt+a")
    expect(console.reply).to_be_enabled()
    refuse = '{"code": "stale_view", "status": 409, "title": "", "detail": ""}'
    console.expects_network_noise = True
    console.page.route("**/messages", lambda route: route.fulfill(status=409, content_type="application/problem+json", body=refuse), times=1)
    console.say("The parcel comes today.")
    expect(console.page.locator("#notice")).to_contain_text("Read it, then send again.")
    expect(console.reply).to_have_value("The parcel comes today.")
    console.reply.press("Enter")
    expect(chat.log.locator(".agent")).to_have_count(1)
    console.page.keyboard.press("Alt+b")
    expect(chat.page.locator("#people")).to_be_hidden()


def test_a_conversation_is_passed_on_with_a_note(new_chat: Callable[..., ChatPage], new_console: Callable[..., ConsolePage]) -> None:
    mara, noor, chat = new_console("Mara"), new_console("Noor"), new_chat()
    chat.ask("I want to talk to a human")
    expect(mara.waiting).to_have_count(1, timeout=10_000)
    mara.page.keyboard.press("Alt+n")
    mara.page.keyboard.press("Alt+a")
    expect(mara.reply).to_be_enabled()
    expect(noor.page.locator("#others button")).to_contain_text("with Mara for under a minute", timeout=10_000)
    mara.page.keyboard.press("Alt+t")
    dialog = mara.page.get_by_role("dialog")
    expect(dialog.get_by_label("To", exact=True)).to_contain_text("Noor (has 0 of 3)")
    dialog.get_by_label("To", exact=True).select_option(label="Noor (has 0 of 3)")
    dialog.get_by_label("Note for whoever takes it").fill("The parcel is lost; be kind.")
    dialog.get_by_role("button", name="Pass on").click()
    expect(dialog).to_be_hidden()
    expect(mara.page.locator("#who")).to_have_text("Somebody else has it.")
    expect(chat.page.locator("#people")).to_contain_text("You are talking to Noor.")
    noor.mine.first.click()
    expect(noor.page.locator("#who")).to_have_text("You have this conversation.")
    noor.page.get_by_text("Notes and tags").click()
    expect(noor.page.locator("#note-list")).to_contain_text("The parcel is lost; be kind.")
    # Whoever waits again goes before the others.
    noor.page.keyboard.press("Alt+t")
    noor.page.get_by_role("dialog").get_by_label("To", exact=True).select_option(label="The queue")
    noor.page.get_by_role("dialog").get_by_role("button", name="Pass on").click()
    expect(mara.waiting).to_contain_text("first: had somebody before", timeout=10_000)
    mara.page.keyboard.press("Escape")
    mara.waiting.click()
    mara.page.keyboard.press("Alt+c")


def test_the_desk_is_as_it_was_after_a_reload_and_the_focus_is_where_one_goes_on(
    new_chat: Callable[..., ChatPage], new_console: Callable[..., ConsolePage]
) -> None:
    console, chat = new_console("Mara"), new_chat()
    expect(console.page.get_by_label("On duty")).to_be_focused()
    console.page.get_by_label("At once").fill("5")
    with console.page.expect_response("**/v1/desk/presence"):
        console.page.get_by_label("At once").press("Tab")
    with console.page.expect_response("**/v1/desk/presence") as beat:
        console.page.reload()
    assert beat.value.json()["state"] == "online"
    expect(console.page.get_by_label("On duty")).to_be_checked()
    expect(console.page.get_by_label("At once")).to_have_value("5")
    chat.ask("I want to talk to a human")
    expect(console.waiting).to_have_count(1, timeout=10_000)
    expect(console.waiting).to_have_attribute("title", "the shopper asked for a person")
    expect(console.waiting).to_contain_text("waits under a minute")
    console.page.keyboard.press("Alt+n")
    expect(console.reply).to_be_disabled()
    # What cannot be sent does not look as if it could.
    colours = "[...document.querySelectorAll('#reply button')].map((b) => getComputedStyle(b).backgroundColor)"
    send = console.page.evaluate(colours)[0]
    console.page.keyboard.press("Alt+a")
    expect(console.reply).to_be_enabled()
    assert console.page.evaluate(colours)[0] != send, "Send is the same, enabled or not"
    expect(console.page.locator("#lines time").first).to_contain_text(":")
    for nth in range(12):
        console.say(f"Line {nth}")
        expect(console.reply).to_have_value("")
        expect(console.lines.last).to_contain_text(f"Line {nth}")
    in_view = "(() => { const box = document.querySelector('#lines').getBoundingClientRect(); const last = document.querySelector('#lines .line:last-child').getBoundingClientRect(); return last.bottom <= box.bottom + 1; })()"
    assert console.page.evaluate(in_view)
    console.page.get_by_text("Notes and tags").click()
    console.page.wait_for_function(in_view)
    console.page.keyboard.press("Escape")
    expect(console.mine.first).to_be_focused()
    console.mine.first.click()
    console.page.keyboard.press("Alt+c")


def test_the_console_fits_a_telephone_and_the_dark(new_chat: Callable[..., ChatPage], new_console: Callable[..., ConsolePage], artifacts: Path) -> None:
    for scheme, width in (("light", 1200), ("dark", 1200), ("light", 390), ("dark", 390)):
        look = {"color_scheme": scheme, "viewport": {"width": width, "height": 760}}
        console, chat = new_console("Mara", **look), new_chat(**look)
        chat.ask("I want to talk to a human")
        expect(console.waiting.first).to_be_visible(timeout=10_000)
        console.page.screenshot(path=artifacts / f"console-queue-{scheme}-{width}.png")
        console.waiting.first.click()
        console.page.get_by_role("button", name="Take over").click()
        console.say("Hello, I am Mara.")
        expect(console.lines.last).to_contain_text("Hello, I am Mara.")
        too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not console.page.evaluate(too_wide), (scheme, width)
        console.page.screenshot(path=artifacts / f"console-talk-{scheme}-{width}.png")
        console.page.get_by_role("button", name="Pass on…").click()
        console.page.screenshot(path=artifacts / f"console-pass-{scheme}-{width}.png")
        console.page.keyboard.press("Escape")
        expect(console.page.locator("#who")).to_have_text("You have this conversation.")
        console.page.get_by_text("Notes and tags").click()
        console.page.screenshot(path=artifacts / f"console-notes-{scheme}-{width}.png")
        console.page.locator("#close").click()
        expect(console.page.locator("#who")).to_contain_text("Closed.")
        console.page.screenshot(path=artifacts / f"console-closed-{scheme}-{width}.png")
        expect(chat.page.locator("#csat")).to_be_visible()
        assert not chat.page.evaluate(too_wide), (scheme, width)
        chat.page.screenshot(path=artifacts / f"chat-rating-{scheme}-{width}.png")
