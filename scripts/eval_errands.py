#!/usr/bin/env python3
"""Sends a running service 200 labelled messages about orders, and prints for how many it used the right tool with the right
arguments, or asked the right question back.

    eval_errands.py --url http://127.0.0.1:8080 --shop http://127.0.0.1:8090 --recorder 8091 --results FILE
        [--every 4] [--minutes 30] [--show]

The service's shop is this program (`tools.demo_shop_url`), which hands each request on to the demo shop and writes down which
tool it was. Verdicts are kept in FILE: the same command goes on where it was stopped. After `--minutes` it ends with what it
has.
"""

import argparse
import collections
import hashlib
import json
import re
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from eval_model import DATA, ORDER_TOOLS, Client, read

MESSAGES = 200
WORDS = Path(__file__).parent / "../words"
QUESTIONS = {
    "order_and_proof": ["ask_both"], "order": ["ask_order", "explain_tracking"], "proof": ["ask_proof"],
    "address": ["ask_address", "ask_rest"], "items": ["which_items", "this_item"], "whole": ["only_whole"],
}  # fmt: skip
# What a model asks for in its own words, in the languages of most messages.
ASKS = {
    "order": ["order number", "bestellnummer", "número de pedido", "numéro de commande"],
    "proof": ["e-mail", "email", "postcode", "postal", "postleitzahl", "correo", "código postal"],
    "address": ["address", "adresse", "dirección"],
}


class Recorder:
    """A shop in front of the shop, which knows what it was asked since the last look."""

    def __init__(self, port, shop):
        self.calls, self.lock = [], threading.Lock()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.forward(None)

            def do_POST(self):
                self.forward(self.rfile.read(int(self.headers.get("content-length", 0))))

            def forward(self, body):
                recorder.note(self.path, self.headers)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
                request = urllib.request.Request(shop + self.path, body, headers, method=self.command)
                try:
                    with urllib.request.urlopen(request, timeout=30) as response:
                        status, answer = response.status, response.read()
                except urllib.error.HTTPError as error:
                    status, answer = error.code, error.read()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def note(self, path, headers):
        parts = urllib.parse.urlsplit(path)
        steps = [urllib.parse.unquote(step) for step in parts.path.strip("/").split("/")]
        tool = {"orders": "order_status", "customers": "order_list", "products": "product_search", "stores": "store_finder"}.get(steps[0])
        if steps[-1] == "return-options":
            tool = "return_check"
        arguments = dict(urllib.parse.parse_qsl(parts.query))
        if steps[0] == "orders":
            arguments["order_number"] = steps[1]
        proof = headers.get("x-order-email") or headers.get("x-order-postcode")
        if tool:
            with self.lock:
                self.calls.append({"tool": tool, "arguments": arguments, "proof": proof})

    def take(self):
        with self.lock:
            calls, self.calls = self.calls, []
        return calls


def sentences(language):
    """What the service asks in one language, by the name of the section."""
    found, name = {}, None
    for line in (WORDS / language / "errands.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and name:
            found.setdefault(name, line)
    return found


def asks(want, answer, language):
    text = answer["text"]
    for name in want.split("|"):
        own = [sentences(language).get(key, "") for key in QUESTIONS.get(name, [])]
        # The longest piece without values.
        pieces = [max(re.split(r"\{[^}]*\}|[<>]", line), key=len).strip() for line in own if line]
        if any(piece in text for piece in pieces):
            return True
        parts = name.split("_and_")
        if answer["route"] == "model" and all(any(word in text.lower() for word in ASKS.get(part, [])) for part in parts):
            return True
    return False


def plain(value):
    return str(value or "").replace(" ", "").casefold()


def called(wish, calls, answer):
    """A read is seen by the shop. A write is proposed on a card, after the shop was asked for the order."""
    number, proof = wish["arguments"].get("order_number"), wish.get("proof")
    cards = [card for card in answer.get("cards", []) if card.get("kind") == "action"]
    if wish["tool"] in ("cancel_order", "change_address", "start_return"):
        looked = "return_check" if wish["tool"] == "start_return" else "order_status"
        asked = any(c["tool"] == looked and plain(c["arguments"]["order_number"]) == plain(number) for c in calls)
        shown = [card for card in cards if card["tool"] == wish["tool"]]
        fields = json.dumps(shown, ensure_ascii=False)
        wanted = [number, wish["arguments"].get("address")]
        # What the shop refuses has no card.
        return asked and (all(value in fields for value in wanted if value) if shown else not cards and answer["route"] == "tool")
    fits = lambda call: call["tool"] == wish["tool"] and all(
        plain(call["arguments"].get(name)) == plain(value) for name, value in wish["arguments"].items() if name != "limit"
    )
    return any(fits(call) and (not proof or plain(call["proof"]) == plain(proof)) for call in calls)


def judge(want, calls, answer, language):
    if wishes := want.get("call"):
        # One change is proposed at a time.
        wishes = wishes[:1] if "order_status" not in wishes[0]["tool"] and wishes[0]["tool"] in ORDER_TOOLS else wishes
        return all(called(wish, calls, answer) for wish in wishes)
    return asks(want["ask"], answer, language)


def key(row):
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:16]


