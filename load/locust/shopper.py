"""One shopper of a Rushdesk: signs in, opens a session, sends questions, reads in one of several ways.

Times that are not those of a request are metrics of their own: `first token`, `answer` and, after a cut, `resumed`,
under the types `SSE` and `WS`. No name holds an id, so their number does not grow with the load.
"""

import hashlib
import itertools
import json
import random
import time
import uuid
from pathlib import Path

import requests
import websocket
from locust import HttpUser
from locust.exception import RescheduleTask

QUESTIONS = Path(__file__).parent.parent / "data" / "questions"
WITHIN_S = 60
BEFORE_CUT = 3
SLOWLY_S = 0.1


def lines(name):
    return (QUESTIONS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


TOPICS, ARTICLES, ONE = lines("topics"), lines("articles"), lines("one")


def question(hot_share):
    """A question that others ask, too, or one with a unique number."""
    text = random.choice(TOPICS).replace("{}", random.choice(ARTICLES))
    return f"{text}?" if random.random() < hot_share else f"{text}, article {uuid.uuid4().int % 10**12}?"


def nonce(token, bits):
    """A number for which SHA-256 of the token, a dot and the number begins with so many zero bits."""
    begun = hashlib.sha256(f"{token}.".encode())
    for number in itertools.count():
        digest = begun.copy()
        digest.update(str(number).encode())
        if int.from_bytes(digest.digest(), "big") >> (256 - bits) == 0:
            return str(number)


class Failed(Exception):
    """A turn that failed; the text is a bounded code."""


class Turn:
    """The received part of one turn; `at` is the time since the question."""

    def __init__(self):
        self.begun = time.perf_counter()
        self.first_token_ms = None
        self.last_id = None
        self.words = 0
        self.ended = False

    def elapsed_ms(self):
        return (time.perf_counter() - self.begun) * 1000

    def hear(self, name, data):
        if name in ("answer.delta", "answer.completed"):
            self.words += 1
            if self.first_token_ms is None:
                self.first_token_ms = self.elapsed_ms()
        if name == "answer.completed":
            self.ended = True
        elif name == "turn.failed":
            raise Failed(json.loads(data).get("problem", {}).get("code", name))
        elif name in ("turn.cancelled", "stream.reset", "error"):
            raise Failed(name)


def events(response):
    """Pairs of name, id and data of a `text/event-stream`, as they arrive."""
    name = last_id = data = ""
    for line in response.iter_lines(decode_unicode=True):
        if not line:
            if data:
                yield name, last_id, data
            name = last_id = data = ""
        elif line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("id:"):
            last_id = line[3:].strip()
        elif line.startswith("data:"):
            data += line[5:].strip()


class Shopper(HttpUser):
    """The common part of the scenarios. `--site-key` selects the shop."""

    abstract = True

    def send(self, method, path, name, **arguments):
        """A request with a fixed name; a refusal ends the visit."""
        token = arguments.pop("token", None)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers.update(arguments.pop("headers", {}))
        response = self.client.request(method, path, name=name, headers=headers, timeout=WITHIN_S, **arguments)
        if not response.ok:
            raise RescheduleTask
        return response

    def visitor(self):
        """The tokens of a new visitor. A flooded site wants a proof of work first, which is no failure."""
        path, body = "/v1/auth/visitor", {"site_key": self.environment.parsed_options.site_key}
        with self.client.post(path, name="visitor", json=body, timeout=WITHIN_S, catch_response=True) as response:
            if response.ok:
                return response.json()
            challenge = response.json().get("challenge") if response.status_code == 429 else None
            if challenge is None:
                raise RescheduleTask
            response.success()
        proof = {"challenge": challenge["token"], "nonce": nonce(challenge["token"], challenge["bits"])}
        return self.send("POST", path, "visitor with proof", json={**body, "proof": proof}).json()

    def arrive(self):
        """A new visitor with an open session."""
        self.token = self.visitor()["access_token"]
        session = self.send("POST", "/v1/sessions", "session", json={}, token=self.token).json()["id"]
        self.path = f"/v1/sessions/{session}"

    def ask(self, text, reading="whole"):
        """One turn; `reading` is whole, slow, cut or json."""
        turn, accept = Turn(), "application/json" if reading == "json" else "text/event-stream"
        response = self.send(
            "POST", f"{self.path}/messages", "message", json={"text": text}, token=self.token,
            headers={"accept": accept, "idempotency-key": str(uuid.uuid4())}, stream=reading != "json",
        )
        if reading == "json":
            answered = "answer" in response.json()
            self.report("JSON", "answer", turn.elapsed_ms(), None if answered else Failed("no answer"))
            return
        try:
            self.listen(response, turn, reading)
            if not turn.ended and reading == "cut":
                self.resume(turn)
            if not turn.ended:
                raise Failed("no end")
        except Failed as failed:
            self.told("SSE", turn, failed)
        except requests.RequestException:
            self.told("SSE", turn, Failed("connection"))
        else:
            self.told("SSE", turn, None)

    def listen(self, response, turn, reading):
        for name, position, data in events(response):
            turn.last_id = position or turn.last_id
            turn.hear(name, data)
            if reading == "slow":
                time.sleep(SLOWLY_S)
            if reading == "cut" and turn.words >= BEFORE_CUT and not turn.ended:
                response.close()
                return

    def resume(self, turn):
        """Reconnects with the last position and reads to the end of the turn."""
        begun = time.perf_counter()
        headers = {"accept": "text/event-stream", "last-event-id": turn.last_id or "0"}
        response = self.send("GET", f"{self.path}/events", "events", token=self.token, headers=headers, stream=True)
        waited = None
        for name, _, data in events(response):
            if waited is None:
                waited = (time.perf_counter() - begun) * 1000
                self.report("SSE", "resumed", waited, None)
            turn.hear(name, data)
            if turn.ended:
                # This stream belongs to the session and continues.
                response.close()
                break
        if waited is None:
            self.report("SSE", "resumed", (time.perf_counter() - begun) * 1000, Failed("nothing came"))

    def follow(self, texts):
        """A conversation over a WebSocket."""
        url = self.host.replace("http", "ws", 1).rstrip("/") + self.path + "/socket"
        begun = time.perf_counter()
        try:
            socket = websocket.create_connection(url, timeout=WITHIN_S)
            socket.send(json.dumps({"type": "auth", "token": self.token}))
        except (OSError, websocket.WebSocketException):
            self.report("WS", "open", (time.perf_counter() - begun) * 1000, Failed("no connection"))
            return
        self.report("WS", "open", (time.perf_counter() - begun) * 1000, None)
        try:
            for text in texts:
                turn = Turn()
                try:
                    key = str(uuid.uuid4())
                    socket.send(json.dumps({"type": "message", "text": text, "idempotency_key": key}))
                    while not turn.ended:
                        frame = socket.recv()
                        turn.hear(json.loads(frame)["type"], frame)
                except Failed as failed:
                    self.told("WS", turn, failed)
                except (OSError, ValueError, websocket.WebSocketException):
                    self.told("WS", turn, Failed("connection"))
                    return
                else:
                    self.told("WS", turn, None)
        finally:
            socket.close()

    def told(self, way, turn, failed):
        """The metrics of one turn."""
        if turn.first_token_ms is not None:
            self.report(way, "first token", turn.first_token_ms, None)
        self.report(way, "answer", turn.elapsed_ms(), failed)

    def report(self, way, name, time_ms, failed):
        self.environment.events.request.fire(
            request_type=way, name=name, response_time=time_ms, response_length=0,
            response=None, context={}, exception=failed,
        )
