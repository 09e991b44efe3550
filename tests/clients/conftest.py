"""The server, a scripted model behind it, and the clients that talk to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from chat_page import ChatPage
from model_server import ModelServer
from rushdesk import Server, Shopper

CHROMIUM_ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    server = ModelServer()
    yield server
    server.stop()


# However long a test holds an answer, no other request is refused because of it.
UNHURRIED = {
    "RUSHDESK__CACHE__ENABLED": "false",
    "RUSHDESK__BROWNOUT__CLIMB_MS": "[600000, 600000, 600000, 600000]",
    "RUSHDESK__BROWNOUT__LONGEST_WAIT_MS": "[600000, 600000, 600000, 600000, 600000]",
}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[Server]:
    """Without a cache and a brownout: each question reaches the scripted model, however long others hold it."""
    yield from _running(tmp_path_factory.mktemp("server"), model, UNHURRIED)


@pytest.fixture
def one_slot_server(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[Server]:
    """One answer at a time. A slow machine loses some of several learned slots, but never the last one."""
    settings = UNHURRIED | {
        "RUSHDESK__INFERENCE__BACKENDS": f'[{{name="fake",kind="openai",url="{model.url}",model="m",slots=1}}]',
        "RUSHDESK__INFERENCE__QUEUE_TIMEOUT_MS": "600000",
        "RUSHDESK__INFERENCE__TOKEN_GAP_TIMEOUT_MS": "600000",
    }
    yield from _running(tmp_path_factory.mktemp("one-slot-server"), model, settings)


@pytest.fixture
def flooded_server(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[Server]:
    """New visitors soon have to prove work."""
    settings = UNHURRIED | {
        "RUSHDESK__LIMITS__SITE_FREE_VISITORS_PER_SECOND": "1",
        "RUSHDESK__LIMITS__PROOF_BITS": "8",
    }
    yield from _running(tmp_path_factory.mktemp("flooded-server"), model, settings)


@pytest.fixture(scope="session")
def caching_server(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[Server]:
    yield from _running(tmp_path_factory.mktemp("caching-server"), model, {})


def _running(folder: Path, model: ModelServer, settings: dict[str, str]) -> Iterator[Server]:
    server = Server(folder, model.url, settings)
    yield server
    code = server.stop()
    assert code == 0, f"the server ended with {code}:\n{server.log()}"


@pytest.fixture
def shopper(server: Server) -> Iterator[Shopper]:
    shopper = Shopper(server)
    yield shopper
    shopper.http.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def new_chat(browser: Browser, server: Server) -> Iterator[Callable[..., ChatPage]]:
    """Opens the page as a new visitor. At the end no page may have logged an error or left its origin."""
    opened: list[ChatPage] = []

    def open_chat(at: Server = server, **options: object) -> ChatPage:
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 760}, **options})
        context.set_default_timeout(15_000)
        chat = ChatPage(context.new_page(), at.url)
        opened.append(chat)
        return chat.open()

    yield open_chat
    for chat in opened:
        chat.context.close()
        chat.expect_calm()


@pytest.fixture
def chat(new_chat: Callable[..., ChatPage]) -> ChatPage:
    return new_chat()


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """The folder for pictures: RUSHDESK_TEST_ARTIFACTS, or a temporary folder."""
    folder = Path(os.environ.get("RUSHDESK_TEST_ARTIFACTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
