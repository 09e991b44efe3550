"""The server under test as a process, and a shopper who uses it over plain HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

READY_LIMIT_S = 60
STOP_LIMIT_S = 40
STREAM_LIMIT_S = 60
TERMINAL = {"answer.completed", "turn.failed", "turn.cancelled"}


class Server:
    """`rushdesk serve` in embedded mode, on a free port, with its own data folder."""

    def __init__(self, folder: Path, model_url: str, settings: dict[str, str] | None = None) -> None:
        binary = os.environ.get("RUSHDESK_BIN")
        assert binary, "set RUSHDESK_BIN to the rushdesk binary"
        self.address = f"127.0.0.1:{_free_port()}"
        self.url = f"http://{self.address}"
        self._log = folder / "server.log"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("RUSHDESK__")}
        self.environment |= {
            "RUSHDESK__SERVER__LISTEN": self.address,
            "RUSHDESK__SERVER__DATA_DIR": str(folder / "data"),
            # The scripted model says what no page supports.
            "RUSHDESK__GUARD__GROUNDING": "off",
            # A test with a shop names it.
            "RUSHDESK__TOOLS__DEMO_SHOP_URL": "",
            "RUSHDESK__INFERENCE__BACKENDS": f'[{{name="fake",kind="openai",url="{model_url}",model="m",slots=4}}]',
            **_embedding(),
            **(settings or {}),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([Path(binary).resolve(), "serve"], env=self.environment, cwd=folder, stdout=log, stderr=log)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"the server ended at start:\n{self.log()}"
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        self._process.kill()
        raise AssertionError(f"the server was not ready within {READY_LIMIT_S} s:\n{self.log()}")

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-8000:]

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Stops the server and returns its exit code."""
        self.thaw()
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"the server did not end within {STOP_LIMIT_S} s:\n{self.log()}") from None


@dataclass(frozen=True)
class Frame:
    """One frame of an event stream."""

    event: str
    data: dict
    id: str | None


class Shopper:
    """A new anonymous visitor with one conversation."""

    def __init__(self, server: Server) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=30)
        reply = self.http.post("/v1/auth/visitor", json={"site_key": "pk_demo"})
        assert reply.status_code in (200, 201), reply.text
        self.token: str = reply.json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"
        self.session: str = self.http.post("/v1/sessions", json={}).raise_for_status().json()["id"]

    @property
    def path(self) -> str:
        return f"/v1/sessions/{self.session}"

    def ask(self, text: str, key: str | None = None) -> str:
        """Sends a message and returns the turn's id; the answer comes by events."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4()), "Prefer": "respond-async"}
        reply = self.http.post(f"{self.path}/messages", json={"text": text}, headers=headers)
        assert reply.status_code == 202, reply.text
        return reply.json()["turn_id"]

    def events(self, last_event_id: str | None = None) -> Iterator[Frame]:
        """The frames of the session; the connection closes with the iterator."""
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        query = "" if last_event_id is not None else "?after=0"
        with self.http.stream("GET", f"{self.path}/events{query}", headers=headers) as reply:
            assert reply.status_code == 200, reply.read()
            assert reply.headers["content-type"].startswith("text/event-stream")
            yield from frames(reply.iter_lines())

    def messages(self) -> list[dict]:
        return self.http.get(f"{self.path}/messages").raise_for_status().json()["items"]


def frames(lines: Iterator[str]) -> Iterator[Frame]:
    """Frames of `text/event-stream`; comments and lone `retry:` lines are skipped."""
    event, data, id_ = "message", [], None
    deadline = time.monotonic() + STREAM_LIMIT_S
    for line in lines:
        # Heartbeats would keep a reader waiting forever.
        assert time.monotonic() < deadline, "the stream did not bring what was waited for"
        if line == "":
            if data:
                yield Frame(event, json.loads("\n".join(data)), id_)
            event, data, id_ = "message", [], None
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                event = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                id_ = value


def until_terminal(stream: Iterator[Frame]) -> list[Frame]:
    """The frames up to and including the end of the turn."""
    read = []
    for frame in stream:
        read.append(frame)
        if frame.event in TERMINAL:
            return read
    raise AssertionError(f"the stream ended before the turn did: {[frame.event for frame in read]}")


def text_of(read: list[Frame]) -> str:
    return "".join(frame.data["text"] for frame in read if frame.event == "answer.delta")


def _embedding() -> dict[str, str]:
    folder = os.environ.get("RUSHDESK_TEST_MODEL_DIR")
    if not folder:
        return {}
    model = Path(folder).resolve()
    library = Path(os.environ.get("RUSHDESK_TEST_ONNXRUNTIME") or model.parent / "libonnxruntime.so").resolve()
    return {"RUSHDESK__EMBEDDING__MODEL_DIR": str(model), "RUSHDESK__EMBEDDING__LIBRARY": str(library)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
