"""All names in the pages exist: routes, errors, events, configuration keys, metrics and recipes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import httpx
import pytest

from pages import ROOT, blocks, pages, prose
from rushdesk import Server

API = ROOT / "docs/api.md"
METHODS = ("get", "post", "put", "delete", "patch")
# A histogram has three series, which appear by name in a scrape.
SERIES = re.compile(r"_(?:bucket|sum|count)$")
METRIC = re.compile(r"\brushdesk_[a-z0-9_]+\b")
SPAN = re.compile(r"`([^`]+)`")
VARIABLE = re.compile(r"\bRUSHDESK__([A-Z0-9_]+)\b")
SETTING = re.compile(r"--set[ =]\"?([a-z_.]+)=")


def ours() -> list[Path]:
    """Pages for readers: neither the demo shop's help nor the changelog."""
    folders = (ROOT, ROOT / "docs", ROOT / "load")
    return [page for page in pages() if page.parent in folders and page.name != "CHANGELOG.md"]


def events() -> set[str]:
    """The events of a stream, according to the source."""
    files = ("src/domain/event.rs", "src/domain/handoff.rs", "src/http/sse.rs")
    texts = [(ROOT / file).read_text().split("#[cfg(test)]")[0] for file in files]
    found = {name for text in texts for name in re.findall(r'"([a-z]+\.[a-z]+)"', text)}
    assert {"answer.completed", "server.draining"} <= found
    return found


@pytest.fixture(scope="module")
def document(server: Server) -> dict:
    return httpx.get(f"{server.url}/openapi.json").raise_for_status().json()


@pytest.fixture(scope="module")
def sources() -> str:
    files = [*(ROOT / "src").rglob("*.rs"), *(ROOT / "load/src").rglob("*.rs")]
    return "\n".join(path.read_text() for path in files)


@pytest.fixture(scope="module")
def keys() -> set[str]:
    """Every key, including those of blocks that are only comments in the example."""
    text = (ROOT / "rushdesk.toml.example").read_text()
    text = re.sub(r"^# ((?:\[\[.*\]\]|\w+ = ).*)$", r"\1", text, flags=re.MULTILINE)
    found = set()

    def walk(value: object, path: str) -> None:
        found.add(path)
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}")
        if isinstance(value, list):
            for inner in value:
                if isinstance(inner, dict):
                    walk(inner, path)

    for section, value in tomllib.loads(text).items():
        walk(value, section)
    return found


def test_every_route_is_described(document: dict) -> None:
    text = API.read_text()
    routes = [
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if method in METHODS
    ]
    missing = [route for route in routes if f"`{route}`" not in text]
    assert routes and not missing, missing


def test_every_route_that_is_described_exists(document: dict) -> None:
    unknown = set()
    for page in ours():
        for method, path in re.findall(r"`(GET|POST|PUT|DELETE|PATCH) (/[^`\s?]*)", page.read_text()):
            served = path in ("/", "/docs", "/openapi.json", "/reset", "/console")
            if not served and method.lower() not in document["paths"].get(path, {}):
                unknown.add(f"{page.relative_to(ROOT)}: {method} {path}")
    assert not unknown, unknown


def test_every_error_is_described(document: dict) -> None:
    codes = document["components"]["schemas"]["ErrorCode"]
    codes = codes.get("enum") or [code for variant in codes["oneOf"] for code in variant["enum"]]
    text = API.read_text()
    missing = [code for code in codes if f"`{code}`" not in text]
    assert codes and not missing, missing


def test_every_event_is_described() -> None:
    text = API.read_text()
    missing = [event for event in events() if f"`{event}`" not in text]
    assert not missing, missing


def test_configuration_keys_exist(keys: set[str]) -> None:
    sections = {key for key in keys if "." not in key}
    unknown = set()
    for page in ours():
        where = page.relative_to(ROOT)
        text = page.read_text()
        named = [variable.lower().replace("__", ".") for variable in VARIABLE.findall(text)]
        named += SETTING.findall(text)
        for span in _spans(page):
            if re.fullmatch(r"[a-z]+(?:\.[a-z_]+)+", span) and span.split(".")[0] in sections and span not in events():
                named.append(span)
        # Words that show the form of a name, not a name.
        named = [name for name in named if name not in ("section.key",)]
        unknown |= {f"{where}: {name}" for name in named if name not in keys}
        for block in blocks(page):
            if block.language == "toml" and "[" in block.text:
                unknown |= {f"{where}:{block.line}: {key}" for key in _keys_of(block.text) if key not in keys}
    assert not unknown, unknown


def _keys_of(text: str) -> set[str]:
    found = set()
    section = ""
    for line in text.splitlines():
        if match := re.match(r"\s*\[\[?([a-z_.]+)\]\]?", line):
            section = match[1]
            found.add(section)
        elif match := re.match(r"\s*([a-z_]+)\s*=", line):
            found.add(f"{section}.{match[1]}" if section else match[1])
    return found


def test_metrics_exist(sources: str) -> None:
    emitted = set(re.findall(r'"(rushdesk_[a-z0-9_]+)"', sources))
    unknown = {
        f"{page.relative_to(ROOT)}: {name}"
        for page in ours()
        for name in METRIC.findall(page.read_text())
        if name not in emitted and SERIES.sub("", name) not in emitted
    }
    assert emitted and not unknown, unknown


def test_recipes_and_scripts_exist() -> None:
    recipes = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = set()
    for page in ours():
        for span in [*_spans(page), *(block.text for block in blocks(page) if block.language in ("sh", ""))]:
            made = {name for name in re.findall(r"\bmake ([a-z][a-z-]*)\b", span) if name not in recipes}
            named = {name for name in re.findall(r"\bscripts/[\w/.-]+\b", span) if not (ROOT / name).exists()}
            unknown |= {f"{page.relative_to(ROOT)}: {name}" for name in made | named}
    assert recipes and not unknown, unknown


def _spans(page: Path) -> list[str]:
    """Code in the text."""
    return [span for _, line in prose(page) for span in SPAN.findall(line)]


def test_log_lines_exist(sources: str) -> None:
    """The table of log lines quotes real messages of the program."""
    text = (ROOT / "docs/operations.md").read_text()
    table = text.split("## Log lines", 1)[1].split("\n## ", 1)[0]
    quoted = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    unknown = [line for line in quoted if f'"{line}"' not in sources]
    assert len(quoted) > 10 and not unknown, unknown
