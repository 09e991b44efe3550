"""Event streams read by curl and byte by byte."""

from __future__ import annotations

import itertools
import json
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from model_server import ModelServer, numbered
from rushdesk import TERMINAL, Frame, Server, Shopper, frames, text_of, until_terminal


def test_curl_shows_a_turn_as_it_is_written(server: Server, shopper: Shopper, model: ModelServer) -> None:
    script = model.tell(numbered(10), hold_after=30)
    command = [
        "curl", "-N", "-s", "--max-time", "30", f"{server.url}{shopper.path}/messages",
        "-H", f"Authorization: Bearer {shopper.token}",
        "-H", "Content-Type: application/json",
        "-H", "Accept: text/event-stream",
        "-H", f"Idempotency-Key: {uuid.uuid4()}",
        "-d", json.dumps({"text": script.question}),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout
        read = []
        for frame in frames(line.rstrip("\r\n") for line in curl.stdout):
            read.append(frame)
            if "point 2" in text_of(read):
                script.release()
    assert curl.returncode == 0
    assert read[0].event == "message.created"
    assert [frame.event for frame in read if frame.event in TERMINAL] == ["answer.completed"]
    assert read[-1].data["text"] == text_of(read) == script.answer


def test_a_resume_in_the_middle_of_an_answer_neither_loses_nor_repeats(shopper: Shopper, model: ModelServer) -> None:
    script = model.tell(numbered(12), hold_after=40)
    shopper.ask(script.question)

    stream = shopper.events()
    first = list(_until_pieces(stream, 6))
    stream.close()
    last_id = next(frame.id for frame in reversed(first) if frame.id)

    resumed = shopper.events(last_event_id=last_id)
    second = list(_until_pieces(resumed, 1))
    script.release()
    second += until_terminal(resumed)
    resumed.close()

    assert second[-1].event == "answer.completed"
    assert text_of(first) + text_of(second) == second[-1].data["text"] == script.answer
    pieces = [frame.data["index"] for frame in first + second if frame.event == "answer.delta"]
    assert len(set(pieces)) == len(pieces)
    assert script.calls == 1, "a reconnect must not start a second generation"


def test_a_resume_after_the_end_brings_the_completed_answer_once(shopper: Shopper, model: ModelServer) -> None:
    script = model.tell(numbered(8), hold_after=20)
    shopper.ask(script.question)
    stream = shopper.events()
    first = list(_until_pieces(stream, 3))
    stream.close()
    script.release()
    whole = shopper.events()
    until_terminal(whole)
    whole.close()

    last_id = next(frame.id for frame in reversed(first) if frame.id)
    resumed = shopper.events(last_event_id=last_id)
    read = until_terminal(resumed)
    resumed.close()
    assert [frame.event for frame in read] == ["answer.completed"]
    assert read[0].data["text"] == script.answer


def test_durable_events_are_numbered_without_gaps_over_turns(shopper: Shopper, model: ModelServer) -> None:
    for _ in range(2):
        shopper.ask(model.tell(numbered(2)).question)
        stream = shopper.events(last_event_id=str(shopper.messages()[-1]["seq"]))
        until_terminal(stream)
        stream.close()
    stream = shopper.events()
    durable = list(itertools.islice(_durable(stream), 4))
    stream.close()
    assert [frame.data["seq"] for frame in durable] == [1, 2, 3, 4]
    assert [frame.id for frame in durable] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("last_event_id", ["nonsense", "-1", "99999999999999999999", "7000", "1.x"])
def test_a_position_that_cannot_be_is_answered_with_a_reset(shopper: Shopper, last_event_id: str) -> None:
    stream = shopper.events(last_event_id=last_event_id)
    assert next(stream).event == "stream.reset"
    stream.close()


def _until_pieces(stream: Iterator[Frame], count: int) -> Iterator[Frame]:
    """The frames up to the `count`-th piece of text."""
    for frame in stream:
        yield frame
        count -= frame.event == "answer.delta"
        if count == 0:
            return


def _durable(stream: Iterator[Frame]) -> Iterator[Frame]:
    return (frame for frame in stream if frame.event == "message.created" or frame.event in TERMINAL)
