"""Writes the responses of the test's model servers as they come from the socket, for tests/fixtures/wire.

record.py LLAMA_URL OLLAMA_URL FOLDER
"""

import json
import pathlib
import socket
import sys
import urllib.parse

# Settings for short answers of each server. Ollama has a repeat penalty, and the wheel uses the
# model's own template.
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
QUESTION_OF_LLAMA = [{"role": "system", "content": "Answer in one sentence."}, *QUESTION]
OPTIONS = {"num_ctx": 2048, "num_predict": 48, "temperature": 0}


def openai(**more):
    body = {"model": "smol", "messages": QUESTION, "stream": True, "max_tokens": 48, "temperature": 0}
    return "/v1/chat/completions", body | {"stream_options": {"include_usage": True}} | more


def ollama(**more):
    return "/api/chat", {"model": "smol", "messages": QUESTION, "stream": True, "options": OPTIONS} | more


def llama(**more):
    return openai(messages=QUESTION_OF_LLAMA, **more)


def grammar(text):
    """An answer forced by a grammar: the server's framing is real, but the words are not its choice."""
    return llama(grammar="root ::= " + json.dumps(text), max_tokens=128)


LLAMA = {
    "01-chat-stream": llama(),
    "02-chat-stream-length": llama(max_tokens=4),
    "03-prompt-too-long": openai(messages=[{"role": "user", "content": "word " * 5000}]),
    "04-unknown-model": llama(model="none"),
    "05-think-tags": grammar("<think>Hm.</think>\n\nParis."),
    "06-channels": grammar(
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Paris."
    ),
    "07-blank": grammar("\n \n"),
}
OLLAMA = {
    "01-chat-stream": ollama(),
    "02-chat-stream-length": ollama(options=OPTIONS | {"num_predict": 4}),
    "03-unknown-model": ollama(model="none"),
    "04-no-template": ollama(model="bare"),
    "05-think-false": ollama(think=False),
    "06-think-true-of-a-model-that-cannot": ollama(think=True),
    "07-tools-of-a-model-that-cannot": ollama(
        tools=[{"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}]
    ),
    "08-openai-chat-stream": openai(),
    "09-openai-no-template": openai(model="bare"),
    "10-openai-unknown-model": openai(model="none"),
}


def record(url, path, body, file):
    host = urllib.parse.urlsplit(url)
    body = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {host.netloc}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host.hostname, host.port), timeout=120) as server:
        server.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        with file.open("wb") as out:
            while data := server.recv(65536):
                out.write(data)


def main():
    llama_url, ollama_url, folder = sys.argv[1:]
    for server, url, requests in (("xllamacpp", llama_url, LLAMA), ("ollama", ollama_url, OLLAMA)):
        target = pathlib.Path(folder, server)
        target.mkdir(parents=True, exist_ok=True)
        for name, (path, body) in requests.items():
            record(url, path, body, target / f"{name}.http")


main()
