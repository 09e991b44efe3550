"""The official OpenAI client, unchanged, against /v1/chat/completions."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from model_server import ModelServer, numbered
from rushdesk import Server, Shopper


@pytest.fixture
def client(server: Server, shopper: Shopper) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=shopper.token, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
def name(client: openai.OpenAI) -> str:
    return client.models.list().data[0].id


def test_models_are_listed(client: openai.OpenAI) -> None:
    models = client.models.list().data
    assert models
    assert all(model.id and model.object == "model" for model in models)


def test_a_completion_comes_whole_with_its_reason_and_usage(
    client: openai.OpenAI, name: str, model: ModelServer
) -> None:
    script = model.tell(numbered(5))
    raw = client.chat.completions.with_raw_response.create(
        model=name, messages=[{"role": "user", "content": script.question}]
    )
    assert raw.headers["x-request-id"]
    completion = raw.parse()
    assert completion.object == "chat.completion"
    choice = completion.choices[0]
    assert (choice.message.role, choice.message.content) == ("assistant", script.answer)
    assert choice.finish_reason == "stop"
    assert completion.usage is not None and completion.usage.completion_tokens > 0


def test_a_stream_brings_pieces_while_the_model_still_writes(
    client: openai.OpenAI, name: str, model: ModelServer
) -> None:
    script = model.tell(numbered(10), hold_after=30)
    stream = client.chat.completions.create(
        model=name, messages=[{"role": "user", "content": script.question}], stream=True
    )
    text, reasons = "", []
    for chunk in stream:
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
        if text and not reasons and "point 2" in text:
            # The model is held, so these pieces arrived before its end.
            script.release()
    assert text == script.answer
    assert reasons == ["stop"]


def test_a_bad_key_is_an_authentication_error(server: Server) -> None:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="not-a-key", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            client.chat.completions.create(model="any", messages=[{"role": "user", "content": "Hello"}])
    assert caught.value.status_code == 401
