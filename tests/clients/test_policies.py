"""How a browser enforces the policies of the pages."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from rushdesk import Server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def stranger(server: Server) -> Iterator[str]:
    """A website of another origin that shows the chat page in a frame."""

    class Website(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(f'<title>stranger</title><iframe src="{server.url}/"></iframe>'.encode())

        def log_message(self, *_: object) -> None:
            pass

    website = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Website)
    thread = threading.Thread(target=website.serve_forever)
    thread.start()
    yield f"http://localhost:{website.server_port}/"
    website.shutdown()
    thread.join()
    website.server_close()


def test_the_page_of_the_api_works_under_its_policy(page: Page, server: Server) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{server.url}/docs")
    expect(page.get_by_text("/v1/chat/completions").first).to_be_visible()
    assert complaints == []


def test_a_website_that_no_shop_has_named_cannot_frame_the_chat(page: Page, stranger: str) -> None:
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(stranger)
    frame = page.frames[1]
    assert frame.get_by_role("textbox").count() == 0
