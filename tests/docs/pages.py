"""The content of the repository's Markdown files: fenced blocks, links, and the anchors of headings."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<indent> {0,3})(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^()\s]+)(?:\s+\"[^\"]*\")?\)")
DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:\s*(?P<target>\S+)")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(?P<text>.*?)\s*#*\s*$")
CODE = re.compile(r"`[^`]*`")


@dataclass(frozen=True)
class Block:
    """One fenced block; its info string is a language, then words such as `run` or `file=ask.py`."""

    page: Path
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        return self.info.split()[0] if self.info else ""

    @property
    def words(self) -> list[str]:
        return self.info.split()[1:]

    @property
    def file(self) -> str | None:
        return next((word.removeprefix("file=") for word in self.words if word.startswith("file=")), None)

    @property
    def runs(self) -> bool:
        return "run" in self.words

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def pages() -> list[Path]:
    """Every Markdown file that git tracks or would add."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")
    return sorted(ROOT / name for name in names if name and (ROOT / name).is_file())


@cache
def _split(page: Path) -> tuple[list[Block], list[tuple[int, str]]]:
    """Blocks, and the lines outside of them with their numbers."""
    blocks: list[Block] = []
    prose: list[tuple[int, str]] = []
    fence, info, begun, body = "", "", 0, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        match = FENCE.match(line)
        if fence:
            closes = match and not match["info"].strip() and match["fence"].startswith(fence)
            if closes:
                blocks.append(Block(page, begun, info, "\n".join(body) + "\n"))
                fence = ""
            else:
                body.append(line)
        elif match:
            fence, info, begun, body = match["fence"], match["info"].strip(), number, []
        else:
            prose.append((number, line))
    assert not fence, f"{page}:{begun}: the block is not closed"
    return blocks, prose


def blocks(page: Path) -> list[Block]:
    return _split(page)[0]


def prose(page: Path) -> list[tuple[int, str]]:
    return _split(page)[1]


def links(page: Path) -> Iterator[tuple[int, str]]:
    for number, line in prose(page):
        line = CODE.sub("``", line)
        for match in LINK.finditer(line):
            yield number, match["target"]
        if match := DEFINITION.match(line):
            yield number, match["target"]


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    seen: dict[str, int] = {}
    found = set()
    for _, line in prose(page):
        if match := HEADING.match(line):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match["text"])
            slug = re.sub(r"[^\w\- ]", "", text.replace("`", "").lower()).replace(" ", "-")
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            found.add(f"{slug}-{count}" if count else slug)
        for match in re.finditer(r'<a (?:id|name)="([^"]+)"', line):
            found.add(match[1])
    return found
