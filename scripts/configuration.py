#!/usr/bin/env python3
"""Writes docs/configuration.md from the comments of rushdesk.toml.example, which is the default configuration itself.

configuration.py           writes the page
configuration.py --check   fails if the page is out of date
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "rushdesk.toml.example"
PAGE = ROOT / "docs/configuration.md"
COMMAND = "scripts/configuration.py"

INTRODUCTION = f"""# Configuration

<!-- Written by `{COMMAND}` from `rushdesk.toml.example`. Change the comments there. -->

Every key has a default, so a first start needs no configuration. The defaults are `rushdesk.toml.example`, which is compiled
into the program.

Later sources override earlier ones:

1. the defaults below;
2. the file given with `--config`, else `rushdesk.toml` in the current folder;
3. environment variables `RUSHDESK__SECTION__KEY`, for example `RUSHDESK__SERVER__LISTEN=0.0.0.0:8080`;
4. flags `--set section.key=value`, for example `--set server.listen=0.0.0.0:8080`.

In variables and flags, write lists as TOML:

```sh run
RUSHDESK__INFERENCE__BACKENDS='[{{name="gpu-1", kind="vllm", url="http://127.0.0.1:8000", model="m", slots=16}}]' \\
  rushdesk check-config
```

```output
the configuration is valid
```

An unknown key, a wrong type or a value out of range stops the start with exit code 78. `rushdesk check-config` reads
everything and lists all faults at once. Changes take effect at the next start, unless the key says otherwise.

Keys that end in `_ms` are in milliseconds, `_s` in seconds, `_bytes` in bytes.
"""


@dataclass
class Section:
    name: str
    comment: str
    keys: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def repeats(self) -> bool:
        return self.name.startswith("[")


def sections(text: str) -> list[Section]:
    found: list[Section] = []
    comment: list[str] = []
    above = ""
    # A block that is shown as an example consists of comments.
    shown = re.compile(r"^# (\[\[[\w.]+\]\]|\w+ = .*)$")
    for line in text.splitlines():
        line = shown.sub(r"\1", line)
        if match := re.match(r"^\[(.+)\]$", line):
            found.append(Section(match[1], " ".join(comment)))
            comment = []
        elif match := re.match(r"^(\w+) = (.+)$", line):
            value, _, behind = match[2].partition(" #")
            meaning = behind.strip() or " ".join(comment)
            # A key directly below another one shares its comment.
            if not meaning and found[-1].keys and above:
                meaning = f"See `{found[-1].keys[-1][0]}`."
            if not meaning:
                sys.exit(f"{SOURCE.name}: {found[-1].name}.{match[1]} has no comment")
            found[-1].keys.append((match[1], value.strip(), meaning))
            comment = []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        else:
            comment = []
        above = line
    return found


def page(found: list[Section]) -> str:
    parts = [INTRODUCTION]
    for section in found:
        name = section.name.strip("[]")
        parts.append(f"## {name}\n")
        if section.comment:
            parts.append(f"{_escaped(section.comment)}\n")
        parts.append(f"| key | {'example' if section.repeats else 'default'} | meaning |\n| --- | --- | --- |")
        for key, value, meaning in section.keys:
            parts.append(f"| `{key}` | `{value}` | {_escaped(meaning)} |")
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _escaped(text: str) -> str:
    text = text.replace("|", "\\|")
    # Text that looks like a tag is quoted as code.
    return re.sub(r"<(\w+)>", r"`<\1>`", text)


def main() -> None:
    written = page(sections(SOURCE.read_text()))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(written)
    elif not PAGE.exists() or PAGE.read_text() != written:
        sys.exit(f"{PAGE.relative_to(ROOT)} is not what {SOURCE.name} says; run {COMMAND}")


if __name__ == "__main__":
    main()
