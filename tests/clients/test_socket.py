"""The WebSocket of a conversation."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from model_server import ModelServer, numbered
from rushdesk import TERMINAL, Server, Shopper

# Defined by RFC 6455; 4000 to 4999 are the server's own.
REFUSALS = {1003, 1007, 1008, *range(4000, 5000)}


@pytest.fixture
def socket(server: Server, shopper: Shopper) -> Iterator[ClientConnection]:
    with _connect(server, shopper) as socket:
        _send(socket, type="auth", token=shopper.token)
        yield socket


def test_a_message_is_answered_and_an_ack_is_taken(socket: ClientConnection, model: ModelServer) -> None:
    script = model.tell(numbered(4))
    _send(socket, type="message", text=script.question, idempotency_key=str(uuid.uuid4()))
    read = _until_terminal(socket)
    assert read[-1]["type"] == "answer.completed"
    assert read[-1]["text"] == script.answer
    assert "".join(event["text"] for event in read if event["type"] == "answer.delta") == script.answer
    _send(socket, type="ack", seq=read[-1]["seq"])

    again = model.tell(numbered(2))
    _send(socket, type="message", text=again.question, idempotency_key=str(uuid.uuid4()))
    assert _until_terminal(socket)[-1]["text"] == again.answer


def test_a_cancel_ends_the_turn_and_frees_the_model(socket: ClientConnection, model: ModelServer) -> None:
    script = model.tell(numbered(20), hold_after=20)
    _send(socket, type="message", text=script.question, idempotency_key=str(uuid.uuid4()))
    piece = _first(socket, "answer.delta")
    _send(socket, type="cancel", turn_id=piece["turn_id"])
    assert _until_terminal(socket)[-1]["type"] == "turn.cancelled"
    assert script.left.wait(5), "the connection to the model must be closed"


@pytest.mark.parametrize(
    "frame",
    ["not json", '{"type":"dance"}', '{"type":"message","text":7,"idempotency_key":"k"}', "[]"],
    ids=["not-json", "unknown-type", "wrong-field", "not-an-object"],
)
def test_a_wrong_frame_closes_the_socket_with_a_code_and_a_reason(socket: ClientConnection, frame: str) -> None:
    socket.send(frame)
    assert _refused(socket)


def test_a_wrong_token_closes_the_socket_with_a_code_and_a_reason(server: Server, shopper: Shopper) -> None:
    with _connect(server, shopper) as socket:
        _send(socket, type="auth", token="not-a-token")
        assert _refused(socket)


def test_nothing_is_said_before_the_token(server: Server, shopper: Shopper, model: ModelServer) -> None:
    shopper.ask(model.tell(numbered(2)).question)
    with _connect(server, shopper) as socket:
        _send(socket, type="message", text="Hello", idempotency_key=str(uuid.uuid4()))
        assert _refused(socket)


def _connect(server: Server, shopper: Shopper) -> ClientConnection:
    return connect(f"ws://{server.address}{shopper.path}/socket", proxy=None, open_timeout=10, close_timeout=5)


def _send(socket: ClientConnection, **frame: object) -> None:
    socket.send(json.dumps(frame))


def _events(socket: ClientConnection) -> Iterator[dict]:
    while True:
        yield json.loads(socket.recv(timeout=20))


def _first(socket: ClientConnection, name: str) -> dict:
    return next(event for event in _events(socket) if event["type"] == name)


def _until_terminal(socket: ClientConnection) -> list[dict]:
    read = []
    for event in _events(socket):
        read.append(event)
        if event["type"] in TERMINAL:
            break
    return read


def _refused(socket: ClientConnection) -> bool:
    """The server sends only a close with a code that blames the client."""
    with pytest.raises(ConnectionClosed) as caught:
        socket.recv(timeout=10)
    close = caught.value.rcvd
    assert close is not None, "the connection was cut without a close frame"
    return close.code in REFUSALS and close.reason != ""
