"""One server for all pages: embedded mode with the demo shop and without a model, as after a first start."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from rushdesk import Server

CHROMIUM_ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "RUSHDESK__INFERENCE__BACKENDS": "[]",
        "RUSHDESK__INFERENCE__DISCOVER_OLLAMA": "false",
    }
    server = Server(tmp_path_factory.mktemp("server"), "", settings)
    yield server
    code = server.stop()
    assert code == 0, f"the server ended with {code}:\n{server.log()}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()