def about_orders(row):
    want = row["want"]
    if row.get("signed_in") or not isinstance(want, dict) or any("found" in turn or "not_found" in turn for turn in row.get("earlier", [])):
        return False
    return any(call["tool"] in ORDER_TOOLS for call in want.get("call", [])) or want.get("ask") in QUESTIONS


def main():
    parser = argparse.ArgumentParser()
    for name in ("--url", "--shop", "--results"):
        parser.add_argument(name, required=True)
    parser.add_argument("--recorder", type=int, required=True)
    parser.add_argument("--name", default="service")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    rows = [row for _, row in read("errands") if about_orders(row)]
    # Spread over all files, and the same ones each time.
    rows = sorted(rows, key=key)[:MESSAGES][:: options.every]
    file = Path(options.results)
    file.parent.mkdir(parents=True, exist_ok=True)
    known = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    verdicts = {line["row"]: line for line in known}
    recorder, client = Recorder(options.recorder, options.shop.rstrip("/")), Client(options.url.rstrip("/"))
    until = time.monotonic() + 60 * options.minutes
    for row in rows:
        if key(row) in verdicts:
            continue
        if time.monotonic() > until:
            print(f"{options.name}: the time is over", file=sys.stderr)
            break
        recorder.take()
        begun = time.monotonic()
        try:
            answer = client.ask([*(turn["text"] for turn in row.get("earlier", [])), row["text"]], row["language"])
        except (urllib.error.HTTPError, TimeoutError) as error:
            answer = {"text": str(error), "route": "failed", "cards": []}
        right = judge(row["want"], recorder.take(), answer, row["language"])
        line = {"row": key(row), "text": row["text"], "language": row["language"], "kind": "tool" if "call" in row["want"] else "question back",
                "right": right, "route": answer["route"], "seconds": round(time.monotonic() - begun, 2)}  # fmt: skip
        verdicts[key(row)] = line
        with file.open("a", encoding="utf-8") as kept:
            kept.write(json.dumps(line, ensure_ascii=False) + "\n")
        if options.show and not right:
            print(f"    {answer['route']}: {row['text']} | {row['want']} | {answer['text'][:200]!r}", flush=True)
    measured = [verdicts[key(row)] for row in rows if key(row) in verdicts]
    print(f"\n| {options.name} | messages | right |\n| --- | --- | --- |")
    counts = collections.defaultdict(lambda: [0, 0])
    for line in measured:
        for kind in (line["kind"], "all"):
            counts[kind][0] += line["right"]
            counts[kind][1] += 1
    for kind, (right, number) in sorted(counts.items(), key=lambda count: count[0] == "all"):
        print(f"| {kind} | {number} | {right} ({100 * right / number:.1f} %) |")
    routes = collections.Counter(line["route"] for line in measured)
    took = sorted(line["seconds"] for line in measured) or [0]
    print("routes:", ", ".join(f"{route} {count}" for route, count in sorted(routes.items())))
    print(f"measured {len(measured)} of {len(rows)}; seconds for an answer: median {took[len(took) // 2]}, longest {took[-1]}", flush=True)


if __name__ == "__main__":
    main()
