"""Every example that is marked `run` does what its page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from examples import Reader
from pages import ROOT, blocks, pages
from rushdesk import Server

RUNNABLE = [page for page in pages() if any(block.runs for block in blocks(page))]
# The most important examples must not lose their `run` mark unnoticed.
WANTED = {
    "docs/getting-started.md": {"sh"},
    "docs/api.md": {"sh", "python", "js", "js browser"},
    "docs/operations.md": {"sh"},
}


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_of(page: Path, server: Server, browser: Browser, tmp_path: Path) -> None:
    assert Reader(tmp_path, server, browser).follow(blocks(page)) > 0


@pytest.mark.parametrize(("page", "wanted"), WANTED.items())
def test_the_pages_that_matter_are_run(page: str, wanted: set[str]) -> None:
    run = [block for block in blocks(ROOT / page) if block.runs]
    found = {f"{block.language} browser" if "browser" in block.words else block.language for block in run}
    assert wanted <= found
