"""Runs the examples of one page, in order, as a reader would: in one folder, against one server.

- A block with `file=NAME` is saved in the folder under that name.
- `sh run`: variables and functions stay for the blocks after it; other languages find the variables in the environment.
- `python run` and `js run` are programs; `js run browser` is a module of a page of the server.
- An `output` block says what the block before it prints; `...` stands for anything, white space is not compared.

The address `localhost:8080` means the server under test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, Route

from pages import ROOT, Block
from rushdesk import Server

LIMIT_S = 60
ADDRESS = re.compile(r"(?:localhost|127\.0\.0\.1):8080")


class Reader:
    """A reader who follows one page."""

    def __init__(self, folder: Path, server: Server, browser: Browser) -> None:
        self.folder = folder
        self.server = server
        self.browser = browser
        self.variables = folder / ".variables"
        self.variables.touch()
        programs = folder / ".bin"
        programs.mkdir()
        for name in ("rushdesk", "rushdesk-load"):
            program = Path(os.environ["RUSHDESK_BIN"]).resolve().with_name(name)
            (programs / name).symlink_to(program)
        # A link would not find the packages of the environment.
        python = programs / "python3"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        for name in ("rushdesk.toml.example", "demo"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "data").symlink_to(server.environment["RUSHDESK__SERVER__DATA_DIR"])
        self.environment = {**server.environment, "PATH": f"{programs}:{os.environ['PATH']}"}

    def follow(self, blocks: list[Block]) -> int:
        """Returns the number of blocks that ran."""
        ran = 0
        for block, after in zip(blocks, [*blocks[1:], None], strict=True):
            if block.file:
                (self.folder / block.file).write_text(self._here(block.text))
            if block.runs:
                printed = self._run(block)
                ran += 1
                if after is not None and after.language == "output":
                    self._compare(after, printed)
        return ran

    def _here(self, text: str) -> str:
        return ADDRESS.sub(self.server.address, text)

    def _run(self, block: Block) -> str:
        code = self._here(block.text)
        match block.language:
            case "sh":
                keep = f'{{ export -p; declare -f; }} > "{self.variables}"'
                return self._shell(block, f"set -a\n{code}\n{keep}\n")
            case "python":
                return self._program(block, [sys.executable], block.file or "example.py", code)
            case "js" if "browser" in block.words:
                return self._page(block, code)
            case "js":
                return self._program(block, [_node()], block.file or "example.mjs", code)
            case other:
                raise AssertionError(f"{block}: `{other}` cannot be run")

    def _program(self, block: Block, interpreter: list[str], name: str, code: str) -> str:
        (self.folder / name).write_text(code)
        return self._shell(block, f'exec {" ".join(interpreter)} "{name}"\n')

    def _shell(self, block: Block, script: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f'source "{self.variables}"\n{script}'],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=LIMIT_S,
        )
        assert done.returncode == 0, f"{block} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def _page(self, block: Block, code: str) -> str:
        """Runs on a page from the server itself, so that origin and network are those of a reader."""
        context = self.browser.new_context(bypass_csp=True)
        page = context.new_page()
        printed: list[str] = []
        errors: list[str] = []
        page.on("console", lambda message: printed.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))

        def serve(route: Route) -> None:
            name = route.request.url.rsplit("/", 1)[1]
            route.fulfill(content_type="text/javascript", body=(self.folder / name).read_text())

        page.route("**/*.mjs", serve)
        page.goto(f"{self.server.url}/livez")
        page.add_script_tag(type="module", content=f"{code}\nwindow.done = true;")
        deadline = time.monotonic() + LIMIT_S
        while not errors and not page.evaluate("window.done === true"):
            assert time.monotonic() < deadline, f"{block} does not end:\n{printed}"
            page.wait_for_timeout(50)
        context.close()
        assert not errors, f"{block}: {errors}\n{printed}"
        return "\n".join(printed)

    def _compare(self, expected: Block, printed: str) -> None:
        words = self._here(expected.text).split()
        pattern = r"\s+".join(".*?".join(map(re.escape, word.split("..."))) for word in words)
        # A line with only `...` may also match no line.
        pattern = pattern.replace(r"\s+.*?", r"\s*.*?").replace(r".*?\s+", r".*?\s*")
        matches = re.fullmatch(pattern, printed.strip(), re.DOTALL)
        assert matches, f"{expected} says:\n{expected.text}\nprinted was:\n{printed}"


def _node() -> str:
    node = shutil.which("node") or shutil.which("nodejs")
    assert node, "node is missing: install the package nodejs"
    return node
