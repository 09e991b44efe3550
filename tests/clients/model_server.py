"""A model behind the OpenAI wire format whose answers are set by the tests.

A script has the answer to one question, and after how many pieces it stops until the test releases it.
Tests need no sleep: what a test sees in the middle of an answer does not depend on speed.
"""

from __future__ import annotations

import itertools
import json
import re
import select
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOLD_LIMIT_S = 60
PLAIN_ANSWER = "Happy to help. Both are good choices, and our team can tell you more about either of them."

# Questions without an answer in the help pages. Each script gets a different one, so that tests
# never share an answer.
_THINGS = ["tunnel tent", "dome tent", "down jacket", "wool shirt", "gas stove", "spirit stove", "rain cape", "trail shoe"]
_TRIPS = ["a windy ridge", "a wet autumn weekend", "a week of hut walking", "a first night out with children"]
_QUESTIONS = [
    f"Which product should I buy in your shop for {trip}, a {one} or a {other}, and why?"
    for trip, (one, other) in itertools.product(_TRIPS, itertools.combinations(_THINGS, 2))
]


class Script:
    """The answer of the model to one question."""

    def __init__(self, question: str, answer: str, hold_after: int | None) -> None:
        self.question = question
        self.answer = answer
        self.pieces = re.findall(r"\S+\s*", answer)
        self.hold_after = hold_after
        self.calls = 0
        self.held = threading.Event()
        """Set once the pieces before the hold were sent."""
        self.left = threading.Event()
        """Set if the caller closed its connection before the end."""
        self._released = threading.Event()

    def release(self) -> None:
        self._released.set()

    def wait_for_release(self, connection: socket.socket) -> bool:
        """Returns False if the caller leaves before the release."""
        self.held.set()
        deadline = time.monotonic() + HOLD_LIMIT_S
        while not self._released.wait(0.02) and time.monotonic() < deadline:
            readable, _, _ = select.select([connection], [], [], 0)
            if readable and connection.recv(1, socket.MSG_PEEK) == b"":
                self.left.set()
                return False
        return True


class ModelServer:
    def __init__(self) -> None:
        self._scripts: list[Script] = []
        self._questions = iter(_QUESTIONS)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def tell(self, answer: str = PLAIN_ANSWER, hold_after: int | None = None) -> Script:
        """Returns a script with a new question and this answer. Requests are matched by the question's text."""
        script = Script(next(self._questions), answer, hold_after)
        self._scripts.append(script)
        return script

    def script_for(self, prompt: str) -> Script:
        for script in reversed(self._scripts):
            if script.question in prompt:
                return script
        return Script(prompt, PLAIN_ANSWER, None)

    def stop(self) -> None:
        for script in self._scripts:
            script.release()
        self._http.shutdown()
        self._http.server_close()


def numbered(count: int) -> str:
    """An answer that makes a lost or repeated piece visible."""
    return " ".join(f"This is point {number} of the answer." for number in range(1, count + 1))


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args: object) -> None:
            pass

        def do_GET(self) -> None:
            self._json({"object": "list", "data": [{"id": "m", "object": "model"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = [message["content"] for message in body["messages"] if message["role"] == "user"]
            script = server.script_for(str(asked[-1]) if asked else "")
            script.calls += 1
            try:
                self._stream(script) if body.get("stream") else self._whole(script)
            except OSError:
                script.left.set()
                self.close_connection = True

        def _whole(self, script: Script) -> None:
            message = {"role": "assistant", "content": script.answer}
            self._json({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": _usage(script)})

        def _stream(self, script: Script) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self._chunk({"role": "assistant", "content": ""})
            for number, piece in enumerate(script.pieces):
                if number == script.hold_after and not script.wait_for_release(self.connection):
                    return
                self._chunk({"content": piece})
                time.sleep(0.005)
            self._chunk({}, finish_reason="stop")
            self._send({"object": "chat.completion.chunk", "choices": [], "usage": _usage(script)})
            self.wfile.write(b"data: [DONE]\n\n")
            self.close_connection = True

        def _chunk(self, delta: dict, finish_reason: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
            self._send({"object": "chat.completion.chunk", "choices": [choice]})

        def _send(self, chunk: dict) -> None:
            chunk = {"id": "chatcmpl-1", "created": 1, "model": "m", **chunk}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()

        def _json(self, body: dict) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _usage(script: Script) -> dict:
    count = len(script.pieces)
    return {"prompt_tokens": 20, "completion_tokens": count, "total_tokens": 20 + count}
